/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BARRIER_H
#define _SHIM_LINUX_BARRIER_H

/* The kernel's, by their names; who pairs with whom stands where they are used. */
#define smp_load_acquire(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE) /* kernel's */
#define smp_store_release(p, val)	__atomic_store_n(p, val, __ATOMIC_RELEASE) /* kernel's */
#define smp_rmb()			__atomic_thread_fence(__ATOMIC_ACQUIRE) /* kernel's */
#define smp_wmb()			__atomic_thread_fence(__ATOMIC_RELEASE) /* kernel's */

#endif /* _SHIM_LINUX_BARRIER_H */
