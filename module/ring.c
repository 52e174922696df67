// SPDX-License-Identifier: GPL-2.0
#include <linux/compiler.h>
#include <linux/kcsan-checks.h>
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include "ring.h"

static_assert(sizeof(struct tcptrace_event) == RING_WORDS * sizeof(unsigned long));
static_assert(offsetofend(struct tcptrace_event, kind) <= sizeof(unsigned long));

static struct ring_slot *slot_of(const struct ring *ring, u64 seq)
{
	return &ring->slots[seq & ring->mask];
}

void ring_init(struct ring *ring, struct ring_slot *slots, unsigned long count)
{
	unsigned long seq;

	ring->slots = slots;
	ring->mask = count - 1;
	atomic64_set(&ring->last, 0);
	for (seq = 1; seq <= count; seq++)
		slot_of(ring, seq)->mark = seq - count;
}

struct tcptrace_event *ring_begin(struct ring *ring)
{
	struct ring_slot *slot;
	unsigned long mark;
	u64 seq;

	/* the writer one lap ahead spins on us: do not sleep on it, also with PREEMPT_RT */
	preempt_disable();
	seq = atomic64_inc_return(&ring->last);
	slot = slot_of(ring, seq);
	mark = seq;
	while (smp_load_acquire(&slot->mark) != mark - ring->mask - 1)	/* A */
		cpu_relax();

	WRITE_ONCE(slot->mark, mark - 1);
	smp_wmb();							/* C */
	kcsan_flat_atomic_begin();	/* a reader throws away what it saw of it */
	WRITE_ONCE(slot->event.seq, seq);
	return &slot->event;
}

void ring_end(struct tcptrace_event *event)
{
	struct ring_slot *slot = container_of(event, struct ring_slot, event);

	kcsan_flat_atomic_end();
	smp_store_release(&slot->mark, (unsigned long)event->seq);	/* E */
	preempt_enable();
}

u64 ring_next(const struct ring *ring)
{
	return atomic64_read(&ring->last) + 1;
}

u64 ring_oldest(const struct ring *ring)
{
	u64 last = atomic64_read(&ring->last);

	return last > ring->mask ? last - ring->mask : 1;
}

/* Copy the first @words of an event. */
static __always_inline enum ring_answer get(const struct ring *ring, u64 seq,
					    struct tcptrace_event *event, unsigned int words)
{
	const struct ring_slot *slot = slot_of(ring, seq);
	unsigned long *word = (unsigned long *)event;
	unsigned long mark = seq;
	unsigned long found = smp_load_acquire(&slot->mark);		/* B */
	unsigned int i;

	/* a short mark comes round again: half a round behind, it would look like "not yet" */
	if (sizeof(mark) < sizeof(seq) && seq < ring_oldest(ring))
		return RING_OVERWRITTEN;
	if (found != mark)
		return (long)(found - mark) < 0 ? RING_NOT_YET : RING_OVERWRITTEN;
#pragma GCC unroll 64
	for (i = 0; i < words; i++)
		word[i] = READ_ONCE(slot->word[i]);
	smp_rmb();							/* D */
	if (READ_ONCE(slot->mark) == mark)
		return RING_EVENT;
	smp_rmb();							/* F */
	return RING_OVERWRITTEN;
}

enum ring_answer ring_get(const struct ring *ring, u64 seq, struct tcptrace_event *event)
{
	return get(ring, seq, event, RING_WORDS);
}

enum ring_answer ring_peek(const struct ring *ring, u64 seq, struct tcptrace_event *event)
{
	return get(ring, seq, event, 1);
}
