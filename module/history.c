// SPDX-License-Identifier: GPL-2.0
#include "history.h"

#define LETTERS_IN_WORD	(TCPTRACE_HISTORY_LEN / 2)

/* What a segment without payload counts for, by its flags. */
struct kind {
	u8	letter;
	u8	segments;
};

#define KIND_INDEX(flags)	(((flags) & SEGMENT_CONTROL) | ((flags) & TCPTRACE_TCP_ACK) >> 1)
#define KIND(flags, letter, segments)	[KIND_INDEX(flags)] = { TCPTRACE_LETTER_##letter, segments }

#define FIN	TCPTRACE_TCP_FIN
#define SYN	TCPTRACE_TCP_SYN
#define RST	TCPTRACE_TCP_RST
#define ACK	TCPTRACE_TCP_ACK

/*
 * One letter for a segment, as Zeek does; one without any of these flags is nothing that an
 * endpoint sends.  A SYN without ACK is one of the segments only if it opens the flow.
 */
static const struct kind kinds[] = {
	KIND(0,				NONE,		0),
	KIND(SYN,			SYN,		0),
	KIND(FIN,			FIN,		0),
	KIND(RST,			RST,		TCPTRACE_SEGMENT_RST),
	KIND(SYN | FIN,			MULTI_FLAG,	0),
	KIND(SYN | RST,			MULTI_FLAG,	TCPTRACE_SEGMENT_RST),
	KIND(FIN | RST,			FIN_RST,	TCPTRACE_SEGMENT_RST),
	KIND(SYN | FIN | RST,		FIN_RST,	TCPTRACE_SEGMENT_RST),
	KIND(ACK,			ACK,		TCPTRACE_SEGMENT_ACK),
	KIND(SYN | ACK,			SYN_ACK,	TCPTRACE_SEGMENT_SYN_ACK),
	KIND(FIN | ACK,			FIN,		TCPTRACE_SEGMENT_ACK |
							TCPTRACE_SEGMENT_FIN),
	KIND(RST | ACK,			RST,		TCPTRACE_SEGMENT_ACK |
							TCPTRACE_SEGMENT_RST),
	KIND(SYN | FIN | ACK,		MULTI_FLAG,	TCPTRACE_SEGMENT_SYN_ACK |
							TCPTRACE_SEGMENT_FIN),
	KIND(SYN | RST | ACK,		MULTI_FLAG,	TCPTRACE_SEGMENT_SYN_ACK |
							TCPTRACE_SEGMENT_RST),
	KIND(FIN | RST | ACK,		FIN_RST,	TCPTRACE_SEGMENT_ACK |
							TCPTRACE_SEGMENT_FIN |
							TCPTRACE_SEGMENT_RST),
	KIND(SYN | FIN | RST | ACK,	FIN_RST,	TCPTRACE_SEGMENT_SYN_ACK |
							TCPTRACE_SEGMENT_FIN |
							TCPTRACE_SEGMENT_RST),
};

/* Payload takes the place of the ACK that comes with it. */
static struct kind kind_of(const struct history *history, const struct segment *seg)
{
	struct kind kind = kinds[KIND_INDEX(seg->flags)];

	if (kind.letter == TCPTRACE_LETTER_SYN && !history->count)
		kind.segments = seg->payload_len ? TCPTRACE_SEGMENT_SYN | TCPTRACE_SEGMENT_DATA :
						   TCPTRACE_SEGMENT_SYN;
	if (!seg->payload_len)
		return kind;
	if (kind.letter == TCPTRACE_LETTER_ACK)
		kind.letter = TCPTRACE_LETTER_DATA;
	if (kind.segments & TCPTRACE_SEGMENT_ACK)
		kind.segments ^= TCPTRACE_SEGMENT_ACK | TCPTRACE_SEGMENT_DATA;
	return kind;
}

static void add_letter(struct history *history, enum fsm_dir dir, enum tcptrace_letter letter)
{
	u32 code = letter | (dir == FSM_RESPONDER ? TCPTRACE_LETTER_RESPONDER : 0);
	u32 bit = history_bit(dir, letter);
	u32 place = history->count;

	if (history->seen & bit)
		return;
	history->seen |= bit;
	history->count++;
	if (place < LETTERS_IN_WORD)
		history->letters[0] |= code << place * TCPTRACE_LETTER_BITS;
	else if (place < TCPTRACE_HISTORY_LEN)
		history->letters[1] |= code << (place - LETTERS_IN_WORD) * TCPTRACE_LETTER_BITS;
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
		[TCPTRACE_TEARDOWN_FIN]		= TCPTRACE_TEARDOWN_ACK,
		[TCPTRACE_TEARDOWN_ACK]		= TCPTRACE_TEARDOWN_ACK,
		[TCPTRACE_TEARDOWN_FINS]	= TCPTRACE_TEARDOWN_LAST_ACK,
		[TCPTRACE_TEARDOWN_LAST_ACK]	= TCPTRACE_TEARDOWN_LAST_ACK,
	};

	switch (seg->flags & SEGMENT_CONTROL) {
	case FIN:
		return after_fin[history->teardown];
	case 0:
		return after_ack[history->teardown];
	}
	return history->teardown;
}

void history_note(struct history *history, enum fsm_dir dir, const struct segment *seg,
		  bool believed)
{
	struct kind kind = kind_of(history, seg);

	history->segments |= kind.segments;
	if (kind.letter)
		add_letter(history, dir, kind.letter);
	if (believed && (history->teardown || seg->flags & FIN))
		history->teardown = next_teardown(history, seg);
}

void history_note_corrupt(struct history *history, enum fsm_dir dir, const struct segment *seg)
{
	history->segments |= kind_of(history, seg).segments;
	add_letter(history, dir, TCPTRACE_LETTER_CORRUPT);
}

u64 history_letters(const struct history *history)
{
	u64 letters = history->letters[0] |
		      (u64)history->letters[1] << LETTERS_IN_WORD * TCPTRACE_LETTER_BITS;

	return history->count > TCPTRACE_HISTORY_LEN ? letters | TCPTRACE_HISTORY_MORE : letters;
}
