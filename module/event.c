// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/netdevice.h>
#include <linux/ratelimit.h>
#include "event.h"
#include "stats.h"
#include "stream.h"

/*
 * Who floods us with strays, or with ICMP errors that change nothing, must not wash
 * everything else out of the ring.  A segment of a flow that changes nothing is told each
 * time: who can send one can as well open connections, of which each is told.
 */
#define REPORTS_PER_SECOND	1000
#define REPORT_LIMIT \
	RATELIMIT_STATE_INIT_FLAGS("tcptrace", HZ, REPORTS_PER_SECOND, RATELIMIT_MSG_ON_RELEASE)

static struct ratelimit_state stray_limit = REPORT_LIMIT;
static struct ratelimit_state icmp_limit = REPORT_LIMIT;

static_assert(sizeof(struct tcptrace_event) == TCPTRACE_EVENT_SIZE);

static void put_sighting(struct tcptrace_event *event, const struct sighting *at,
			 enum tcptrace_side sender)
{
	const struct segment *seg = at->seg;

	event->sender = sender;
	event->tcp_flags = seg->flags;
	event->tcp_seq = seg->seq;
	event->tcp_ack = seg->ack;
	event->payload_len = seg->payload_len;
	event->window = seg->window;
	event->hook = at->hook;
	if (at->dev) {
		event->ifindex = at->dev->ifindex;
		memcpy(event->iface, at->dev->name, sizeof(event->iface));
	}
}

static void put_tuple(struct tcptrace_event *event, const struct flow_key *key, u8 initiator)
{
	event->initiator_port = key->port[initiator];
	event->responder_port = key->port[!initiator];
	if (key->family == AF_INET) {
		event->ip_version = 4;
		memcpy(event->initiator_addr, &key->v4[initiator], sizeof(key->v4[0]));
		memcpy(event->responder_addr, &key->v4[!initiator], sizeof(key->v4[0]));
	} else {
		event->ip_version = 6;
		memcpy(event->initiator_addr, &key->v6[initiator], sizeof(key->v6[0]));
		memcpy(event->responder_addr, &key->v6[!initiator], sizeof(key->v6[0]));
	}
}

static void put_flow(struct tcptrace_event *event, const struct flow *flow)
{
	const struct fsm_endpoint *initiator = &flow->fsm.end[FSM_INITIATOR];
	const struct fsm_endpoint *responder = &flow->fsm.end[FSM_RESPONDER];

	put_tuple(event, &flow->key, flow->initiator);
	event->netns = flow->key.netns;
	event->flow_id = flow->id;
	event->initiator_isn = initiator->isn;
	event->responder_isn = responder->isn;
	if (initiator->seen & FSM_SYN)
		event->known |= TCPTRACE_KNOWN_INITIATOR_ISN;
	if (responder->seen & FSM_SYN)
		event->known |= TCPTRACE_KNOWN_RESPONDER_ISN;
	if (flow->synack_us != FLOW_UNKNOWN_US)
		event->known |= TCPTRACE_KNOWN_SYNACK_US;
	if (flow->ack_us != FLOW_UNKNOWN_US)
		event->known |= TCPTRACE_KNOWN_ACK_US;
	if (flow->fsm.guessed)
		event->known |= TCPTRACE_INITIATOR_GUESSED;
}

static void put_states(struct tcptrace_event *event, const u8 prev[2], const u8 state[2])
{
	event->prev_initiator_state = prev[FSM_INITIATOR];
	event->prev_responder_state = prev[FSM_RESPONDER];
	event->initiator_state = state[FSM_INITIATOR];
	event->responder_state = state[FSM_RESPONDER];
	event->phase = fsm_phase(state);
}

static void put_summary(struct tcptrace_event *event, const struct flow *flow)
{
	struct tcptrace_summary *summary = &event->summary;
	int dir;

	summary->handshake = fsm_handshake(&flow->fsm);
	summary->close = flow->fsm.close;
	summary->first_fin = flow->fsm.first_fin;
	summary->teardown = flow->history.teardown;
	summary->syn_retrans = flow->fsm.end[FSM_INITIATOR].syn_retrans;
	summary->synack_retrans = flow->fsm.end[FSM_RESPONDER].syn_retrans;
	summary->segments = flow->history.segments;
	if (event->known & TCPTRACE_KNOWN_SYNACK_US)
		summary->synack_us = flow->synack_us;
	if (event->known & TCPTRACE_KNOWN_ACK_US)
		summary->ack_us = flow->ack_us;
	summary->duration_us = div_u64(event->time_ns - flow->start_ns, NSEC_PER_USEC);
	for (dir = 0; dir < 2; dir++) {
		summary->bytes[dir] = atomic64_read(&flow->bytes[dir]);
		summary->pkts[dir] = atomic64_read(&flow->pkts[dir]);
	}
	summary->history = history_letters(&flow->history);
}

