/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LIBTCPTRACE_H
#define _LIBTCPTRACE_H

/*
 * A source of events: the device, or a recording behind the same calls.
 *
 *	if (tcptrace_open_device(&source, NULL))
 *		errx(1, "%s", source.error);
 *	for (;;) {
 *		while ((event = tcptrace_next(&source)))
 *			use(event);
 *		n = tcptrace_fill(&source);
 *		if (n == -EAGAIN)
 *			poll() until source.fd is readable;
 *		else if (n <= 0)
 *			break;
 *	}
 *	tcptrace_close(&source);
 *
 * A call that returns a negative errno leaves a sentence in source.error that
 * says what to do about it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <linux/tcptrace.h>

#define TCPTRACE_BATCH	256

/**
 * struct tcptrace_source - where events come from
 * @fd: to wait on
 * @recording: whether it is a recording
 * @drained: the last read did not fill the buffer: there is likely nothing more
 * @path: what was opened, for messages
 * @wall_offset_ns: what to add to the time of an event to get CLOCK_REALTIME
 * @info: of the device, as it was opened
 * @error: the last error in words
 * @records: how many were read, LOST ones too
 * @at: the next record in @batch
 * @whole: how many whole records @batch has
 * @bytes: how many bytes @batch has; more than whole records only in a recording
 * @batch: what was read
 */
struct tcptrace_source {
	int fd;
	bool recording;
	bool drained;
	const char *path;
	__s64 wall_offset_ns;
	struct tcptrace_info info;
	char error[256];
	__u64 records;
	unsigned int at;
	unsigned int whole;
	size_t bytes;
	struct tcptrace_event batch[TCPTRACE_BATCH];
};

int tcptrace_open_device(struct tcptrace_source *source, const char *path);
int tcptrace_open_recording(struct tcptrace_source *source, const char *path);
void tcptrace_close(struct tcptrace_source *source);

int tcptrace_set_filter(struct tcptrace_source *source, const struct tcptrace_filter *filter);
int tcptrace_seek_newest(struct tcptrace_source *source);
int tcptrace_snapshot(struct tcptrace_source *source);
int tcptrace_get_info(struct tcptrace_source *source, struct tcptrace_info *info);
int tcptrace_get_reader(struct tcptrace_source *source, struct tcptrace_reader *reader);
int tcptrace_flush(struct tcptrace_source *source);

int tcptrace_fill(struct tcptrace_source *source);
int tcptrace_fail(struct tcptrace_source *source, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * tcptrace_next - take the next event that was read
 * @source: the source
 *
 * Return: the event, valid until tcptrace_fill(), or NULL: call that.
 */
static inline const struct tcptrace_event *tcptrace_next(struct tcptrace_source *source)
{
	return source->at < source->whole ? &source->batch[source->at++] : NULL;
}

#endif /* _LIBTCPTRACE_H */
