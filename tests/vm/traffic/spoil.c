// SPDX-License-Identifier: GPL-2.0
/*
 * Real packets with some bytes changed, into a device.
 *
 *   spoil FD FILE N SEED
 *
 * FD is a tun device, or a packet socket bound to an interface, inherited.  FILE has the
 * packets, each behind its length and the place of its IP header, of two bytes each, the
 * low one first.  N packets are sent, chosen at random: some as they are, most with a few
 * bytes changed or cut off, and of these every second one with its checksums made right
 * again, so that it gets further.
 */
#include <err.h>
#include <netinet/ip.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dice.h"

#define PACKETS_MAX	4096
#define PACKET_MAX	2048

struct packet {
	uint8_t bytes[PACKET_MAX];
	unsigned int len;
	unsigned int ip;
};

static struct packet packets[PACKETS_MAX];
static unsigned int count;
static uint64_t dice;

/* 0 to n - 1 */
static unsigned int any(unsigned int n)
{
	return dice_next(&dice) % n;
}

static void read_packets(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t head[4];

	if (!file)
		err(1, "%s", path);
	while (count < PACKETS_MAX && fread(head, 1, 4, file) == 4) {
		struct packet *packet = &packets[count++];

		packet->len = head[0] | head[1] << 8;
		packet->ip = head[2] | head[3] << 8;
		if (packet->len > PACKET_MAX || packet->ip >= packet->len ||
		    fread(packet->bytes, 1, packet->len, file) != packet->len)
			errx(1, "%s: packet %u is cut off", path, count);
	}
	fclose(file);
	if (!count)
		errx(1, "%s: no packets", path);
}

static uint32_t sum(const uint8_t *bytes, unsigned int len, uint32_t start)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		start += i & 1 ? bytes[i] : bytes[i] << 8;
	return start;
}

static void put_sum(uint8_t *place, uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	place[0] = sum >> 8;
	place[1] = sum;
}

/* The IPv4 header's, and that of a TCP header right behind it. */
static void mend(struct packet *packet)
{
	uint8_t *p = packet->bytes + packet->ip;
	bool v6 = p[0] >> 4 == 6;
	unsigned int header = v6 ? 40 : (p[0] & 15) * 4;
	unsigned int len = packet->len - packet->ip - header;

	if (header < 20 || packet->len < packet->ip + header + 20)
		return;
	if (!v6) {
		p[10] = 0;
		p[11] = 0;
		put_sum(p + 10, sum(p, header, 0));
	}
	if (p[v6 ? 6 : 9] != IPPROTO_TCP)
		return;
	p[header + 16] = 0;
	p[header + 17] = 0;
	put_sum(p + header + 16, sum(p + header, len,
				     sum(v6 ? p + 8 : p + 12, v6 ? 32 : 8, IPPROTO_TCP + len)));
}

static void spoil(struct packet *packet)
{
	static const uint8_t times[] = { 1, 1, 2, 5 };
	unsigned int i = times[any(4)];

	while (i--) {
		uint8_t *byte = &packet->bytes[any(packet->len < 120 ? packet->len : 120)];

		switch (any(4)) {
		case 0:
			*byte = 0;
			break;
		case 1:
			*byte = 255;
			break;
		case 2:
			*byte ^= 1 << any(8);
			break;
		default:
			*byte = dice_next(&dice);
		}
	}
	if (!any(4))
		packet->len = 1 + any(packet->len);
	if (any(2))
		mend(packet);
}

int main(int argc, char **argv)
{
	long n, sent = 0;
	int device;

	if (argc != 5)
		errx(2, "usage: spoil FD FILE N SEED");
	read_packets(argv[2]);
	device = atoi(argv[1]);
	dice = strtoull(argv[4], NULL, 0);
	for (n = atol(argv[3]); n > 0; n--) {
		struct packet packet = packets[any(count)];

		if (any(8))
			spoil(&packet);
		/* what is no IP at all the device itself refuses */
		sent += write(device, packet.bytes, packet.len) == (ssize_t)packet.len;
	}
	printf("%ld\n", sent);
	return 0;
}
