// SPDX-License-Identifier: GPL-2.0
/*
 * The events as they are: a recording.
 */
#include "display.h"
#include "recording.h"

static void raw_heading(struct display *display)
{
	recording_write_header(&display->out, display->stamp.offset_ns);
}

static void raw_event(struct display *display, const struct tcptrace_event *event)
{
	struct out *out = &display->out;

	memcpy(out->buffer + out->len, event, sizeof(*event));
	out->len += sizeof(*event);
}

const struct formatter format_raw = {
	.name = "raw",
	.heading = raw_heading,
	.event = raw_event,
};
