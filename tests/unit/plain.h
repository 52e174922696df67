/* SPDX-License-Identifier: GPL-2.0 */
/* What the data path of the module does with a segment, alone on its CPU. */
#ifndef _TESTS_UNIT_PLAIN_H
#define _TESTS_UNIT_PLAIN_H

#include "fsm.h"

/* False if the segment is not one that it takes; then @fsm is as before. */
static inline bool carry_plain(struct fsm *fsm, enum fsm_dir dir, const struct segment *seg)
{
	const u8 any = MARKS_PLAIN_ACK | MARKS_PLAIN_DATA;
	bool taken;

	if ((seg->flags & (SEGMENT_CONTROL | TCPTRACE_TCP_ACK)) != TCPTRACE_TCP_ACK)
		return false;
	fsm_let_plain(fsm, FSM_INITIATOR, any);
	fsm_let_plain(fsm, FSM_RESPONDER, any);
	taken = marks_carry_plain(&fsm->end[dir], &fsm->end[!dir], seg->seq, seg->ack,
				  seg->window, seg->payload_len);
	fsm_stop_plain(fsm);
	return taken;
}

#endif /* _TESTS_UNIT_PLAIN_H */
