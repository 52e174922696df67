/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_STATS_H
#define _TCPTRACE_STATS_H

#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>

/* Every counter, with its name and its meaning. */
#define STATS(X)								\
	X(SEGMENTS, "segments", "TCP segments looked at")			\
	X(FRAGMENTS, "fragments", "IP fragments but the first; IPv6: any protocol") \
	X(UNREADABLE, "unreadable", "mirrored frames with a broken IP header or a third VLAN") \
	X(NO_FLOW, "no_flow", "segments of no known connection, not picked up")	\
	X(STRAYS_SUPPRESSED, "strays_suppressed", "segments of no flow, too many to report") \
	X(INVALID, "invalid", "segments, ICMP errors too, that changed nothing and were reported") \
	X(ICMP_ERRORS, "icmp_errors", "ICMP errors that quote a TCP segment")	\
	X(ICMP_BAD_SUM, "icmp_bad_sum", "of them, with a wrong checksum")		\
	X(ICMP_NO_FLOW, "icmp_no_flow", "of them, about no known connection")	\
	X(ICMP_SUPPRESSED, "icmp_suppressed", "of them, changed nothing and too many to report") \
	X(EVENTS, "events", "events published on the device")			\
	X(FLOWS_OPENED, "flows_opened", "flows that began with a SYN")		\
	X(FLOWS_PICKED_UP, "flows_picked_up", "flows met after their SYN")	\
	X(FLOWS_REUSED, "flows_reused", "flows whose tuple a new connection took") \
	X(FLOWS_TIMED_OUT, "flows_timed_out", "flows that a timer ended")	\
	X(FLOWS_EVICTED, "flows_evicted", "flows forgotten to make room")	\
	X(FLOWS_FLUSHED, "flows_flushed", "flows ended by a flush or with their namespace") \
	X(NO_ROOM, "no_room", "segments not followed: no flow could be evicted") \
	X(NO_MEMORY, "no_memory", "connections not followed: no memory for a flow") \
	X(LOG_SUPPRESSED, "log_suppressed", "dmesg lines left out by the rate limit") \
	X(LOG_LOST, "log_lost", "events that were overwritten before dmesg got them")

#define STATS_ENUM(id, name, meaning)	STAT_##id,
enum counter {
	STATS(STATS_ENUM)
	STATS_COUNT,
};

struct stats {
	u64_stats_t		count[STATS_COUNT];
	struct u64_stats_sync	sync;
};

DECLARE_PER_CPU(struct stats, tcptrace_stats);

/**
 * stats_add - count
 * @stat: which counter
 * @n: how much
 *
 * Context: bottom halves disabled; not from hard interrupts.
 */
static inline void stats_add(enum counter stat, unsigned long n)
{
	struct stats *stats = this_cpu_ptr(&tcptrace_stats);

	u64_stats_update_begin(&stats->sync);
	u64_stats_add(&stats->count[stat], n);
	u64_stats_update_end(&stats->sync);
}

static inline void stats_inc(enum counter stat)
{
	stats_add(stat, 1);
}

/**
 * stats_init - once, before the first count
 */
void stats_init(void);

/**
 * stats_sum - a counter over all CPUs
 * @stat: which
 *
 * Context: any.
 */
u64 stats_sum(enum counter stat);

/* Its name, a word. */
const char *stats_name(enum counter stat);

/* What it counts, a few words. */
const char *stats_meaning(enum counter stat);

#endif /* _TCPTRACE_STATS_H */
