/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TRAFFIC_CONNECTION_H
#define _TRAFFIC_CONNECTION_H

#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define CONNECTION_STEPS	48
#define CONNECTION_LIMIT	20000	/* ms: a script that takes longer waits no more */

enum side {
	CLIENT	= 0,
	SERVER	= 1,
};

/**
 * enum op - what one side does, or waits for
 * @CONNECT: socket, bind, connect
 * @CONNECT_FAST: the same with so many bytes in the SYN
 * @CONNECTED: until connect() has an outcome
 * @ACCEPTED: until the listener has handed out the server's socket
 * @SEND: so many bytes, whether they are taken or the connection breaks
 * @RECEIVE: so many bytes, or all until the end
 * @READ_END: all until the peer's FIN or an error
 * @HAVE_UNREAD: until something can be read, which stays unread
 * @SHUT: shutdown for writing
 * @RESET_ON_CLOSE: SO_LINGER of 0
 * @CLOSE: close
 * @VANISH: close without a segment, as a host does that loses power
 * @KEEP_ALIVE: probes after a second of silence
 * @PAUSE: nothing for so many ms
 */
enum op {
	CONNECT,
	CONNECT_FAST,
	CONNECTED,
	ACCEPTED,
	SEND,
	RECEIVE,
	READ_END,
	HAVE_UNREAD,
	SHUT,
	RESET_ON_CLOSE,
	CLOSE,
	VANISH,
	KEEP_ALIVE,
	PAUSE,
};

/**
 * struct step - one thing to do
 * @op: what
 * @side: who
 * @arg: bytes or ms
 * @limit: how many ms to wait for it at most, then the next step comes
 */
struct step {
	enum op op;
	enum side side;
	int arg;
	int limit;
};

/**
 * struct connection - one connection and its script
 * @number: counts from 0 over all runs; the port follows from it
 * @opening: how it begins, by the name of its behaviour
 * @closing: how it ends
 * @address: of each side
 * @fd: of each side, -1 if it has none now
 * @step: the script
 * @steps: how many steps it has
 * @begun: when it began, in ms
 * @at: the step that is due
 * @deadline: when the wait for that step is over, 0 if it has not begun
 * @moved: how many bytes of the step are through
 * @late: how many waits ran out
 */
struct connection {
	int number;
	const char *opening;
	const char *closing;
	struct sockaddr_in6 address[2];
	int fd[2];
	struct step step[CONNECTION_STEPS];
	int steps;
	long begun;
	int at;
	long deadline;
	long moved;
	int late;
};

/* Milliseconds of CLOCK_MONOTONIC. */
long connection_now(void);

/* A socket of one side's network namespace, non-blocking, its port free to be used again. */
int connection_socket(enum side side, int family);

/* Open the namespaces /run/netns/client and server. */
void connection_init(void);

/* Do what can be done now; true at the end of the script, with both sides closed. */
bool connection_run(struct connection *conn);

/**
 * connection_wait - what the connection waits for
 * @conn: connection_run() returned false
 * @wait: its socket and events; the fd is -1 if only time counts
 *
 * Return: ms until its wait is over.
 */
long connection_wait(const struct connection *conn, struct pollfd *wait);

#endif /* _TRAFFIC_CONNECTION_H */
