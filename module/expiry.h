/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_EXPIRY_H
#define _TCPTRACE_EXPIRY_H

#include <linux/compiler.h>
#include <linux/tcptrace.h>
#include <linux/types.h>

struct flow;

/**
 * DOC: How flows end without a segment
 *
 * Every flow stands in the queue of the timer that runs for it, behind all whose
 * timer was restarted before.  So the head of each queue is the next to run out,
 * one look at it tells whether anything is due, and a new value of a timeout
 * holds for all flows at once.  It is also the order of eviction.
 *
 * A segment that restarts a timer moves its flow to the end only if a grain of
 * time has begun since the flow got its place: neither a busy flow nor one of very
 * many takes the lock for each packet.  A grain is some 256th of the timeout, at
 * least some quarter of a second: a power of two of jiffies.
 * A flow may so hide another behind it for that long, and of two that were last
 * active in the same grain either may be evicted first.
 *
 * Half-open flows are those that one side alone may have forged.  They have queues
 * and a budget of their own, and are the first to go.
 */

/* Limits and timeouts, written by the parameters of main.c at any time. */
struct expiry_limits {
	unsigned int max_flows;
	unsigned int max_half_open;
	unsigned int timeout[TCPTRACE_TIMER_CLOSED + 1];	/* in seconds */
};

extern struct expiry_limits expiry_limits;

/* The grain of each timer in jiffies, a power of two: see DOC. */
extern u32 expiry_grain[TCPTRACE_TIMER_CLOSED + 1];

/**
 * expiry_set_grains - the timeouts were written
 * @unused: the new value of one of them
 */
void expiry_set_grains(unsigned int unused);

/**
 * expiry_keeps_place - may a flow stay where it is in its queue?
 * @timer: the timer that runs
 * @active: &flow.active
 * @now: jiffies, the lower half
 *
 * Context: any; takes no lock.
 */
static inline bool expiry_keeps_place(enum tcptrace_timer timer, u32 active, u32 now)
{
	return (active ^ now) < READ_ONCE(expiry_grain[timer]);
}

/**
 * expiry_init - start to look
 */
void expiry_init(void);

/**
 * expiry_exit - stop to look, end all flows that are left
 *
 * No segment comes any more.
 *
 * Context: may sleep.
 */
void expiry_exit(void);

/**
 * expiry_enqueue - a new flow gets its place
 * @flow: locked, stepped once
 */
void expiry_enqueue(struct flow *flow);

/**
 * expiry_restart - the timer of a flow starts anew, or another one does
 * @flow: locked, in a queue
 */
void expiry_restart(struct flow *flow);

/**
 * expiry_active - a segment that only carries data or an ACK
 * @flow: locked, in a queue
 *
 * Restarts the timers that run while nothing happens; the others run on.
 */
void expiry_active(struct flow *flow);

/**
 * expiry_remove - end a flow that is not to expire
 * @flow: locked, not dead; dead afterwards
 */
void expiry_remove(struct flow *flow);

/**
 * expiry_make_room - see to it that one more flow keeps the limits
 *
 * Every new flow is half-open: one side alone has been heard.  Evicts half-open
 * flows first, then those that are closed, then by what is lost with them, an
 * established connection last.
 *
 * Context: under rcu_read_lock(), bottom halves disabled, no flow locked.
 *
 * Return: false if the limits leave no room for it.
 */
bool expiry_make_room(void);

/**
 * expiry_flush - end every flow with its verdict so far
 * @netns: of the namespace with this inode number; 0 for all
 * @mirror: seen on the mirrored interface of this number; 0 for anywhere
 *
 * Context: may sleep.
 *
 * Flows that come meanwhile stay.
 */
void expiry_flush(u32 netns, u8 mirror);

#endif /* _TCPTRACE_EXPIRY_H */
