// SPDX-License-Identifier: GPL-2.0
/*
 * A segment of the connection, RFC 9293 section 3.10.7.  What happens after its END is in
 * fsm_ended.c, what happens without a segment in fsm_outside.c; which sequence numbers are
 * to be believed is in marks.c.  The table is what there is to check against the RFC; the
 * rest finds out what an endpoint has done.
 */
#include "fsm_parts.h"

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

static bool synchronized(const struct fsm_endpoint *end)
{
	return end->state >= TCPTRACE_STATE_ESTABLISHED;
}

static enum tcptrace_side side(const struct fsm *fsm, const struct fsm_endpoint *end)
{
	return end == &fsm->end[FSM_INITIATOR] ? TCPTRACE_SIDE_INITIATOR :
						 TCPTRACE_SIDE_RESPONDER;
}

static void establish(struct fsm *fsm, struct fsm_result *res)
{
	if (fsm->handshake || !synchronized(&fsm->end[0]) || !synchronized(&fsm->end[1]))
		return;
	fsm->handshake = TCPTRACE_HANDSHAKE_ESTABLISHED;
	result_add(fsm, res, TCPTRACE_EVENT_ESTABLISHED);
}

static void step_syn(struct fsm *fsm, struct fsm_endpoint *from, struct fsm_endpoint *to,
		     const struct segment *seg, struct fsm_result *res)
{
	if (!(from->seen & FSM_SYN) && !synchronized(from)) {
		marks_syn(from, to, seg);
		apply(from, SENDS_SYN);
		result_add(fsm, res, TCPTRACE_EVENT_SYN);
	} else if (from->seen & FSM_SYN && seg->seq == from->isn) {
		result_retransmit(fsm, res, &from->syn_retrans);
	} else if (from->state == TCPTRACE_STATE_SYN_SENT && !(to->seen & FSM_SENT)) {
		res->reuse = true;	/* it gave up and tries anew */
	} else {
		marks_rival(from, seg);
		result_invalid(fsm, res, TCPTRACE_REASON_UNEXPECTED_SYN);
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
		result_retransmit(fsm, res, &from->syn_retrans);
		return;
	}
	if (!again && from->state != TCPTRACE_STATE_LISTEN) {
		result_invalid(fsm, res, TCPTRACE_REASON_UNEXPECTED_SYN);
		return;
	}
	if (!marks_covers_syn(to, seg->ack)) {
		result_invalid(fsm, res, TCPTRACE_REASON_BAD_ACK);
		return;
	}

	marks_syn(from, to, seg);
	to->seen |= FSM_SYN_ACKED;
	apply(from, SENDS_SYN_ACK);
	apply(to, SYN_ACKED);
	result_add(fsm, res, TCPTRACE_EVENT_SYN_ACK);
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
		result_invalid(fsm, res, TCPTRACE_REASON_BAD_ACK);
		return false;
	}
	if (!(from->seen & FSM_SYN_ACKED)) {
		result_invalid(fsm, res, TCPTRACE_REASON_UNEXPECTED);
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
	bool crossed = from->seen & FSM_FIN && seq_before(marks_fin_seq(from), seg->seq) &&
		       !(to->seen & FSM_GOT_FIN);

	from->seen |= FSM_GOT_FIN;
	to->seen |= FSM_FIN_ACKED;
	apply(from, GETS_FIN);
	apply(to, crossed ? GETS_FIN : FIN_ACKED);
	if (from->seen & FSM_FIN_ACKED)
		apply(from, FIN_ACKED);
	result_add(fsm, res, TCPTRACE_EVENT_FIN_ACKED);

	if (from->seen & FSM_FIN_ACKED) {
		fsm->close = TCPTRACE_CLOSE_ORDERLY;
		result_end(fsm, res);
	}
}

static void note_fin(struct fsm *fsm, struct fsm_endpoint *end, u32 fin)
{
	marks_fin(end, fin);
	if (!fsm->first_fin)
		fsm->first_fin = side(fsm, end);
	apply(end, SENDS_FIN);
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
	if (marks_await_ack_of_fin(to, seg->ack))
		ack_fin(fsm, from, to, seg, res);
	return true;
}

