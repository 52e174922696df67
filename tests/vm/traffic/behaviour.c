// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <err.h>
#include <string.h>
#include "behaviour.h"
#include "dice.h"
#include "listener.h"

#define LIMIT	10000	/* ms: far more than any wait on a network that works */
#define LARGE	300000	/* bytes: more than the first windows hold */

static uint64_t dice;

/* 0 to n - 1 */
static int any(int n)
{
	return dice_next(&dice) % n;
}

static bool one_in(int n)
{
	return !any(n);
}

/*
 * Writing a script
 */

static void within(struct connection *conn, int limit, enum op op, enum side side, int arg)
{
	if (conn->steps == CONNECTION_STEPS)
		errx(1, "script too long");
	conn->step[conn->steps++] = (struct step){ op, side, arg, limit };
}

static void does(struct connection *conn, enum side side, enum op op)
{
	within(conn, LIMIT, op, side, 0);
}

static void sends(struct connection *conn, enum side side, int bytes)
{
	within(conn, LIMIT, SEND, side, bytes);
}

static void message(struct connection *conn, enum side from, int bytes)
{
	sends(conn, from, bytes);
	within(conn, LIMIT, RECEIVE, !from, bytes);
}

static void pause_for(struct connection *conn, int ms)
{
	within(conn, LIMIT, PAUSE, CLIENT, ms);
}

/* Nothing, or some time for segments to cross. */
static void breath(struct connection *conn)
{
	if (one_in(2))
		pause_for(conn, 1 + any(20));
}

static int few(void)
{
	return 1 + any(1400);
}

static int bytes(void)
{
	return one_in(16) ? 1 + any(LARGE) : few();
}

static void set_server(struct connection *conn, int port)
{
	conn->address[SERVER].sin6_port = htons(port);
}

/*
 * Openings
 */

static void open_plain(struct connection *conn)
{
	set_server(conn, PORT_PLAIN);
	does(conn, CLIENT, CONNECT);
	does(conn, CLIENT, CONNECTED);
	does(conn, SERVER, ACCEPTED);
}

static void open_crossed(struct connection *conn)
{
	enum side first = any(2);

	set_server(conn, ntohs(conn->address[CLIENT].sin6_port));
	does(conn, first, CONNECT);
	does(conn, !first, CONNECT);
	does(conn, CLIENT, CONNECTED);
	does(conn, SERVER, CONNECTED);
}

static void open_fast(struct connection *conn)
{
	int bytes = few();

	set_server(conn, PORT_FAST);
	within(conn, LIMIT, CONNECT_FAST, CLIENT, bytes);
	if (one_in(2))
		does(conn, CLIENT, CONNECTED);
	does(conn, SERVER, ACCEPTED);
	if (!one_in(4))		/* so that close() sends a FIN, perhaps before the ACK came */
		within(conn, LIMIT, RECEIVE, SERVER, bytes);
}

/* The server is asked to accept only what has sent something. */
static void open_deferring(struct connection *conn)
{
	set_server(conn, PORT_DEFERRING);
	does(conn, CLIENT, CONNECT);
	does(conn, CLIENT, CONNECTED);
	if (one_in(8))
		pause_for(conn, 1500);	/* until the server gives up to wait */
	else
		breath(conn);
	if (!one_in(8))
		sends(conn, CLIENT, few());
	within(conn, 300, ACCEPTED, SERVER, 0);
}

/* Many at once, of which the listener takes one after the other. */
static void open_narrow(struct connection *conn)
{
	set_server(conn, PORT_NARROW);
	does(conn, CLIENT, CONNECT);
	within(conn, 4000, CONNECTED, CLIENT, 0);
	if (one_in(2))
		sends(conn, CLIENT, few());
	within(conn, 500 + any(4000), ACCEPTED, SERVER, 0);
}

/*
 * Closings
 */

static void close_orderly(struct connection *conn)
{
	enum side first = any(2);

	does(conn, first, CLOSE);
	does(conn, !first, READ_END);
	breath(conn);
	does(conn, !first, CLOSE);
}

