// SPDX-License-Identifier: GPL-2.0
/* history.c: every letter, their order, what Wireshark would count, a close by its flags. */
#include <stdio.h>
#include <string.h>
#include "history.h"
#include "unit.h"

#define FIN	TCPTRACE_TCP_FIN
#define SYN	TCPTRACE_TCP_SYN
#define RST	TCPTRACE_TCP_RST
#define ACK	TCPTRACE_TCP_ACK

static void note(struct history *history, enum fsm_dir dir, u8 flags, u32 payload_len)
{
	const struct segment seg = { .flags = flags, .payload_len = payload_len };

	history_note(history, dir, &seg, true);
}

static void note_corrupt(struct history *history, enum fsm_dir dir, u8 flags)
{
	const struct segment seg = { .flags = flags };

	history_note_corrupt(history, dir, &seg);
}

/* The letters as text, in Zeek's alphabet. */
static const char *text(const struct history *history)
{
	static const char alphabet[] = " SHADFRCIQ       shadfrciq";
	static char line[TCPTRACE_HISTORY_LEN + 2];
	u64 letters = history_letters(history);
	unsigned int i;

	memset(line, 0, sizeof(line));
	for (i = 0; i < TCPTRACE_HISTORY_LEN && letters & 0x1f; i++, letters >>= 5)
		line[i] = alphabet[letters & 0x1f];
	if (history_letters(history) & TCPTRACE_HISTORY_MORE)
		line[i] = '+';
	return line;
}

/* An orderly connection: each letter at its place, each once. */
static void orderly(void **state)
{
	struct history history = {};

	(void)state;
	note(&history, FSM_INITIATOR, SYN, 0);
	note(&history, FSM_INITIATOR, SYN, 0);
	note(&history, FSM_RESPONDER, SYN | ACK, 0);
	note(&history, FSM_INITIATOR, ACK, 0);
	assert_int_equal(history.segments, TCPTRACE_SEGMENT_SYN | TCPTRACE_SEGMENT_SYN_ACK |
					   TCPTRACE_SEGMENT_ACK);
	note(&history, FSM_INITIATOR, ACK | TCPTRACE_TCP_PSH, 100);
	note(&history, FSM_RESPONDER, ACK, 0);
	note(&history, FSM_RESPONDER, ACK, 200);
	note(&history, FSM_INITIATOR, ACK, 300);
	note(&history, FSM_INITIATOR, ACK, 0);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_NONE);
	note(&history, FSM_INITIATOR, FIN | ACK, 0);
	note(&history, FSM_RESPONDER, FIN | ACK, 0);
	note(&history, FSM_INITIATOR, ACK, 0);
	assert_string_equal(text(&history), "ShADadFf");
	assert_int_equal(history.segments, 0x1f);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_LAST_ACK);
}

/* What letter a segment gives, by the words of Zeek's documentation. */
static char letter(u8 flags, u32 payload_len)
{
	bool syn = flags & SYN, fin = flags & FIN, rst = flags & RST, ack = flags & ACK;

	if (fin && rst)
		return 'I';
	if (syn && (fin || rst))
		return 'Q';
	if (syn)
		return ack ? 'H' : 'S';
	if (fin)
		return 'F';
	if (rst)
		return 'R';
	if (!ack)
		return 0;
	return payload_len ? 'D' : 'A';
}

/* What Wireshark's packet-tcp.c makes of it, as a second packet. */
static u32 wireshark(u8 flags, u32 payload_len)
{
	u32 sum = 0;

	if ((flags & (SYN | ACK)) == (SYN | ACK))
		sum |= 2;
	if ((flags & (SYN | ACK)) == ACK)
		sum |= payload_len ? 8 : 4;
	if ((flags & (FIN | ACK)) == (FIN | ACK))
		sum |= 16;
	if (flags & RST)
		sum |= 32;
	return sum;
}

static void all_flags(void **state)
{
	unsigned int flags, payload_len, dir;

	(void)state;
	for (flags = 0; flags < 256; flags++) {
		for (payload_len = 0; payload_len < 2; payload_len++) {
			for (dir = 0; dir < 2; dir++) {
				char wanted[] = { 'c', letter(flags, payload_len), '\0' };
				struct history history = {};

				note_corrupt(&history, FSM_RESPONDER, 0);
				note(&history, dir, flags, payload_len);
				assert_int_equal(history.segments, wireshark(flags, payload_len));
				if (dir && wanted[1])
					wanted[1] += 'a' - 'A';
				assert_string_equal(text(&history), wanted);
			}
		}
	}
}

