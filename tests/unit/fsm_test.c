// SPDX-License-Identifier: GPL-2.0
/*
 * fsm.c: the scenarios, each with its ISNs all around 2^32; RST and every order at
 * every place that a connection can stand at; all flags.
 */
#include <stdio.h>
#include <string.h>
#include "names.h"
#include "fsm_scenarios.h"
#include "unit.h"

/* Every pair of these ISNs: each side far from the wrap, before, on and behind it. */
static const u32 isn_values[] = {
	0, 1000, 0x7ffffff0, 0x80000000, 0xfffe0000, 0xffffff9b, 0xfffffffe, 0xffffffff,
};

static void each_isns(void (*play)(const struct isns *isns, const void *arg), const void *arg)
{
	struct isns isns;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(isn_values); i++) {
		for (j = 0; j < ARRAY_SIZE(isn_values); j++) {
			isns.isn[0] = isn_values[i];
			isns.isn[1] = isn_values[j];
			play(&isns, arg);
		}
	}
}

static void play_scenario(const struct isns *isns, const void *arg)
{
	struct scenario_run run = {};

	scenario_play(&run, arg, isns);
}

static void scenario(void **state)
{
	each_isns(play_scenario, *state);
}

/*
 * Every place that a connection can stand at
 */

struct place {
	const char *name;
	const char *text;
	u8 next[2];		/* SND.NXT of each; of the responder 0: it said nothing */
	const char *states;
	const char *phase, *timer;
	const char *handshake;	/* verdict so far */
	const char *first_fin;
	bool established, half_open;
};

static const struct place places[] = {
	{ "SYN sent", "> S 0 : syn SYN_SENT LISTEN\n", { 1, 0 },
	  "SYN_SENT LISTEN", "HANDSHAKE", "syn",
	  "no_answer", "none", false, true },
	{ "SYNs crossed", CROSSED_SYNS, { 1, 1 },
	  "SYN_SENT SYN_SENT", "HANDSHAKE", "syn",
	  "no_answer", "none", false, true },
	{ "SYN+ACK sent",
	  "> S 0 : syn SYN_SENT LISTEN\n< SA 0 ack 1 : syn_ack SYN_SENT SYN_RECEIVED\n", { 1, 1 },
	  "SYN_SENT SYN_RECEIVED", "HANDSHAKE", "synack",
	  "half_open", "none", false, true },
	{ "established", HANDSHAKE, { 1, 1 },
	  "ESTABLISHED ESTABLISHED", "ESTABLISHED", "established",
	  "established", "none", true,
	  false },
	{ "FIN of the initiator", HANDSHAKE "> FA 1 ack 1 : fin FIN_WAIT_1 ESTABLISHED\n", { 2, 1 },
	  "FIN_WAIT_1 ESTABLISHED", "TEARDOWN", "fin_wait",
	  "established", "initiator", true, false },
	{ "FIN of the responder", HANDSHAKE "< FA 1 ack 1 : fin ESTABLISHED FIN_WAIT_1\n", { 1, 2 },
	  "ESTABLISHED FIN_WAIT_1", "TEARDOWN", "fin_wait",
	  "established", "responder", true, false },
	{ "FINs crossed", CROSSED_FINS, { 2, 2 },
	  "FIN_WAIT_1 FIN_WAIT_1", "TEARDOWN", "fin_wait",
	  "established", "initiator", true, false },
	{ "half-closed by the initiator", INITIATOR_HALF_CLOSED, { 2, 1 },
	  "FIN_WAIT_2 CLOSE_WAIT", "TEARDOWN", "close_wait",
	  "established", "initiator", true, false },
	{ "half-closed by the responder", RESPONDER_HALF_CLOSED, { 1, 2 },
	  "CLOSE_WAIT FIN_WAIT_2", "TEARDOWN", "close_wait",
	  "established", "responder", true, false },
	{ "closing", CROSSED_FINS "> A 2 ack 2 : fin_acked CLOSING CLOSING\n", { 2, 2 },
	  "CLOSING CLOSING", "TEARDOWN", "last_ack",
	  "established", "initiator", true, false },
	{ "last FIN of the responder",
	  INITIATOR_HALF_CLOSED "< FA 1 ack 2 : fin FIN_WAIT_2 LAST_ACK\n", { 2, 2 },
	  "FIN_WAIT_2 LAST_ACK", "TEARDOWN", "last_ack",
	  "established", "initiator", true, false },
	{ "last FIN of the initiator",
	  RESPONDER_HALF_CLOSED "> FA 1 ack 2 : fin LAST_ACK FIN_WAIT_2\n", { 2, 2 },
	  "LAST_ACK FIN_WAIT_2", "TEARDOWN", "last_ack",
	  "established", "responder", true, false },
};

