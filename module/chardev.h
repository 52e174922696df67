/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_CHARDEV_H
#define _TCPTRACE_CHARDEV_H

/**
 * chardev_init - make /dev/tcptrace; everything that it uses is ready
 *
 * Return: 0 or -errno.
 */
int chardev_init(void);

/* The device goes; nobody has it open, or the module could not be removed. */
void chardev_exit(void);

#endif /* _TCPTRACE_CHARDEV_H */
