/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_MARKS_H
#define _TCPTRACE_MARKS_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include "compat.h"
#include "segment.h"

/**
 * DOC: sequence marks
 *
 * What is known of one endpoint's sequence numbers from the segments that passed:
 * where its SYN and its FIN stand, how far it sent, what it acknowledged, what it
 * lets its peer send.  From the marks of both follows which numbers their receiver
 * takes, and so whether a SYN+ACK, a FIN or a RST is to be believed.
 *
 * An endpoint that is heard late, or after a gap, is taken at its word; one that
 * was heard has to go on where it stood.  What lies too far ahead is not believed,
 * for it may be forged, but it is remembered: if the peer acknowledges it, then we
 * have missed what lies between.  The other way round, an ACK of what did not pass is
 * believed when its peer goes on there.
 *
 * So who sends forged segments from one side, without knowing the numbers, changes nothing
 * that is told.  Who can forge both sides past the place where we look can answer himself;
 * a host does not let its own side be forged, a router that filters sources neither.  Of a
 * connection whose other side is never seen, the one that is seen is taken at its word.
 */

/* &fsm_endpoint.seen */
#define FSM_SENT	0x0001	/* it was heard: @end holds */
#define FSM_ACKS	0x0002	/* it acknowledged something: @ack and @edge hold */
#define FSM_SYN		0x0004	/* its SYN was seen: @isn holds */
#define FSM_SYN_ACKED	0x0008	/* its peer acknowledged that */
#define FSM_FIN		0x0010	/* its FIN was seen: @end stands behind it */
#define FSM_FIN_ACKED	0x0020	/* its peer acknowledged that */
#define FSM_GOT_FIN	0x0040	/* it acknowledged its peer's FIN */
#define FSM_WSCALE	0x0080	/* its SYN offered window scaling */
#define FSM_SACK	0x2000	/* its SYN offered selective acknowledgment */
/* Of these one at most (FAR_FIN is a FAR): what @other is. */
#define FSM_RIVAL	0x0100	/* the ISN of another SYN or SYN+ACK, not answered yet */
#define FSM_FAR		0x0200	/* the end of data too far ahead, not acknowledged yet */
#define FSM_FAR_FIN	0x0400	/* the same, and it was a FIN */
#define FSM_CLAIMED	0x0800	/* what its peer acknowledged, though it did not pass here */
#define FSM_HOLE	0x4000	/* where it went on after something that did not pass here */
#define FSM_FIN_TIME	0x1000	/* the timestamp of its FIN, RFC 7323 */

#define FSM_AHEAD	(FSM_FAR | FSM_FAR_FIN | FSM_CLAIMED)
#define FSM_OTHER	(FSM_RIVAL | FSM_AHEAD | FSM_HOLE | FSM_FIN_TIME)

/**
 * struct fsm_endpoint - one endpoint
 * @isn: sequence number of its SYN
 * @end: follows the highest sequence number it sent, SND.NXT; after its FIN, which is the
 *	last, see marks_fin_seq()
 * @ack: the highest acknowledgment it sent, RCV.NXT as far as it told
 * @edge: the highest right edge of the window it offered
 * @other: one more number; @seen tells which
 * @seen: FSM_*
 * @state: &enum tcptrace_state
 * @wscale: shift of the window it offers
 * @syn_retrans: its SYN or SYN+ACK again; stays at 255
 * @fin_retrans: its FIN again; stays at 255
 * @plain: which of its segments marks_carry_plain() may take, MARKS_PLAIN_*; the caller's
 */
struct fsm_endpoint {
	u32	isn;
	u32	end;
	u32	ack;
	u32	edge;
	u32	other;
	u16	seen;
	u8	state;
	u8	wscale;
	u8	syn_retrans;
	u8	fin_retrans;
	u8	plain;
};

/* Without and with payload. */
#define MARKS_PLAIN_ACK		1
#define MARKS_PLAIN_DATA	2

