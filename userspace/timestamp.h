/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TIMESTAMP_H
#define _TIMESTAMP_H

#include <stdbool.h>
#include <linux/types.h>
#include <time.h>

#include "out.h"

enum time_format {
	TIME_WALL,		/* HH:MM:SS.mmm, local */
	TIME_NONE,
	TIME_RELATIVE,		/* seconds since the first event shown */
	TIME_RFC3339,		/* UTC, with nanoseconds */
	TIME_EPOCH,		/* seconds since 1970, with nanoseconds */
};

/**
 * struct timestamp - turns the time of an event into text
 * @format: how
 * @offset_ns: CLOCK_REALTIME less CLOCK_MONOTONIC
 * @started: whether @start_ns is set
 * @start_ns: the first event's time
 * @second: the second that @text holds; most events share it with the one before
 * @text_len: length of @text
 * @text: the second as text
 */
struct timestamp {
	enum time_format format;
	__s64 offset_ns;
	bool started;
	__u64 start_ns;
	time_t second;
	size_t text_len;
	char text[32];
};

void timestamp_init(struct timestamp *stamp, enum time_format format, __s64 offset_ns);
bool time_format_parse(enum time_format *format, const char *text);
unsigned int timestamp_width(const struct timestamp *stamp);
void timestamp_write(struct timestamp *stamp, struct out *out, __u64 time_ns);
__s64 wall_offset_ns(void);

#endif /* _TIMESTAMP_H */
