/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_TRACK_H
#define _TCPTRACE_TRACK_H

#include "event.h"

/**
 * track_segment - follow one segment
 * @key: its flow, canonical
 * @at: the segment and where it was seen
 *
 * Finds or makes the flow, steps it, publishes what happened.
 *
 * Context: under rcu_read_lock(), bottom halves disabled.
 */
void track_segment(struct flow_key *key, const struct sighting *at);

/**
 * track_invalid - tell of a segment that must not change a state
 * @key: its flow, canonical
 * @at: the segment and where it was seen
 * @reason: why
 *
 * Context: as track_segment().
 */
void track_invalid(struct flow_key *key, const struct sighting *at,
		   enum tcptrace_reason reason);

/**
 * track_unseen - a SYN or SYN+ACK that did not get to where segments are seen
 * @key: its flow, canonical
 * @at: the segment, and where we learnt of it
 *
 * As track_segment(), unless it did get there, or another of the same number.
 *
 * Context: as track_segment().
 */
void track_unseen(struct flow_key *key, const struct sighting *at);

/**
 * track_icmp - an ICMP error about a segment
 * @key: the flow of the segment, canonical
 * @at: the segment as it is quoted, and where the error was seen
 * @quote: the same, and what the error is about
 * @reason: NONE; or why the error must not change a state
 *
 * Context: as track_segment().
 */
void track_icmp(struct flow_key *key, const struct sighting *at, const struct quote *quote,
		enum tcptrace_reason reason);

#endif /* _TCPTRACE_TRACK_H */
