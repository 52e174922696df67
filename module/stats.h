/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_STATS_H
#define _TCPTRACE_STATS_H

#include <linux/percpu.h>

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
	X(NO_ROOM, "no_room", "segments not followed: no flow could be evicted, or CPUs vied") \
	X(NO_MEMORY, "no_memory", "connections not followed: no memory for a flow") \
	X(LOG_SUPPRESSED, "log_suppressed", "dmesg lines left out by the rate limit") \
	X(LOG_LOST, "log_lost", "events that were overwritten before dmesg got them")

#define STATS_ENUM(id, name, meaning)	STAT_##id,
enum counter {
	STATS(STATS_ENUM)
	STATS_COUNT,
};

DECLARE_PER_CPU(unsigned long [STATS_COUNT], tcptrace_stats);

/**
 * stats_add - count
 * @stat: which counter
 * @n: how much
 *
 * As the kernel's own counters of IP and TCP, one wraps at the size of a long.
 *
 * Context: any.
 */
static inline void stats_add(enum counter stat, unsigned long n)
{
	this_cpu_add(tcptrace_stats[stat], n);
}

static inline void stats_inc(enum counter stat)
{
	this_cpu_inc(tcptrace_stats[stat]);
}

/**
 * stats_sum - a counter over all CPUs
 * @stat: which
 *
 * Context: any.
 */
unsigned long stats_sum(enum counter stat);

/* Its name, a word. */
const char *stats_name(enum counter stat);

/* What it counts, a few words. */
const char *stats_meaning(enum counter stat);

#endif /* _TCPTRACE_STATS_H */
