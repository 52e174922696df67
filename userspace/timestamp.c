// SPDX-License-Identifier: GPL-2.0
#include "timestamp.h"

#define NSEC_PER_SEC	1000000000LL
#define NSEC_PER_MSEC	1000000LL

/* No second of any event: forces the first one to be formatted. */
#define NO_SECOND	((time_t)-1)

/**
 * timestamp_init - start
 * @stamp: the timestamp
 * @format: the format
 * @offset_ns: CLOCK_REALTIME less CLOCK_MONOTONIC
 */
void timestamp_init(struct timestamp *stamp, enum time_format format, __s64 offset_ns)
{
	memset(stamp, 0, sizeof(*stamp));
	stamp->format = format;
	stamp->offset_ns = offset_ns;
	stamp->second = NO_SECOND;
}

/**
 * time_format_parse - read the name of a format
 * @format: receives it
 * @text: its name
 *
 * Return: whether there is such a format
 */
bool time_format_parse(enum time_format *format, const char *text)
{
	static const char *const names[] = {
		[TIME_WALL] = "wall", [TIME_NONE] = "none", [TIME_RELATIVE] = "rel",
		[TIME_RFC3339] = "rfc3339", [TIME_EPOCH] = "epoch",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i], text)) {
			*format = i;
			return true;
		}
	}
	return false;
}

/**
 * timestamp_width - how many columns a timestamp takes
 * @stamp: the timestamp
 *
 * Return: the columns, without the space behind
 */
unsigned int timestamp_width(const struct timestamp *stamp)
{
	static const unsigned char widths[] = {
		[TIME_WALL] = 12, [TIME_NONE] = 0, [TIME_RELATIVE] = 12,
		[TIME_RFC3339] = 30, [TIME_EPOCH] = 20,
	};

	return widths[stamp->format];
}

/* Format the whole seconds anew, if they are not the last event's. */
static void update_second(struct timestamp *stamp, time_t second)
{
	struct tm tm;

	if (second == stamp->second)
		return;
	stamp->second = second;
	if (stamp->format == TIME_WALL) {
		localtime_r(&second, &tm);
		stamp->text_len = strftime(stamp->text, sizeof(stamp->text), "%H:%M:%S.", &tm);
	} else {
		gmtime_r(&second, &tm);
		stamp->text_len = strftime(stamp->text, sizeof(stamp->text),
					   "%Y-%m-%dT%H:%M:%S.", &tm);
	}
}

static void write_second(struct timestamp *stamp, struct out *out, time_t second)
{
	update_second(stamp, second);
	memcpy(out->buffer + out->len, stamp->text, stamp->text_len);
	out->len += stamp->text_len;
}

/* Events of two processors may be microseconds out of order: so the sign. */
static void write_relative(struct timestamp *stamp, struct out *out, __u64 time_ns)
{
	unsigned int digits;
	bool before;
	__u64 ns;

	if (!stamp->started) {
		stamp->started = true;
		stamp->start_ns = time_ns;
	}
	before = time_ns < stamp->start_ns;
	ns = before ? stamp->start_ns - time_ns : time_ns - stamp->start_ns;
	ns /= 1000;
	digits = digits_of(ns / 1000000);
	out_pad(out, digits < 4 ? 4 - digits : 0);
	out_char(out, before ? '-' : ' ');
	out_number(out, ns / 1000000);
	out_char(out, '.');
	out_digits(out, ns % 1000000, 6);
}

/**
 * timestamp_write - append the time of an event
 * @stamp: the timestamp
 * @out: the output
 * @time_ns: CLOCK_MONOTONIC
 */
void timestamp_write(struct timestamp *stamp, struct out *out, __u64 time_ns)
{
	__u64 wall_ns = time_ns + stamp->offset_ns;
	time_t second = wall_ns / NSEC_PER_SEC;
	__u64 ns = wall_ns % NSEC_PER_SEC;

	switch (stamp->format) {
	case TIME_WALL:
		write_second(stamp, out, second);
		out_digits(out, ns / NSEC_PER_MSEC, 3);
		break;
	case TIME_RFC3339:
		write_second(stamp, out, second);
		out_digits(out, ns, 9);
		out_char(out, 'Z');
		break;
	case TIME_EPOCH:
		out_number(out, second);
		out_char(out, '.');
		out_digits(out, ns, 9);
		break;
	case TIME_RELATIVE:
		write_relative(stamp, out, time_ns);
		break;
	case TIME_NONE:
		break;
	}
}

static __s64 clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/**
 * wall_offset_ns - what to add to CLOCK_MONOTONIC to get CLOCK_REALTIME
 *
 * Return: nanoseconds
 */
__s64 wall_offset_ns(void)
{
	return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
}
