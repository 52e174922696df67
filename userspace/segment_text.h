/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SEGMENT_TEXT_H
#define _SEGMENT_TEXT_H

/*
 * The parts of an event that the narrow and the wide text have in common.
 */

#include "display.h"

bool has_segment(const struct tcptrace_event *event);
__u32 shown_seq(const struct display *display, const struct tcptrace_event *event);
__u32 shown_ack(const struct display *display, const struct tcptrace_event *event);
const char *shown_state(unsigned int state);
void flags_write(struct out *out, const struct tcptrace_event *event);
void kind_write(struct out *out, unsigned int kind);
void endpoints_write(struct out *out, const struct tcptrace_event *event);
void iface_write(struct out *out, const struct tcptrace_event *event);

#endif /* _SEGMENT_TEXT_H */
