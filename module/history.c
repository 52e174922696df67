// SPDX-License-Identifier: GPL-2.0
#include "history.h"

#define LETTERS_IN_WORD	(TCPTRACE_HISTORY_LEN / 2)

static void add_letter(struct history *history, enum fsm_dir dir, enum tcptrace_letter letter)
{
	u32 code = letter | (dir == FSM_RESPONDER ? TCPTRACE_LETTER_RESPONDER : 0);
	u32 place = history->count;

	if (history->seen & history_bit(dir, letter))
		return;
	history->seen |= history_bit(dir, letter);
	history->count++;
	if (place < TCPTRACE_HISTORY_LEN)
		history->letters[place / LETTERS_IN_WORD] |=
			code << place % LETTERS_IN_WORD * TCPTRACE_LETTER_BITS;
}

/*
 * One letter for a segment, as Zeek does: what its flags say comes before what it carries.
 * One without any of these flags is nothing that an endpoint sends.
 */
static enum tcptrace_letter letter_of(const struct segment *seg)
{
	switch (seg->flags & SEGMENT_CONTROL) {
	case TCPTRACE_TCP_SYN:
		return seg->flags & TCPTRACE_TCP_ACK ? TCPTRACE_LETTER_SYN_ACK :
						       TCPTRACE_LETTER_SYN;
	case TCPTRACE_TCP_FIN:
		return TCPTRACE_LETTER_FIN;
	case TCPTRACE_TCP_RST:
		return TCPTRACE_LETTER_RST;
	case TCPTRACE_TCP_SYN | TCPTRACE_TCP_FIN:
	case TCPTRACE_TCP_SYN | TCPTRACE_TCP_RST:
		return TCPTRACE_LETTER_MULTI_FLAG;
	case TCPTRACE_TCP_FIN | TCPTRACE_TCP_RST:
	case SEGMENT_CONTROL:
		return TCPTRACE_LETTER_FIN_RST;
	}
	if (!(seg->flags & TCPTRACE_TCP_ACK))
		return TCPTRACE_LETTER_NONE;
	return seg->payload_len ? TCPTRACE_LETTER_DATA : TCPTRACE_LETTER_ACK;
}

/* A SYN without ACK counts if it opens the flow, and only then does what it carries. */
static u32 segments_of(const struct history *history, const struct segment *seg)
{
	u32 payload = seg->payload_len ? TCPTRACE_SEGMENT_DATA : 0;
	u32 found = seg->flags & TCPTRACE_TCP_RST ? TCPTRACE_SEGMENT_RST : 0;

	switch (seg->flags & (TCPTRACE_TCP_SYN | TCPTRACE_TCP_ACK)) {
	case 0:
		return found;
	case TCPTRACE_TCP_SYN:
		return history->count ? found : TCPTRACE_SEGMENT_SYN | payload;
	case TCPTRACE_TCP_ACK:
		found |= payload ? payload : TCPTRACE_SEGMENT_ACK;
		break;
	default:
		found |= TCPTRACE_SEGMENT_SYN_ACK;
		break;
	}
	return seg->flags & TCPTRACE_TCP_FIN ? found | TCPTRACE_SEGMENT_FIN : found;
}

static enum tcptrace_teardown next_teardown(const struct history *history,
					    const struct segment *seg)
{
	static const u8 after_fin[] = {
		[TCPTRACE_TEARDOWN_NONE]	= TCPTRACE_TEARDOWN_FIN,
		[TCPTRACE_TEARDOWN_FIN]		= TCPTRACE_TEARDOWN_FINS,
		[TCPTRACE_TEARDOWN_ACK]		= TCPTRACE_TEARDOWN_FINS,
		[TCPTRACE_TEARDOWN_FINS]	= TCPTRACE_TEARDOWN_FINS,
		[TCPTRACE_TEARDOWN_LAST_ACK]	= TCPTRACE_TEARDOWN_LAST_ACK,
	};
	static const u8 after_ack[] = {
		[TCPTRACE_TEARDOWN_NONE]	= TCPTRACE_TEARDOWN_NONE,
		[TCPTRACE_TEARDOWN_FIN]		= TCPTRACE_TEARDOWN_ACK,
		[TCPTRACE_TEARDOWN_ACK]		= TCPTRACE_TEARDOWN_ACK,
		[TCPTRACE_TEARDOWN_FINS]	= TCPTRACE_TEARDOWN_LAST_ACK,
		[TCPTRACE_TEARDOWN_LAST_ACK]	= TCPTRACE_TEARDOWN_LAST_ACK,
	};

	switch (seg->flags & SEGMENT_CONTROL) {
	case TCPTRACE_TCP_FIN:
		return after_fin[history->teardown];
	case 0:
		return after_ack[history->teardown];
	}
	return history->teardown;
}

void history_note(struct history *history, enum fsm_dir dir, const struct segment *seg,
		  bool believed)
{
	enum tcptrace_letter letter = letter_of(seg);

	history->segments |= segments_of(history, seg);
	if (letter)
		add_letter(history, dir, letter);
	if (believed)
		history->teardown = next_teardown(history, seg);
}

void history_note_corrupt(struct history *history, enum fsm_dir dir, const struct segment *seg)
{
	history->segments |= segments_of(history, seg);
	add_letter(history, dir, TCPTRACE_LETTER_CORRUPT);
}

u64 history_letters(const struct history *history)
{
	u64 letters = history->letters[0] |
		      (u64)history->letters[1] << LETTERS_IN_WORD * TCPTRACE_LETTER_BITS;

	return history->count > TCPTRACE_HISTORY_LEN ? letters | TCPTRACE_HISTORY_MORE : letters;
}
