/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_EVENT_H
#define _TCPTRACE_EVENT_H

#include "flow.h"

struct net_device;

/**
 * struct sighting - a segment, and where it was seen
 * @seg: the segment
 * @genuine: verifies its checksum, at the cost of a look at every byte; NULL if it is known
 *	to be right
 * @icmp: NULL; or what quotes the segment, of which only the sequence number is known
 * @dev: the interface, or NULL
 * @hook: &enum tcptrace_hook
 * @from: which endpoint of the flow's key sent it, 0 or 1
 */
struct sighting {
	const struct segment *seg;
	bool	(*genuine)(const struct sighting *at);
	const struct tcptrace_icmp *icmp;
	const struct net_device *dev;
	u8	hook;
	u8	from;
};

/**
 * event_publish - tell what a step of the state machine did
 * @flow: locked; its fsm as the step left it
 * @res: the changes, each an event; then the END if one is due
 * @now_ns: CLOCK_MONOTONIC
 * @at: the segment; NULL if it was a timer, an eviction or a flush
 *
 * Context: bottom halves disabled.
 */
void event_publish(const struct flow *flow, const struct fsm_result *res, u64 now_ns,
		   const struct sighting *at);

/**
 * event_publish_icmp - tell of an ICMP error; if it changed nothing, some a second
 * @flow: locked; its fsm as the step left it
 * @res: what it did
 * @at: the segment that it quotes, and where the error was seen
 *
 * Context: bottom halves disabled.
 */
void event_publish_icmp(const struct flow *flow, const struct fsm_result *res,
			const struct sighting *at);

/**
 * event_snapshot - tell how a flow stands, to one reader
 * @flow: locked
 * @record: receives a SNAPSHOT, complete but for @seq
 */
void event_snapshot(const struct flow *flow, struct tcptrace_event *record);

/**
 * event_publish_stray - tell of a segment that belongs to no flow, some a second
 * @key: its tuple
 * @reason: why it makes none
 * @at: the segment
 *
 * Context: bottom halves disabled.
 */
void event_publish_stray(const struct flow_key *key, enum tcptrace_reason reason,
			 const struct sighting *at);

#endif /* _TCPTRACE_EVENT_H */
