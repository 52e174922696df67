/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TRAFFIC_LISTENER_H
#define _TRAFFIC_LISTENER_H

#include <poll.h>

/**
 * enum port - where a connection goes
 * @PORT_PLAIN: a listener
 * @PORT_DEFERRING: one with TCP_DEFER_ACCEPT
 * @PORT_FAST: one with TCP_FASTOPEN
 * @PORT_NARROW: one that accepts slowly, with a queue of two
 * @PORT_STUCK: one that never accepts, with a queue of one
 * @PORT_DEAF: a listener; a firewall on the way drops every ACK to it
 * @PORT_CLOSED: nobody listens
 * @PORT_FILTERED: a firewall on the way drops what goes there
 * @PORT_REJECTED: a firewall answers with an ICMP error
 * @PORT_REFUSED: a firewall answers with a RST
 */
enum port {
	PORT_PLAIN	= 7001,
	PORT_DEFERRING,
	PORT_FAST,
	PORT_NARROW,
	PORT_STUCK,
	PORT_DEAF,
	PORT_CLOSED,
	PORT_FILTERED,
	PORT_REJECTED,
	PORT_REFUSED,
};

#define LISTENERS	12	/* the first six ports, both address families */

/* Listen on all ports that are listened on. */
void listener_init(void);

/* What to wait for: LISTENERS entries, fd -1 where nothing is to be accepted now. */
void listener_wait(struct pollfd *wait);

/**
 * listener_accept - one connection of a listener that is ready
 * @which: index of its entry
 * @port: the client's port
 *
 * Return: the server's socket, -1 if there is none.
 */
int listener_accept(int which, int *port);

/* Close all; connections that nobody accepted are reset by that. */
void listener_exit(void);

#endif /* _TRAFFIC_LISTENER_H */
