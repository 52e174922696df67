/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_PROCFS_H
#define _TCPTRACE_PROCFS_H

/**
 * procfs_init - make /proc/net/tcptrace and /proc/net/stat/tcptrace
 *
 * The first lists the live flows of the reader's network namespace, in every
 * namespace; the second, in the initial namespace only, all counters, each as
 * "name value meaning".
 *
 * Return: 0 or -errno.
 */
int procfs_init(void);

/* Nobody reads them any more. */
void procfs_exit(void);

#endif /* _TCPTRACE_PROCFS_H */