static void close_half(struct connection *conn)
{
	enum side first = any(2);

	does(conn, first, SHUT);
	does(conn, !first, READ_END);
	breath(conn);
	message(conn, !first, bytes());
	does(conn, !first, one_in(2) ? SHUT : CLOSE);
	does(conn, first, READ_END);
	breath(conn);
	does(conn, first, CLOSE);
	does(conn, !first, CLOSE);
}

static void close_at_once(struct connection *conn)
{
	enum side first = any(2);
	enum op how = one_in(2) ? SHUT : CLOSE;

	does(conn, first, how);
	does(conn, !first, how);
	does(conn, first, READ_END);
	does(conn, !first, READ_END);
	breath(conn);
}

/* The FIN waits behind data that the window does not take. */
static void close_queued(struct connection *conn)
{
	enum side first = any(2);

	within(conn, 5, SEND, first, 1 + any(LARGE));
	if (one_in(2)) {
		does(conn, first, CLOSE);
	} else {
		within(conn, 5, SEND, !first, 1 + any(LARGE));
		does(conn, first, SHUT);
		does(conn, !first, SHUT);
		does(conn, first, READ_END);
	}
	does(conn, !first, READ_END);
	does(conn, !first, CLOSE);
}

static void close_reset(struct connection *conn)
{
	enum side first = any(2);

	if (one_in(3)) {
		does(conn, any(2), SHUT);
		breath(conn);
	}
	does(conn, first, RESET_ON_CLOSE);
	if (one_in(4))
		does(conn, !first, RESET_ON_CLOSE);
	does(conn, first, CLOSE);
	if (!one_in(4))
		does(conn, !first, READ_END);
	does(conn, !first, CLOSE);
}

static void close_unread(struct connection *conn)
{
	enum side first = any(2);

	sends(conn, !first, few());
	if (one_in(3))
		does(conn, any(2), SHUT);
	does(conn, first, HAVE_UNREAD);
	breath(conn);
	does(conn, first, CLOSE);
	does(conn, !first, READ_END);
	does(conn, !first, CLOSE);
}

/* One side has closed, and the other goes on sending. */
static void close_unheard(struct connection *conn)
{
	enum side first = any(2);

	does(conn, first, CLOSE);
	does(conn, !first, READ_END);
	sends(conn, !first, few());
	breath(conn);
	does(conn, !first, CLOSE);
}

static void close_idle(struct connection *conn)
{
	does(conn, any(2), KEEP_ALIVE);
	pause_for(conn, 1200 + any(1000));
	close_orderly(conn);
}

static void close_vanished(struct connection *conn)
{
	enum side first = any(2);

	does(conn, first, VANISH);
	if (one_in(2)) {
		does(conn, !first, KEEP_ALIVE);
		does(conn, !first, READ_END);
	} else {
		sends(conn, !first, few());
	}
	does(conn, !first, CLOSE);
}

/*
 * Attempts that fail
 */

static void fail_closed(struct connection *conn)
{
	set_server(conn, PORT_CLOSED);
	does(conn, CLIENT, CONNECT);
	does(conn, CLIENT, CONNECTED);
}

static void fail_refused(struct connection *conn)
{
	set_server(conn, PORT_REFUSED);
	does(conn, CLIENT, CONNECT);
	does(conn, CLIENT, CONNECTED);
}

static void fail_filtered(struct connection *conn)
{
	set_server(conn, PORT_FILTERED);
	does(conn, CLIENT, CONNECT);
	within(conn, 10 + any(1500), CONNECTED, CLIENT, 0);
	if (one_in(4))
		does(conn, CLIENT, RESET_ON_CLOSE);
}

static void fail_rejected(struct connection *conn)
{
	set_server(conn, PORT_REJECTED);
	does(conn, CLIENT, CONNECT);
	does(conn, CLIENT, CONNECTED);
}

static void fail_unreachable(struct connection *conn)
{
	set_server(conn, PORT_PLAIN);
	if (conn->address[SERVER].sin6_family == AF_INET6)
		inet_pton(AF_INET6, "fd09::1", &conn->address[SERVER].sin6_addr);
	else
		inet_pton(AF_INET, "10.9.0.1",
			  &((struct sockaddr_in *)&conn->address[SERVER])->sin_addr);
	does(conn, CLIENT, CONNECT);
	does(conn, CLIENT, CONNECTED);
}

