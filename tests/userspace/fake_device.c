// SPDX-License-Identifier: GPL-2.0
/*
 * An invented /dev/tcptrace for the tests of the reader: linked in with
 * --wrap=open64,--wrap=ioctl,--wrap=lseek64.  Reading and waiting are the kernel's,
 * on a FIFO or a file.  The names are those that _FILE_OFFSET_BITS=64 gives them.
 *
 * FAKE_DEVICE	the FIFO or file to read records from
 * FAKE_OPEN	the errno that open() fails with
 * FAKE_ABI	the ABI that GET_INFO tells
 * FAKE_SIZE	the size of a record that GET_INFO tells
 * FAKE_NEXT	next_seq that GET_INFO tells
 * FAKE_FLUSH	the errno that FLUSH fails with
 * FAKE_LOG	where to write which calls were made
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/tcptrace.h>

#include "fake_device.h"

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

static void log_call(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void log_call(const char *format, ...)
{
	const char *path = getenv("FAKE_LOG");
	FILE *log = path ? fopen(path, "a") : NULL;
	va_list args;

	if (!log)
		return;
	va_start(args, format);
	vfprintf(log, format, args);
	va_end(args);
	fclose(log);
}

static int fail(int error)
{
	errno = error;
	return -1;
}

int __wrap_open64(const char *path, int flags, ...)
{
	unsigned int mode = 0;
	va_list args;

	if (!strcmp(path, TCPTRACE_DEVICE)) {
		if (setting("FAKE_OPEN", 0))
			return fail(setting("FAKE_OPEN", 0));
		return __real_open64(getenv("FAKE_DEVICE"), flags);
	}
	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, unsigned int);
		va_end(args);
	}
	return __real_open64(path, flags, mode);
}

static int get_info(struct tcptrace_info *info)
{
	*info = (struct tcptrace_info){
		.abi = setting("FAKE_ABI", TCPTRACE_ABI),
		.event_size = setting("FAKE_SIZE", TCPTRACE_EVENT_SIZE),
		.ring_events = 65536,
		.first_seq = 1,
		.next_seq = setting("FAKE_NEXT", 1000000),
		.flows = 3,
	};
	return 0;
}

static int set_filter(const struct tcptrace_filter *filter)
{
	log_call("filter kinds=%#x netns=%u version=%u port=%u\n", filter->kinds,
		 filter->netns, filter->ip_version, __builtin_bswap16(filter->port));
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *data;

	(void)fd;
	va_start(args, request);
	data = _IOC_SIZE(request) ? va_arg(args, void *) : NULL;
	va_end(args);
	switch (request) {
	case TCPTRACE_IOC_GET_INFO:
		return get_info(data);
	case TCPTRACE_IOC_SET_MODE:
		log_call("mode %u\n", *(__u32 *)data);
		return 0;
	case TCPTRACE_IOC_SET_FILTER:
		return set_filter(data);
	case TCPTRACE_IOC_GET_READER:
		*(struct tcptrace_reader *)data = (struct tcptrace_reader){ .filtered = 7 };
		return 0;
	case TCPTRACE_IOC_FLUSH:
		log_call("flush\n");
		return setting("FAKE_FLUSH", 0) ? fail(setting("FAKE_FLUSH", 0)) : 0;
	case TCPTRACE_IOC_SNAPSHOT:
		log_call("snapshot\n");
		return 0;
	default:
		return fail(ENOTTY);
	}
}

off_t __wrap_lseek64(int fd, off_t offset, int whence)
{
	(void)fd;
	log_call("lseek %d %d\n", (int)offset, whence);
	return 0;
}
