// SPDX-License-Identifier: GPL-2.0
#include "fsm.h"

#define COUNT_MAX	255

/* What an endpoint does, or learns. */
enum fsm_input {
	SENDS_SYN,
	SENDS_SYN_ACK,
	GETS_SYN_ACK,	/* and answered it */
	SYN_ACKED,
	SENDS_FIN,
	GETS_FIN,	/* and answered it */
	FIN_ACKED,
	INPUTS,
};

/*
 * The transitions of one endpoint; the numbers are sections of RFC 9293.  What
 * is not listed leaves the state as it is.  RST (3.10.7.2 to 3.10.7.4, "check
 * the RST bit") and the end of every timer (3.10.8) lead to CLOSED.
 *
 * CLOSED, SENDS_SYN		3.10.1	active OPEN
 * LISTEN, SENDS_SYN		3.10.1	it did not listen, it opens at the same
 *					time: figure 7
 * LISTEN, SENDS_SYN_ACK	3.10.7.2 third, a SYN came
 * SYN_SENT, SENDS_SYN_ACK	3.10.7.3 fourth, a SYN crossed ours: figure 7
 * SYN_SENT, GETS_SYN_ACK	3.10.7.3 fourth, "our SYN has been ACKed"
 * SYN_RECEIVED, SYN_ACKED	3.10.7.4 fifth, "enter ESTABLISHED state"
 * SYN_RECEIVED, SENDS_FIN	3.10.4	CLOSE
 * SYN_RECEIVED, GETS_FIN	3.10.7.4 eighth, "enter the CLOSE-WAIT state"
 * ESTABLISHED, SENDS_FIN	3.10.4	CLOSE
 * ESTABLISHED, GETS_FIN	3.10.7.4 eighth, "enter the CLOSE-WAIT state"
 * FIN_WAIT_1, FIN_ACKED	3.10.7.4 fifth, "enter FIN-WAIT-2"
 * FIN_WAIT_1, GETS_FIN		3.10.7.4 eighth, "enter the CLOSING state"
 * FIN_WAIT_2, GETS_FIN		3.10.7.4 eighth, "enter the TIME-WAIT state"
 * CLOSE_WAIT, SENDS_FIN	3.10.4	CLOSE; LAST-ACK as corrected in 3.3.2
 * CLOSING, FIN_ACKED		3.10.7.4 fifth, "enter the TIME-WAIT state"
 * LAST_ACK, FIN_ACKED		3.10.7.4 fifth, "enter the CLOSED state"
 */
static const u8 transition[TCPTRACE_STATE_TIME_WAIT + 1][INPUTS] = {
	[TCPTRACE_STATE_CLOSED] = {
		[SENDS_SYN]	= TCPTRACE_STATE_SYN_SENT,
	},
	[TCPTRACE_STATE_LISTEN] = {
		[SENDS_SYN]	= TCPTRACE_STATE_SYN_SENT,
		[SENDS_SYN_ACK]	= TCPTRACE_STATE_SYN_RECEIVED,
	},
	[TCPTRACE_STATE_SYN_SENT] = {
		[SENDS_SYN_ACK]	= TCPTRACE_STATE_SYN_RECEIVED,
		[GETS_SYN_ACK]	= TCPTRACE_STATE_ESTABLISHED,
	},
	[TCPTRACE_STATE_SYN_RECEIVED] = {
		[SYN_ACKED]	= TCPTRACE_STATE_ESTABLISHED,
		[SENDS_FIN]	= TCPTRACE_STATE_FIN_WAIT_1,
		[GETS_FIN]	= TCPTRACE_STATE_CLOSE_WAIT,
	},
	[TCPTRACE_STATE_ESTABLISHED] = {
		[SENDS_FIN]	= TCPTRACE_STATE_FIN_WAIT_1,
		[GETS_FIN]	= TCPTRACE_STATE_CLOSE_WAIT,
	},
	[TCPTRACE_STATE_FIN_WAIT_1] = {
		[FIN_ACKED]	= TCPTRACE_STATE_FIN_WAIT_2,
		[GETS_FIN]	= TCPTRACE_STATE_CLOSING,
	},
	[TCPTRACE_STATE_FIN_WAIT_2] = {
		[GETS_FIN]	= TCPTRACE_STATE_TIME_WAIT,
	},
	[TCPTRACE_STATE_CLOSE_WAIT] = {
		[SENDS_FIN]	= TCPTRACE_STATE_LAST_ACK,
	},
	[TCPTRACE_STATE_CLOSING] = {
		[FIN_ACKED]	= TCPTRACE_STATE_TIME_WAIT,
	},
	[TCPTRACE_STATE_LAST_ACK] = {
		[FIN_ACKED]	= TCPTRACE_STATE_CLOSED,
	},
};

