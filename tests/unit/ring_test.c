// SPDX-License-Identifier: GPL-2.0
/*
 * ring.c: what ring_get() answers, and many threads under TSan.
 *
 * Every word of an event derives from who wrote it and its how-manieth it is, so
 * that a record made of two is seen.
 */
#include <linux/compiler.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ring.h"
#include "unit.h"

#define WRITERS_MAX	8

/*
 * One thread
 */

static struct ring_slot few[8];

static void fill(struct tcptrace_event *event, u32 writer, u64 number)
{
	u32 *word = (u32 *)event;
	unsigned int i;

	for (i = 0; i < sizeof(*event) / sizeof(*word); i++)
		word[i] = (u32)(number * 2654435761u) + writer * 40503u + i * 97u;
	event->flow_id = number;
	event->netns = writer;
}

/* Is this, but for @seq, what fill() made of its own writer and number? */
static bool whole(const struct tcptrace_event *event)
{
	struct tcptrace_event wanted;

	fill(&wanted, event->netns, event->flow_id);
	wanted.seq = event->seq;
	return !memcmp(&wanted, event, sizeof(wanted));
}

/* Word by word, as TSan does not know that a reader throws away what it saw. */
static u64 append(struct ring *ring, u32 writer, u64 number)
{
	struct tcptrace_event event, *place = ring_begin(ring);
	u64 seq = place->seq;
	unsigned int i;

	fill(&event, writer, number);
	event.seq = seq;
	for (i = 0; i < sizeof(event) / sizeof(long); i++)
		WRITE_ONCE(((long *)place)[i], ((long *)&event)[i]);
	ring_end(place);
	return seq;
}

static void publish(struct ring *ring, u64 number)
{
	append(ring, 1, number);
}

static void empty(void **state)
{
	struct tcptrace_event event;
	struct ring ring;
	u64 seq;

	(void)state;
	memset(few, 0xa5, sizeof(few));		/* any content */
	ring_init(&ring, few, 8);
	assert_true(ring_next(&ring) == 1);
	assert_true(ring_oldest(&ring) == 1);
	for (seq = 1; seq < 100; seq++)
		assert_int_equal(ring_get(&ring, seq, &event), RING_NOT_YET);
}

static void answers(void **state)
{
	struct tcptrace_event event;
	struct ring ring;
	u64 seq, last;

	(void)state;
	ring_init(&ring, few, 8);
	for (last = 1; last < 100; last++) {
		publish(&ring, last);
		assert_true(ring_next(&ring) == last + 1);
		assert_true(ring_oldest(&ring) == (last > 8 ? last - 7 : 1));
		for (seq = 1; seq < last + 20; seq++) {
			enum ring_answer answer = ring_get(&ring, seq, &event);

			if (seq > last) {
				assert_int_equal(answer, RING_NOT_YET);
			} else if (seq < ring_oldest(&ring)) {
				assert_int_equal(answer, RING_OVERWRITTEN);
			} else {
				assert_int_equal(answer, RING_EVENT);
				assert_true(event.seq == seq);
				assert_true(event.flow_id == seq);
				assert_true(whole(&event));
			}
		}
	}
}

/* ring_peek() answers as ring_get() does, and copies as far as the kind. */
static void peek(void **state)
{
	struct tcptrace_event whole_event, start;
	struct ring ring;
	u64 seq, last;

	(void)state;
	ring_init(&ring, few, 8);
	for (last = 1; last < 40; last++) {
		publish(&ring, last);
		for (seq = 1; seq < last + 12; seq++) {
			enum ring_answer answer = ring_get(&ring, seq, &whole_event);

			assert_int_equal(ring_peek(&ring, seq, &start), answer);
			if (answer == RING_EVENT) {
				assert_int_equal(start.size, whole_event.size);
				assert_int_equal(start.kind, whole_event.kind);
			}
		}
	}
}

static void publish_tells_the_number(void **state)
{
	struct ring ring;

	(void)state;
	ring_init(&ring, few, 2);
	assert_true(append(&ring, 1, 1) == 1);
	assert_true(append(&ring, 1, 2) == 2);
}

/* A writer in the middle of event @seq: the mark is @seq - 1. */
static void being_written(void **state)
{
	struct tcptrace_event event;
	struct ring ring;
	u64 seq;

	(void)state;
	ring_init(&ring, few, 8);
	for (seq = 1; seq <= 10; seq++)
		publish(&ring, seq);
	atomic64_set(&ring.last, 11);
	few[11 & 7].mark = 10;
	assert_int_equal(ring_get(&ring, 11, &event), RING_NOT_YET);
	assert_int_equal(ring_get(&ring, 3, &event), RING_OVERWRITTEN);
	assert_int_equal(ring_get(&ring, 10, &event), RING_EVENT);
	few[11 & 7].mark = 11;
	assert_int_equal(ring_get(&ring, 11, &event), RING_EVENT);
}

/*
 * Marks are an unsigned long, sequence numbers a u64: all around 2^32, 2^63 and, where a
 * mark is as long, 2^64.  No ring gets there; ring_oldest() relies on it where it is not.
 */
