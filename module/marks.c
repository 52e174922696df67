// SPDX-License-Identifier: GPL-2.0
#include "marks.h"

/* Of an endpoint that is never heard: wider ones are hardly ever offered. */
#define UNHEARD_WINDOW	0x1000000

/* Nothing lies ahead before the SYN is acknowledged, nor behind a FIN. */
static void note_ahead(struct fsm_endpoint *from, u16 what, u32 end)
{
	if ((from->seen & (FSM_SYN_ACKED | FSM_FIN)) != FSM_SYN_ACKED)
		return;
	if (!(from->seen & FSM_FAR_FIN && end == from->other))
		marks_note(from, what, end);
}

/*
 * What the receiver has no room for does not count as sent until it is acknowledged:
 * a gap in what is seen, the byte that probes a window of zero, or a forgery.
 */
static void advance_end(struct fsm_endpoint *from, const struct fsm_endpoint *to, u32 seq,
			u32 end, bool believed)
{
	if (!seq_before(from->end, end))
		return;
	if (to->seen & FSM_ACKS && seq_before(to->edge, end)) {
		note_ahead(from, FSM_FAR, end);
	} else if (believed) {
		from->seen &= ~FSM_AHEAD;	/* it goes on where it was: there is no gap */
		if (seq_before(from->end, seq))
			note_ahead(from, FSM_HOLE, seq);
		mark_advance(&from->end, end);
	}
}

/* The receiver waits for something before what was sent last. */
static bool waits_for_hole(const struct fsm_endpoint *from, const struct fsm_endpoint *to)
{
	return from->seen & FSM_HOLE && seq_before(to->ack, from->other) &&
	       !(from->seen & to->seen & FSM_SACK);
}

static bool behind_gap(const struct fsm_endpoint *end, u32 ack)
{
	return end->seen & FSM_FAR && end->other - ack < MARKS_WINDOW_MAX;
}

/* More is acknowledged than passed here: should it be believed at once? */
static bool believe_ahead(const struct fsm_endpoint *from, struct fsm_endpoint *to, u32 ack)
{
	if (!(to->seen & FSM_SENT) || behind_gap(to, ack)) {
		mark_advance(&to->end, ack);
		return true;
	}
	if (!seq_before(from->edge, ack))
		note_ahead(to, FSM_CLAIMED, ack);
	return false;
}

/* It lies more than a window back: RFC 5961 section 5. */
static bool ack_too_old(const struct fsm_endpoint *from, u32 ack)
{
	return from->ack - ack > 0xffffu << from->wscale;
}

/* False if the ACK is not believed: then its segment may be forged. */
static bool advance_ack(struct fsm_endpoint *from, struct fsm_endpoint *to, u32 ack, u32 edge)
{
	if (seq_before(to->end, ack) && !believe_ahead(from, to, ack))
		return false;
	if (seq_before(ack, from->ack) && ack_too_old(from, ack))
		return false;
	mark_advance(&from->ack, ack);
	mark_advance(&from->edge, edge);
	return true;
}

void marks_carry(struct fsm_endpoint *from, struct fsm_endpoint *to, const struct segment *seg)
{
	u32 edge = seg->ack + ((u32)seg->window << from->wscale);
	bool believed = advance_ack(from, to, seg->ack, edge);

	advance_end(from, to, seg->seq, seg->seq + seg->payload_len, believed);
}

/* The first ACK; the peer may have used the window of the SYN, which may have been wider. */
static void begin_ack(struct fsm_endpoint *from, u32 ack, u32 window)
{
	if (window < from->edge)
		window = from->edge;
	from->seen |= FSM_ACKS;
	from->ack = ack;
	from->edge = ack + window;
}

void marks_advance(struct fsm_endpoint *from, struct fsm_endpoint *to,
		   const struct segment *seg)
{
	/* the window of a SYN is not scaled, RFC 7323 section 2.2 */
	u32 window = seg->flags & TCPTRACE_TCP_SYN ? seg->window :
						     (u32)seg->window << from->wscale;
	bool believed = true;

	if (!(seg->flags & TCPTRACE_TCP_ACK))
		from->edge = window;	/* behind its first acknowledgment */
	else if (from->seen & FSM_ACKS)
		believed = advance_ack(from, to, seg->ack, seg->ack + window);
	else
		begin_ack(from, seg->ack, window);

	if (!(from->seen & FSM_SENT))
		from->end = segment_end(seg);
	else if (!(from->seen & FSM_FIN))	/* nothing lies behind it */
		advance_end(from, to, seg->seq, segment_end(seg), believed);
	from->seen |= FSM_SENT;
}

/* RFC 7323 section 2.2: scaling holds if both SYNs offer it. */
static void note_wscale(struct fsm_endpoint *from, struct fsm_endpoint *to,
			const struct segment *seg)
{
	if (seg->syn.options & TCPTRACE_OPT_WSCALE) {
		from->seen |= FSM_WSCALE;
		from->wscale = seg->syn.wscale;
	}
	if (seg->flags & TCPTRACE_TCP_ACK && !(from->seen & to->seen & FSM_WSCALE)) {
		from->wscale = 0;
		to->wscale = 0;
	}
}

void marks_syn(struct fsm_endpoint *from, struct fsm_endpoint *to, const struct segment *seg)
{
	from->isn = seg->seq;
	from->seen |= FSM_SYN;
	if (seg->syn.options & TCPTRACE_OPT_SACK_OK)
		from->seen |= FSM_SACK;
	note_wscale(from, to, seg);
	marks_advance(from, to, seg);
}