static void apply(struct fsm_endpoint *end, enum fsm_input input)
{
	u8 next = transition[end->state][input];

	if (next)
		end->state = next;
}

/*
 * Telling what happened
 */

/* The states before the next change are those after the last one. */
static void report(const struct fsm *fsm, struct fsm_result *res, enum tcptrace_kind kind)
{
	struct fsm_change *change = &res->change[res->changes++];

	change->kind = kind;
	change->cause = 0;
	change->count = 0;
	change->state[FSM_INITIATOR] = fsm->end[FSM_INITIATOR].state;
	change->state[FSM_RESPONDER] = fsm->end[FSM_RESPONDER].state;
	if (res->changes < FSM_CHANGES_MAX) {
		change[1].prev[FSM_INITIATOR] = change->state[FSM_INITIATOR];
		change[1].prev[FSM_RESPONDER] = change->state[FSM_RESPONDER];
	}
}

static void begin(const struct fsm *fsm, struct fsm_result *res)
{
	res->changes = 0;
	res->ended = false;
	res->reuse = false;
	res->change[0].prev[FSM_INITIATOR] = fsm->end[FSM_INITIATOR].state;
	res->change[0].prev[FSM_RESPONDER] = fsm->end[FSM_RESPONDER].state;
}

static void report_invalid(const struct fsm *fsm, struct fsm_result *res,
			   enum tcptrace_reason reason)
{
	report(fsm, res, TCPTRACE_EVENT_INVALID);
	res->change[res->changes - 1].cause = reason;
}

static void report_retransmit(const struct fsm *fsm, struct fsm_result *res, u8 *count)
{
	if (*count < COUNT_MAX)
		(*count)++;
	report(fsm, res, TCPTRACE_EVENT_RETRANSMIT);
	res->change[res->changes - 1].count = *count;
}

static void end(struct fsm *fsm, struct fsm_result *res)
{
	fsm->ended = true;
	res->ended = true;
}

static bool synchronized(const struct fsm_endpoint *end)
{
	return end->state >= TCPTRACE_STATE_ESTABLISHED;
}

static enum tcptrace_side side(const struct fsm *fsm, const struct fsm_endpoint *end)
{
	return end == &fsm->end[FSM_INITIATOR] ? TCPTRACE_SIDE_INITIATOR :
						 TCPTRACE_SIDE_RESPONDER;
}

/*
 * The steps
 */

static void establish(struct fsm *fsm, struct fsm_result *res)
{
	if (fsm->handshake || !synchronized(&fsm->end[0]) || !synchronized(&fsm->end[1]))
		return;
	fsm->handshake = TCPTRACE_HANDSHAKE_ESTABLISHED;
	report(fsm, res, TCPTRACE_EVENT_ESTABLISHED);
}

/*
 * A SYN that its receiver should not take: a SYN+ACK proves that it did, for it knows
 * nothing of this connection any more.  If the last timestamp is known, that decides.
 */
static void note_rival(struct fsm_endpoint *from, const struct segment *seg)
{
	if (!(from->seen & FSM_FIN_TIME))
		marks_note(from, FSM_RIVAL, seg->seq);
}

static void step_syn(struct fsm *fsm, struct fsm_endpoint *from, struct fsm_endpoint *to,
		     const struct segment *seg, struct fsm_result *res)
{
	if (!(from->seen & FSM_SYN) && !synchronized(from)) {
		marks_syn(from, to, seg);
		apply(from, SENDS_SYN);
		report(fsm, res, TCPTRACE_EVENT_SYN);
	} else if (from->seen & FSM_SYN && seg->seq == from->isn) {
		report_retransmit(fsm, res, &from->syn_retrans);
	} else if (from->state == TCPTRACE_STATE_SYN_SENT && !(to->seen & FSM_SENT)) {
		res->reuse = true;	/* it gave up and tries anew */
	} else {
		note_rival(from, seg);
		report_invalid(fsm, res, TCPTRACE_REASON_UNEXPECTED_SYN);
	}
}

