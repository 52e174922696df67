// SPDX-License-Identifier: GPL-2.0

#include <linux/kernel.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include "notice.h"

#define NOTICE_INTERVAL	(5 * HZ)
#define NOTICE_BURST	100
#define NOTICE_TEXT_MAX	64

/* The rate limit does not wait for its own lock: before Linux 6.16 a line would be lost. */
static DEFINE_SPINLOCK(lock);
static DEFINE_RATELIMIT_STATE(limit, NOTICE_INTERVAL, NOTICE_BURST);

bool notice_allowed(void)
{
	bool allowed;

	spin_lock(&lock);
	allowed = ___ratelimit(&limit, KBUILD_MODNAME);	/* the name before its count */
	spin_unlock(&lock);
	return allowed;
}

int notice_length(const char *text)
{
	size_t length = strlen(text);

	if (length && text[length - 1] == '\n')
		length--;
	return min_t(size_t, length, NOTICE_TEXT_MAX);
}
