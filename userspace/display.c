// SPDX-License-Identifier: GPL-2.0
#include "display.h"

/**
 * display_init - start a display
 * @display: the display
 * @formatter: the format
 * @fd: where it goes
 * @time: the format of times
 * @wall_offset_ns: what to add to the time of an event to get CLOCK_REALTIME
 */
void display_init(struct display *display, const struct formatter *formatter, int fd,
		  enum time_format time, __s64 wall_offset_ns)
{
	unsigned int width;

	timestamp_init(&display->stamp, time, wall_offset_ns);
	width = timestamp_width(&display->stamp);
	display->base = width ? width + 1 : 0;
	display->formatter = formatter;
	display->absolute = false;
	memset(display->shown, 0, sizeof(display->shown));
	out_open(&display->out, fd);
}

/**
 * display_heading - append what goes before all events
 * @display: the display
 */
void display_heading(struct display *display)
{
	if (display->formatter->heading)
		display->formatter->heading(display);
}

/**
 * display_event - append one event
 * @display: the display; a failed write is in its output's @error
 * @event: the event
 */
void display_event(struct display *display, const struct tcptrace_event *event)
{
	out_room(&display->out);
	display->formatter->event(display, event);
}
