// SPDX-License-Identifier: GPL-2.0
#include "stats.h"

DEFINE_PER_CPU(unsigned long [STATS_COUNT], tcptrace_stats);

#define STATS_NAME(id, name, meaning)		[STAT_##id] = name,
#define STATS_MEANING(id, name, meaning)	[STAT_##id] = meaning,

static const char *const names[] = { STATS(STATS_NAME) };
static const char *const meanings[] = { STATS(STATS_MEANING) };

unsigned long stats_sum(enum counter stat)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(tcptrace_stats, cpu)[stat]);
	return sum;
}

const char *stats_name(enum counter stat)
{
	return names[stat];
}

const char *stats_meaning(enum counter stat)
{
	return meanings[stat];
}