/*
 * The SYN is answered again, with another ISN: so does who keeps no state, such as a
 * SYN cookie.  Which of the two came first to the initiator, its ACK will tell.
 */
static bool another_syn_ack(const struct fsm_endpoint *from, const struct fsm_endpoint *to,
			    const struct segment *seg)
{
	return from->state == TCPTRACE_STATE_SYN_RECEIVED && !(from->seen & FSM_SYN_ACKED) &&
	       seg->seq != from->isn && marks_covers_syn(to, seg->ack);
}

static void step_syn_ack(struct fsm *fsm, struct fsm_endpoint *from, struct fsm_endpoint *to,
			 const struct segment *seg, struct fsm_result *res)
{
	bool again = from->seen & FSM_SYN && seg->seq == from->isn;

	if (!marks_covers_syn(to, seg->ack) && marks_covers_rival(to, seg->ack)) {
		res->reuse = true;
		return;
	}
	if (another_syn_ack(from, to, seg)) {
		marks_note(from, FSM_RIVAL, seg->seq);
		again = true;
	}
	if (again && from->state != TCPTRACE_STATE_SYN_SENT) {
		report_retransmit(fsm, res, &from->syn_retrans);
		return;
	}
	if (!again && from->state != TCPTRACE_STATE_LISTEN) {
		report_invalid(fsm, res, TCPTRACE_REASON_UNEXPECTED_SYN);
		return;
	}
	if (!marks_covers_syn(to, seg->ack)) {
		report_invalid(fsm, res, TCPTRACE_REASON_BAD_ACK);
		return;
	}

	marks_syn(from, to, seg);
	to->seen |= FSM_SYN_ACKED;
	apply(from, SENDS_SYN_ACK);
	apply(to, SYN_ACKED);
	report(fsm, res, TCPTRACE_EVENT_SYN_ACK);
	/* crossed SYNs: its own was acknowledged before it answered ours */
	if (from->seen & FSM_SYN_ACKED)
		apply(from, SYN_ACKED);
	establish(fsm, res);
}

/*
 * The initiator goes on as only one does whose SYN was answered, and the
 * responder was never heard: its segments take another path.
 */
static bool answered_elsewhere(const struct fsm_endpoint *from, const struct fsm_endpoint *to,
			       const struct segment *seg)
{
	return from->state == TCPTRACE_STATE_SYN_SENT && !(to->seen & FSM_SENT) &&
	       seq_between(from->isn + 1, seg->seq, from->end);
}

/* The same of the responder, whose SYN+ACK was the first that was seen: it got data, or sends. */
static bool acked_elsewhere(const struct fsm_endpoint *from, const struct fsm_endpoint *to,
			    const struct segment *seg)
{
	return !(from->seen & FSM_SYN_ACKED) && !(to->seen & FSM_SENT) &&
	       to->seen & FSM_SYN_ACKED && seq_before(from->isn, seg->seq) &&
	       (seg->payload_len || seq_before(to->end, seg->ack));
}

/* The ACK of a SYN: true unless the segment has to be dropped for it. */
static bool ack_syn(struct fsm *fsm, struct fsm_endpoint *from, struct fsm_endpoint *to,
		    const struct segment *seg, struct fsm_result *res)
{
	if (answered_elsewhere(from, to, seg)) {
		to->isn = seg->ack - 1;
		to->end = seg->ack;
		to->seen |= FSM_SYN;
		from->seen |= FSM_SYN_ACKED;
		apply(to, SENDS_SYN_ACK);
	}
	if (!marks_covers_syn(to, seg->ack) && !marks_settle_rival(to, seg->ack)) {
		report_invalid(fsm, res, TCPTRACE_REASON_BAD_ACK);
		return false;
	}
	if (!(from->seen & FSM_SYN_ACKED)) {
		report_invalid(fsm, res, TCPTRACE_REASON_UNEXPECTED);
		return false;
	}
	to->seen |= FSM_SYN_ACKED;
	apply(from, GETS_SYN_ACK);
	apply(to, SYN_ACKED);
	establish(fsm, res);
	return true;
}