static void fail_stuck(struct connection *conn)
{
	set_server(conn, PORT_STUCK);
	does(conn, CLIENT, CONNECT);
	within(conn, 10 + any(2500), CONNECTED, CLIENT, 0);
	if (one_in(2))
		within(conn, 500, SEND, CLIENT, few());
	if (one_in(2))
		does(conn, CLIENT, RESET_ON_CLOSE);
}

/* The server's SYN+ACK comes, and nothing of the client's gets through any more, not its end. */
static void fail_deaf(struct connection *conn)
{
	set_server(conn, PORT_DEAF);
	does(conn, CLIENT, CONNECT);
	does(conn, CLIENT, CONNECTED);
	pause_for(conn, any(1000));
	if (one_in(2))
		does(conn, CLIENT, RESET_ON_CLOSE);
}

/**
 * struct behaviour - one way to begin, to end, or to fail
 * @weight: how often it is drawn, in proportion to the others
 * @name: for the list of connections
 * @write: writes its steps
 */
struct behaviour {
	int weight;
	const char *name;
	void (*write)(struct connection *conn);
};

static const struct behaviour openings[] = {
	{ 60, "plain", open_plain },
	{ 10, "crossed", open_crossed },
	{ 10, "fast", open_fast },
	{ 10, "deferring", open_deferring },
	{ 4, "narrow", open_narrow },
	{ 0 },
};

static const struct behaviour closings[] = {
	{ 20, "orderly", close_orderly },
	{ 10, "half", close_half },
	{ 10, "at_once", close_at_once },
	{ 5, "queued", close_queued },
	{ 10, "reset", close_reset },
	{ 10, "unread", close_unread },
	{ 10, "unheard", close_unheard },
	{ 2, "idle", close_idle },
	{ 2, "vanished", close_vanished },
	{ 0 },
};

static const struct behaviour failures[] = {
	{ 6, "closed", fail_closed },
	{ 3, "refused", fail_refused },
	{ 2, "filtered", fail_filtered },
	{ 3, "rejected", fail_rejected },
	{ 3, "unreachable", fail_unreachable },
	{ 1, "stuck", fail_stuck },
	{ 1, "deaf", fail_deaf },
	{ 0 },
};

static const char *write_one(struct connection *conn, const struct behaviour *of)
{
	const struct behaviour *behaviour;
	int sum = 0;

	behaviour = of;
	do
		sum += behaviour->weight;
	while ((++behaviour)->weight);
	sum = any(sum);
	for (behaviour = of; sum >= behaviour->weight; behaviour++)
		sum -= behaviour->weight;
	behaviour->write(conn);
	return behaviour->name;
}

static void exchange(struct connection *conn)
{
	int messages = any(4);

	while (messages--)
		message(conn, any(2), bytes());
}

static void set_addresses(struct connection *conn)
{
	static const char *const v4[] = { "10.0.1.1", "10.0.2.1" };
	static const char *const v6[] = { "fd01::1", "fd02::1" };
	int side;

	for (side = CLIENT; side <= SERVER; side++) {
		struct sockaddr_in6 *address = &conn->address[side];

		if (conn->number % 2) {
			address->sin6_family = AF_INET6;
			inet_pton(AF_INET6, v6[side], &address->sin6_addr);
		} else {
			address->sin6_family = AF_INET;
			inet_pton(AF_INET, v4[side], &((struct sockaddr_in *)address)->sin_addr);
		}
		address->sin6_port = htons(BEHAVIOUR_FIRST_PORT + conn->number / 2);
	}
}

void behaviour_draw(struct connection *conn, int number, uint64_t seed)
{
	dice = (seed << 20) + number;
	*conn = (struct connection){ .number = number, .fd = { -1, -1 } };
	set_addresses(conn);
	if (one_in(7)) {
		conn->opening = write_one(conn, failures);
		conn->closing = "-";
		return;
	}
	conn->opening = write_one(conn, openings);
	exchange(conn);
	breath(conn);
	conn->closing = write_one(conn, closings);
}
