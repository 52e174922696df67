/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_MIRROR_H
#define _TCPTRACE_MIRROR_H

#include <linux/types.h>

#define MIRROR_MAX	16	/* interfaces; fits the place of a flow */

/**
 * DOC: mirrored interfaces
 *
 * What comes in on a mirrored interface is followed as it comes from the wire, whoever it
 * is for: the interface of a SPAN port or a tap, or one end of a veth into whose other end
 * a capture is replayed.  What the interface sends is not seen.
 *
 * A name stands for the interface of the initial network namespace that has this name
 * now.  It may come later, go, or be renamed: then the flows seen there end, with their
 * verdict so far, and the name waits for another interface.
 */

/**
 * mirror_set - say which interfaces are mirrored
 * @list: their names, with commas between; they need not exist
 *
 * Before mirror_init() this is only noted.  Afterwards it holds at once; the flows of an
 * interface that is no longer named end.  If one cannot be mirrored, these have ended too, but
 * neither it nor what is behind it is added.
 *
 * Context: may sleep.
 *
 * Return: 0; -EINVAL if it is no such list, -EOPNOTSUPP if the kernel has no ingress hook, or
 * the error of an interface that cannot be mirrored, these with a line in dmesg; -ENOMEM.
 */
int mirror_set(const char *list);

/**
 * mirror_get - which interfaces are mirrored
 * @text: a page, receives their names
 *
 * Return: its length in bytes.
 */
int mirror_get(char *text);

/**
 * mirror_init - look at what comes in on the mirrored interfaces, present and future
 *
 * Context: may sleep.
 *
 * Return: 0, or -errno also if one that is there cannot be mirrored.
 */
int mirror_init(void);

/* Nothing is looked at any more, what was seen on them has got its END. */
void mirror_exit(void);

/**
 * mirror_interface - the name of a mirrored interface
 * @mirror: its number, from the place of a flow
 *
 * Context: under rcu_read_lock(), which the name is protected by.
 *
 * Return: the name; "?" if the interface is just going.
 */
const char *mirror_interface(u8 mirror);

#endif /* _TCPTRACE_MIRROR_H */
