// SPDX-License-Identifier: GPL-2.0
/*
 * Packets from nobody, as fast as this host takes them in: each written to a tun
 * device, as if it had come over a wire.
 *
 *   inject DEVICE KIND N      KIND is one of
 *      flow      N connections, each three packets: SYN, SYN+ACK, ACK
 *      syn       N times a SYN from anywhere
 *      fin, rst  N times a FIN with an ACK, a RST, of no connection
 *      collide   N SYNs whose tuples all meet in one bucket, for who knows the
 *                hash function (module/flow_hash.h) and takes its secret for a guess
 *
 * Prints the CLOCK_MONOTONIC nanoseconds of each of the N, which are instructions in a VM
 * that runs with -icount shift=0; filling in the packets is among them, choosing the tuples
 * is not.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

struct packet {
	struct iphdr ip;
	struct tcphdr tcp;
};

struct tuple {
	in_addr_t addr[2];
	in_port_t port[2];
};

static int device;
static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* splitmix64 */
static uint64_t any(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static int open_device(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		err(1, "%s", name);
	return fd;
}

/* RFC 1071 over @len bytes, an even number */
static uint32_t sum(const void *data, unsigned int len, uint32_t start)
{
	const uint16_t *word = data;

	for (; len; len -= 2)
		start += *word++;
	return start;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

/* From 10/8 to 11/8: the receiver may route both ways without meeting itself. */
static struct tuple any_tuple(void)
{
	uint64_t source = any(), target = any();

	return (struct tuple){
		.addr = { htonl(10 << 24 | (source & 0xffffff)),
			  htonl(11 << 24 | (target & 0xffffff)) },
		.port = { source >> 32, target >> 32 },
	};
}

static void send_segment(const struct tuple *tuple, bool back, struct tcphdr tcp)
{
	struct packet packet = {
		.ip = {
			.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
			.tot_len = htons(sizeof(packet)),
			.saddr = tuple->addr[back], .daddr = tuple->addr[!back],
		},
		.tcp = tcp,
	};

	packet.tcp.source = tuple->port[back];
	packet.tcp.dest = tuple->port[!back];
	packet.tcp.doff = 5;
	packet.tcp.window = htons(1024);
	packet.ip.check = fold(sum(&packet.ip, sizeof(packet.ip), 0));
	packet.tcp.check = fold(sum(&packet.tcp, sizeof(packet.tcp),
				    sum(&packet.ip.saddr, 8,
					htons(IPPROTO_TCP) + htons(sizeof(tcp)))));
	if (write(device, &packet, sizeof(packet)) != sizeof(packet))
		err(1, "write");
}

static void inject_syn(const struct tuple *tuple)
{
	send_segment(tuple, false, (struct tcphdr){ .syn = 1, .seq = htonl(1000) });
}

static void inject_flow(const struct tuple *tuple)
{
	inject_syn(tuple);
	send_segment(tuple, true, (struct tcphdr){
		.syn = 1, .ack = 1, .seq = htonl(5000), .ack_seq = htonl(1001) });
	send_segment(tuple, false, (struct tcphdr){
		.ack = 1, .seq = htonl(1001), .ack_seq = htonl(5001) });
}

static void inject_fin(const struct tuple *tuple)
{
	send_segment(tuple, false, (struct tcphdr){ .fin = 1, .ack = 1, .seq = htonl(1000) });
}

static void inject_rst(const struct tuple *tuple)
{
	send_segment(tuple, false, (struct tcphdr){ .rst = 1, .seq = htonl(1000) });
}

/* flow_hash_v4() with the secret that the attacker guesses */
static uint32_t guessed_hash(const struct tuple *tuple)
{
	static const uint64_t guess[] = { 1, 3, 5, 7, 9 };
	uint32_t addr[2], ports;

	memcpy(addr, tuple->addr, sizeof(addr));
	memcpy(&ports, tuple->port, sizeof(ports));
	return (guess[0] + (guess[1] + ports) * guess[2] +
		(guess[3] + addr[0]) * (guess[4] + addr[1])) >> 32;
}

/* All have the lowest 8 bits of the hash in common, as one in 256 has. */
static struct tuple colliding_tuple(void)
{
	struct tuple tuple;

	do
		tuple = any_tuple();
	while (guessed_hash(&tuple) & 0xff);
	return tuple;
}

static const struct kind {
	const char *name;
	struct tuple (*choose)(void);
	void (*inject)(const struct tuple *tuple);
} kinds[] = {
	{ "flow", any_tuple, inject_flow },
	{ "syn", any_tuple, inject_syn },
	{ "fin", any_tuple, inject_fin },
	{ "rst", any_tuple, inject_rst },
	{ "collide", colliding_tuple, inject_syn },
};

static const struct kind *kind_named(const char *name)
{
	const struct kind *kind;

	for (kind = kinds; kind < kinds + sizeof(kinds) / sizeof(kinds[0]); kind++)
		if (!strcmp(kind->name, name))
			return kind;
	errx(2, "%s: flow, syn, fin, rst or collide", name);
}

int main(int argc, char **argv)
{
	long n = argc == 4 ? atol(argv[3]) : 0, i;
	const struct kind *kind;
	struct tuple *tuples;
	uint64_t start;

	if (n <= 0)
		errx(2, "usage: inject DEVICE KIND N");
	kind = kind_named(argv[2]);
	tuples = calloc(n, sizeof(*tuples));
	if (!tuples)
		err(1, "%ld tuples", n);
	for (i = 0; i < n; i++)
		tuples[i] = kind->choose();
	device = open_device(argv[1]);
	start = now_ns();
	for (i = 0; i < n; i++)
		kind->inject(tuples + i);
	printf("%ld\n", (long)((now_ns() - start) / n));
	return 0;
}