/*
 * The marks @end, @ack and @edge only go forward, whoever moves them: the plainest segments
 * do so without the lock that keeps all else of a connection in order, see carry.h.
 */
static __always_inline void mark_advance(u32 *mark, u32 to)
{
	u32 from = READ_ONCE(*mark);

	while (seq_before(from, to) && !try_cmpxchg(mark, &from, to))
		;
}

/* The shift of a window whose scale was not seen: the widest, RFC 7323 section 2.3. */
#define MARKS_WSCALE_UNKNOWN	14

/* No window is wider, RFC 7323 section 2.3. */
#define MARKS_WINDOW_MAX	0x40000000u

/**
 * marks_syn - a SYN or SYN+ACK that is believed
 * @from: its sender
 * @to: its receiver
 * @seg: the segment
 */
void marks_syn(struct fsm_endpoint *from, struct fsm_endpoint *to, const struct segment *seg);

/**
 * marks_advance - how far the sender sent, acknowledged, and lets its peer send
 * @from: the sender of the segment
 * @to: its receiver
 * @seg: any segment that is believed
 */
void marks_advance(struct fsm_endpoint *from, struct fsm_endpoint *to,
		   const struct segment *seg);

/**
 * marks_carry - the same for a segment without SYN, FIN and RST
 * @from: its sender, heard before, as was its peer, with %FSM_ACKS
 * @to: its receiver
 * @seg: the segment
 */
void marks_carry(struct fsm_endpoint *from, struct fsm_endpoint *to, const struct segment *seg);

/**
 * marks_carry_plain - the same for the plainest of all, without a lock
 * @from: as for marks_carry(); besides, with none of %FSM_AHEAD, and @plain
 * @to: its receiver
 * @seq: its sequence number: where @from stood
 * @ack: what it acknowledges: what @to sent, no less than before
 * @window: as on the wire
 * @len: its payload, for which @to has room
 *
 * Of two segments that carry data from the same place, one is taken.
 *
 * Return: false if it is not as it should be; nothing has changed.
 */
static __always_inline bool marks_carry_plain(struct fsm_endpoint *from,
					      const struct fsm_endpoint *to,
					      u32 seq, u32 ack, u16 window, u32 len)
{
	u8 plain = READ_ONCE(from->plain);
	u32 stood = seq, end = seq + len;

	if (len ? !(plain & MARKS_PLAIN_DATA) : !(plain & MARKS_PLAIN_ACK))
		return false;
	if (seq != READ_ONCE(from->end) || seq_before(READ_ONCE(to->edge), end) ||
	    seq_before(ack, READ_ONCE(from->ack)) || seq_before(READ_ONCE(to->end), ack))
		return false;
	if (len && !try_cmpxchg(&from->end, &stood, end))
		return false;
	mark_advance(&from->ack, ack);
	mark_advance(&from->edge, ack + ((u32)window << from->wscale));
	return true;
}

/**
 * marks_note - remember a number besides the others
 * @end: whose
 * @what: one of %FSM_OTHER, or %FSM_FAR and %FSM_FAR_FIN together
 * @number: the number
 */
static inline void marks_note(struct fsm_endpoint *end, u16 what, u32 number)
{
	end->seen = (end->seen & ~FSM_OTHER) | what;
	end->other = number;
}

/* RFC 9293 section 3.4: the SYN is acknowledged, and nothing that was never sent. */
static inline bool marks_covers_syn(const struct fsm_endpoint *end, u32 ack)
{
	return end->seen & FSM_SYN && seq_between(end->isn + 1, ack, end->end);
}

/* The other SYN is acknowledged, perhaps with data in it, RFC 7413. */
static inline bool marks_covers_rival(const struct fsm_endpoint *end, u32 ack)
{
	return end->seen & FSM_RIVAL && seq_between(end->other + 1, ack, end->other + 0xffff);
}

/* The number of its FIN, if it was seen. */
static inline u32 marks_fin_seq(const struct fsm_endpoint *end)
{
	return end->end - 1;
}

