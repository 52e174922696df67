// SPDX-License-Identifier: GPL-2.0
#include "fsm_parts.h"

#define COUNT_MAX	255

/* The states before the next change are those after the last one. */
void result_add(const struct fsm *fsm, struct fsm_result *res, enum tcptrace_kind kind)
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

void result_begin(const struct fsm *fsm, struct fsm_result *res)
{
	res->changes = 0;
	res->ended = false;
	res->reuse = false;
	res->change[0].prev[FSM_INITIATOR] = fsm->end[FSM_INITIATOR].state;
	res->change[0].prev[FSM_RESPONDER] = fsm->end[FSM_RESPONDER].state;
}

void result_invalid(const struct fsm *fsm, struct fsm_result *res,
		    enum tcptrace_reason reason)
{
	result_add(fsm, res, TCPTRACE_EVENT_INVALID);
	res->change[res->changes - 1].cause = reason;
}

void result_retransmit(const struct fsm *fsm, struct fsm_result *res, u8 *count)
{
	if (*count < COUNT_MAX)
		(*count)++;
	result_add(fsm, res, TCPTRACE_EVENT_RETRANSMIT);
	res->change[res->changes - 1].count = *count;
}

void result_end(struct fsm *fsm, struct fsm_result *res)
{
	fsm->ended = true;
	res->ended = true;
}

void result_close(struct fsm *fsm, struct fsm_result *res, enum tcptrace_kind kind)
{
	fsm->end[FSM_INITIATOR].state = TCPTRACE_STATE_CLOSED;
	fsm->end[FSM_RESPONDER].state = TCPTRACE_STATE_CLOSED;
	result_add(fsm, res, kind);
}