static void put_part(struct tcptrace_event *event, const struct flow *flow,
		     const struct fsm_change *change, const struct sighting *at)
{
	event->cause = change->cause;
	switch (change->kind) {
	case TCPTRACE_EVENT_SYN:
	case TCPTRACE_EVENT_SYN_ACK:
		event->syn = at->seg->syn;
		break;
	case TCPTRACE_EVENT_ESTABLISHED:
		put_summary(event, flow);
		break;
	case TCPTRACE_EVENT_RETRANSMIT:
		event->retransmit.count = change->count;
		break;
	case TCPTRACE_EVENT_INVALID:
	case TCPTRACE_EVENT_ICMP_ERROR:
		if (at->icmp)
			event->icmp = *at->icmp;
		break;
	}
}

/* All that an event does not set is zero. */
static void clear(struct tcptrace_event *event, enum tcptrace_kind kind, u64 now_ns)
{
	*event = (struct tcptrace_event){
		.size		= sizeof(*event),
		.kind		= kind,
		.seq		= event->seq,
		.time_ns	= now_ns,
		.part		= { 0 },
	};
}

static struct tcptrace_event *begin(enum tcptrace_kind kind, u64 now_ns)
{
	struct tcptrace_event *event = stream_begin();

	clear(event, kind, now_ns);
	return event;
}

/* An event of a flow, what is its own still to be put. */
static struct tcptrace_event *begin_of(const struct flow *flow, enum tcptrace_kind kind,
				       u64 now_ns, const struct sighting *at)
{
	struct tcptrace_event *event = begin(kind, now_ns);

	put_flow(event, flow);
	if (at)
		put_sighting(event, at, flow_direction(flow, at->from) == FSM_INITIATOR ?
			     TCPTRACE_SIDE_INITIATOR : TCPTRACE_SIDE_RESPONDER);
	return event;
}

static void publish_change(const struct flow *flow, const struct fsm_change *change, u64 now_ns,
			   const struct sighting *at)
{
	struct tcptrace_event *event = begin_of(flow, change->kind, now_ns, at);

	put_states(event, change->prev, change->state);
	put_part(event, flow, change, at);
	stream_end(event);
	if (change->kind == TCPTRACE_EVENT_INVALID)
		stats_inc(STAT_INVALID);
}

/* The states of the last change; without one, as they are. */
static void publish_end(const struct flow *flow, const struct fsm_result *res, u64 now_ns,
			const struct sighting *at)
{
	const u8 state[] = { flow->fsm.end[0].state, flow->fsm.end[1].state };
	struct tcptrace_event *event = begin_of(flow, TCPTRACE_EVENT_END, now_ns, at);

	if (res->changes)
		put_states(event, res->change[res->changes - 1].prev, state);
	else
		put_states(event, state, state);
	put_summary(event, flow);
	stream_end(event);
}

void event_publish(const struct flow *flow, const struct fsm_result *res, u64 now_ns,
		   const struct sighting *at)
{
	const struct fsm_change *change;

	for (change = res->change; change < res->change + res->changes; change++)
		publish_change(flow, change, now_ns, at);
	if (res->ended)
		publish_end(flow, res, now_ns, at);
}

/* May it be told?  If not, it is counted. */
static bool within(struct ratelimit_state *limit, enum counter suppressed)
{
	if (__ratelimit(limit))
		return true;
	stats_inc(suppressed);
	return false;
}

void event_publish_icmp(const struct flow *flow, const struct fsm_result *res,
			const struct sighting *at)
{
	if (res->ended || within(&icmp_limit, STAT_ICMP_SUPPRESSED))
		event_publish(flow, res, ktime_get_ns(), at);
}

void event_snapshot(const struct flow *flow, struct tcptrace_event *record)
{
	const u8 state[] = { flow->fsm.end[0].state, flow->fsm.end[1].state };

	lockdep_assert_held(&flow->lock);
	clear(record, TCPTRACE_EVENT_SNAPSHOT, ktime_get_ns());
	put_flow(record, flow);
	put_states(record, state, state);
	put_summary(record, flow);
	if (flow_place_mirror(flow->key.place))
		record->hook = TCPTRACE_HOOK_INGRESS;
}

void event_publish_stray(const struct flow_key *key, enum tcptrace_reason reason,
			 const struct sighting *at)
{
	struct tcptrace_event *event;

	if (!within(&stray_limit, STAT_STRAYS_SUPPRESSED))
		return;
	event = begin(TCPTRACE_EVENT_INVALID, ktime_get_ns());
	event->netns = key->netns;
	event->cause = reason;
	put_tuple(event, key, at->from);
	put_sighting(event, at, TCPTRACE_SIDE_INITIATOR);
	stream_end(event);
	stats_inc(STAT_INVALID);
}