/*
 * The ACK of a FIN shows that its sender got the FIN.  If it comes after a FIN
 * of the sender's own, which the peer has not answered, the FINs crossed: the
 * peer gets that FIN before this ACK and is CLOSING; it has left CLOSING when it
 * answers (figure 13).
 */
static void ack_fin(struct fsm *fsm, struct fsm_endpoint *from, struct fsm_endpoint *to,
		    const struct segment *seg, struct fsm_result *res)
{
	bool crossed = from->seen & FSM_FIN && seq_before(from->fin, seg->seq) &&
		       !(to->seen & FSM_GOT_FIN);

	from->seen |= FSM_GOT_FIN;
	to->seen |= FSM_FIN_ACKED;
	apply(from, GETS_FIN);
	apply(to, crossed ? GETS_FIN : FIN_ACKED);
	if (from->seen & FSM_FIN_ACKED)
		apply(from, FIN_ACKED);
	report(fsm, res, TCPTRACE_EVENT_FIN_ACKED);

	if (from->seen & FSM_FIN_ACKED) {
		fsm->close = TCPTRACE_CLOSE_ORDERLY;
		end(fsm, res);
	}
}

static void note_fin(struct fsm *fsm, struct fsm_endpoint *end, u32 fin)
{
	marks_fin(end, fin);
	if (!fsm->first_fin)
		fsm->first_fin = side(fsm, end);
	apply(end, SENDS_FIN);
}

/* Nothing follows a FIN, so only one number acknowledges it. */
static bool awaits_ack_of_fin(const struct fsm_endpoint *end, u32 ack)
{
	return (end->seen & (FSM_FIN | FSM_FIN_ACKED)) == FSM_FIN && ack == end->fin + 1;
}

static bool step_ack(struct fsm *fsm, struct fsm_endpoint *from, struct fsm_endpoint *to,
		     const struct segment *seg, struct fsm_result *res)
{
	if (!(to->seen & FSM_SYN_ACKED) && !ack_syn(fsm, from, to, seg, res))
		return false;
	if (acked_elsewhere(from, to, seg)) {
		from->seen |= FSM_SYN_ACKED;
		apply(to, GETS_SYN_ACK);
		apply(from, SYN_ACKED);
		establish(fsm, res);
	}
	if (marks_covers_far_fin(to, seg->ack))
		note_fin(fsm, to, seg->ack - 1);
	if (awaits_ack_of_fin(to, seg->ack))
		ack_fin(fsm, from, to, seg, res);
	return true;
}

static void step_fin(struct fsm *fsm, struct fsm_endpoint *from, const struct segment *seg,
		     struct fsm_result *res)
{
	if (from->seen & FSM_FIN) {
		report_retransmit(fsm, res, &from->fin_retrans);
	} else {
		note_fin(fsm, from, segment_fin(seg));
		report(fsm, res, TCPTRACE_EVENT_FIN);
	}
	if (seg->syn.options & TCPTRACE_OPT_TIMESTAMPS)
		marks_note(from, FSM_FIN_TIME, seg->tsval);
}

/*
 * RFC 9293 section 3.10.7.4, first and fifth: why the receiver drops the segment.  Who
 * acknowledges a FIN by its number is no forger, wherever it stands itself.
 */
static enum tcptrace_reason drop_reason(const struct fsm_endpoint *from,
					const struct fsm_endpoint *to, const struct segment *seg)
{
	if (marks_covers_far_fin(to, seg->ack))
		return TCPTRACE_REASON_NONE;
	if (seg->flags & TCPTRACE_TCP_FIN ? !marks_fin_believed(from, to, segment_fin(seg)) :
					    !marks_in_window(to, seg))
		return TCPTRACE_REASON_OUT_OF_WINDOW;
	if (!marks_ack_believed(from, to, seg->ack))
		return TCPTRACE_REASON_BAD_ACK;
	return TCPTRACE_REASON_NONE;
}

/* May it be more than data and its ACK? */
static bool matters(const struct fsm_endpoint *to, const struct segment *seg)
{
	return seg->flags & TCPTRACE_TCP_FIN || !(to->seen & FSM_SYN_ACKED) ||
	       awaits_ack_of_fin(to, seg->ack);
}

