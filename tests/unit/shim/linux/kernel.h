/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_KERNEL_H
#define _SHIM_LINUX_KERNEL_H

#include_next <linux/kernel.h>
#include <arpa/inet.h>
#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define U32_MAX	0xffffffffu

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* The only format that is used, and which no C library knows: "[%pI6c]". */
static inline int shim_sprintf(char *p, const void *address)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, address, text, sizeof(text));
	return (sprintf)(p, "[%s]", text);
}

#define sprintf(p, format, address)	shim_sprintf(p, address)

#endif /* _SHIM_LINUX_KERNEL_H */
