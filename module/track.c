// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/ktime.h>
#include "event.h"
#include "expiry.h"
#include "flow.h"
#include "history.h"
#include "stats.h"
#include "track.h"

/* Two CPUs may make and remove the same flow at once, but not for long. */
#define TRACK_TRIES	4

/* Saturates at an hour and more: a figure never wraps. */
static u32 elapsed_us(u64 from_ns, u64 to_ns)
{
	return min_t(u64, div_u64(to_ns - from_ns, NSEC_PER_USEC), FLOW_UNKNOWN_US - 1);
}

/*
 * The handshake as this host sees it: from the first SYN to the first SYN+ACK, from
 * there to the ACK.  Repetitions do not start a clock anew.
 */
static void note_times(struct flow *flow, const struct fsm_result *res, u64 now_ns)
{
	u64 synack_ns = flow->start_ns + (u64)flow->synack_us * NSEC_PER_USEC;
	int i;

	for (i = 0; i < res->changes; i++) {
		switch (res->change[i].kind) {
		case TCPTRACE_EVENT_SYN_ACK:
			if (flow->synack_us != FLOW_UNKNOWN_US)
				break;		/* crossed SYNs: the second of two */
			if (!(flow->fsm.end[FSM_INITIATOR].seen & FSM_SENT))
				return;
			flow->synack_us = elapsed_us(flow->start_ns, now_ns);
			break;
		case TCPTRACE_EVENT_ESTABLISHED:
			if (flow->synack_us == FLOW_UNKNOWN_US)
				return;
			flow->ack_us = elapsed_us(synack_ns, now_ns);
			break;
		}
	}
}

static void count(struct flow *flow, enum fsm_dir dir, const struct segment *seg)
{
	atomic64_inc(&flow->pkts[dir]);
	atomic64_add(seg->payload_len, &flow->bytes[dir]);
}

static bool only_invalid(const struct fsm_result *res)
{
	return res->changes == 1 && res->change[0].kind == TCPTRACE_EVENT_INVALID;
}

/* The flow is locked and in its queue. */
static void tell(struct flow *flow, const struct fsm_result *res, const struct sighting *at)
{
	u64 now_ns;

	if (!res->changes) {
		expiry_active(flow);
		return;
	}
	now_ns = ktime_get_ns();
	note_times(flow, res, now_ns);
	event_publish(flow, res, now_ns, at);
	if (!only_invalid(res))
		expiry_restart(flow);
}

/* The segment changes nothing. */
static void tell_invalid(struct flow *flow, enum tcptrace_reason reason,
			 const struct sighting *at)
{
	struct fsm_result res;

	if (reason == TCPTRACE_REASON_BAD_CHECKSUM)
		history_note_corrupt(&flow->history, flow_direction(flow, at->from), at->seg);
	fsm_note(&flow->fsm, TCPTRACE_EVENT_INVALID, reason, &res);
	event_publish(flow, &res, ktime_get_ns(), at);
}

/* The connection gives its tuple to another. */
static void remove_reused(struct flow *flow)
{
	struct fsm_result res;

	fsm_abandon(&flow->fsm, TCPTRACE_CLOSE_UNKNOWN, &res);
	event_publish(flow, &res, ktime_get_ns(), NULL);
	stats_inc(STAT_FLOWS_REUSED);
	expiry_remove(flow);
}

static bool genuine(const struct sighting *at)
{
	return !at->genuine || at->genuine(at);
}

/*
 * What a segment would do, decides whether its checksum is worth a look at every byte.  The
 * flow itself stays as it is.
 */
static bool corrupt(const struct flow *flow, enum fsm_dir dir, const struct sighting *at)
{
	struct fsm trial = flow->fsm;
	struct fsm_result res;

	fsm_step(&trial, dir, at->seg, &res);
	return (res.changes || res.reuse) && !genuine(at);
}

enum step_answer {
	STEP_DONE,
	STEP_GONE,	/* the flow was removed meanwhile */
	STEP_REUSED,	/* the segment opens a new connection; the flow is removed */
};

