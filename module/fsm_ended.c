// SPDX-License-Identifier: GPL-2.0
#include "fsm_parts.h"

/*
 * A SYN on a tuple whose connection has ended opens a new one, but in TIME_WAIT only
 * if it is newer than the old.  The SYN of an attempt that failed may come again: its
 * sender did not hear of the end, and the answer may be another.
 */
static void syn_again(struct fsm *fsm, struct fsm_endpoint *from, const struct fsm_endpoint *to,
		      const struct segment *seg, struct fsm_result *res)
{
	bool again = from->seen & FSM_SYN && seg->seq == from->isn;
	bool failed = fsm->handshake != TCPTRACE_HANDSHAKE_ESTABLISHED;

	if (again && failed) {
		marks_rival(from, seg);
		result_retransmit(fsm, res, &from->syn_retrans);
	} else if (again || (to->state == TCPTRACE_STATE_TIME_WAIT &&
			     !marks_syn_newer(from, seg))) {
		marks_rival(from, seg);
		result_invalid(fsm, res, TCPTRACE_REASON_OLD_DUPLICATE);
	} else {
		res->reuse = true;
	}
}

static void syn_ack_again(struct fsm *fsm, struct fsm_endpoint *from,
			  const struct fsm_endpoint *to, const struct segment *seg,
			  struct fsm_result *res)
{
	if (marks_covers_rival(to, seg->ack))
		res->reuse = true;
	else if (from->seen & FSM_SYN && seg->seq == from->isn)
		result_retransmit(fsm, res, &from->syn_retrans);
	else
		result_invalid(fsm, res, TCPTRACE_REASON_UNEXPECTED_SYN);
}

void fsm_step_ended(struct fsm *fsm, struct fsm_endpoint *from, const struct fsm_endpoint *to,
		    const struct segment *seg, struct fsm_result *res)
{
	if (seg->flags & TCPTRACE_TCP_RST) {
		if (to->state != TCPTRACE_STATE_TIME_WAIT || seg->seq != from->end)
			return;
		result_close(fsm, res, TCPTRACE_EVENT_RST);
	} else if (seg->flags & TCPTRACE_TCP_SYN) {
		if (seg->flags & TCPTRACE_TCP_ACK)
			syn_ack_again(fsm, from, to, seg, res);
		else
			syn_again(fsm, from, to, seg, res);
	} else if (seg->flags & TCPTRACE_TCP_FIN && from->seen & FSM_FIN &&
		   segment_fin(seg) == marks_fin_seq(from)) {
		result_retransmit(fsm, res, &from->fin_retrans);
		marks_fin_time(from, seg);
	}
}
