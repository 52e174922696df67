/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_SNAPSHOT_H
#define _TCPTRACE_SNAPSHOT_H

#include <linux/tcptrace.h>
#include <linux/types.h>

struct reader;
struct snapshot;

/**
 * DOC: Snapshots
 *
 * A snapshot is a walk over the table that lasts from read() to read().  It keeps a few
 * records at a time: they were taken from flows that may be gone by now, so they cannot
 * be made again if their copy to the user fails.
 *
 * How a record lines up with the stream: it is taken under the lock of its flow, under
 * which the flow's events are published too, and @seq is the number that the next event
 * of all gets.  So every event of the flow with a smaller number is contained in the
 * record, and none with that number or a greater one.
 *
 * Why no flow is missing: one that is in the table when the walk begins, and as long as
 * it is live, is met.  One that comes later has its first event at or behind the number
 * at which the reader stands from then on.
 */

/**
 * snapshot_begin - begin
 * @reader: goes to the next event: all before it are contained in the snapshot
 *
 * Context: may sleep.
 *
 * Return: the snapshot, or NULL if there is no memory; then @reader stays where it is.
 */
struct snapshot *snapshot_begin(struct reader *reader);

/* End, complete or not; NULL is none. */
void snapshot_end(struct snapshot *snapshot);

/**
 * snapshot_ready - have records to hand out
 * @snapshot: the snapshot
 * @reader: whose it is: its account says which records it got, its filter which it
 *	wants of those that are not kept yet
 *
 * Context: may sleep.
 *
 * Return: false if it got the last one.
 */
bool snapshot_ready(struct snapshot *snapshot, const struct reader *reader);

/**
 * snapshot_next - the next record, as reader_next() has the next event
 * @snapshot: the snapshot, ready
 * @account: as the record found it; carried over it
 * @record: receives it
 *
 * Return: false if no more are kept; those before have to arrive first.
 */
bool snapshot_next(const struct snapshot *snapshot, struct tcptrace_reader *account,
		   struct tcptrace_event *record);

#endif /* _TCPTRACE_SNAPSHOT_H */