/* The first SYN counts, and what it carries; a later one does neither. */
static void first_syn(void **state)
{
	struct history history = {};

	(void)state;
	note(&history, FSM_INITIATOR, SYN, 10);
	assert_int_equal(history.segments, TCPTRACE_SEGMENT_SYN | TCPTRACE_SEGMENT_DATA);
	history = (struct history){};
	note(&history, FSM_INITIATOR, SYN, 0);
	note(&history, FSM_INITIATOR, SYN, 10);
	note(&history, FSM_RESPONDER, SYN, 10);
	note(&history, FSM_RESPONDER, SYN | ACK, 10);
	assert_int_equal(history.segments, TCPTRACE_SEGMENT_SYN | TCPTRACE_SEGMENT_SYN_ACK);
	assert_string_equal(text(&history), "Ssh");
	history = (struct history){};
	note(&history, FSM_RESPONDER, SYN | ACK, 0);
	note(&history, FSM_INITIATOR, SYN, 10);
	assert_int_equal(history.segments, TCPTRACE_SEGMENT_SYN_ACK);
	assert_string_equal(text(&history), "hS");
}

static void corrupt(void **state)
{
	struct history history = {};

	(void)state;
	note(&history, FSM_INITIATOR, SYN, 0);
	note_corrupt(&history, FSM_RESPONDER, RST);
	note_corrupt(&history, FSM_INITIATOR, FIN | ACK);
	note_corrupt(&history, FSM_RESPONDER, FIN | ACK);
	assert_string_equal(text(&history), "ScC");
	assert_int_equal(history.segments, TCPTRACE_SEGMENT_SYN | TCPTRACE_SEGMENT_ACK |
					   TCPTRACE_SEGMENT_FIN | TCPTRACE_SEGMENT_RST);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_NONE);
}

/* Every kind from each side: twelve have a place, that there were more is told. */
static void full(void **state)
{
	static const struct {
		u8 flags, payload_len;
	} kinds[] = {
		{ SYN, 0 }, { SYN | ACK, 0 }, { ACK, 0 }, { ACK, 1 }, { FIN | ACK, 0 },
		{ RST, 0 }, { FIN | RST, 0 }, { SYN | FIN, 0 },
	};
	struct history history = {};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		note(&history, FSM_INITIATOR, kinds[i].flags, kinds[i].payload_len);
		note(&history, FSM_RESPONDER, kinds[i].flags, kinds[i].payload_len);
		assert_true(!(history_letters(&history) & TCPTRACE_HISTORY_MORE) == (i < 6));
	}
	note_corrupt(&history, FSM_INITIATOR, SYN);
	note_corrupt(&history, FSM_RESPONDER, SYN);
	assert_string_equal(text(&history), "SsHhAaDdFfRr+");
	assert_int_equal(history.count, 18);
}

/* After history_note() of a segment without SYN, FIN and RST, and not before. */
static void knows(void **state)
{
	struct history history = {};
	unsigned int dir, payload_len;

	(void)state;
	note(&history, FSM_INITIATOR, SYN, 0);
	note(&history, FSM_RESPONDER, SYN | ACK, 0);
	for (dir = 0; dir < 2; dir++) {
		for (payload_len = 0; payload_len < 2; payload_len++) {
			const struct segment seg = { .flags = ACK, .payload_len = payload_len };

			assert_false(history_knows(&history, dir, &seg));
			note(&history, dir, FIN | ACK, payload_len);
			assert_false(history_knows(&history, dir, &seg));
			history_note(&history, dir, &seg, true);
			assert_true(history_knows(&history, dir, &seg));
		}
	}
}

/* conntrack's way from FIN_WAIT to TIME_WAIT: any FIN, any ACK, but believed. */
static void teardown(void **state)
{
	const struct segment forged = { .flags = FIN | ACK };
	struct history history = {};

	(void)state;
	note(&history, FSM_INITIATOR, ACK, 10);
	history_note(&history, FSM_INITIATOR, &forged, false);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_NONE);
	note(&history, FSM_INITIATOR, FIN | ACK, 10);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_FIN);
	note(&history, FSM_INITIATOR, RST, 0);
	note(&history, FSM_INITIATOR, SYN | ACK, 0);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_FIN);
	note(&history, FSM_RESPONDER, ACK, 10);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_ACK);
	note(&history, FSM_RESPONDER, ACK, 0);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_ACK);
	note(&history, FSM_INITIATOR, FIN | ACK, 0);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_FINS);
	note(&history, FSM_RESPONDER, FIN | ACK, 0);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_FINS);
	note(&history, FSM_INITIATOR, ACK, 0);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_LAST_ACK);
	note(&history, FSM_RESPONDER, FIN | ACK, 0);
	note(&history, FSM_INITIATOR, ACK, 0);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_LAST_ACK);

	/* FIN answered by FIN */
	history = (struct history){};
	note(&history, FSM_RESPONDER, FIN | ACK, 0);
	note(&history, FSM_INITIATOR, FIN | ACK, 0);
	assert_int_equal(history.teardown, TCPTRACE_TEARDOWN_FINS);
}

/* Not more than that in every flow. */
static void size(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct history), 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orderly),
		cmocka_unit_test(all_flags),
		cmocka_unit_test(first_syn),
		cmocka_unit_test(corrupt),
		cmocka_unit_test(full),
		cmocka_unit_test(knows),
		cmocka_unit_test(teardown),
		cmocka_unit_test(size),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