static const struct place ended_places[] = {
	{ "closed by the initiator", INITIATOR_CLOSED, { 2, 2 },
	  "TIME_WAIT CLOSED", "TIME_WAIT", "time_wait",
	  "established", "initiator", true, false },
	{ "closed by the responder", RESPONDER_CLOSED, { 2, 2 },
	  "CLOSED TIME_WAIT", "TIME_WAIT", "time_wait",
	  "established", "responder", true, false },
	{ "closed at once", BOTH_CLOSED, { 2, 2 },
	  "TIME_WAIT TIME_WAIT", "TIME_WAIT", "time_wait",
	  "established", "initiator", true, false },
	{ "reset",
	  HANDSHAKE "< R 1 : rst CLOSED CLOSED; end established reset_by_responder none\n",
	  { 1, 1 },
	  "CLOSED CLOSED", "CLOSED", "closed",
	  "established", "none", true, false },
};

/* Plays @place, then the lines of @format. */
static void __attribute__((format(printf, 3, 4))) go_on(const struct place *place,
							const struct isns *isns,
							const char *format, ...)
{
	struct scenario_run run = {};
	struct scenario before = { place->name, place->text };
	char text[1024];
	struct scenario after = { place->name, text };
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	scenario_play(&run, &before, isns);
	scenario_play(&run, &after, isns);
}

/*
 * A RST at SND.NXT is believed, with and without ACK; one number beside it is not.  One
 * that acknowledges a FIN has scenarios of its own.
 */
static void rst_at(const struct isns *isns, const void *arg)
{
	const struct place *place = arg;
	int dir;

	for (dir = 0; dir < 2; dir++) {
		const char *sign = dir ? "<" : ">";
		const char *handshake = place->established ? "established" :
					dir ? "reset" : "aborted";
		const char *close = !place->established ? "none" :
				    dir ? "reset_by_responder" : "reset_by_initiator";

		if (!place->next[dir])
			continue;	/* a RST that answers the SYN has its own scenarios */
		go_on(place, isns,
		      "%s R %d : invalid/out_of_window %s\n"
		      "%s RA %d ack 0 : invalid/out_of_window %s\n"
		      "%s R -3 : invalid/out_of_window %s\n"
		      "%s R 0x7fffffff : invalid/out_of_window %s\n"
		      "%s R %d : rst CLOSED CLOSED; end %s %s %s\n",
		      sign, place->next[dir] + 1, place->states, sign, place->next[dir] + 100000,
		      place->states, sign, place->states, sign, place->states, sign,
		      place->next[dir], handshake, close, place->first_fin);
		go_on(place, isns, "%s RA %d ack 1 : rst CLOSED CLOSED; end %s %s %s\n", sign,
		      place->next[dir], handshake, close, place->first_fin);
	}
}

static void rst_everywhere(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(places); i++)
		each_isns(rst_at, &places[i]);
}

/* Timer, phase, verdict so far and what each order gives, at every place. */
static void orders_at(const struct isns *isns, const void *arg)
{
	const struct place *p = arg;

	go_on(p, isns, "is timer %s\nis phase %s\nis handshake %s\nis %s\n", p->timer, p->phase,
	      p->handshake, p->half_open ? "half_open" : "known");
	go_on(p, isns,
	      "timeout : timeout/%s CLOSED CLOSED; end %s %s %s\n"
	      "timeout : timeout/closed CLOSED CLOSED\n",
	      p->timer, p->handshake, p->established ? "idle_timeout" : "none", p->first_fin);
	go_on(p, isns, "evict : evict %s; end %s evicted %s\nis known\n", p->states, p->handshake,
	      p->first_fin);
	go_on(p, isns, "flush : end %s flushed %s\n", p->handshake, p->first_fin);
}

static void orders_after_end(const struct isns *isns, const void *arg)
{
	const struct place *p = arg;

	go_on(p, isns, "is timer %s\nis phase %s\nis handshake %s\nis known\n", p->timer, p->phase,
	      p->handshake);
	go_on(p, isns, "timeout : timeout/%s CLOSED CLOSED\n", p->timer);
	go_on(p, isns, "evict : evict %s\n", p->states);
	if (strstr(p->states, "TIME_WAIT"))
		go_on(p, isns, "flush : evict %s\n", p->states);
	else
		go_on(p, isns, "flush :\n");
}

