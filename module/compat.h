/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_COMPAT_H
#define _TCPTRACE_COMPAT_H

/*
 * The only place that knows kernel versions: the code is written for the newest.  The pure
 * parts are built as programs too, which have no kernel.
 */
#ifdef __KERNEL__

#include <linux/atomic.h>
#include <linux/proc_fs.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#if KERNEL_VERSION(6, 12, 0) > LINUX_VERSION_CODE
#include <asm/unaligned.h>
#else
#include <linux/unaligned.h>
#endif

/* No data of a packet was out of the CPU's reach. */
#if KERNEL_VERSION(6, 12, 0) > LINUX_VERSION_CODE
#define skb_frags_readable(skb)		true
#endif

#if KERNEL_VERSION(6, 18, 0) > LINUX_VERSION_CODE
#define system_dfl_wq			system_unbound_wq
#endif

#if KERNEL_VERSION(6, 2, 0) > LINUX_VERSION_CODE
#define timer_shutdown_sync(timer)	del_timer_sync(timer)
#endif

#if KERNEL_VERSION(5, 17, 0) > LINUX_VERSION_CODE
#define pde_data(inode)			PDE_DATA(inode)
#endif

/* Only x86 had it before 5.12. */
#ifndef try_cmpxchg
#define try_cmpxchg(ptr, old, new)						\
({										\
	typeof(*(ptr)) *__old = (old), __was = *__old;				\
										\
	*__old = cmpxchg(ptr, __was, new);					\
	*__old == __was;							\
})
#endif

#endif /* __KERNEL__ */
#endif /* _TCPTRACE_COMPAT_H */
