// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include "event.h"
#include "expiry.h"
#include "flow.h"
#include "stats.h"

#define EXPIRY_PERIOD	(HZ / 4)
#define EXPIRY_BATCH	256	/* flows to end before others may use the CPU */

/* One queue a timer, and one for the flows that were heard from one side only. */
enum {
	QUEUE_UNCONFIRMED	= TCPTRACE_TIMER_CLOSED + 1,
	QUEUES,
};

struct queue {
	struct list_head flows;
	unsigned int	count;
};

struct expiry_limits expiry_limits = {
	.max_flows	= 262144,
	.max_half_open	= 32768,
	.timeout	= {
		[TCPTRACE_TIMER_SYN]		= 120,
		[TCPTRACE_TIMER_SYNACK]		= 60,
		[TCPTRACE_TIMER_ESTABLISHED]	= 432000,
		[TCPTRACE_TIMER_FIN_WAIT]	= 120,
		[TCPTRACE_TIMER_CLOSE_WAIT]	= 43200,
		[TCPTRACE_TIMER_LAST_ACK]	= 60,
		[TCPTRACE_TIMER_TIME_WAIT]	= 60,
		[TCPTRACE_TIMER_CLOSED]		= 10,
	},
};

u32 expiry_grain[TCPTRACE_TIMER_CLOSED + 1];

static struct queue queues[QUEUES];
static DEFINE_SPINLOCK(queues_lock);

static void expire(struct work_struct *work);
static DECLARE_DELAYED_WORK(worker, expire);

/* The queues in the order in which their flows are given up. */
static const u8 half_open_queues[] = {
	TCPTRACE_TIMER_SYN, TCPTRACE_TIMER_SYNACK, QUEUE_UNCONFIRMED,
};

static const u8 other_queues[] = {
	TCPTRACE_TIMER_CLOSED, TCPTRACE_TIMER_TIME_WAIT, TCPTRACE_TIMER_LAST_ACK,
	TCPTRACE_TIMER_FIN_WAIT, TCPTRACE_TIMER_CLOSE_WAIT, TCPTRACE_TIMER_ESTABLISHED,
};

static unsigned int half_open_count(void)
{
	unsigned int i, count = 0;

	for (i = 0; i < ARRAY_SIZE(half_open_queues); i++)
		count += READ_ONCE(queues[half_open_queues[i]].count);
	return count;
}

static u8 timer_of(u8 queue)
{
	return queue == QUEUE_UNCONFIRMED ? TCPTRACE_TIMER_ESTABLISHED : queue;
}

static u32 timeout(u8 timer)
{
	return READ_ONCE(expiry_limits.timeout[timer]) * HZ;
}

void expiry_set_grains(unsigned int unused)
{
	u8 timer;

	for (timer = TCPTRACE_TIMER_SYN; timer <= TCPTRACE_TIMER_CLOSED; timer++)
		WRITE_ONCE(expiry_grain[timer],
			   max_t(u32, roundup_pow_of_two(HZ / 4),
				 rounddown_pow_of_two(timeout(timer) / 256 | 1)));
}

static u8 queue_for(const struct flow *flow)
{
	enum tcptrace_timer timer = fsm_timer(&flow->fsm);

	return timer >= TCPTRACE_TIMER_ESTABLISHED && fsm_half_open(&flow->fsm) ?
	       QUEUE_UNCONFIRMED : timer;
}

static void leave(struct flow *flow)
{
	list_del_init(&flow->in_queue);
	WRITE_ONCE(queues[flow->queue].count, queues[flow->queue].count - 1);
}

static void join(struct flow *flow, u8 queue)
{
	flow->queue = queue;
	WRITE_ONCE(flow->active, jiffies);
	list_add_tail(&flow->in_queue, &queues[queue].flows);
	WRITE_ONCE(queues[queue].count, queues[queue].count + 1);
}

void expiry_enqueue(struct flow *flow)
{
	lockdep_assert_held(&flow->lock);
	spin_lock(&queues_lock);
	join(flow, queue_for(flow));
	spin_unlock(&queues_lock);
}

void expiry_restart(struct flow *flow)
{
	lockdep_assert_held(&flow->lock);
	spin_lock(&queues_lock);
	leave(flow);
	join(flow, queue_for(flow));
	spin_unlock(&queues_lock);
}

void expiry_active(struct flow *flow)
{
	u32 now = jiffies;

	switch (flow->queue) {
	case QUEUE_UNCONFIRMED:
		if (queue_for(flow) != QUEUE_UNCONFIRMED) {
			expiry_restart(flow);
			return;
		}
		fallthrough;
	case TCPTRACE_TIMER_ESTABLISHED:
	case TCPTRACE_TIMER_FIN_WAIT:
	case TCPTRACE_TIMER_CLOSE_WAIT:
		if (expiry_keeps_place(timer_of(flow->queue), flow->active, now))
			WRITE_ONCE(flow->active, now);
		else
			expiry_restart(flow);
	}
}

void expiry_remove(struct flow *flow)
{
	spin_lock(&queues_lock);
	leave(flow);
	spin_unlock(&queues_lock);
	flow_remove(flow);
}

/* Strictly after: the jiffy in which the timer started had begun before. */
static bool due(const struct flow *flow, u8 queue)
{
	return time_after32(jiffies, READ_ONCE(flow->active) + timeout(timer_of(queue)));
}

