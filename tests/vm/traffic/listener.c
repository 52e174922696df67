// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <err.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>
#include "connection.h"
#include "listener.h"

#define WIDE		4096
#define DEFER_SECONDS	1
#define NARROW_MS	150	/* between two that the narrow listener accepts */

/* The queue holds one more than the backlog. */
static const struct {
	enum port port;
	int backlog;
} kinds[] = {
	{ PORT_PLAIN, WIDE },
	{ PORT_DEFERRING, WIDE },
	{ PORT_FAST, WIDE },
	{ PORT_NARROW, 1 },
	{ PORT_STUCK, 0 },
	{ PORT_DEAF, WIDE },
};

static int listeners[LISTENERS];
static long narrow_due[LISTENERS];

static enum port port_of(int which)
{
	return kinds[which / 2].port;
}

static void set(int fd, int option, int value)
{
	if (setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value)))
		err(1, "setsockopt %d", option);
}

static int make(int family, enum port port, int backlog)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool v6 = family == AF_INET6;
	int fd = connection_socket(SERVER, family);

	if (v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 1 }, sizeof(int)))
		err(1, "IPV6_V6ONLY");
	if (port == PORT_DEFERRING)
		set(fd, TCP_DEFER_ACCEPT, DEFER_SECONDS);
	if (port == PORT_FAST)
		set(fd, TCP_FASTOPEN, WIDE);
	if (bind(fd, v6 ? (void *)&any6 : (void *)&any, v6 ? sizeof(any6) : sizeof(any)) ||
	    listen(fd, backlog))
		err(1, "listen on port %d", port);
	return fd;
}

void listener_init(void)
{
	int i;

	for (i = 0; i < LISTENERS; i++)
		listeners[i] = make(i % 2 ? AF_INET6 : AF_INET, port_of(i), kinds[i / 2].backlog);
}

void listener_wait(struct pollfd *wait)
{
	long now = connection_now();
	int i;

	for (i = 0; i < LISTENERS; i++) {
		bool ready = port_of(i) != PORT_STUCK && now >= narrow_due[i];

		wait[i].fd = ready ? listeners[i] : -1;
		wait[i].events = POLLIN;
	}
}

int listener_accept(int which, int *port)
{
	struct sockaddr_in6 from = { 0 };
	socklen_t len = sizeof(from);
	int fd = accept4(listeners[which], (struct sockaddr *)&from, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (port_of(which) == PORT_NARROW)
		narrow_due[which] = connection_now() + NARROW_MS;
	*port = ntohs(from.sin6_port);	/* stands where it does in IPv4 */
	return fd;
}

void listener_exit(void)
{
	int i;

	for (i = 0; i < LISTENERS; i++)
		close(listeners[i]);
}