/* What may the next segments be, so that they need no lock? */
static void let_plain(struct flow *flow)
{
	fsm_let_plain(&flow->fsm, 0, history_carried(&flow->history, 0));
	fsm_let_plain(&flow->fsm, 1, history_carried(&flow->history, 1));
}

static enum step_answer step_locked(struct flow *flow, const struct sighting *at)
{
	enum fsm_dir dir = flow_direction(flow, at->from);
	struct fsm_result res;

	if (unlikely(flow->dead))
		return STEP_GONE;
	if (likely(fsm_carry(&flow->fsm, dir, at->seg))) {
		if (unlikely(!history_knows(&flow->history, dir, at->seg)))
			history_note(&flow->history, dir, at->seg, true);
		count(flow, dir, at->seg);
		expiry_active(flow);
		let_plain(flow);
		return STEP_DONE;
	}
	fsm_stop_plain(&flow->fsm);
	if (unlikely(at->genuine && corrupt(flow, dir, at))) {
		tell_invalid(flow, TCPTRACE_REASON_BAD_CHECKSUM, at);
		return STEP_DONE;
	}
	fsm_step(&flow->fsm, dir, at->seg, &res);
	if (unlikely(res.reuse)) {
		remove_reused(flow);
		return STEP_REUSED;
	}
	history_note(&flow->history, dir, at->seg, !only_invalid(&res));
	count(flow, dir, at->seg);
	tell(flow, &res, at);
	let_plain(flow);
	return STEP_DONE;
}

static enum step_answer step(struct flow *flow, const struct sighting *at)
{
	enum step_answer answer;

	spin_lock(&flow->lock);
	answer = step_locked(flow, at);
	spin_unlock(&flow->lock);
	return answer;
}

/*
 * Who initiated a connection met midway: the sender of a SYN+ACK did not; else the
 * endpoint with the lower port is taken for the server.
 */
static u8 guess_initiator(const struct flow_key *key, const struct sighting *at)
{
	if (at->seg->flags & TCPTRACE_TCP_SYN)
		return !at->from;
	if (key->port[0] == key->port[1])
		return at->from;
	return ntohs(key->port[0]) > ntohs(key->port[1]) ? 0 : 1;
}

/* @old was removed just now; it stays as it is until RCU frees it. */
static void tell_reuse(struct flow *flow, const struct flow *old, const struct sighting *at)
{
	struct fsm_result res;

	fsm_note(&flow->fsm, TCPTRACE_EVENT_REUSE, TCPTRACE_REASON_NONE, &res);
	event_publish(flow, &res, flow->start_ns, at);
	fsm_succeed(&flow->fsm, &old->fsm);
}

static void open_flow(struct flow *flow, const struct sighting *at)
{
	struct fsm_result res;

	fsm_step(&flow->fsm, FSM_INITIATOR, at->seg, &res);
	event_publish(flow, &res, flow->start_ns, at);
	stats_inc(STAT_FLOWS_OPENED);
}

static void pickup_flow(struct flow *flow, const struct sighting *at)
{
	struct fsm_result res;

	fsm_pickup(&flow->fsm, flow_direction(flow, at->from), at->seg, &res);
	event_publish(flow, &res, flow->start_ns, at);
	stats_inc(STAT_FLOWS_PICKED_UP);
}

static void first_step(struct flow *flow, const struct flow_key *key, const struct sighting *at,
		       const struct flow *old)
{
	bool pickup = at->seg->flags & TCPTRACE_TCP_ACK;
	enum fsm_dir dir;

	flow->start_ns = ktime_get_ns();
	flow->initiator = pickup ? guess_initiator(key, at) : at->from;
	fsm_open(&flow->fsm);
	if (old)
		tell_reuse(flow, old, at);
	if (pickup)
		pickup_flow(flow, at);
	else
		open_flow(flow, at);
	dir = flow_direction(flow, at->from);
	history_note(&flow->history, dir, at->seg, true);
	count(flow, dir, at->seg);
	expiry_enqueue(flow);
}

