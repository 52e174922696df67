// SPDX-License-Identifier: GPL-2.0
/*
 * The load that a tracer is measured on: one process that is both ends of
 * TCP connections over loopback.
 *
 *   load trips N          N times a 32-byte request and a 32-byte answer on
 *                         one connection, the median of some rounds
 *   load connections N    N times socket, connect, accept, close both
 *
 * Prints CLOCK_MONOTONIC nanoseconds for each, which are instructions in a VM
 * that runs with -icount shift=0.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_LEN 32
#define ROUNDS 15

static struct sockaddr_in address;

static long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static int listen_on_loopback(void)
{
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) ||
	    listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		err(1, "listen");
	return fd;
}

static void set_nodelay(int fd)
{
	const int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		err(1, "TCP_NODELAY");
}

/* A connection to ourselves: *client was connected, *server accepted. */
static void open_connection(int listener, int *client, int *server)
{
	*client = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(*client, (struct sockaddr *)&address, sizeof(address)))
		err(1, "connect");
	*server = accept(listener, NULL, NULL);
	set_nodelay(*client);
	set_nodelay(*server);
}

static void close_connection(int client, int server)
{
	close(client);
	close(server);
}

static void send_message(int from, int to)
{
	char message[MESSAGE_LEN] = "";

	if (write(from, message, sizeof(message)) != sizeof(message) ||
	    read(to, message, sizeof(message)) != sizeof(message))
		err(1, "message");
}

static long trips(int listener, long n)
{
	int client, server;
	long start, end, i;

	open_connection(listener, &client, &server);
	start = now_ns();
	for (i = 0; i < n; i++) {
		send_message(client, server);
		send_message(server, client);
	}
	end = now_ns();
	close_connection(client, server);
	return end - start;
}

static int compare(const void *a, const void *b)
{
	const long *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * The median of some rounds.  A round trip allocates and frees the same few
 * buffers; where their slab happens to be full it costs some 550 instructions
 * more, whatever else is measured.  An unread message before each round shifts
 * that boundary.
 */
static long median_trips(int listener, long n)
{
	int client, server, i;
	long ns[ROUNDS];

	for (i = 0; i < ROUNDS; i++) {
		open_connection(listener, &client, &server);
		if (write(client, "", 1) != 1)
			err(1, "write");
		ns[i] = trips(listener, n);
	}
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	return ns[ROUNDS / 2];
}

static long connections(int listener, long n)
{
	long start = now_ns(), i;
	int client, server;

	for (i = 0; i < n; i++) {
		open_connection(listener, &client, &server);
		close_connection(client, server);
	}
	return now_ns() - start;
}

int main(int argc, char **argv)
{
	long n = argc == 3 ? atol(argv[2]) : 0;
	int listener = listen_on_loopback();
	long ns;

	if (n > 0 && !strcmp(argv[1], "trips"))
		ns = median_trips(listener, n);
	else if (n > 0 && !strcmp(argv[1], "connections"))
		ns = connections(listener, n);
	else
		errx(2, "usage: load trips|connections N");

	printf("%ld\n", ns / n);
	return 0;
}
