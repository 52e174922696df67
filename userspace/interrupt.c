// SPDX-License-Identifier: GPL-2.0
/*
 * Signals that ask for a clean end.  The handler writes to an eventfd which is
 * waited on together with the source: so a signal that comes just before the
 * wait is not missed, and no event needs a syscall to look for one.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "interrupt.h"

static atomic_int caught;
static int wakeup = -1;

static void catch(int signal)
{
	uint64_t one = 1;
	int saved = errno;
	ssize_t n;

	caught = signal;
	n = write(wakeup, &one, sizeof(one));
	(void)n;	/* full means that the wait will end anyway */
	errno = saved;
}

/**
 * interrupt_init - take SIGINT, SIGTERM and SIGHUP as a wish to end; the second
 *	one ends at once.
 *
 * Return: 0 or a negative errno.
 */
int interrupt_init(void)
{
	struct sigaction action = { .sa_handler = catch, .sa_flags = SA_RESETHAND };

	wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wakeup < 0)
		return -errno;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* what nohup ignores stays ignored */
	if (signal(SIGHUP, SIG_IGN) != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
	return 0;
}

/**
 * interrupt_signal - was there a signal
 *
 * Return: its number, or 0
 */
int interrupt_signal(void)
{
	return caught;
}

/**
 * interrupt_wait - wait until there is something to read
 * @input: what to read
 * @output: whose closing by its reader ends the wait too
 * @timeout_ms: how long to wait, -1 for ever
 *
 * Return: 0, read on; -EINTR after a signal; -EPIPE, nobody reads @output.
 */
int interrupt_wait(int input, int output, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = input, .events = POLLIN },
		{ .fd = wakeup, .events = POLLIN },
		{ .fd = output },
	};

	/* a wait that fails is one that ended early */
	if (poll(fds, 3, timeout_ms) < 0)
		fds[2].revents = 0;
	if (caught)
		return -EINTR;
	if (fds[2].revents & POLLERR)
		return -EPIPE;
	return 0;
}
