/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the pure files of the module take from the kernel's <linux/compiler.h>.
 * The marked accesses are atomic, so that TSan knows them for what they are.
 */
#ifndef _SHIM_LINUX_COMPILER_H
#define _SHIM_LINUX_COMPILER_H

#include <linux/build_bug.h>

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val)	__atomic_store_n(&(x), val, __ATOMIC_RELAXED)

#endif /* _SHIM_LINUX_COMPILER_H */
