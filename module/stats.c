// SPDX-License-Identifier: GPL-2.0
#include "stats.h"

DEFINE_PER_CPU(struct stats, tcptrace_stats);

#define STATS_NAME(id, name, meaning)		[STAT_##id] = name,
#define STATS_MEANING(id, name, meaning)	[STAT_##id] = meaning,

static const char *const names[] = { STATS(STATS_NAME) };
static const char *const meanings[] = { STATS(STATS_MEANING) };

void stats_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(&tcptrace_stats, cpu)->sync);
}

u64 stats_sum(enum counter stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct stats *stats = per_cpu_ptr(&tcptrace_stats, cpu);
		unsigned int start;
		u64 count;

		do {
			start = u64_stats_fetch_begin(&stats->sync);
			count = u64_stats_read(&stats->count[stat]);
		} while (u64_stats_fetch_retry(&stats->sync, start));
		sum += count;
	}
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
