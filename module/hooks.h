/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_HOOKS_H
#define _TCPTRACE_HOOKS_H

/**
 * hooks_init - look at the packets of every network namespace, present and future
 *
 * Every packet is looked at once and accepted: LOCAL_IN before this host's filter
 * (except loopback), FORWARD before it, LOCAL_OUT after it (loopback included).  At
 * these points the tuple is the same in both directions, also under NAT.
 *
 * Return: 0 or -errno.
 */
int hooks_init(void);

/* No packet is looked at any more; every flow has got its END. */
void hooks_exit(void);

#endif /* _TCPTRACE_HOOKS_H */