/* Tell the end of the flow's time, if nothing happened to it meanwhile. */
static void end_timed_out(struct flow *flow)
{
	struct fsm_result res;

	if (!due(flow, flow->queue))
		return;
	if (flow->queue != TCPTRACE_TIMER_CLOSED) {
		fsm_timeout(&flow->fsm, &res);
		event_publish(flow, &res, ktime_get_ns(), NULL);
		stats_inc(STAT_FLOWS_TIMED_OUT);
	}
	expiry_remove(flow);
}

static void abandon(struct flow *flow, enum tcptrace_close close)
{
	struct fsm_result res;

	fsm_abandon(&flow->fsm, close, &res);
	event_publish(flow, &res, ktime_get_ns(), NULL);
	expiry_remove(flow);
}

static void end_flushed(struct flow *flow)
{
	abandon(flow, TCPTRACE_CLOSE_FLUSHED);
	stats_inc(STAT_FLOWS_FLUSHED);
}

/*
 * A flow is locked before the queues, so it is found first, and another CPU may have ended
 * it when it is locked.
 */
static void end_flow(struct flow *flow, void (*how)(struct flow *flow))
{
	spin_lock(&flow->lock);
	if (!flow->dead)
		how(flow);
	spin_unlock(&flow->lock);
}

/* The flow whose turn it is; protected by RCU from there on. */
static struct flow *head(u8 queue)
{
	struct flow *flow;

	spin_lock(&queues_lock);
	flow = list_first_entry_or_null(&queues[queue].flows, struct flow, in_queue);
	spin_unlock(&queues_lock);
	return flow;
}

/* End what is due in a queue; true if there may be more. */
static bool expire_some(u8 queue)
{
	unsigned int i;

	for (i = 0; i < EXPIRY_BATCH; i++) {
		struct flow *flow = head(queue);

		if (!flow || !due(flow, queue))
			return false;
		end_flow(flow, end_timed_out);
	}
	return true;
}

static void expire(struct work_struct *work)
{
	u8 queue;

	for (queue = TCPTRACE_TIMER_SYN; queue < QUEUES; queue++) {
		bool more;

		do {
			local_bh_disable();
			rcu_read_lock();
			more = expire_some(queue);
			rcu_read_unlock();
			local_bh_enable();
			cond_resched();
		} while (more);
	}
	queue_delayed_work(system_power_efficient_wq, &worker, EXPIRY_PERIOD);
}

/* False if it has ended meanwhile or stands in another queue: perhaps it is established now. */
static bool evict(struct flow *flow, u8 queue)
{
	bool stayed;

	spin_lock(&flow->lock);
	stayed = !flow->dead && flow->queue == queue;
	if (stayed) {
		abandon(flow, TCPTRACE_CLOSE_EVICTED);
		stats_inc(STAT_FLOWS_EVICTED);
	}
	spin_unlock(&flow->lock);
	return stayed;
}

/* A head that is not evicted is one no more: each further look is some other CPU's progress. */
static bool evict_first(const u8 *order, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct flow *flow;

		while ((flow = head(order[i])))
			if (evict(flow, order[i]))
				return true;
	}
	return false;
}

static bool evict_any(void)
{
	return evict_first(half_open_queues, ARRAY_SIZE(half_open_queues)) ||
	       evict_first(other_queues, ARRAY_SIZE(other_queues));
}

/* Two for one: so a limit that was lowered, or overrun by several CPUs, is reached again. */
bool expiry_make_room(void)
{
	unsigned int max_half_open = READ_ONCE(expiry_limits.max_half_open);
	unsigned int max_flows = READ_ONCE(expiry_limits.max_flows);
	int i;

	for (i = 0; i < 2 && half_open_count() >= max_half_open; i++)
		if (!evict_first(half_open_queues, ARRAY_SIZE(half_open_queues)))
			return false;
	for (i = 0; i < 2 && flow_count() >= max_flows; i++)
		if (!evict_any())
			return false;
	return true;
}

static bool flushed(const struct flow *flow, u32 netns, u8 mirror)
{
	return (!netns || flow->key.netns == netns) &&
	       (!mirror || flow_place_mirror(flow->key.place) == mirror);
}

void expiry_flush(u32 netns, u8 mirror)
{
	u64 last_id = flow_last_id();
	struct rhashtable_iter iter;
	unsigned int met = 0;
	struct flow *flow;

	flow_walk_enter(&iter);
	flow_walk_start(&iter);
	while ((flow = flow_walk_next(&iter))) {
		if (flow->id <= last_id && flushed(flow, netns, mirror)) {
			local_bh_disable();
			end_flow(flow, end_flushed);
			local_bh_enable();
		}
		if (++met % FLOW_WALK_BATCH == 0)
			flow_walk_breathe(&iter);
	}
	flow_walk_stop(&iter);
	flow_walk_exit(&iter);
}

void expiry_init(void)
{
	u8 queue;

	for (queue = 0; queue < QUEUES; queue++)
		INIT_LIST_HEAD(&queues[queue].flows);
	expiry_set_grains(0);
	queue_delayed_work(system_power_efficient_wq, &worker, EXPIRY_PERIOD);
}

void expiry_exit(void)
{
	cancel_delayed_work_sync(&worker);
	expiry_flush(0, 0);
}
