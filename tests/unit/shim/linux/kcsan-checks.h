/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_KCSAN_CHECKS_H
#define _SHIM_LINUX_KCSAN_CHECKS_H

static inline void kcsan_flat_atomic_begin(void)
{
}

static inline void kcsan_flat_atomic_end(void)
{
}

#endif /* _SHIM_LINUX_KCSAN_CHECKS_H */
