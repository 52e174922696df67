// SPDX-License-Identifier: GPL-2.0
/*
 * Connections between the namespaces client and server, many at a time, each with a
 * behaviour of its own:
 *
 *   traffic SEED FIRST COUNT PARALLEL
 *
 * Connection number FIRST + i always does the same for the same SEED.  One line for each
 * at the end: number, opening, closing, and how many of its waits ran out.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "behaviour.h"
#include "connection.h"
#include "listener.h"

#define STARTS	4	/* new connections between two looks at the old ones */

static struct connection *connections;
static int first, count;
static int *active, actives;

/* Who the client's port tells it is for; nobody, if that one has finished. */
static void hand_out(int fd, int port, bool v6)
{
	int i, number = (port - BEHAVIOUR_FIRST_PORT) * 2 + v6;

	for (i = 0; i < actives; i++) {
		struct connection *conn = &connections[active[i]];

		if (conn->number == number && conn->fd[SERVER] < 0) {
			conn->fd[SERVER] = fd;
			return;
		}
	}
	close(fd);
}

static void accept_all(const struct pollfd *ready)
{
	int i, fd, port;

	for (i = 0; i < LISTENERS; i++) {
		if (!(ready[i].revents & POLLIN))
			continue;
		fd = listener_accept(i, &port);
		if (fd >= 0)
			hand_out(fd, port, i % 2);
	}
}

/* Run all that need not wait any more; a connection without a socket to wait for may. */
static void run_ready(const struct pollfd *ready)
{
	int i, kept = 0, before = actives;

	for (i = 0; i < before; i++) {
		struct connection *conn = &connections[active[i]];
		bool timed = ready[i].fd < 0 || connection_now() >= conn->deadline;

		if ((!timed && !ready[i].revents) || !connection_run(conn))
			active[kept++] = active[i];
	}
	actives = kept;
}

static void turn(struct pollfd *wait, bool more)
{
	long left, timeout = more ? 2 : 50;
	int i;

	for (i = 0; i < actives; i++) {
		left = connection_wait(&connections[active[i]], &wait[LISTENERS + i]);
		if (left < timeout)
			timeout = left;
	}
	listener_wait(wait);
	if (poll(wait, LISTENERS + actives, timeout) < 0)
		err(1, "poll");
	accept_all(wait);
	run_ready(wait + LISTENERS);
}

static void start(int index, uint64_t seed)
{
	behaviour_draw(&connections[index], first + index, seed);
	if (!connection_run(&connections[index]))
		active[actives++] = index;
}

static void run_all(uint64_t seed, int parallel)
{
	struct pollfd *wait = calloc(LISTENERS + parallel, sizeof(*wait));
	int i, started = 0;

	active = calloc(parallel, sizeof(*active));
	if (!wait || !active)
		err(1, "calloc");
	while (started < count || actives) {
		for (i = 0; i < STARTS && started < count && actives < parallel; i++)
			start(started++, seed);
		turn(wait, started < count && actives < parallel);
	}
	free(active);
	free(wait);
}

static void print_all(void)
{
	int i;

	for (i = 0; i < count; i++) {
		const struct connection *conn = &connections[i];

		printf("%d %s %s %d\n", conn->number, conn->opening, conn->closing, conn->late);
	}
}

int main(int argc, char **argv)
{
	if (argc != 5)
		errx(2, "usage: traffic SEED FIRST COUNT PARALLEL");
	first = atoi(argv[2]);
	count = atoi(argv[3]);
	connections = calloc(count, sizeof(*connections));
	if (!connections)
		err(1, "calloc");
	connection_init();
	listener_init();
	run_all(strtoull(argv[1], NULL, 0), atoi(argv[4]));
	listener_exit();
	print_all();
	free(connections);
	return 0;
}