static void orders_everywhere(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(places); i++)
		each_isns(orders_at, &places[i]);
	for (i = 0; i < ARRAY_SIZE(ended_places); i++)
		each_isns(orders_after_end, &ended_places[i]);
}

/*
 * All 256 combinations: what cannot be sent is told as such and changes nothing, but
 * a RST is obeyed whatever else is set, RFC 9293 section 3.10.7.4 second.
 */
static bool may_be_sent(u8 flags)
{
	bool syn = flags & TCPTRACE_TCP_SYN, fin = flags & TCPTRACE_TCP_FIN;
	bool rst = flags & TCPTRACE_TCP_RST, ack = flags & TCPTRACE_TCP_ACK;

	return rst || (ack && !(syn && fin)) || (syn && !fin);
}

static void flags_at(const struct isns *isns, const void *arg)
{
	const struct place *place = arg;
	unsigned int flags;
	char text[9];

	for (flags = 0; flags < 256; flags++) {
		if (may_be_sent(flags))
			continue;
		go_on(place, isns, "%s %s 1 ack 1 : invalid/bad_flags %s\n", flags & 8 ? ">" : "<",
		      flags ? flags_text(flags, text) : "0", place->states);
	}
}

static void impossible_flags(void **state)
{
	static const struct isns isns = { { 1000, 0xffffffff } };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(places); i++)
		flags_at(&isns, &places[i]);
	for (i = 0; i < ARRAY_SIZE(ended_places); i++)
		flags_at(&isns, &ended_places[i]);
}

static void possible_flags(void **state)
{
	unsigned int flags;

	(void)state;
	for (flags = 0; flags < 256; flags++) {
		struct segment seg = { .seq = 1, .ack = 1, .flags = flags, .window = 1000 };
		struct fsm_result res;
		struct fsm fsm;
		int i;

		fsm_open(&fsm);
		fsm_step(&fsm, FSM_INITIATOR, &seg, &res);
		for (i = 0; i < res.changes && may_be_sent(flags); i++)
			assert_false(res.change[i].kind == TCPTRACE_EVENT_INVALID &&
				     res.change[i].cause == TCPTRACE_REASON_BAD_FLAGS);
		assert_true(fsm_can_pickup(&seg) ==
			    (may_be_sent(flags) && flags & TCPTRACE_TCP_ACK &&
			     !(flags & TCPTRACE_TCP_RST)));
	}
}

/* Counts of repetitions stay at 255. */
static void counts_stay(void **state)
{
	struct segment syn = { .flags = TCPTRACE_TCP_SYN };
	struct segment syn_ack = { .flags = TCPTRACE_TCP_SYN | TCPTRACE_TCP_ACK, .ack = 1 };
	struct segment ack = { .flags = TCPTRACE_TCP_ACK, .seq = 1, .ack = 1 };
	struct segment fin = { .flags = TCPTRACE_TCP_ACK | TCPTRACE_TCP_FIN, .seq = 1, .ack = 1 };
	struct fsm_result res;
	struct fsm fsm;
	int i;

	(void)state;
	fsm_open(&fsm);
	fsm_step(&fsm, FSM_INITIATOR, &syn, &res);
	for (i = 1; i <= 300; i++) {
		fsm_step(&fsm, FSM_INITIATOR, &syn, &res);
		assert_int_equal(res.changes, 1);
		assert_int_equal(res.change[0].kind, TCPTRACE_EVENT_RETRANSMIT);
		assert_int_equal(res.change[0].count, i < 255 ? i : 255);
		assert_int_equal(fsm.end[FSM_INITIATOR].syn_retrans, i < 255 ? i : 255);
	}
	fsm_step(&fsm, FSM_RESPONDER, &syn_ack, &res);
	for (i = 1; i <= 300; i++)
		fsm_step(&fsm, FSM_RESPONDER, &syn_ack, &res);
	assert_int_equal(fsm.end[FSM_RESPONDER].syn_retrans, 255);
	fsm_step(&fsm, FSM_INITIATOR, &ack, &res);
	fsm_step(&fsm, FSM_INITIATOR, &fin, &res);
	for (i = 1; i <= 300; i++)
		fsm_step(&fsm, FSM_INITIATOR, &fin, &res);
	assert_int_equal(res.change[0].count, 255);
	assert_int_equal(fsm.end[FSM_INITIATOR].fin_retrans, 255);
}

