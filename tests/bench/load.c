// SPDX-License-Identifier: GPL-2.0
/*
 * The load that a tracer is measured on: one process that is both ends of
 * TCP connections over loopback.
 *
 *   load trips N          N times a 32-byte request and a 32-byte answer on
 *                         one connection, the median of some rounds
 *   load connections N    N times socket, connect, accept, close both
 *   load hold N COMMAND   N connections, which exchange messages one after the other while
 *                         the command runs, then are closed
 *
 *   load spent N COMMAND  the command N times, its CPU time, the least
 *
 * The first two print CLOCK_MONOTONIC nanoseconds for each, which are instructions in a VM
 * that runs with -icount shift=0; the third how many messages there were;
 * the last one nanoseconds in which nobody waited.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

static pid_t start(char **command)
{
	pid_t child = fork();

	if (child < 0)
		err(1, "fork");
	if (child)
		return child;
	execvp(command[0], command);
	err(127, "%s", command[0]);
}

/* Each sends a message to and fro in turn, as long as the command runs. */
static long hold(int listener, long n, char **command)
{
	struct rlimit files = { 2 * n + 64, 2 * n + 64 };
	int (*pair)[2] = calloc(n, sizeof(*pair));
	long i, messages = 0;
	pid_t child;

	if (!pair || setrlimit(RLIMIT_NOFILE, &files))
		err(1, "%ld connections", n);
	for (i = 0; i < n; i++)
		open_connection(listener, &pair[i][0], &pair[i][1]);
	child = start(command);
	while (waitpid(child, NULL, WNOHANG) == 0 || messages < 2 * n) {
		i = messages / 2 % n;
		send_message(pair[i][0], pair[i][1]);
		send_message(pair[i][1], pair[i][0]);
		messages += 2;
	}
	for (i = 0; i < n; i++)
		close_connection(pair[i][0], pair[i][1]);
	return messages;
}

/* Behind what the command writes, on standard error. */
static long spent(long n, char **command)
{
	struct rusage used;
	long ns, least = 0;

	while (n--) {
		if (wait4(start(command), NULL, 0, &used) < 0)
			err(1, "wait");
		ns = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000L +
		     (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000L;
		if (!least || ns < least)
			least = ns;
	}
	return least;
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? atol(argv[2]) : 0;
	int listener = listen_on_loopback();

	if (n > 0 && argc == 3 && !strcmp(argv[1], "trips"))
		printf("%ld\n", median_trips(listener, n) / n);
	else if (n > 0 && argc == 3 && !strcmp(argv[1], "connections"))
		printf("%ld\n", connections(listener, n) / n);
	else if (n > 0 && argc > 3 && !strcmp(argv[1], "hold"))
		printf("%ld\n", hold(listener, n, argv + 3));
	else if (n > 0 && argc > 3 && !strcmp(argv[1], "spent"))
		fprintf(stderr, "%ld\n", spent(n, argv + 3));
	else
		errx(2, "usage: load trips|connections N | hold|spent N COMMAND");
	return 0;
}
