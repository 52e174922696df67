/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a thread at random decides by: numbers, in bursts.
 *
 * On a kernel with KCOV, for a module built with it, a burst that reached code which none
 * before it had reached is kept, and most of the later ones are kept ones with a few of
 * their numbers changed.  Elsewhere all numbers are fresh.
 */
#ifndef TRAFFIC_GUIDE_H
#define TRAFFIC_GUIDE_H

#include <stdint.h>

#define GUIDE_NUMBERS	256	/* of a burst; those behind them are fresh */

struct guide_burst {
	unsigned int used;	/* how many of its numbers */
	uint64_t numbers[GUIDE_NUMBERS];
};

struct guide {
	uint64_t dice;
	unsigned long *trace;	/* of KCOV: how many places, the places; NULL without it */
	unsigned int found;	/* by this burst before any other */
	struct guide_burst burst;
};

/* In the thread that it is for, once. */
void guide_open(struct guide *guide, uint64_t seed);

void guide_begin_burst(struct guide *guide);
uint64_t guide_next(struct guide *guide);
/* After each call, as there is no room for the places of many. */
void guide_note_places(struct guide *guide);
void guide_end_burst(struct guide *guide);

/* Of all threads: places of the module that were reached, and bursts that were kept. */
unsigned int guide_reached(void);
unsigned int guide_kept(void);

#endif
