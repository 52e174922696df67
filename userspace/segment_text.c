// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>

#include "address.h"
#include "names.h"
#include "segment_text.h"

/**
 * has_segment - did a segment cause the event, not a timer or a request
 * @event: the event
 *
 * Return: whether its flags and numbers mean something
 */
bool has_segment(const struct tcptrace_event *event)
{
	return event->hook != TCPTRACE_HOOK_NONE;
}

static __u32 from_initiator_isn(const struct tcptrace_event *event, __u32 number)
{
	return event->known & TCPTRACE_KNOWN_INITIATOR_ISN ? number - event->initiator_isn : number;
}

static __u32 from_responder_isn(const struct tcptrace_event *event, __u32 number)
{
	return event->known & TCPTRACE_KNOWN_RESPONDER_ISN ? number - event->responder_isn : number;
}

/**
 * shown_seq - the sequence number as it is shown
 * @display: how
 * @event: the event
 *
 * Return: relative to the sender's ISN if that is known and wanted
 */
__u32 shown_seq(const struct display *display, const struct tcptrace_event *event)
{
	if (display->absolute || event->sender == TCPTRACE_SIDE_NONE)
		return event->tcp_seq;
	return event->sender == TCPTRACE_SIDE_INITIATOR ?
	       from_initiator_isn(event, event->tcp_seq) :
	       from_responder_isn(event, event->tcp_seq);
}

/**
 * shown_ack - the acknowledgment number as it is shown
 * @display: how
 * @event: the event
 *
 * Return: relative to the ISN of the sender's peer if that is known and wanted
 */
__u32 shown_ack(const struct display *display, const struct tcptrace_event *event)
{
	if (display->absolute || event->sender == TCPTRACE_SIDE_NONE)
		return event->tcp_ack;
	return event->sender == TCPTRACE_SIDE_INITIATOR ?
	       from_responder_isn(event, event->tcp_ack) :
	       from_initiator_isn(event, event->tcp_ack);
}

/**
 * shown_state - the name of a state
 * @state: &enum tcptrace_state
 *
 * Return: its name, or "-" if the event has no flow
 */
const char *shown_state(unsigned int state)
{
	return state == TCPTRACE_STATE_NONE ? "-" : state_name(state);
}

/**
 * flags_write - append who sent the segment and its flags, ">SA"
 * @out: the output
 * @event: the event
 */
void flags_write(struct out *out, const struct tcptrace_event *event)
{
	char text[9];

	if (!has_segment(event) && !event->tcp_flags) {
		out_char(out, '-');
		return;
	}
	if (event->sender == TCPTRACE_SIDE_INITIATOR)
		out_char(out, '>');
	else if (event->sender == TCPTRACE_SIDE_RESPONDER)
		out_char(out, '<');
	flags_text(event->tcp_flags, text);
	out_text(out, text[0] ? text : "-");
}

/**
 * kind_write - append the kind in capitals
 * @out: the output
 * @kind: &enum tcptrace_kind
 */
void kind_write(struct out *out, unsigned int kind)
{
	const char *p;

	for (p = kind_name(kind); *p; p++)
		out_char(out, *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
}

/**
 * endpoints_write - append "initiator > responder"
 * @out: the output
 * @event: the event
 */
void endpoints_write(struct out *out, const struct tcptrace_event *event)
{
	if (!event->ip_version) {
		out_text(out, "- > -");
		return;
	}
	endpoint_write(out, event->ip_version, event->initiator_addr, event->initiator_port);
	out_text(out, " > ");
	endpoint_write(out, event->ip_version, event->responder_addr, event->responder_port);
}

/**
 * iface_write - append the interface: its name, or its index, or "-"
 * @out: the output
 * @event: the event
 */
void iface_write(struct out *out, const struct tcptrace_event *event)
{
	unsigned int i;

	for (i = 0; i < sizeof(event->iface) && event->iface[i]; i++)
		out_char(out, isgraph((unsigned char)event->iface[i]) ? event->iface[i] : '?');
	if (!i && event->ifindex)
		out_number(out, event->ifindex);
	else if (!i)
		out_char(out, '-');
}
