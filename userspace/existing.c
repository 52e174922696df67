// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "existing.h"

#define FIRST_SIZE	1024

/* Its place, or the one that is free for it; at least one is free. */
static struct existing_flow *find(const struct existing *existing, __u64 flow_id)
{
	__u64 at = flow_id;	/* counted from 1 on: they spread by themselves */

	for (;; at++) {
		struct existing_flow *flow = &existing->flows[at & existing->mask];

		if (!flow->flow_id || flow->flow_id == flow_id)
			return flow;
	}
}

static void forget(struct existing *existing)
{
	free(existing->flows);
	*existing = (struct existing){ };
}

static bool resize(struct existing *existing, __u64 size)
{
	struct existing grown = *existing;
	__u64 i;

	grown.flows = calloc(size, sizeof(*grown.flows));
	if (!grown.flows)
		return false;
	grown.mask = size - 1;
	for (i = 0; existing->flows && i <= existing->mask; i++)
		if (existing->flows[i].flow_id)
			*find(&grown, existing->flows[i].flow_id) = existing->flows[i];
	free(existing->flows);
	*existing = grown;
	return true;
}

/* At most half of the places are taken. */
static bool make_room(struct existing *existing)
{
	if (!existing->flows)
		return resize(existing, FIRST_SIZE);
	return existing->count <= existing->mask / 2 || resize(existing, 2 * (existing->mask + 1));
}

/* A flow may come twice: what the events must not repeat is told by its first record. */
static enum existing_answer add(struct existing *existing, const struct tcptrace_event *record)
{
	struct existing_flow *flow;

	if (existing->end)	/* another snapshot begins */
		forget(existing);
	if (!make_room(existing))
		return EXISTING_NO_MEMORY;
	flow = find(existing, record->flow_id);
	if (flow->flow_id)
		return EXISTING_TOLD;
	*flow = (struct existing_flow){ .flow_id = record->flow_id, .seq = record->seq };
	existing->count++;
	return EXISTING_NEWS;
}

/**
 * existing_take - has the snapshot told this
 * @existing: learns of the record of a snapshot, and forgets all as soon as every event
 *	is new
 * @event: records and events, in the order in which they were read
 *
 * Return: what to do with the event.
 */
enum existing_answer existing_take(struct existing *existing, const struct tcptrace_event *event)
{
	if (existing_ends(event))
		existing->end = event->seq;
	else if (event->kind == TCPTRACE_EVENT_SNAPSHOT)
		return add(existing, event);
	else if (!existing->flows)
		return EXISTING_NEWS;
	else if (existing->end && event->seq >= existing->end)
		forget(existing);
	else if (event->flow_id && event->kind != TCPTRACE_EVENT_LOST &&
		 event->seq < find(existing, event->flow_id)->seq)
		return EXISTING_TOLD;
	return EXISTING_NEWS;
}