/* A segment with ACK, perhaps FIN: RFC 9293 section 3.10.7.4, first, fifth, eighth. */
static void step_data(struct fsm *fsm, struct fsm_endpoint *from, struct fsm_endpoint *to,
		      const struct segment *seg, struct fsm_result *res)
{
	enum tcptrace_reason reason = matters(to, seg) ? drop_reason(from, to, seg) :
							 TCPTRACE_REASON_NONE;

	if (reason) {
		if (seg->flags & TCPTRACE_TCP_FIN)
			marks_far_fin(from, segment_fin(seg));
		report_invalid(fsm, res, reason);
		return;
	}
	if (!step_ack(fsm, from, to, seg, res))
		return;
	if (seg->flags & TCPTRACE_TCP_FIN)
		step_fin(fsm, from, seg, res);
	marks_advance(from, to, seg);
}

static void close_both(struct fsm *fsm)
{
	fsm->end[FSM_INITIATOR].state = TCPTRACE_STATE_CLOSED;
	fsm->end[FSM_RESPONDER].state = TCPTRACE_STATE_CLOSED;
}

static enum tcptrace_handshake reset_handshake(const struct fsm *fsm,
					       const struct fsm_endpoint *from)
{
	if (from == &fsm->end[FSM_INITIATOR])
		return TCPTRACE_HANDSHAKE_ABORTED;
	if (from->state == TCPTRACE_STATE_LISTEN)
		return TCPTRACE_HANDSHAKE_REFUSED;
	return TCPTRACE_HANDSHAKE_RESET;
}

static enum tcptrace_close reset_close(const struct fsm *fsm, const struct fsm_endpoint *from)
{
	return from == &fsm->end[FSM_INITIATOR] ? TCPTRACE_CLOSE_RESET_BY_INITIATOR :
						  TCPTRACE_CLOSE_RESET_BY_RESPONDER;
}

/*
 * A RST may be the first to acknowledge a FIN, and so show that its sender got it.  The
 * sender of the FIN learns nothing by it: the RST is looked at first, 3.10.7.4 second.
 */
static void rst_acks_fin(struct fsm *fsm, struct fsm_endpoint *from, struct fsm_result *res)
{
	from->seen |= FSM_GOT_FIN;
	apply(from, GETS_FIN);
	report(fsm, res, TCPTRACE_EVENT_FIN_ACKED);
}

static void step_rst(struct fsm *fsm, struct fsm_endpoint *from,
		     const struct fsm_endpoint *to, const struct segment *seg,
		     struct fsm_result *res)
{
	if (!marks_rst_believed(from, to, seg)) {
		report_invalid(fsm, res, TCPTRACE_REASON_OUT_OF_WINDOW);
		return;
	}
	if (fsm->handshake && seg->flags & TCPTRACE_TCP_ACK && awaits_ack_of_fin(to, seg->ack))
		rst_acks_fin(fsm, from, res);
	if (!fsm->handshake)
		fsm->handshake = reset_handshake(fsm, from);
	else
		fsm->close = reset_close(fsm, from);
	close_both(fsm);
	report(fsm, res, TCPTRACE_EVENT_RST);
	end(fsm, res);
}

/*
 * A SYN on a tuple whose connection has ended opens a new one, but in TIME_WAIT only
 * if it is newer than the old.  The SYN of an attempt that failed may come again: its
 * sender did not hear of the end, and the answer may be another.
 */
static void step_ended_syn(struct fsm *fsm, struct fsm_endpoint *from,
			   const struct fsm_endpoint *to, const struct segment *seg,
			   struct fsm_result *res)
{
	bool again = from->seen & FSM_SYN && seg->seq == from->isn;
	bool failed = fsm->handshake != TCPTRACE_HANDSHAKE_ESTABLISHED;

	if (again && failed) {
		note_rival(from, seg);
		report_retransmit(fsm, res, &from->syn_retrans);
	} else if (again || (to->state == TCPTRACE_STATE_TIME_WAIT &&
			     !marks_syn_newer(from, seg))) {
		note_rival(from, seg);
		report_invalid(fsm, res, TCPTRACE_REASON_OLD_DUPLICATE);
	} else {
		res->reuse = true;
	}
}

