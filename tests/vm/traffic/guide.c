// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/kcov.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dice.h"
#include "guide.h"

#define TRACE_WORDS	0x40000
#define PLACES		0x100000	/* more than the bytes of the module's code */
#define BURSTS		4096

static atomic_bool seen[PLACES];
static atomic_uint reached;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct guide_burst bursts[BURSTS];
static unsigned int kept;	/* bursts ever; the last BURSTS of them are there */

/* 0 to n - 1 */
static unsigned int any(struct guide *guide, unsigned int n)
{
	return dice_next(&guide->dice) % n;
}

static unsigned long *open_trace(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	unsigned long *trace;

	if (fd < 0)
		return NULL;
	if (ioctl(fd, KCOV_INIT_TRACE, TRACE_WORDS)) {
		close(fd);
		return NULL;
	}
	trace = mmap(NULL, TRACE_WORDS * sizeof(*trace), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	/* the file stays open; the trace ends with the thread */
	if (trace == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		return NULL;
	return trace;
}

void guide_open(struct guide *guide, uint64_t seed)
{
	guide->dice = seed;
	guide->trace = open_trace();
}

/* Take a burst that was kept, and change one number to eight; false if there is none. */
static bool change_kept(struct guide *guide)
{
	struct guide_burst *burst = &guide->burst;
	unsigned int there, changes;

	pthread_mutex_lock(&lock);
	there = kept < BURSTS ? kept : BURSTS;
	if (there)
		*burst = bursts[any(guide, there)];
	pthread_mutex_unlock(&lock);
	if (!there)
		return false;
	for (changes = 1 + any(guide, 8); changes; changes--)
		burst->numbers[any(guide, burst->used)] = dice_next(&guide->dice);
	return true;
}

void guide_begin_burst(struct guide *guide)
{
	unsigned int i;

	if (!guide->trace || !any(guide, 4) || !change_kept(guide))
		for (i = 0; i < GUIDE_NUMBERS; i++)
			guide->burst.numbers[i] = dice_next(&guide->dice);
	guide->burst.used = 0;
	guide->found = 0;
}

uint64_t guide_next(struct guide *guide)
{
	if (guide->burst.used == GUIDE_NUMBERS)
		return dice_next(&guide->dice);
	return guide->burst.numbers[guide->burst.used++];
}

void guide_note_places(struct guide *guide)
{
	unsigned long n, i;

	if (!guide->trace)
		return;
	n = __atomic_exchange_n(&guide->trace[0], 0, __ATOMIC_RELAXED);
	for (i = 1; i <= n; i++)
		guide->found += !atomic_exchange(&seen[guide->trace[i] % PLACES], true);
}

void guide_end_burst(struct guide *guide)
{
	if (!guide->found)
		return;
	atomic_fetch_add(&reached, guide->found);
	pthread_mutex_lock(&lock);
	bursts[kept++ % BURSTS] = guide->burst;
	pthread_mutex_unlock(&lock);
}

unsigned int guide_reached(void)
{
	return reached;
}

unsigned int guide_kept(void)
{
	return kept;
}
