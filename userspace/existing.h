/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _EXISTING_H
#define _EXISTING_H

#include <stdbool.h>
#include <linux/tcptrace.h>

/*
 * What a snapshot told of the flows that existed, for as long as events may come
 * that it contains already: so that each thing is told once.
 */

/**
 * struct existing_flow - one flow of the snapshot
 * @flow_id: its number; 0: the place is free
 * @seq: the first event that its record does not contain
 */
struct existing_flow {
	__u64 flow_id;
	__u64 seq;
};

/**
 * struct existing - the flows of a snapshot; all zero, there are none
 * @flows: a hash table, open addressing
 * @mask: the number of places less one
 * @count: how many are taken
 * @end: the first event that is new for all flows; 0: the snapshot is not complete
 */
struct existing {
	struct existing_flow *flows;
	__u64 mask;
	__u64 count;
	__u64 end;
};

enum existing_answer {
	EXISTING_NEWS,
	EXISTING_TOLD,		/* the snapshot has told it */
	EXISTING_NO_MEMORY,
};

/**
 * existing_ends - is this the record that ends a snapshot
 * @event: the event
 *
 * Return: whether it is
 */
static inline bool existing_ends(const struct tcptrace_event *event)
{
	return event->kind == TCPTRACE_EVENT_SNAPSHOT && !event->flow_id;
}

enum existing_answer existing_take(struct existing *existing, const struct tcptrace_event *event);

#endif /* _EXISTING_H */
