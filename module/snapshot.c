// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <linux/rhashtable-types.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "event.h"
#include "flow.h"
#include "reader.h"
#include "ring.h"
#include "snapshot.h"
#include "stream.h"

#define SNAPSHOT_BATCH	16	/* records to keep */

/**
 * struct snapshot - a walk over the live flows
 * @walk: where it stands, paused
 * @complete: the walk has ended; the record that says so is kept, or was
 * @first: how many records were handed out before the first one kept
 * @count: how many are kept
 * @record: the records
 */
struct snapshot {
	struct rhashtable_iter walk;
	bool complete;
	u64 first;
	unsigned int count;
	struct tcptrace_event record[SNAPSHOT_BATCH];
};

struct snapshot *snapshot_begin(struct reader *reader)
{
	struct snapshot *snapshot = kzalloc(sizeof(*snapshot), GFP_KERNEL);

	if (!snapshot)
		return NULL;
	snapshot->first = reader->account.snapshot;
	reader_seek(reader, ring_next(stream_ring()));
	/*
	 * First the number, then the table: pairs with the full barrier of the increment
	 * that allots a number.  A flow with an event before it is in the table by now.
	 */
	smp_mb();
	flow_walk_enter(&snapshot->walk);
	return snapshot;
}

void snapshot_end(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	flow_walk_exit(&snapshot->walk);
	kfree(snapshot);
}

/*
 * False if the flow is gone, or lingers after its END so that late segments are known for
 * what they are: nothing will be told of its end.
 */
static bool take(struct flow *flow, struct tcptrace_event *record)
{
	bool live;

	spin_lock_bh(&flow->lock);
	live = !flow->dead && fsm_timer(&flow->fsm) != TCPTRACE_TIMER_CLOSED;
	if (live) {
		event_snapshot(flow, record);
		record->seq = ring_next(stream_ring());
	}
	spin_unlock_bh(&flow->lock);
	return live;
}

static void put_last(struct tcptrace_event *record)
{
	*record = (struct tcptrace_event){
		.size		= sizeof(*record),
		.kind		= TCPTRACE_EVENT_SNAPSHOT,
		.time_ns	= ktime_get_ns(),
		.seq		= ring_next(stream_ring()),
		.part		= { 0 },
	};
}

/* Keep the next records that the reader wants, fewer if a signal comes; at last the last one. */
static void go_on(struct snapshot *snapshot, const struct reader *reader)
{
	unsigned int met = 0;

	flow_walk_start(&snapshot->walk);
	while (snapshot->count < SNAPSHOT_BATCH && !snapshot->complete) {
		struct tcptrace_event *record = &snapshot->record[snapshot->count];
		struct flow *flow = flow_walk_next(&snapshot->walk);

		if (!flow) {
			put_last(record);
			snapshot->complete = true;
			snapshot->count++;
		} else if (take(flow, record) && reader_wants(reader, record)) {
			snapshot->count++;
		}
		if (++met % FLOW_WALK_BATCH == 0) {
			if (signal_pending(current))
				break;
			flow_walk_breathe(&snapshot->walk);
		}
	}
	flow_walk_stop(&snapshot->walk);
}

bool snapshot_ready(struct snapshot *snapshot, const struct reader *reader)
{
	u64 handed_out = reader->account.snapshot;

	if (handed_out < snapshot->first + snapshot->count)
		return true;
	if (snapshot->complete)
		return false;
	snapshot->first = handed_out;
	snapshot->count = 0;
	go_on(snapshot, reader);
	return true;
}

bool snapshot_next(const struct snapshot *snapshot, struct tcptrace_reader *account,
		   struct tcptrace_event *record)
{
	u64 index = account->snapshot - snapshot->first;

	if (index >= snapshot->count)
		return false;
	*record = snapshot->record[index];
	account->snapshot++;
	return true;
}