static void step_ended_syn_ack(struct fsm *fsm, struct fsm_endpoint *from,
			       const struct fsm_endpoint *to, const struct segment *seg,
			       struct fsm_result *res)
{
	if (marks_covers_rival(to, seg->ack))
		res->reuse = true;
	else if (from->seen & FSM_SYN && seg->seq == from->isn)
		report_retransmit(fsm, res, &from->syn_retrans);
	else
		report_invalid(fsm, res, TCPTRACE_REASON_UNEXPECTED_SYN);
}

/* The END is told: late segments say nothing new, but a repetition, a RST in TIME_WAIT. */
static void step_ended(struct fsm *fsm, struct fsm_endpoint *from,
		       const struct fsm_endpoint *to, const struct segment *seg,
		       struct fsm_result *res)
{
	if (seg->flags & TCPTRACE_TCP_RST) {
		if (to->state != TCPTRACE_STATE_TIME_WAIT || seg->seq != from->end)
			return;
		close_both(fsm);
		report(fsm, res, TCPTRACE_EVENT_RST);
	} else if (seg->flags & TCPTRACE_TCP_SYN) {
		if (seg->flags & TCPTRACE_TCP_ACK)
			step_ended_syn_ack(fsm, from, to, seg, res);
		else
			step_ended_syn(fsm, from, to, seg, res);
	} else if (seg->flags & TCPTRACE_TCP_FIN && from->seen & FSM_FIN &&
		   segment_fin(seg) == from->fin) {
		step_fin(fsm, from, seg, res);
	}
}

/*
 * RFC 9293 section 3.10.7: all but a first SYN and a RST carry an ACK, and SYN and FIN
 * exclude each other.  A RST is looked at before both, so they do not weaken it.
 */
static bool flags_possible(u8 flags)
{
	if (flags & TCPTRACE_TCP_RST)
		return true;
	switch (flags & (SEGMENT_CONTROL | TCPTRACE_TCP_ACK)) {
	case TCPTRACE_TCP_SYN:
	case TCPTRACE_TCP_SYN | TCPTRACE_TCP_ACK:
	case TCPTRACE_TCP_FIN | TCPTRACE_TCP_ACK:
	case TCPTRACE_TCP_ACK:
		return true;
	}
	return false;
}

static void step(struct fsm *fsm, enum fsm_dir dir, const struct segment *seg,
		 struct fsm_result *res)
{
	struct fsm_endpoint *from = &fsm->end[dir];
	struct fsm_endpoint *to = &fsm->end[!dir];

	if (!flags_possible(seg->flags))
		report_invalid(fsm, res, TCPTRACE_REASON_BAD_FLAGS);
	else if (fsm->ended)
		step_ended(fsm, from, to, seg, res);
	else if (seg->flags & TCPTRACE_TCP_RST)
		step_rst(fsm, from, to, seg, res);
	else if (!(seg->flags & TCPTRACE_TCP_SYN))
		step_data(fsm, from, to, seg, res);
	else if (seg->flags & TCPTRACE_TCP_ACK)
		step_syn_ack(fsm, from, to, seg, res);
	else
		step_syn(fsm, from, to, seg, res);
}

/* FSM_SYN_ACKED: no ACK of a SYN is awaited; FSM_SENT, FSM_ACKS: the marks are set. */
static bool is_quiet(const struct fsm_endpoint *end)
{
	const u16 all = FSM_SYN_ACKED | FSM_SENT | FSM_ACKS;

	return end->state == TCPTRACE_STATE_ESTABLISHED && (end->seen & all) == all &&
	       !(end->seen & FSM_FAR_FIN);
}

bool fsm_carry(struct fsm *fsm, enum fsm_dir dir, const struct segment *seg)
{
	struct fsm_endpoint *from = &fsm->end[dir];
	struct fsm_endpoint *to = &fsm->end[!dir];

	if (!fsm->quiet || (seg->flags & (SEGMENT_CONTROL | TCPTRACE_TCP_ACK)) != TCPTRACE_TCP_ACK)
		return false;
	marks_carry(from, to, seg);
	return true;
}

