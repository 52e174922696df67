/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_HISTORY_H
#define _TCPTRACE_HISTORY_H

#include <linux/types.h>
#include <linux/tcptrace.h>
#include "fsm.h"
#include "segment.h"

/**
 * DOC: what kinds of segments were seen
 *
 * Other tools name a connection by the kinds of segments that they saw of it, and in
 * which order.  This is what the reader needs to tell their words; the words are its
 * business.
 *
 * It counts what passes, whether the state machine believes it or not: that is what those
 * tools do, and only so they and we say the same of the same packets.  Only @teardown
 * counts what was believed.
 *
 * Pure, as the state machine.
 */

#define HISTORY_KINDS	9	/* &enum tcptrace_letter */

/**
 * struct history - of one flow
 * @letters: &tcptrace_summary.history, one half in each word
 * @seen: which letters are in it: the letter, behind all of the initiator's those of the
 *	responder
 * @segments: TCPTRACE_SEGMENT_*
 * @teardown: &enum tcptrace_teardown
 * @count: how many letters there are, those that found no place too
 */
struct history {
	u32	letters[2];
	u32	seen : 18;
	u32	segments : 6;
	u32	teardown : 3;
	u32	count : 5;
};

/* The bit of a letter in &history.seen. */
static inline u32 history_bit(enum fsm_dir dir, enum tcptrace_letter letter)
{
	return 1U << (letter - 1 + dir * HISTORY_KINDS);
}

/**
 * history_knows - would a segment that fsm_carry() took add nothing?
 * @history: of its flow
 * @dir: who sent it
 * @seg: it has an ACK and neither SYN, FIN nor RST
 */
static inline bool history_knows(const struct history *history, enum fsm_dir dir,
				 const struct segment *seg)
{
	return history->seen & history_bit(dir, seg->payload_len ? TCPTRACE_LETTER_DATA :
								   TCPTRACE_LETTER_ACK);
}

/**
 * history_carried - which of the segments that fsm_carry() takes would add nothing?
 * @history: of a flow
 * @dir: who sends them
 *
 * Return: MARKS_PLAIN_*.
 */
static inline u8 history_carried(const struct history *history, enum fsm_dir dir)
{
	return history->seen >> (TCPTRACE_LETTER_ACK - 1 + dir * HISTORY_KINDS) & 0x3;
}

/**
 * history_note - a segment was seen
 * @history: of its flow
 * @dir: who sent it
 * @seg: its flags may be any
 * @believed: the state machine took it; one that it did not is no part of a close
 */
void history_note(struct history *history, enum fsm_dir dir, const struct segment *seg,
		  bool believed);

/**
 * history_note_corrupt - a segment with a wrong checksum was seen
 * @history: of its flow
 * @dir: who is said to have sent it
 * @seg: as parsed
 */
void history_note_corrupt(struct history *history, enum fsm_dir dir, const struct segment *seg);

/* The letters as &tcptrace_summary.history has them. */
u64 history_letters(const struct history *history);

#endif /* _TCPTRACE_HISTORY_H */