/* A FIN is acknowledged for the first time: by one number alone, for nothing follows it. */
static inline bool marks_await_ack_of_fin(const struct fsm_endpoint *end, u32 ack)
{
	return (end->seen & (FSM_FIN | FSM_FIN_ACKED)) == FSM_FIN && ack == end->end;
}

/* A FIN that was not believed is acknowledged by its number alone, as any is. */
static inline bool marks_covers_far_fin(const struct fsm_endpoint *end, u32 ack)
{
	return end->seen & FSM_FAR_FIN && ack == end->other &&
	       (seq_before(end->end, ack) || end->seen & FSM_FIN);
}

/**
 * marks_fin - a FIN that is believed, the first one
 * @end: its sender
 * @fin: its own number
 */
void marks_fin(struct fsm_endpoint *end, u32 fin);

/**
 * marks_refuse - why does the receiver drop a segment with ACK, perhaps FIN?
 * @from: its sender
 * @to: its receiver
 * @seg: the segment
 *
 * RFC 9293 section 3.10.7.4 first: it, or its FIN, has to lie in the receiver's window.
 * Fifth, and RFC 5961 section 5: it may not acknowledge what was never sent, nor could
 * be, nor what lies more than a window back.
 *
 * Return: OUT_OF_WINDOW, BAD_ACK, or NONE.
 */
enum tcptrace_reason marks_refuse(const struct fsm_endpoint *from, const struct fsm_endpoint *to,
				  const struct segment *seg);

/**
 * marks_far_fin - remember a FIN that is not believed
 * @from: its sender
 * @to: its receiver
 * @seg: the FIN
 *
 * If it lies ahead, the peer's ACK of it proves that we have missed what lies between; if
 * there was one before that is not acknowledged, that the other was forged.
 */
void marks_far_fin(struct fsm_endpoint *from, const struct fsm_endpoint *to,
		   const struct segment *seg);

/**
 * marks_fin_time - remember the timestamp of a FIN
 * @from: its sender
 * @seg: the FIN, the last one so far
 */
void marks_fin_time(struct fsm_endpoint *from, const struct segment *seg);

/**
 * marks_rival - remember a SYN that its receiver should not take
 * @from: its sender
 * @seg: the SYN
 *
 * A SYN+ACK proves that it did take it, for it knows nothing of this connection any more.
 * If the last timestamp is known, that decides.
 */
void marks_rival(struct fsm_endpoint *from, const struct segment *seg);

/**
 * marks_settle_rival - of two SYN+ACKs, take the one that is acknowledged
 * @end: who sent them
 * @ack: what its peer acknowledges
 *
 * Return: false if it is not the second of the two.
 */
bool marks_settle_rival(struct fsm_endpoint *end, u32 ack);

/**
 * marks_rst_believed - is it a RST that the receiver obeys?
 * @from: its sender
 * @to: its receiver
 * @seg: the RST
 *
 * RFC 9293 section 3.10.7.3 second: in SYN_SENT it has to acknowledge the SYN.
 * RFC 5961 section 3: later it has to stand exactly at RCV.NXT.  That is behind all
 * that was sent, if it arrived, or else what the receiver acknowledged.  Behind a hole
 * only a receiver that has told of what lies there, by SACK, obeys one, as Linux does.
 */
bool marks_rst_believed(const struct fsm_endpoint *from, const struct fsm_endpoint *to,
			const struct segment *seg);

/**
 * marks_syn_newer - does a SYN open a new connection to an endpoint in TIME_WAIT?
 * @from: its sender, as the old connection left it
 * @seg: the SYN
 *
 * RFC 6191: its timestamp is newer than the last one, or there is none and its
 * sequence number is; RFC 9293 section 3.10.7.4 first, RFC 1122 section 4.2.2.13.
 * The number behind the FIN does not do: neither for Linux nor for BSD.
 */
bool marks_syn_newer(const struct fsm_endpoint *from, const struct segment *seg);

#endif /* _TCPTRACE_MARKS_H */