void marks_fin(struct fsm_endpoint *end, u32 fin)
{
	end->end = fin + 1;
	end->seen = (end->seen & ~FSM_AHEAD) | FSM_FIN;
}

/*
 * Its own number, behind the payload, decides, for the rest may be a repetition; nothing
 * follows a FIN.
 */
static bool fin_believed(const struct fsm_endpoint *from, const struct fsm_endpoint *to, u32 fin)
{
	if (from->seen & FSM_FIN)
		return fin == marks_fin_seq(from);
	return !(to->seen & FSM_ACKS) || seq_between(to->ack, fin, to->edge);
}

/* The receiver has room for some of it. */
static bool in_window(const struct fsm_endpoint *to, const struct segment *seg)
{
	return !(to->seen & FSM_ACKS) || (!seq_before(segment_end(seg), to->ack) &&
					  !seq_before(to->edge, seg->seq));
}

/* Not what was never sent, nor could be, nor what lies more than a window back. */
static bool ack_believed(const struct fsm_endpoint *from, const struct fsm_endpoint *to,
			 u32 ack)
{
	if (!(from->seen & FSM_ACKS && to->seen & FSM_SENT))
		return true;
	if (seq_before(ack, from->ack))
		return !ack_too_old(from, ack);
	return !seq_before(to->end, ack) || !seq_before(from->edge, ack) || behind_gap(to, ack);
}

enum tcptrace_reason marks_refuse(const struct fsm_endpoint *from, const struct fsm_endpoint *to,
				  const struct segment *seg)
{
	bool fin = seg->flags & TCPTRACE_TCP_FIN;

	/* who acknowledges a FIN by its number is no forger, wherever it stands itself */
	if (marks_covers_far_fin(to, seg->ack))
		return TCPTRACE_REASON_NONE;
	if (fin ? !fin_believed(from, to, segment_fin(seg)) : !in_window(to, seg))
		return TCPTRACE_REASON_OUT_OF_WINDOW;
	if (!ack_believed(from, to, seg->ack))
		return TCPTRACE_REASON_BAD_ACK;
	return TCPTRACE_REASON_NONE;
}

void marks_far_fin(struct fsm_endpoint *from, const struct fsm_endpoint *to,
		   const struct segment *seg)
{
	u32 fin = segment_fin(seg);

	if (!(from->seen & FSM_FIN)) {
		if (!seq_before(fin, from->end))
			note_ahead(from, FSM_FAR | FSM_FAR_FIN, fin + 1);
	} else if (!(from->seen & FSM_FIN_ACKED) && seq_between(to->ack, fin, to->edge) &&
		   ack_believed(from, to, seg->ack)) {
		marks_note(from, FSM_FAR_FIN, fin + 1);
	}
}

void marks_fin_time(struct fsm_endpoint *from, const struct segment *seg)
{
	if (seg->syn.options & TCPTRACE_OPT_TIMESTAMPS)
		marks_note(from, FSM_FIN_TIME, seg->tsval);
}

void marks_rival(struct fsm_endpoint *from, const struct segment *seg)
{
	if (!(from->seen & FSM_FIN_TIME))
		marks_note(from, FSM_RIVAL, seg->seq);
}

bool marks_settle_rival(struct fsm_endpoint *end, u32 ack)
{
	if (!marks_covers_rival(end, ack))
		return false;
	end->isn = end->other;
	end->end = ack;
	end->seen &= ~FSM_RIVAL;
	return true;
}

/* The receiver was never heard: its RCV.NXT is at most a window behind. */
static bool rst_to_unheard(const struct fsm_endpoint *from, const struct segment *seg)
{
	if (from->seen & FSM_SYN)
		return seq_between(from->isn + 1, seg->seq, from->end);
	return from->end - seg->seq <= UNHEARD_WINDOW;
}

bool marks_rst_believed(const struct fsm_endpoint *from, const struct fsm_endpoint *to,
			const struct segment *seg)
{
	if (to->state == TCPTRACE_STATE_SYN_SENT) {
		if (seg->flags & TCPTRACE_TCP_ACK && marks_covers_syn(to, seg->ack))
			return true;
		/* it may have the SYN+ACK that passed here, then it does as below */
		if (!(from->seen & FSM_SYN))
			return false;
	}
	/* some answer the other SYN, or repeat the number of the FIN before it */
	if (to->state < TCPTRACE_STATE_ESTABLISHED && seg->flags & TCPTRACE_TCP_ACK &&
	    marks_covers_rival(to, seg->ack))
		return true;
	if (!(to->seen & FSM_ACKS))
		return rst_to_unheard(from, seg);
	if (!(from->seen & FSM_SENT))	/* nor is known how far it sent */
		return seq_between(to->ack, seg->seq, to->edge);
	if (seg->seq == to->ack || waits_for_hole(from, to))
		return seg->seq == to->ack;
	if (from->seen & FSM_CLAIMED && seg->seq == from->other)
		return true;
	return seg->seq == from->end || (from->seen & FSM_FIN && seg->seq == marks_fin_seq(from));
}

bool marks_syn_newer(const struct fsm_endpoint *from, const struct segment *seg)
{
	if (from->seen & FSM_FIN_TIME && seg->syn.options & TCPTRACE_OPT_TIMESTAMPS &&
	    seg->tsval != from->other)
		return seq_before(from->other, seg->tsval);
	return seq_before(from->end, seg->seq);
}
