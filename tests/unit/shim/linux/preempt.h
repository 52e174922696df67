/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_PREEMPT_H
#define _SHIM_LINUX_PREEMPT_H

/* A thread can be stopped anywhere, which the ring has to survive. */
static inline void preempt_disable(void)
{
}

static inline void preempt_enable(void)
{
}

#endif /* _SHIM_LINUX_PREEMPT_H */