/* The phase of every pair of states. */
static void phases(void **state)
{
	const u8 none[2] = {};
	u8 a, b;

	(void)state;
	for (a = TCPTRACE_STATE_CLOSED; a <= TCPTRACE_STATE_TIME_WAIT; a++) {
		for (b = TCPTRACE_STATE_CLOSED; b <= TCPTRACE_STATE_TIME_WAIT; b++) {
			const u8 pair[2] = { a, b }, swapped[2] = { b, a };
			enum tcptrace_phase phase = fsm_phase(pair);

			assert_int_equal(phase, fsm_phase(swapped));
			if (a == TCPTRACE_STATE_TIME_WAIT || b == TCPTRACE_STATE_TIME_WAIT)
				assert_int_equal(phase, TCPTRACE_PHASE_TIME_WAIT);
			else if (a == TCPTRACE_STATE_CLOSED && b == TCPTRACE_STATE_CLOSED)
				assert_int_equal(phase, TCPTRACE_PHASE_CLOSED);
			else if (a > TCPTRACE_STATE_ESTABLISHED || b > TCPTRACE_STATE_ESTABLISHED)
				assert_int_equal(phase, TCPTRACE_PHASE_TEARDOWN);
			else if (a == TCPTRACE_STATE_ESTABLISHED && b == TCPTRACE_STATE_ESTABLISHED)
				assert_int_equal(phase, TCPTRACE_PHASE_ESTABLISHED);
			else
				assert_int_equal(phase, TCPTRACE_PHASE_HANDSHAKE);
		}
	}
	assert_int_equal(fsm_phase(none), TCPTRACE_PHASE_NONE);
}

/* What others find out, an ICMP error say, is told with the states as they are. */
static void notes(void **state)
{
	struct segment syn = { .flags = TCPTRACE_TCP_SYN };
	struct fsm_result res;
	struct fsm fsm, before;

	(void)state;
	fsm_open(&fsm);
	fsm_step(&fsm, FSM_INITIATOR, &syn, &res);
	before = fsm;
	memset(&res, 0xee, sizeof(res));
	fsm_note(&fsm, TCPTRACE_EVENT_INVALID, TCPTRACE_REASON_BAD_CHECKSUM, &res);
	assert_memory_equal(&before, &fsm, sizeof(fsm));
	assert_int_equal(res.changes, 1);
	assert_false(res.ended);
	assert_false(res.reuse);
	assert_int_equal(res.change[0].kind, TCPTRACE_EVENT_INVALID);
	assert_int_equal(res.change[0].cause, TCPTRACE_REASON_BAD_CHECKSUM);
	assert_int_equal(res.change[0].count, 0);
	assert_int_equal(res.change[0].prev[0], TCPTRACE_STATE_SYN_SENT);
	assert_int_equal(res.change[0].prev[1], TCPTRACE_STATE_LISTEN);
	assert_int_equal(res.change[0].state[0], TCPTRACE_STATE_SYN_SENT);
	assert_int_equal(res.change[0].state[1], TCPTRACE_STATE_LISTEN);
}

/* A pickup guesses who initiated, but not if it saw the SYN+ACK. */
static void guess(void **state)
{
	struct segment seg = { .seq = 1, .ack = 1, .flags = TCPTRACE_TCP_ACK };
	struct fsm_result res;
	struct fsm fsm;

	(void)state;
	fsm_open(&fsm);
	assert_false(fsm.guessed);
	assert_int_equal(fsm.end[0].state, TCPTRACE_STATE_CLOSED);
	assert_int_equal(fsm.end[1].state, TCPTRACE_STATE_LISTEN);
	fsm_pickup(&fsm, FSM_RESPONDER, &seg, &res);
	assert_true(fsm.guessed);
	seg.flags |= TCPTRACE_TCP_SYN;
	fsm_pickup(&fsm, FSM_RESPONDER, &seg, &res);
	assert_false(fsm.guessed);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(rst_everywhere),
		cmocka_unit_test(orders_everywhere),
		cmocka_unit_test(impossible_flags),
		cmocka_unit_test(possible_flags),
		cmocka_unit_test(counts_stay),
		cmocka_unit_test(phases),
		cmocka_unit_test(guess),
		cmocka_unit_test(notes),
	};
	struct CMUnitTest tests[fsm_scenarios_count + ARRAY_SIZE(others)];
	unsigned int i;

	for (i = 0; i < fsm_scenarios_count; i++)
		tests[i] = (struct CMUnitTest){
			.name		= fsm_scenarios[i].name,
			.test_func	= scenario,
			.initial_state	= (void *)&fsm_scenarios[i],
		};
	memcpy(tests + i, others, sizeof(others));
	return _cmocka_run_group_tests("fsm", tests, ARRAY_SIZE(tests), NULL, NULL);
}
