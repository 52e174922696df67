// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/workqueue.h>
#include "compat.h"
#include "log.h"
#include "notice.h"
#include "reader.h"
#include "ring.h"
#include "stats.h"
#include "stream.h"
#include "text.h"

#define LOG_INTERVAL	(5 * HZ)
#define LOG_BURST	50
#define LOG_BATCH	1024	/* events to read before others may use the CPU */

static void log_work(struct work_struct *work);
static int log_wake(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key);

static struct reader reader;	/* of the worker, and of whoever has stopped it */
static unsigned int suppressed;	/* lines since the last one printed; the same */
static struct ratelimit_state limit =
	RATELIMIT_STATE_INIT_FLAGS("tcptrace", LOG_INTERVAL, LOG_BURST, RATELIMIT_MSG_ON_RELEASE);

static DECLARE_DELAYED_WORK(worker, log_work);
static struct wait_queue_entry waiter = { .func = log_wake };
static bool waiting;

/* In place of a task that wakes: the stream has something new. */
static int log_wake(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	mod_delayed_work(system_dfl_wq, &worker, 0);
	return 0;
}

static void tell_suppressed(void)
{
	if (suppressed)
		pr_info("%u lines suppressed\n", suppressed);
	suppressed = 0;
}

/* May one more line be printed?  What was left out before is told first. */
static bool allowed(void)
{
	if (!__ratelimit(&limit))
		return false;
	tell_suppressed();
	return true;
}

static void print(const struct tcptrace_event *event)
{
	static char line[TEXT_LINE_MAX];

	if (allowed()) {
		text_event(line, event);
		pr_info("%s\n", line);
	} else {
		suppressed++;
		stats_add(STAT_LOG_SUPPRESSED, 1);
	}
}

/* At the level of connections: of the ICMP errors only what ended one, the END has no room. */
static bool wanted(const struct tcptrace_event *event)
{
	return !reader.filter.kinds || event->kind != TCPTRACE_EVENT_ICMP_ERROR ||
	       (event->initiator_state == TCPTRACE_STATE_CLOSED &&
		event->prev_initiator_state != TCPTRACE_STATE_CLOSED);
}

static void log_work(struct work_struct *work)
{
	struct tcptrace_event event;
	int i;

	if (suppressed)
		allowed();
	for (i = 0; i < LOG_BATCH && reader_next(&reader, &reader.account, &event); i++) {
		if (event.kind == TCPTRACE_EVENT_LOST)
			stats_add(STAT_LOG_LOST, event.lost.count);
		if (wanted(&event))
			print(&event);
	}
	if (i == LOG_BATCH)
		mod_delayed_work(system_dfl_wq, &worker, 0);
	else if (suppressed)
		queue_delayed_work(system_dfl_wq, &worker, LOG_INTERVAL);
}

static void stop(void)
{
	if (!waiting)
		return;
	remove_wait_queue(stream_wait_queue(), &waiter);
	mod_delayed_work(system_dfl_wq, &worker, 0);	/* what is there already */
	flush_delayed_work(&worker);
	cancel_delayed_work_sync(&worker);
	if (suppressed && notice_allowed())	/* or later: the level may be written in a loop */
		tell_suppressed();
	waiting = false;
}

void log_set_level(enum log_level level)
{
	stop();
	if (level == LOG_NOTHING)
		return;
	reader_init(&reader, ring_next(stream_ring()));
	if (level == LOG_CONNECTIONS)
		reader.filter.kinds = BIT(TCPTRACE_EVENT_ESTABLISHED) | BIT(TCPTRACE_EVENT_END) |
				      BIT(TCPTRACE_EVENT_ICMP_ERROR);
	add_wait_queue(stream_wait_queue(), &waiter);
	waiting = true;
	mod_delayed_work(system_dfl_wq, &worker, 0);	/* what came meanwhile */
}

void log_exit(void)
{
	stop();
	tell_suppressed();
}
