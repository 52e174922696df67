// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "libtcptrace.h"
#include "recording.h"
#include "timestamp.h"

_Static_assert(sizeof(struct tcptrace_event) == TCPTRACE_EVENT_SIZE, "the ABI of the records");

/**
 * tcptrace_fail - note an error in words
 * @source: the source; its path goes before the words
 * @error: negative errno
 * @format: the words
 *
 * Return: @error
 */
int tcptrace_fail(struct tcptrace_source *source, int error, const char *format, ...)
{
	int len = snprintf(source->error, sizeof(source->error), "%s: ", source->path);
	va_list args;

	if (len < 0 || len >= (int)sizeof(source->error))
		return error;
	va_start(args, format);
	vsnprintf(source->error + len, sizeof(source->error) - len, format, args);
	va_end(args);
	return error;
}

static int fail_errno(struct tcptrace_source *source, const char *what)
{
	int error = errno;

	return tcptrace_fail(source, -error, "%s: %s", what, strerror(error));
}

static void source_init(struct tcptrace_source *source, const char *path)
{
	memset(source, 0, offsetof(struct tcptrace_source, batch));
	source->fd = -1;
	source->path = path;
}

static int fail_open(struct tcptrace_source *source)
{
	int error = errno;

	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return tcptrace_fail(source, -error,
			"the module is not loaded: run \"insmod tcptrace.ko\" as root, or \"make load\"");
	case EACCES:
	case EPERM:
		return tcptrace_fail(source, -error, "permission denied: run as root");
	default:
		return fail_errno(source, "open");
	}
}

static int check_abi(struct tcptrace_source *source)
{
	struct tcptrace_info *info = &source->info;

	if (ioctl(source->fd, TCPTRACE_IOC_GET_INFO, info))
		return errno == ENOTTY || errno == EINVAL ?
		       tcptrace_fail(source, -errno, "this is not the device of tcptrace") :
		       fail_errno(source, "GET_INFO");
	if (info->abi != TCPTRACE_ABI)
		return tcptrace_fail(source, -EPROTO,
			"the module has ABI %u, this program ABI %u: build both from one source",
			info->abi, TCPTRACE_ABI);
	if (info->event_size != TCPTRACE_EVENT_SIZE)
		return tcptrace_fail(source, -EPROTO,
			"the module has records of %u bytes, this program of %u: build both from one source",
			info->event_size, TCPTRACE_EVENT_SIZE);
	return 0;
}

static int set_up_device(struct tcptrace_source *source)
{
	__u32 mode = TCPTRACE_MODE_BINARY;
	int ret = check_abi(source);

	if (ret)
		return ret;
	if (ioctl(source->fd, TCPTRACE_IOC_SET_MODE, &mode))
		return fail_errno(source, "SET_MODE");
	return 0;
}

/**
 * tcptrace_open_device - become a reader of the device
 * @source: receives it; stands at the oldest event in the ring, does not block
 * @path: the device, or NULL for /dev/tcptrace
 *
 * Return: 0, or a negative errno and a sentence in @source: among others -ENOENT,
 * the module is not loaded; -EACCES; -EPROTO, the ABI differs.
 */
