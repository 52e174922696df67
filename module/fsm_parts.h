/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_FSM_PARTS_H
#define _TCPTRACE_FSM_PARTS_H

/* What the files fsm*.c share, and nobody else needs. */

#include "fsm.h"

/**
 * result_begin - nothing has been done yet
 * @fsm: as it is before
 * @res: empty afterwards
 */
void result_begin(const struct fsm *fsm, struct fsm_result *res);

/**
 * result_add - one more thing to tell
 * @fsm: as it is after that
 * @res: has room for it, %FSM_CHANGES_MAX
 * @kind: what
 */
void result_add(const struct fsm *fsm, struct fsm_result *res, enum tcptrace_kind kind);

/* The same: a segment changes nothing, and why. */
void result_invalid(const struct fsm *fsm, struct fsm_result *res, enum tcptrace_reason reason);

/* The same: a repetition, which is counted. */
void result_retransmit(const struct fsm *fsm, struct fsm_result *res, u8 *count);

/* The same: both endpoints are CLOSED. */
void result_close(struct fsm *fsm, struct fsm_result *res, enum tcptrace_kind kind);

/* The outcome is known; the verdicts are set. */
void result_end(struct fsm *fsm, struct fsm_result *res);

/**
 * fsm_step_ended - a segment after the END
 * @fsm: ended
 * @from: its sender
 * @to: its receiver
 * @seg: flags that are possible
 * @res: begun
 *
 * Late segments say nothing new, but a repetition, a RST in TIME_WAIT, and what begins
 * anew.
 */
void fsm_step_ended(struct fsm *fsm, struct fsm_endpoint *from, const struct fsm_endpoint *to,
		    const struct segment *seg, struct fsm_result *res);

#endif /* _TCPTRACE_FSM_PARTS_H */