void fsm_step(struct fsm *fsm, enum fsm_dir dir, const struct segment *seg,
	      struct fsm_result *res)
{
	begin(fsm, res);
	step(fsm, dir, seg, res);
	fsm->quiet = is_quiet(&fsm->end[0]) && is_quiet(&fsm->end[1]);
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

	begin(fsm, res);
	if (!in_flight(from, &fsm->end[!dir], quote)) {
		report_invalid(fsm, res, TCPTRACE_REASON_BAD_QUOTE);
		return;
	}
	if (ends_handshake(fsm, from, quote)) {
		fsm->handshake = TCPTRACE_HANDSHAKE_UNREACHABLE;
		close_both(fsm);
		end(fsm, res);
	}
	report(fsm, res, TCPTRACE_EVENT_ICMP_ERROR);
}

void fsm_note(const struct fsm *fsm, enum tcptrace_kind kind, enum tcptrace_reason cause,
	      struct fsm_result *res)
{
	begin(fsm, res);
	report(fsm, res, kind);
	res->change[0].cause = cause;
}

void fsm_open(struct fsm *fsm)
{
	*fsm = (struct fsm){
		.end[FSM_INITIATOR].state = TCPTRACE_STATE_CLOSED,
		.end[FSM_RESPONDER].state = TCPTRACE_STATE_LISTEN,
	};
}

bool fsm_can_pickup(const struct segment *seg)
{
	return flags_possible(seg->flags) && !(seg->flags & TCPTRACE_TCP_RST) &&
	       seg->flags & TCPTRACE_TCP_ACK;
}

/* A SYN+ACK shows what it answers. */
static void pickup_handshake(struct fsm *fsm, const struct segment *seg)
{
	struct fsm_endpoint *initiator = &fsm->end[FSM_INITIATOR];

	fsm_open(fsm);
	initiator->state = TCPTRACE_STATE_SYN_SENT;
	initiator->isn = seg->ack - 1;
	initiator->end = seg->ack;
	initiator->seen = FSM_SYN | FSM_WSCALE;
	initiator->wscale = MARKS_WSCALE_UNKNOWN;
}

static void pickup_established(struct fsm *fsm, enum fsm_dir dir, const struct segment *seg)
{
	static const struct fsm_endpoint unseen = {
		.state	= TCPTRACE_STATE_ESTABLISHED,
		.wscale	= MARKS_WSCALE_UNKNOWN,
		.seen	= FSM_SYN_ACKED,
	};

	*fsm = (struct fsm){
		.end		= { unseen, unseen },
		.handshake	= TCPTRACE_HANDSHAKE_UNSEEN,
		.guessed	= true,
	};
	fsm->end[!dir].end = seg->ack;
}

void fsm_pickup(struct fsm *fsm, enum fsm_dir dir, const struct segment *seg,
		struct fsm_result *res)
{
	if (seg->flags & TCPTRACE_TCP_SYN)
		pickup_handshake(fsm, seg);
	else
		pickup_established(fsm, dir, seg);
	*res = (struct fsm_result){};
	report(fsm, res, TCPTRACE_EVENT_PICKUP);
	step(fsm, dir, seg, res);
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

	begin(fsm, res);
	if (!fsm->ended) {
		if (fsm->handshake)
			fsm->close = TCPTRACE_CLOSE_IDLE_TIMEOUT;
		fsm->handshake = fsm_handshake(fsm);
		end(fsm, res);
	}
	close_both(fsm);
	report(fsm, res, TCPTRACE_EVENT_TIMEOUT);
	res->change[0].cause = timer;
}

void fsm_abandon(struct fsm *fsm, enum tcptrace_close close, struct fsm_result *res)
{
	begin(fsm, res);
	if (close == TCPTRACE_CLOSE_EVICTED || fsm_timer(fsm) == TCPTRACE_TIMER_TIME_WAIT)
		report(fsm, res, TCPTRACE_EVENT_EVICT);
	if (fsm->ended)
		return;
	/* an attempt was given up for another: it had nothing to close */
	if (close == TCPTRACE_CLOSE_UNKNOWN && !fsm->handshake)
		close = TCPTRACE_CLOSE_NONE;
	fsm->handshake = fsm_handshake(fsm);
	fsm->close = close;
	fsm->quiet = false;
	end(fsm, res);
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
