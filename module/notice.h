/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_NOTICE_H
#define _TCPTRACE_NOTICE_H

#include <linux/printk.h>
#include <linux/types.h>

/**
 * DOC: notices
 *
 * What dmesg is told of parameters that are written and of mirrored interfaces.  Whoever
 * writes a parameter in a loop shall not push everything else out of dmesg: of all notices
 * together 100 lines in 5 s are printed, and the next one after that tells how many were
 * left out.  A number that insmod refuses always has its line, as the limit is as new as
 * the module.  What the kernel itself says of an interface that becomes promiscuous is
 * the kernel's.
 */

/**
 * notice_allowed - may one more line be printed?
 *
 * Context: process.
 *
 * Return: whether it may; if not it has been counted.
 */
bool notice_allowed(void);

#define notice(print, ...)		\
do {					\
	if (notice_allowed())		\
		print(__VA_ARGS__);	\
} while (0)

/* pr_err(), pr_warn() and pr_info(), unless there have been too many. */
#define notice_err(...)		notice(pr_err, __VA_ARGS__)
#define notice_warn(...)	notice(pr_warn, __VA_ARGS__)
#define notice_info(...)	notice(pr_info, __VA_ARGS__)

/**
 * notice_length - how much of what was written a notice shows
 * @text: as it was written; printed with "%*pE", which leaves no control character in it
 *
 * Return: characters, 64 at most; the newline of echo is none of them.
 */
int notice_length(const char *text);

#endif /* _TCPTRACE_NOTICE_H */
