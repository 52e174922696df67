/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_COMPAT_H
#define _TCPTRACE_COMPAT_H

/* The only place that knows kernel versions: the code is written for the newest. */

#include <linux/proc_fs.h>
#include <linux/siphash.h>
#include <linux/timer.h>
#include <linux/version.h>

#if KERNEL_VERSION(6, 12, 0) > LINUX_VERSION_CODE
#include <asm/unaligned.h>
#else
#include <linux/unaligned.h>
#endif

#if KERNEL_VERSION(6, 2, 0) > LINUX_VERSION_CODE
#define timer_shutdown_sync(timer)	del_timer_sync(timer)
#endif

#if KERNEL_VERSION(5, 17, 0) > LINUX_VERSION_CODE
#define pde_data(inode)			PDE_DATA(inode)
#endif

/* 5.19, and in the stable kernels from then on */
#ifndef SIPHASH_PERMUTATION
#define SIPHASH_PERMUTATION(a, b, c, d) ( \
	(a) += (b), (b) = rol64((b), 13), (b) ^= (a), (a) = rol64((a), 32), \
	(c) += (d), (d) = rol64((d), 16), (d) ^= (c), \
	(a) += (d), (d) = rol64((d), 21), (d) ^= (a), \
	(c) += (b), (b) = rol64((b), 17), (b) ^= (c), (c) = rol64((c), 32))

#define SIPHASH_CONST_0			0x736f6d6570736575ULL
#define SIPHASH_CONST_1			0x646f72616e646f6dULL
#define SIPHASH_CONST_2			0x6c7967656e657261ULL
#define SIPHASH_CONST_3			0x7465646279746573ULL
#endif

#endif /* _TCPTRACE_COMPAT_H */
