// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "ring.h"
#include "stats.h"
#include "stream.h"

#define STREAM_WAKE_MS	4

static void wake(struct timer_list *timer);

static struct ring ring;
static DECLARE_WAIT_QUEUE_HEAD(waiters);
static DEFINE_TIMER(wake_timer, wake);

static void wake(struct timer_list *timer)
{
	wake_up_interruptible(&waiters);
}

int stream_init(unsigned long events)
{
	struct ring_slot *slots = vmalloc(array_size(events, sizeof(*slots)));

	if (!slots)
		return -ENOMEM;
	ring_init(&ring, slots, events);
	return 0;
}

void stream_exit(void)
{
	timer_shutdown_sync(&wake_timer);
	vfree(ring.slots);
}

struct tcptrace_event *stream_begin(void)
{
	return ring_begin(&ring);
}

void stream_end(struct tcptrace_event *event)
{
	ring_end(event);
	stats_inc(STAT_EVENTS);
	/* the barrier inside pairs with that of the sleeper, who then looks again */
	if (wq_has_sleeper(&waiters) && !timer_pending(&wake_timer))
		mod_timer(&wake_timer, jiffies + msecs_to_jiffies(STREAM_WAKE_MS));
}

const struct ring *stream_ring(void)
{
	return &ring;
}

wait_queue_head_t *stream_wait_queue(void)
{
	return &waiters;
}
