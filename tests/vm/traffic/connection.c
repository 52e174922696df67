// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "connection.h"

#define CHUNK	65536

static const char *const namespaces[] = { "/run/netns/client", "/run/netns/server" };
static int namespace[2];
static char chunk[CHUNK];

long connection_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

void connection_init(void)
{
	int side;

	for (side = CLIENT; side <= SERVER; side++) {
		namespace[side] = open(namespaces[side], O_RDONLY | O_CLOEXEC);
		if (namespace[side] < 0)
			err(1, "%s", namespaces[side]);
	}
}

static void set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		err(1, "setsockopt %d %d", level, option);
}

int connection_socket(enum side side, int family)
{
	int fd;

	if (setns(namespace[side], CLONE_NEWNET))
		err(1, "setns");
	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(1, "socket");
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return fd;
}

static socklen_t length(const struct sockaddr_in6 *address)
{
	return address->sin6_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
						  sizeof(struct sockaddr_in);
}

static void shut_down(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* What it returns tells nothing: the outcome is what CONNECTED waits for. */
static void start(struct connection *conn, enum side side, int bytes)
{
	const struct sockaddr_in6 *to = &conn->address[!side];
	const struct sockaddr_in6 *from = &conn->address[side];
	int fd = connection_socket(side, from->sin6_family);

	if (bind(fd, (const struct sockaddr *)from, length(from)))
		err(1, "bind");
	conn->fd[side] = fd;
	if (bytes)
		sendto(fd, chunk, bytes, MSG_FASTOPEN | MSG_NOSIGNAL,
		       (const struct sockaddr *)to, length(to));
	else
		connect(fd, (const struct sockaddr *)to, length(to));
}

static bool would_wait(ssize_t done)
{
	return done < 0 && (errno == EAGAIN || errno == EINTR || errno == EINPROGRESS);
}

static bool send_some(struct connection *conn, int fd, long bytes)
{
	while (conn->moved < bytes) {
		size_t left = bytes - conn->moved;
		ssize_t done = send(fd, chunk, left < CHUNK ? left : CHUNK, MSG_NOSIGNAL);

		if (done < 0)
			return !would_wait(done);
		conn->moved += done;
	}
	return true;
}

/* All there is if @bytes is 0. */
static bool receive_some(struct connection *conn, int fd, long bytes)
{
	while (!bytes || conn->moved < bytes) {
		size_t left = bytes ? bytes - conn->moved : CHUNK;
		ssize_t done = recv(fd, chunk, left < CHUNK ? left : CHUNK, MSG_TRUNC);

		if (done <= 0)
			return !would_wait(done);
		conn->moved += done;
	}
	return true;
}

static bool has_outcome(int fd)
{
	struct pollfd out = { .fd = fd, .events = POLLOUT };

	return poll(&out, 1, 0) > 0;
}

/* Something can be read, if only that there will be nothing any more. */
static bool has_unread(int fd)
{
	return !would_wait(recv(fd, chunk, 1, MSG_PEEK));
}

static void vanish(int *fd)
{
	/* refused if there is no connection any more */
	setsockopt(*fd, IPPROTO_TCP, TCP_REPAIR, &(int){ 1 }, sizeof(int));
	shut_down(fd);
}

static void keep_alive(int fd)
{
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

static void reset_on_close(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)))
		err(1, "SO_LINGER");
}

/* True if the step is done; of a side that has no socket, all but CONNECT and ACCEPTED are. */
static bool try(struct connection *conn, const struct step *step)
{
	int *fd = &conn->fd[step->side];

	switch (step->op) {
	case CONNECT:
		start(conn, step->side, 0);
		return true;
	case CONNECT_FAST:
		start(conn, step->side, step->arg);
		return true;
	case ACCEPTED:
		return *fd >= 0;
	case PAUSE:
		return false;
	default:
		break;
	}
	if (*fd < 0)
		return true;

	switch (step->op) {
	case CONNECTED:
		return has_outcome(*fd);
	case SEND:
		return send_some(conn, *fd, step->arg);
	case RECEIVE:
		return receive_some(conn, *fd, step->arg);
	case READ_END:
		return receive_some(conn, *fd, 0);
	case HAVE_UNREAD:
		return has_unread(*fd);
	case SHUT:
		shutdown(*fd, SHUT_WR);
		break;
	case RESET_ON_CLOSE:
		reset_on_close(*fd);
		break;
	case CLOSE:
		shut_down(fd);
		break;
	case VANISH:
		vanish(fd);
		break;
	case KEEP_ALIVE:
		keep_alive(*fd);
		break;
	default:
		break;
	}
	return true;
}

/* True once the wait for the step has run out. */
static bool ran_out(struct connection *conn, const struct step *step)
{
	long now = connection_now();

	if (!conn->begun)
		conn->begun = now;
	if (!conn->deadline)
		conn->deadline = now + (step->op == PAUSE ? step->arg : step->limit);
	if (now < conn->deadline && now < conn->begun + CONNECTION_LIMIT)
		return false;
	conn->late += step->op != PAUSE;
	return true;
}

bool connection_run(struct connection *conn)
{
	while (conn->at < conn->steps) {
		const struct step *step = &conn->step[conn->at];

		if (!try(conn, step) && !ran_out(conn, step))
			return false;
		conn->at++;
		conn->deadline = 0;
		conn->moved = 0;
	}
	shut_down(&conn->fd[CLIENT]);
	shut_down(&conn->fd[SERVER]);
	return true;
}

long connection_wait(const struct connection *conn, struct pollfd *wait)
{
	const struct step *step = &conn->step[conn->at];
	bool in = step->op == RECEIVE || step->op == READ_END || step->op == HAVE_UNREAD;
	long left = conn->deadline - connection_now();

	wait->events = in ? POLLIN : POLLOUT;
	wait->fd = step->op == PAUSE ? -1 : conn->fd[step->side];
	return left > 0 ? left : 0;
}
