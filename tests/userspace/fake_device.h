/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FAKE_DEVICE_H
#define _FAKE_DEVICE_H

#include <sys/types.h>

/* What the linker puts in place of open(), ioctl() and lseek(). */
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
off_t __wrap_lseek64(int fd, off_t offset, int whence);

#endif /* _FAKE_DEVICE_H */
