/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_PROCESSOR_H
#define _SHIM_LINUX_PROCESSOR_H

#include <sched.h>

/* Whom we wait for may have no processor: give it ours. */
static inline void cpu_relax(void)
{
	sched_yield();
}

#endif /* _SHIM_LINUX_PROCESSOR_H */
