/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_RING_H
#define _TCPTRACE_RING_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/tcptrace.h>

/**
 * DOC: the event ring
 *
 * A power of two of fixed slots.  Any number of writers append; a new event
 * overwrites the oldest.  Readers hold no lock, are not known to the ring, and
 * cannot delay a writer: each asks for the event of a sequence number and learns
 * that it is there, not yet there, or overwritten.
 *
 * The sequence number s of an event is allotted by one atomic increment, and its
 * slot is s modulo the number of slots N.  The slot's mark tells what it holds::
 *
 *	s - N		the event N before, complete
 *	s - 1		event s, being written
 *	s		event s, complete
 *
 * Since s - 1 lies between the two others, one comparison serves a reader of
 * event r: mark == r it is there, mark < r not yet, mark > r overwritten.  Marks
 * are compared as differences and may wrap, so a long is enough for a reader less than half
 * a round behind; where a long is short, ring_oldest() tells the others.
 *
 * Writer of s				Reader of r
 * -----------				-----------
 * until mark == s - N (A: acquire)	mark == r, else done (B: acquire)
 * mark = s - 1				copy the words
 * write barrier (C)			read barrier (D)
 * fill in the event			mark still r, else overwritten
 * mark = s (E: release)
 *
 * A pairs with E of the writer one lap before, so two writers never share a
 * slot: the later one waits, which takes a whole lap of events during one.
 * B pairs with E: who sees mark r sees the words of r.  C pairs with D: who
 * copied a word of a later event sees its mark s - 1.
 *
 * After "overwritten" the reader asks ring_oldest() where to go on.  The acquire of B, or
 * the read barrier F behind the second look at the mark, pairs with the full barrier of the
 * increment that allotted s: the answer is then behind r.
 *
 * An event is filled in where it stays, in ordinary ways.  A reader may copy while it
 * changes, word by word and each in a single access; it then throws its copy away.
 */

#define RING_WORDS	(sizeof(struct tcptrace_event) / sizeof(unsigned long))

struct ring_slot {
	unsigned long	mark;
	union {
		struct tcptrace_event event;
		unsigned long	word[RING_WORDS];
	};
} ____cacheline_aligned;

/**
 * struct ring - events and their order
 * @slots: a power of two of them, memory of the caller
 * @mask: their number less one
 * @last: the newest sequence number allotted
 */
struct ring {
	struct ring_slot *slots;
	unsigned long	mask;
	atomic64_t	last ____cacheline_aligned;
};

enum ring_answer {
	RING_EVENT,		/* it was copied */
	RING_NOT_YET,
	RING_OVERWRITTEN,
};

/**
 * ring_init - an empty ring
 * @ring: the ring
 * @slots: its memory, any content
 * @count: number of slots, a power of two, 2 or more
 */
void ring_init(struct ring *ring, struct ring_slot *slots, unsigned long count);

/**
 * ring_begin - append one event
 * @ring: the ring
 *
 * The writer one lap ahead waits for this event: ring_end() has to follow shortly, and
 * nothing may sleep before it.
 *
 * Context: any but hard interrupts, with bottom halves disabled.  Disables preemption.
 *
 * Return: the place of the event, to be filled in as a whole; only @seq is there already.
 */
struct tcptrace_event *ring_begin(struct ring *ring);

/**
 * ring_end - the event is complete
 * @event: of ring_begin(), on the same CPU; the readers' from now on
 */
void ring_end(struct tcptrace_event *event);

/**
 * ring_get - copy one event
 * @ring: the ring
 * @seq: its sequence number, 1 or more
 * @event: receives it; after anything but %RING_EVENT its content is undefined
 *
 * Context: any; takes no lock.
 */
enum ring_answer ring_get(const struct ring *ring, u64 seq, struct tcptrace_event *event);

/**
 * ring_peek - copy only the start of an event
 * @ring: the ring
 * @seq: its sequence number, 1 or more
 * @event: receives it as far as its @kind
 *
 * Context: any; takes no lock.
 */
enum ring_answer ring_peek(const struct ring *ring, u64 seq, struct tcptrace_event *event);

/* The sequence number that the next event gets. */
u64 ring_next(const struct ring *ring);

/* The oldest event that may still be there. */
u64 ring_oldest(const struct ring *ring);

#endif /* _TCPTRACE_RING_H */