/* The first segment of a flow; false if another CPU has made the flow meanwhile. */
static bool begin(const struct flow_key *key, const struct sighting *at, const struct flow *old)
{
	struct flow *flow;
	int err;

	if (!expiry_make_room()) {
		stats_inc(STAT_NO_ROOM);
		return true;
	}
	flow = flow_alloc(key);
	if (!flow) {
		stats_inc(STAT_NO_MEMORY);
		return true;
	}
	spin_lock(&flow->lock);		/* who finds it, waits for its first step */
	err = flow_insert(flow);
	if (!err)
		first_step(flow, key, at, old);
	spin_unlock(&flow->lock);
	if (!err)
		return true;
	flow_free(flow);
	if (err == -EEXIST)
		return false;
	stats_inc(STAT_NO_MEMORY);
	return true;
}

/* A segment that opens or shows no connection. */
static bool is_stray(const struct segment *seg)
{
	bool syn = (seg->flags & (SEGMENT_CONTROL | TCPTRACE_TCP_ACK)) == TCPTRACE_TCP_SYN;

	return !syn && !fsm_can_pickup(seg);
}

static void tell_stray(const struct flow_key *key, const struct sighting *at)
{
	bool rst = at->seg->flags & TCPTRACE_TCP_RST;

	stats_inc(STAT_NO_FLOW);
	event_publish_stray(key, rst ? TCPTRACE_REASON_NO_FLOW : TCPTRACE_REASON_BAD_FLAGS, at);
}

void track_segment(struct flow_key *key, const struct sighting *at)
{
	const struct flow *old = NULL;
	int tries;

	for (tries = 0; tries < TRACK_TRIES; tries++) {
		struct flow *flow = flow_find(key);

		if (likely(flow)) {
			enum step_answer answer = step(flow, at);

			if (likely(answer == STEP_DONE))
				return;
			if (answer == STEP_REUSED)
				old = flow;
		}
		if (!genuine(at)) {
			event_publish_stray(key, TCPTRACE_REASON_BAD_CHECKSUM, at);
			return;
		}
		if (is_stray(at->seg)) {
			tell_stray(key, at);
			return;
		}
		if (begin(key, at, old))
			return;
	}
	stats_inc(STAT_NO_ROOM);
}

void track_invalid(struct flow_key *key, const struct sighting *at,
		   enum tcptrace_reason reason)
{
	struct flow *flow = flow_find(key);

	if (!flow) {
		event_publish_stray(key, reason, at);
		return;
	}
	spin_lock(&flow->lock);
	if (flow->dead)
		event_publish_stray(key, reason, at);
	else
		tell_invalid(flow, reason, at);
	spin_unlock(&flow->lock);
}

static bool knows_syn(struct flow *flow, const struct sighting *at)
{
	const struct fsm_endpoint *from;
	bool known;

	spin_lock(&flow->lock);
	from = &flow->fsm.end[flow_direction(flow, at->from)];
	known = (from->seen & FSM_SYN && from->isn == at->seg->seq) ||
		(from->seen & FSM_RIVAL && from->other == at->seg->seq);
	spin_unlock(&flow->lock);
	return known;
}

void track_unseen(struct flow_key *key, const struct sighting *at)
{
	struct flow *flow = flow_find(key);

	if (!flow || !knows_syn(flow, at))
		track_segment(key, at);
}

/* An error that changes nothing keeps no connection from its timeout: it may be forged. */
static void step_icmp(struct flow *flow, const struct sighting *at, const struct quote *quote,
		      enum tcptrace_reason reason)
{
	struct fsm_result res;

	if (reason)
		fsm_note(&flow->fsm, TCPTRACE_EVENT_INVALID, reason, &res);
	else
		fsm_icmp(&flow->fsm, flow_direction(flow, at->from), quote, &res);
	event_publish_icmp(flow, &res, at);
	if (res.ended)
		expiry_restart(flow);
}

void track_icmp(struct flow_key *key, const struct sighting *at, const struct quote *quote,
		enum tcptrace_reason reason)
{
	struct flow *flow = flow_find(key);

	if (!flow) {
		stats_inc(STAT_ICMP_NO_FLOW);
		return;
	}
	spin_lock(&flow->lock);
	if (flow->dead)
		stats_inc(STAT_ICMP_NO_FLOW);
	else
		step_icmp(flow, at, quote, reason);
	spin_unlock(&flow->lock);
}