static void wrap(void **state)
{
	static const u64 starts[] = {
		0xfffffff0, 0x7ffffffffffffff0, 0xfffffffffffffff0,
	};
	struct tcptrace_event event;
	struct ring ring;
	unsigned int i;
	u64 n, seq;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		u64 start = starts[i];

		if (sizeof(long) < sizeof(start) && (s64)start < 0)
			continue;
		ring_init(&ring, few, 8);
		atomic64_set(&ring.last, start);
		for (seq = start + 1; seq != start + 9; seq++)
			few[seq & 7].mark = seq - 8;
		for (n = 1; n < 50; n++) {
			publish(&ring, n);
			assert_int_equal(ring_get(&ring, start + n + 1, &event), RING_NOT_YET);
			assert_int_equal(ring_get(&ring, start + n + 8, &event), RING_NOT_YET);
			assert_int_equal(ring_get(&ring, start + n, &event), RING_EVENT);
			assert_true(event.seq == start + n);
			assert_true(event.flow_id == n);
			if (n > 8) {
				assert_int_equal(ring_get(&ring, start + n - 7, &event),
						 RING_EVENT);
				assert_true(event.flow_id == n - 7);
				assert_int_equal(ring_get(&ring, start + n - 8, &event),
						 RING_OVERWRITTEN);
			}
		}
	}
}

/*
 * Many threads
 */

struct crowd {
	unsigned long slots;
	unsigned int writers, readers;
	u64 each;		/* events of each writer */
	unsigned int pause;	/* a writer pauses after so many */
};

struct thread {
	pthread_t id;
	struct ring *ring;
	const struct crowd *crowd;
	unsigned int number;
	int *writing;		/* writers that are not done */
	u64 read, lost, torn, disorder;
};

static void *write_events(void *arg)
{
	struct thread *self = arg;
	u64 n, seq, last = 0;

	for (n = 1; n <= self->crowd->each; n++) {
		seq = append(self->ring, self->number, n);
		self->disorder += seq <= last;
		last = seq;
		if (self->crowd->pause && n % self->crowd->pause == 0)
			sched_yield();
	}
	__atomic_sub_fetch(self->writing, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void take(struct thread *self, const struct tcptrace_event *event, u64 seq,
		 u64 last[WRITERS_MAX])
{
	self->read++;
	if (event->seq != seq || event->netns >= self->crowd->writers || !whole(event)) {
		self->torn++;
		return;
	}
	self->disorder += event->flow_id <= last[event->netns];
	last[event->netns] = event->flow_id;
}

/* As a reader of the device does: overtaken, it goes on at the oldest. */
static void *read_events(void *arg)
{
	struct thread *self = arg;
	u64 seq = 1, last[WRITERS_MAX] = {};
	struct tcptrace_event event;

	for (;;) {
		bool done = !__atomic_load_n(self->writing, __ATOMIC_ACQUIRE);
		u64 oldest;

		switch (ring_get(self->ring, seq, &event)) {
		case RING_EVENT:
			take(self, &event, seq++, last);
			break;
		case RING_NOT_YET:
			if (done)
				return NULL;
			sched_yield();
			break;
		case RING_OVERWRITTEN:
			oldest = ring_oldest(self->ring);
			if (oldest <= seq)
				oldest = seq + 1;	/* it is being overwritten */
			self->lost += oldest - seq;
			seq = oldest;
			break;
		}
	}
}

static void run_crowd(void **state)
{
	const struct crowd *crowd = *state;
	unsigned int i, threads = crowd->writers + crowd->readers;
	u64 produced = crowd->each * crowd->writers, lost = 0;
	struct thread *thread = calloc(threads, sizeof(*thread));
	struct ring_slot *slots = aligned_alloc(64, crowd->slots * sizeof(*slots));
	int writing = crowd->writers;
	struct ring ring;

	assert_true(thread && slots);
	ring_init(&ring, slots, crowd->slots);
	for (i = 0; i < threads; i++) {
		thread[i].ring = &ring;
		thread[i].crowd = crowd;
		thread[i].writing = &writing;
		thread[i].number = i;
	}
	for (i = threads; i--; )	/* readers first */
		assert_int_equal(pthread_create(&thread[i].id, NULL,
						i < crowd->writers ? write_events : read_events,
						&thread[i]), 0);
	for (i = 0; i < threads; i++)
		pthread_join(thread[i].id, NULL);

	assert_true(ring_next(&ring) == produced + 1);
	for (i = 0; i < threads; i++) {
		assert_true(thread[i].torn == 0);
		assert_true(thread[i].disorder == 0);
		if (i >= crowd->writers)
			assert_true(thread[i].read + thread[i].lost == produced);
		lost += thread[i].lost;
	}
	printf("# %lu slots, %u writers, %u readers: %llu events, lost %llu of %llu\n",
	       crowd->slots, crowd->writers, crowd->readers, (unsigned long long)produced,
	       (unsigned long long)lost, (unsigned long long)(produced * crowd->readers));
	free(slots);
	free(thread);
}

static const struct crowd crowds[] = {
	{ 2, 1, 1, 50000, 0 },		{ 2, 4, 3, 10000, 0 },
	{ 2, 4, 2, 10000, 3 },		{ 8, 1, 3, 50000, 5 },
	{ 8, 4, 4, 20000, 0 },		{ 8, 8, 2, 10000, 7 },
	{ 1024, 1, 2, 100000, 0 },	{ 1024, 4, 4, 50000, 100 },
	{ 1024, 8, 4, 25000, 0 },	{ 65536, 4, 2, 10000, 0 },
};

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(crowds) + 6] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(answers),
		cmocka_unit_test(peek),
		cmocka_unit_test(publish_tells_the_number),
		cmocka_unit_test(being_written),
		cmocka_unit_test(wrap),
	};
	static char names[ARRAY_SIZE(crowds)][64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(crowds); i++) {
		snprintf(names[i], sizeof(names[i]), "%lu slots, %u writers, %u readers%s",
			 crowds[i].slots, crowds[i].writers, crowds[i].readers,
			 crowds[i].pause ? ", with pauses" : "");
		tests[6 + i] = (struct CMUnitTest){
			.name		= names[i],
			.test_func	= run_crowd,
			.initial_state	= (void *)&crowds[i],
		};
	}
	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