static void step_fin(struct fsm *fsm, struct fsm_endpoint *from, const struct segment *seg,
		     struct fsm_result *res)
{
	if (from->seen & FSM_FIN) {
		result_retransmit(fsm, res, &from->fin_retrans);
	} else {
		note_fin(fsm, from, segment_fin(seg));
		result_add(fsm, res, TCPTRACE_EVENT_FIN);
	}
	marks_fin_time(from, seg);
}

/* May it be more than data and its ACK? */
static bool matters(const struct fsm_endpoint *to, const struct segment *seg)
{
	return seg->flags & TCPTRACE_TCP_FIN || !(to->seen & FSM_SYN_ACKED) ||
	       marks_await_ack_of_fin(to, seg->ack);
}

/* A segment with ACK, perhaps FIN: RFC 9293 section 3.10.7.4, first, fifth, eighth. */
static void step_data(struct fsm *fsm, struct fsm_endpoint *from, struct fsm_endpoint *to,
		      const struct segment *seg, struct fsm_result *res)
{
	enum tcptrace_reason reason = matters(to, seg) ? marks_refuse(from, to, seg) :
							 TCPTRACE_REASON_NONE;

	if (reason) {
		if (seg->flags & TCPTRACE_TCP_FIN)
			marks_far_fin(from, to, seg);
		result_invalid(fsm, res, reason);
		return;
	}
	if (!step_ack(fsm, from, to, seg, res))
		return;
	marks_advance(from, to, seg);
	if (seg->flags & TCPTRACE_TCP_FIN)
		step_fin(fsm, from, seg, res);
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
	result_add(fsm, res, TCPTRACE_EVENT_FIN_ACKED);
}

static void step_rst(struct fsm *fsm, struct fsm_endpoint *from,
		     const struct fsm_endpoint *to, const struct segment *seg,
		     struct fsm_result *res)
{
	if (!marks_rst_believed(from, to, seg)) {
		result_invalid(fsm, res, TCPTRACE_REASON_OUT_OF_WINDOW);
		return;
	}
	if (fsm->handshake && seg->flags & TCPTRACE_TCP_ACK && marks_await_ack_of_fin(to, seg->ack))
		rst_acks_fin(fsm, from, res);
	if (!fsm->handshake)
		fsm->handshake = reset_handshake(fsm, from);
	else
		fsm->close = reset_close(fsm, from);
	result_close(fsm, res, TCPTRACE_EVENT_RST);
	result_end(fsm, res);
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
		result_invalid(fsm, res, TCPTRACE_REASON_BAD_FLAGS);
	else if (fsm->ended)
		fsm_step_ended(fsm, from, to, seg, res);
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
	result_begin(fsm, res);
	step(fsm, dir, seg, res);
	fsm->quiet = is_quiet(&fsm->end[0]) && is_quiet(&fsm->end[1]);
}

void fsm_open(struct fsm *fsm)
{
	*fsm = (struct fsm){
		.end[FSM_INITIATOR].state = TCPTRACE_STATE_CLOSED,
		.end[FSM_RESPONDER].state = TCPTRACE_STATE_LISTEN,
	};
}

void fsm_succeed(struct fsm *fsm, const struct fsm *old)
{
	const struct fsm_endpoint *end = &old->end[FSM_INITIATOR];

	if (end->state == TCPTRACE_STATE_SYN_SENT)
		marks_note(&fsm->end[FSM_INITIATOR], FSM_RIVAL, end->isn);
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
	initiator->seen = FSM_SYN | FSM_WSCALE | FSM_SACK;
	initiator->wscale = MARKS_WSCALE_UNKNOWN;
}

static void pickup_established(struct fsm *fsm, enum fsm_dir dir, const struct segment *seg)
{
	static const struct fsm_endpoint unseen = {
		.state	= TCPTRACE_STATE_ESTABLISHED,
		.wscale	= MARKS_WSCALE_UNKNOWN,
		.seen	= FSM_SYN_ACKED | FSM_SACK,
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
	result_add(fsm, res, TCPTRACE_EVENT_PICKUP);
	step(fsm, dir, seg, res);
}
