/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DISPLAY_H
#define _DISPLAY_H

#include <linux/tcptrace.h>

#include "out.h"
#include "timestamp.h"

/* Flows whose addresses the text has shown; a colliding flow is shown again. */
#define SHOWN_FLOWS	4096

/**
 * struct display - where events are shown and how
 * @formatter: the format
 * @absolute: sequence numbers as on the wire, not from the ISN
 * @stamp: the time column
 * @base: where the columns behind the time start
 * @out: the output
 * @shown: by the last bits of its number the flow whose addresses were shown last
 */
struct display {
	const struct formatter *formatter;
	bool absolute;
	struct timestamp stamp;
	unsigned int base;
	struct out out;
	__u64 shown[SHOWN_FLOWS];
};

/**
 * struct formatter - one output format
 * @name: its name
 * @heading: appends what goes before all events; may be NULL
 * @event: appends one event, in at most OUT_ROOM bytes, with no allocation and
 *	no syscall
 */
struct formatter {
	const char *name;
	void (*heading)(struct display *display);
	void (*event)(struct display *display, const struct tcptrace_event *event);
};

extern const struct formatter format_text;
extern const struct formatter format_wide;
extern const struct formatter format_json;
extern const struct formatter format_raw;
extern const struct formatter format_flows;

void display_init(struct display *display, const struct formatter *formatter, int fd,
		  enum time_format time, __s64 wall_offset_ns);
void display_heading(struct display *display);
void display_event(struct display *display, const struct tcptrace_event *event);

#endif /* _DISPLAY_H */
