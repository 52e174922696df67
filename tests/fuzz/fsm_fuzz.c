// SPDX-License-Identifier: GPL-2.0
/*
 * A connection told by any bytes: ten of them a step, a segment near the numbers that the
 * endpoints stand at, or a timeout, an ICMP error, an eviction.
 */
#include <string.h>
#include "fuzz.h"
#include "fsm.h"
#include "history.h"

struct step {
	u8	what;		/* who, and what kind of step */
	u8	flags;
	u8	seq_from;	/* which number the sequence number is near to */
	s8	seq_off;
	u8	ack_from;
	s8	ack_off;
	u8	len;
	u8	window;
	u8	options;
	u8	more;
};

/* One of the numbers that a segment may be about. */
static u32 near(const struct fsm *fsm, u8 from, s8 off)
{
	const struct fsm_endpoint *end = &fsm->end[from & 1];
	const u32 numbers[] = { end->isn, end->end, end->ack, end->edge, end->other,
				0xffffff80, 0x7fffff80, 1000 };

	return numbers[from >> 1 & 7] + (from & 0x80 ? off * 0x01000000u : (u32)off);
}

static struct segment make(const struct fsm *fsm, const struct step *step)
{
	struct segment seg = {
		.seq		= near(fsm, step->seq_from, step->seq_off),
		.ack		= near(fsm, step->ack_from, step->ack_off),
		.flags		= step->flags,
		.window		= step->window << 8 | step->more,
		.payload_len	= step->len & 0x80 ? step->len * 11 : step->len & 1,
		.header_len	= SEGMENT_HEADER_MIN,
	};
	const u8 syn[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, step->more, step->options, 0, 0, 0, 1,
			   3, 3, step->more };

	if (step->options & 1)
		segment_parse_options(&seg, syn, sizeof(syn) - (step->options & 2));
	return seg;
}

/* Each change begins where the one before ended; states are states. */
static void check(const struct fsm *fsm, const struct fsm_result *res, const u8 before[2])
{
	unsigned int i;

	must(res->changes <= FSM_CHANGES_MAX);
	for (i = 0; i < res->changes; i++) {
		const struct fsm_change *change = &res->change[i];

		must(!memcmp(change->prev, before, 2));
		must(change->state[0] <= TCPTRACE_STATE_TIME_WAIT &&
		     change->state[1] <= TCPTRACE_STATE_TIME_WAIT);
		fsm_phase(change->state);
		before = change->state;
	}
	must(before[0] == fsm->end[0].state && before[1] == fsm->end[1].state);
	fsm_timer(fsm);
	fsm_handshake(fsm);
	fsm_half_open(fsm);
}

/* What the short way takes, the long way takes too, and tells nothing. */
static void carry(const struct fsm *fsm, enum fsm_dir dir, const struct segment *seg)
{
	struct fsm carried = *fsm, stepped = *fsm;
	struct fsm_result res = {};

	if (!fsm_carry(&carried, dir, seg))
		return;
	fsm_step(&stepped, dir, seg, &res);
	must(!res.changes && !res.ended && !res.reuse);
	must(!memcmp(&carried, &stepped, sizeof(carried)));
}

/* Returns whether the connection goes on. */
static bool play(struct fsm *fsm, struct history *history, const struct step *step)
{
	enum fsm_dir dir = step->what & 1;
	const u8 before[] = { fsm->end[0].state, fsm->end[1].state };
	struct segment seg = make(fsm, step);
	struct quote quote = { .seq = seg.seq, .ends = step->options, .unseen = step->more & 1 };
	struct fsm_result res = {};
	bool ended = fsm->ended, goes_on = true;

	switch (step->what >> 1 & 7) {
	case 0:
		fsm_timeout(fsm, &res);
		goes_on = false;
		break;
	case 1:
		fsm_icmp(fsm, dir, &quote, &res);
		break;
	case 2:
		fsm_abandon(fsm, step->more & 1 ? TCPTRACE_CLOSE_EVICTED : TCPTRACE_CLOSE_FLUSHED,
			    &res);
		goes_on = false;
		break;
	default:
		carry(fsm, dir, &seg);
		fsm_step(fsm, dir, &seg, &res);
		if (res.reuse) {
			must(!res.changes && !res.ended);
			return false;
		}
		if (step->options & 0x80)
			history_note_corrupt(history, dir, &seg);
		else
			history_note(history, dir, &seg, !res.changes ||
				     res.change[0].kind != TCPTRACE_EVENT_INVALID);
		break;
	}
	must(!(ended && res.ended));	/* the END is told once */
	check(fsm, &res, before);
	return goes_on;
}

static void begin(struct fsm *fsm, const struct step *step)
{
	struct segment seg = make(fsm, step);
	struct fsm_result res = {};
	u8 before[2];

	fsm_open(fsm);
	if (step->what & 0x80) {
		fsm_pickup(fsm, step->what & 1, &seg, &res);
		return;
	}
	before[0] = fsm->end[0].state;
	before[1] = fsm->end[1].state;
	seg.flags = TCPTRACE_TCP_SYN;
	fsm_step(fsm, FSM_INITIATOR, &seg, &res);
	check(fsm, &res, before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fsm fsm = {};
	struct history history = {};
	struct step step;
	bool begun = false;

	for (; size >= sizeof(step); data += sizeof(step), size -= sizeof(step)) {
		memcpy(&step, data, sizeof(step));
		if (!begun)
			begin(&fsm, &step);
		begun = true;
		if (!play(&fsm, &history, &step))
			break;
	}
	history_letters(&history);
	return 0;
}
