// SPDX-License-Identifier: GPL-2.0
/*
 * fsm.c against two real endpoints, see sim.h.
 *
 *	SIM_CONNECTIONS=n	how many connections, 100000 if not given
 *	SIM_SEED=n		begin with this seed instead of 1
 *	SIM_ONLY=seed		one tuple, every segment printed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "names.h"
#include "sim.h"
#include "unit.h"

static struct sim_figures figures;

static unsigned long number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : otherwise;
}

static void connections(void **state)
{
	unsigned long wanted = number("SIM_CONNECTIONS", 100000);
	unsigned long seed = number("SIM_ONLY", number("SIM_SEED", 1));
	bool only = getenv("SIM_ONLY");
	int failures = 0;
	char error[1024];

	(void)state;
	do {
		if (!sim_run(seed, only, &figures, error, sizeof(error))) {
			printf("# SIM_ONLY=%lu: %s\n", seed, error);
			failures++;
		}
		seed++;
	} while (!only && figures.connections < wanted && failures < 20);
	assert_int_equal(failures, 0);
}

/* A simulator that never meets a case proves nothing about it. */
static void every_case_met(void **state)
{
	static const u8 handshakes[] = {
		TCPTRACE_HANDSHAKE_ESTABLISHED, TCPTRACE_HANDSHAKE_REFUSED,
		TCPTRACE_HANDSHAKE_RESET, TCPTRACE_HANDSHAKE_NO_ANSWER,
		TCPTRACE_HANDSHAKE_HALF_OPEN, TCPTRACE_HANDSHAKE_ABORTED, TCPTRACE_HANDSHAKE_UNSEEN,
	};
	static const u8 closes[] = {
		TCPTRACE_CLOSE_NONE, TCPTRACE_CLOSE_ORDERLY, TCPTRACE_CLOSE_RESET_BY_INITIATOR,
		TCPTRACE_CLOSE_RESET_BY_RESPONDER, TCPTRACE_CLOSE_IDLE_TIMEOUT,
		TCPTRACE_CLOSE_FLUSHED,
	};
	unsigned int i;

	(void)state;
	if (getenv("SIM_ONLY") || figures.connections < 10000)
		skip();
	for (i = 0; i < ARRAY_SIZE(handshakes); i++)
		assert_true(figures.handshakes[handshakes[i]]);
	for (i = 0; i < ARRAY_SIZE(closes); i++)
		assert_true(figures.closes[closes[i]]);
	assert_true(figures.crossed_opens > 100);
	assert_true(figures.crossed_closes > 100);
	assert_true(figures.reused > 100);
	assert_true(figures.picked_up > 100);
	assert_true(figures.sequences > figures.connections / 10);
	assert_true(figures.qualified > figures.connections / 2);
}

static void print_share(const char *name, unsigned long count)
{
	printf("# %-40s %9lu  %5.1f %%\n", name, count, 100.0 * count / figures.connections);
}

static void print_figures(void)
{
	static const char *const excuses[SIM_EXCUSES] = {
		"out of order behind the tracer", "a told RST did not arrive",
		"an endpoint vanished", "the order of FINs was hidden", "the tracer came late",
	};
	unsigned int i, j;

	if (!figures.connections)
		return;
	printf("# %-40s %9lu\n", "connections", figures.connections);
	printf("# %-40s %9lu\n", "segments sent", figures.sent);
	printf("# %-40s %9lu\n", "segments seen by the tracer", figures.seen);
	printf("# %-40s %9lu\n", "segments delivered", figures.delivered);
	printf("# %-40s %9lu\n", "carried by fsm_carry(), as fsm_step()", figures.carried);
	printf("# %-40s %9lu\n", "  of them by the data path, too", figures.plain);
	printf("# %-40s %9lu\n", "changes told, each possible", figures.told);
	printf("# %-40s %9lu\n", "quiet moments, both states equal", figures.compared);
	print_share("connections compared to their end", figures.qualified);
	print_share("on a perfect link", figures.perfect);
	print_share("  whole sequence of states equal", figures.sequences);
	print_share("simultaneous opens", figures.crossed_opens);
	print_share("simultaneous closes", figures.crossed_closes);
	print_share("tuple used again", figures.reused);
	print_share("picked up midway", figures.picked_up);
	for (i = 0; i < SIM_EXCUSES; i++) {
		char name[64];

		snprintf(name, sizeof(name), "not compared: %s", excuses[i]);
		print_share(name, figures.excused[i]);
	}
	for (i = 0; i <= TCPTRACE_HANDSHAKE_UNSEEN; i++)
		if (figures.handshakes[i])
			printf("# handshake %-30s %9lu\n", handshake_name(i),
			       figures.handshakes[i]);
	for (i = 0; i <= TCPTRACE_CLOSE_UNKNOWN; i++)
		if (figures.closes[i])
			printf("# close %-34s %9lu\n", close_name(i), figures.closes[i]);
	for (i = 0; i < 12; i++)
		for (j = 0; j < 12; j++)
			if (figures.pairs[i][j])
				printf("# quiet in %-12s %-19s %9lu\n", state_name(i),
				       state_name(j), figures.pairs[i][j]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections),
		cmocka_unit_test(every_case_met),
	};
	int failed = cmocka_run_group_tests_name("sim", tests, NULL, NULL);

	print_figures();
	return failed;
}