int tcptrace_open_device(struct tcptrace_source *source, const char *path)
{
	int ret;

	source_init(source, path ? path : TCPTRACE_DEVICE);
	source->wall_offset_ns = wall_offset_ns();
	source->fd = open(source->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (source->fd < 0)
		return fail_open(source);
	ret = set_up_device(source);
	if (ret)
		tcptrace_close(source);
	return ret;
}

/**
 * tcptrace_open_recording - read what "tcptracectl record" wrote
 * @source: receives it
 * @path: the file, or "-" for standard input
 *
 * Return: 0, or a negative errno and a sentence in @source.
 */
int tcptrace_open_recording(struct tcptrace_source *source, const char *path)
{
	bool standard_input = !strcmp(path, "-");
	int ret;

	source_init(source, standard_input ? "standard input" : path);
	source->recording = true;
	source->fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (source->fd < 0)
		return tcptrace_fail(source, -errno, "%s", strerror(errno));
	ret = recording_read_header(source);
	if (ret)
		tcptrace_close(source);
	return ret;
}

/**
 * tcptrace_close - end
 * @source: the source
 */
void tcptrace_close(struct tcptrace_source *source)
{
	if (source->fd > STDIN_FILENO)
		close(source->fd);
	source->fd = -1;
}

/**
 * tcptrace_set_filter - let the kernel leave events out
 * @source: a device; of a recording this does nothing
 * @filter: which events are wanted
 *
 * Return: 0 or a negative errno.
 */
int tcptrace_set_filter(struct tcptrace_source *source, const struct tcptrace_filter *filter)
{
	if (!source->recording && ioctl(source->fd, TCPTRACE_IOC_SET_FILTER, filter))
		return fail_errno(source, "SET_FILTER");
	return 0;
}

/**
 * tcptrace_seek_newest - leave out what the ring holds already
 * @source: a device; of a recording this does nothing
 *
 * Return: 0 or a negative errno.
 */
int tcptrace_seek_newest(struct tcptrace_source *source)
{
	if (!source->recording && lseek(source->fd, 0, SEEK_END) < 0)
		return fail_errno(source, "lseek");
	return 0;
}

/**
 * tcptrace_snapshot - have the live flows come next, then the events from now on
 * @source: a device; forgets what was read but not taken, which the snapshot contains
 *
 * A SNAPSHOT record comes for each flow, then one without a flow.  Of each flow the
 * events whose @seq is below that of its record are contained in it.
 *
 * Return: 0 or a negative errno.
 */
int tcptrace_snapshot(struct tcptrace_source *source)
{
	if (ioctl(source->fd, TCPTRACE_IOC_SNAPSHOT))
		return fail_errno(source, "SNAPSHOT");
	source->at = 0;
	source->whole = 0;
	source->bytes = 0;
	return 0;
}

/**
 * tcptrace_get_info - how the device stands now
 * @source: a device
 * @info: receives it
 *
 * Return: 0 or a negative errno.
 */
int tcptrace_get_info(struct tcptrace_source *source, struct tcptrace_info *info)
{
	if (ioctl(source->fd, TCPTRACE_IOC_GET_INFO, info))
		return fail_errno(source, "GET_INFO");
	return 0;
}

/**
 * tcptrace_get_reader - the account that the kernel keeps of this reader
 * @source: a device
 * @reader: receives it
 *
 * Return: 0 or a negative errno.
 */
int tcptrace_get_reader(struct tcptrace_source *source, struct tcptrace_reader *reader)
{
	if (ioctl(source->fd, TCPTRACE_IOC_GET_READER, reader))
		return fail_errno(source, "GET_READER");
	return 0;
}

/**
 * tcptrace_flush - end every live flow with its verdict so far
 * @source: a device
 *
 * Return: 0 or a negative errno: -EPERM without CAP_NET_ADMIN.
 */
int tcptrace_flush(struct tcptrace_source *source)
{
	if (!ioctl(source->fd, TCPTRACE_IOC_FLUSH))
		return 0;
	if (errno == EPERM)
		return tcptrace_fail(source, -EPERM,
			"flush needs CAP_NET_ADMIN in the initial user namespace: run as root");
	return fail_errno(source, "FLUSH");
}

/* What a recording has beyond its last whole record waits for its rest. */
static size_t keep_partial(struct tcptrace_source *source)
{
	size_t whole = source->whole * sizeof(source->batch[0]);
	size_t rest = source->bytes - whole;

	if (rest)
		memmove(source->batch, (char *)source->batch + whole, rest);
	source->at = 0;
	source->whole = 0;
	source->bytes = rest;
	return rest;
}

static int check_records(struct tcptrace_source *source)
{
	unsigned int i;

	for (i = 0; i < source->whole; i++) {
		if (source->batch[i].size == TCPTRACE_EVENT_SIZE)
			continue;
		source->whole = i;
		return tcptrace_fail(source, -EPROTO, "record %llu is damaged",
				     source->records + i + 1);
	}
	return 0;
}

static int end_of_source(struct tcptrace_source *source)
{
	if (source->bytes)
		return tcptrace_fail(source, -EPROTO,
			"truncated: it ends inside record %llu; the records before are whole",
			source->records + 1);
	return 0;
}

/**
 * tcptrace_fill - read more events, as many as are there and fit
 * @source: the source; tcptrace_next() has taken all that were read before
 *
 * Return: how many events can be taken; 0 at the end of a recording; or a
 * negative errno: -EAGAIN, none now; -EINTR, a signal; -EPROTO, a damaged or
 * truncated recording, whose good records may still be taken.
 */
int tcptrace_fill(struct tcptrace_source *source)
{
	size_t rest = keep_partial(source);
	ssize_t n;
	int ret;

	n = read(source->fd, (char *)source->batch + rest, sizeof(source->batch) - rest);
	source->drained = n < 0 && errno == EAGAIN;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -errno;
	if (n < 0)
		return fail_errno(source, "read");
	if (n == 0)
		return end_of_source(source);
	source->bytes += n;
	source->whole = source->bytes / sizeof(source->batch[0]);
	source->drained = source->bytes < sizeof(source->batch);
	ret = check_records(source);
	source->records += source->whole;
	if (ret)
		return ret;
	return source->whole ? (int)source->whole : -EAGAIN;
}
