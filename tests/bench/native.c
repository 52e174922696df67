// SPDX-License-Identifier: GPL-2.0
/*
 * What does memory cost? The way of a data segment through the tracer, run on this machine:
 * the hash of its tuple, the bucket, the flow, its sequence marks and counters, over tables
 * of many flows that are met at random. marks_carry_plain() is the module's own; the table is
 * a model of it, a chain for each bucket and objects that lie as the slab would place them.
 *
 * Nanoseconds, of one run, on a machine that may be busy: they say how the cost grows.
 */
#include <err.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "fsm.h"

#define SEGMENTS	4000000
#define OBJECT_SIZE	224	/* of struct flow in its slab */

struct record {
	struct record	*next;
	u64		pair;
	u64		rest[5];
	u64		lock;
	struct fsm	fsm;
	u64		bytes, pkts;
};

static const u64 secret[] = {
	0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
	0xd6e8feb86659fd93, 0xa0761d6478bd642f,
};

static u32 hash(u64 pair, u32 ports)
{
	return (secret[0] + (secret[1] + ports) * secret[2] +
		(secret[3] + (u32)pair) * (secret[4] + (u32)(pair >> 32))) >> 32;
}

static u64 any(void)
{
	static u64 state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* A counter of last-level cache misses, or -1 where the machine has none. */
static int open_counter(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_CACHE_MISSES,
		.exclude_kernel = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static u64 counted(int counter)
{
	u64 count = 0;

	return read(counter, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static struct record *make_table(struct record **bucket, unsigned long buckets, u64 *tuple,
				 unsigned long flows)
{
	char *objects = aligned_alloc(4096, (flows * OBJECT_SIZE + 4095) / 4096 * 4096);
	unsigned long i, j;

	if (!objects)
		err(1, "%lu flows", flows);
	memset(objects, 0, flows * OBJECT_SIZE);
	for (i = 0; i < flows; i++) {
		struct record *record = (struct record *)(objects + i * OBJECT_SIZE);
		struct record **head;

		record->pair = any();
		tuple[i] = record->pair;
		head = &bucket[hash(record->pair, record->pair >> 7) & (buckets - 1)];
		record->next = *head;
		*head = record;
		for (j = 0; j < 2; j++) {
			record->fsm.end[j].plain = MARKS_PLAIN_ACK | MARKS_PLAIN_DATA;
			record->fsm.end[j].edge = 1 << 30;
		}
	}
	return (struct record *)objects;
}

static bool follow(struct record **bucket, unsigned long buckets, u64 pair)
{
	struct record *record = bucket[hash(pair, pair >> 7) & (buckets - 1)];

	while (record && record->pair != pair)
		record = record->next;
	if (!record || !marks_carry_plain(&record->fsm.end[0], &record->fsm.end[1],
					  record->fsm.end[0].end, 0, 0, 0))
		return false;
	__atomic_add_fetch(&record->pkts, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&record->bytes, 32, __ATOMIC_RELAXED);
	return true;
}

static void measure(unsigned long flows, int counter)
{
	unsigned long buckets = 1, i, missed = 0;
	u64 *tuple = calloc(flows, sizeof(*tuple)), ns, misses;
	struct record **bucket, *objects;

	while (buckets * 3 / 4 < flows)
		buckets *= 2;
	bucket = calloc(buckets, sizeof(*bucket));
	if (!tuple || !bucket)
		err(1, "%lu flows", flows);
	objects = make_table(bucket, buckets, tuple, flows);
	misses = counted(counter);
	ns = now_ns();
	for (i = 0; i < SEGMENTS; i++)
		missed += !follow(bucket, buckets, tuple[any() % flows]);
	ns = now_ns() - ns;
	misses = counted(counter) - misses;
	if (missed)
		errx(1, "%lu segments were not followed", missed);
	printf("%9lu %12.1f", flows, (double)ns / SEGMENTS);
	if (counter >= 0)
		printf(" %14.2f\n", (double)misses / SEGMENTS);
	else
		printf(" %14s\n", "no counter");
	free(objects);
	free(bucket);
	free(tuple);
}

int main(void)
{
	int counter = open_counter();

	printf("\n%-9s %12s %14s\n%-9s %12s %14s\n", "natively:", "ns", "cache misses",
	       "flows", "a segment", "a segment");
	measure(1000, counter);
	measure(100000, counter);
	measure(1000000, counter);
	return 0;
}
