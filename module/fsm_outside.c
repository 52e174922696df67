// SPDX-License-Identifier: GPL-2.0
/* What happens to a connection without a segment of its own, and where it stands. */
#include "fsm_parts.h"

void fsm_note(const struct fsm *fsm, enum tcptrace_kind kind, enum tcptrace_reason cause,
	      struct fsm_result *res)
{
	result_begin(fsm, res);
	result_add(fsm, res, kind);
	res->change[0].cause = cause;
}

/*
 * RFC 5927 section 4.1: from SND.UNA to SND.NXT, where a pure ACK stands; nobody sends
 * one before the own SYN is acknowledged.  Of a segment that need not have passed, or of
 * an endpoint that was never heard, only the window of the receiver is known.
 */
static bool in_flight(const struct fsm_endpoint *from, const struct fsm_endpoint *to,
		      const struct quote *quote)
{
	u32 next = from->seen & FSM_SYN_ACKED ? from->end : from->end - 1;

	if (to->seen & FSM_ACKS) {
		if (quote->unseen || !(from->seen & FSM_SENT))
			next = to->edge;
		return seq_between(to->ack, quote->seq, next);
	}
	if (from->seen & FSM_SYN)
		return seq_between(from->isn, quote->seq, next);
	return from->seen & FSM_SENT && !seq_before(next, quote->seq);
}

/*
 * Does the sender of the quoted segment give up to connect?  After crossed SYNs Linux
 * does so for a SYN+ACK as for a SYN; that its sender listened is presumed.
 */
static bool ends_handshake(const struct fsm *fsm, const struct fsm_endpoint *from,
			   const struct quote *quote)
{
	u8 sent = from->state == TCPTRACE_STATE_SYN_RECEIVED ? QUOTE_ENDS_SYN_ACK : QUOTE_ENDS_SYN;

	return !fsm->handshake && quote->seq == from->isn && quote->ends & sent;
}

void fsm_icmp(struct fsm *fsm, enum fsm_dir dir, const struct quote *quote,
	      struct fsm_result *res)
{
	const struct fsm_endpoint *from = &fsm->end[dir];

	result_begin(fsm, res);
	if (!in_flight(from, &fsm->end[!dir], quote)) {
		result_invalid(fsm, res, TCPTRACE_REASON_BAD_QUOTE);
		return;
	}
	if (!ends_handshake(fsm, from, quote)) {
		result_add(fsm, res, TCPTRACE_EVENT_ICMP_ERROR);
		return;
	}
	fsm->handshake = TCPTRACE_HANDSHAKE_UNREACHABLE;
	result_close(fsm, res, TCPTRACE_EVENT_ICMP_ERROR);
	result_end(fsm, res);
}

enum tcptrace_handshake fsm_handshake(const struct fsm *fsm)
{
	if (fsm->handshake)
		return fsm->handshake;
	return (fsm->end[0].seen | fsm->end[1].seen) & FSM_SYN_ACKED ?
	       TCPTRACE_HANDSHAKE_HALF_OPEN : TCPTRACE_HANDSHAKE_NO_ANSWER;
}

void fsm_timeout(struct fsm *fsm, struct fsm_result *res)
{
	enum tcptrace_timer timer = fsm_timer(fsm);

	result_begin(fsm, res);
	if (!fsm->ended) {
		if (fsm->handshake)
			fsm->close = TCPTRACE_CLOSE_IDLE_TIMEOUT;
		fsm->handshake = fsm_handshake(fsm);
		result_end(fsm, res);
	}
	result_close(fsm, res, TCPTRACE_EVENT_TIMEOUT);
	res->change[0].cause = timer;
}

void fsm_abandon(struct fsm *fsm, enum tcptrace_close close, struct fsm_result *res)
{
	result_begin(fsm, res);
	if (close == TCPTRACE_CLOSE_EVICTED || fsm_timer(fsm) == TCPTRACE_TIMER_TIME_WAIT)
		result_add(fsm, res, TCPTRACE_EVENT_EVICT);
	if (fsm->ended)
		return;
	/* an attempt was given up for another: it had nothing to close */
	if (close == TCPTRACE_CLOSE_UNKNOWN && !fsm->handshake)
		close = TCPTRACE_CLOSE_NONE;
	fsm->handshake = fsm_handshake(fsm);
	fsm->close = close;
	fsm->quiet = false;
	result_end(fsm, res);
}

enum tcptrace_timer fsm_timer(const struct fsm *fsm)
{
	/* the endpoint whose timer counts comes first: from the end of a connection back */
	static const struct {
		u8 order, timer;
	} of[] = {
		[TCPTRACE_STATE_ESTABLISHED]	= { 1, TCPTRACE_TIMER_ESTABLISHED },
		[TCPTRACE_STATE_SYN_SENT]	= { 2, TCPTRACE_TIMER_SYN },
		[TCPTRACE_STATE_SYN_RECEIVED]	= { 3, TCPTRACE_TIMER_SYNACK },
		[TCPTRACE_STATE_FIN_WAIT_1]	= { 4, TCPTRACE_TIMER_FIN_WAIT },
		[TCPTRACE_STATE_FIN_WAIT_2]	= { 5, TCPTRACE_TIMER_CLOSE_WAIT },
		[TCPTRACE_STATE_CLOSING]	= { 6, TCPTRACE_TIMER_LAST_ACK },
		[TCPTRACE_STATE_LAST_ACK]	= { 6, TCPTRACE_TIMER_LAST_ACK },
		[TCPTRACE_STATE_TIME_WAIT]	= { 7, TCPTRACE_TIMER_TIME_WAIT },
	};
	u8 a = fsm->end[FSM_INITIATOR].state, b = fsm->end[FSM_RESPONDER].state;
	u8 first = of[a].order > of[b].order ? a : b;

	if (fsm->ended && first != TCPTRACE_STATE_TIME_WAIT)
		return TCPTRACE_TIMER_CLOSED;
	return of[first].timer;
}

bool fsm_half_open(const struct fsm *fsm)
{
	return !fsm->ended &&
	       (!fsm->handshake || !(fsm->end[0].seen & fsm->end[1].seen & FSM_SENT));
}

enum tcptrace_phase fsm_phase(const u8 state[2])
{
	u8 a = state[FSM_INITIATOR], b = state[FSM_RESPONDER];

	if (a == TCPTRACE_STATE_NONE)
		return TCPTRACE_PHASE_NONE;
	if (a == TCPTRACE_STATE_TIME_WAIT || b == TCPTRACE_STATE_TIME_WAIT)
		return TCPTRACE_PHASE_TIME_WAIT;
	if (a == TCPTRACE_STATE_CLOSED && b == TCPTRACE_STATE_CLOSED)
		return TCPTRACE_PHASE_CLOSED;
	if (a > TCPTRACE_STATE_ESTABLISHED || b > TCPTRACE_STATE_ESTABLISHED)
		return TCPTRACE_PHASE_TEARDOWN;
	if (a == TCPTRACE_STATE_ESTABLISHED && b == TCPTRACE_STATE_ESTABLISHED)
		return TCPTRACE_PHASE_ESTABLISHED;
	return TCPTRACE_PHASE_HANDSHAKE;
}
