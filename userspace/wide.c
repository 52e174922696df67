// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that an event holds on one line.
 */
#include "names.h"
#include "segment_text.h"
#include "sentence.h"

/* The columns of a line after the time; numbers end where the comment says. */
enum column {
	COLUMN_NUMBER_END	= 8,
	COLUMN_FLOW_END		= 15,
	COLUMN_EVENT		= 16,
	COLUMN_ENDPOINTS	= 28,
	COLUMN_FLAGS		= 74,
	COLUMN_SEQ_END		= 90,
	COLUMN_ACK_END		= 101,
	COLUMN_WINDOW_END	= 108,
	COLUMN_LEN_END		= 115,
	COLUMN_INITIATOR	= 116,
	COLUMN_RESPONDER	= 129,
	COLUMN_BEFORE		= 142,
	COLUMN_PHASE		= 168,
	COLUMN_HOOK		= 180,
	COLUMN_IFACE		= 188,
	COLUMN_NETNS_END	= 215,
	COLUMN_DETAILS		= 216,
};

static const struct {
	unsigned int column;
	bool right;
	const char *title;
} headings[] = {
	{ COLUMN_NUMBER_END, true, "NUMBER" },
	{ COLUMN_FLOW_END, true, "FLOW" },
	{ COLUMN_EVENT, false, "EVENT" },
	{ COLUMN_ENDPOINTS, false, "INITIATOR > RESPONDER" },
	{ COLUMN_FLAGS, false, "FLAGS" },
	{ COLUMN_SEQ_END, true, "SEQ" },
	{ COLUMN_ACK_END, true, "ACK" },
	{ COLUMN_WINDOW_END, true, "WINDOW" },
	{ COLUMN_LEN_END, true, "LEN" },
	{ COLUMN_INITIATOR, false, "INITIATOR" },
	{ COLUMN_RESPONDER, false, "RESPONDER" },
	{ COLUMN_BEFORE, false, "BEFORE" },
	{ COLUMN_PHASE, false, "PHASE" },
	{ COLUMN_HOOK, false, "HOOK" },
	{ COLUMN_IFACE, false, "IFACE" },
	{ COLUMN_NETNS_END, true, "NETNS" },
	{ COLUMN_DETAILS, false, "DETAILS" },
};

static void wide_heading(struct display *display)
{
	unsigned int base = display->base;
	struct out *out = &display->out;
	unsigned int i, column;

	if (base)
		out_text(out, "TIME");
	for (i = 0; i < sizeof(headings) / sizeof(headings[0]); i++) {
		column = base + headings[i].column;
		if (headings[i].right)
			column -= strlen(headings[i].title);
		out_field(out, column);
		out_text(out, headings[i].title);
	}
	out_newline(out);
}

static void number_or_dash(struct out *out, unsigned int end, __u64 number, bool known)
{
	if (known) {
		out_number_field(out, end, number);
	} else {
		out_field(out, end - 1);
		out_char(out, '-');
	}
}

static void write_identity(struct display *display, const struct tcptrace_event *event,
			   unsigned int base)
{
	struct out *out = &display->out;

	timestamp_write(&display->stamp, out, event->time_ns);
	out_number_field(out, base + COLUMN_NUMBER_END, event->seq);
	number_or_dash(out, base + COLUMN_FLOW_END, event->flow_id, event->flow_id);
	out_field(out, base + COLUMN_EVENT);
	kind_write(out, event->kind);
	out_field(out, base + COLUMN_ENDPOINTS);
	endpoints_write(out, event);
}

static void write_segment(struct display *display, const struct tcptrace_event *event,
			  unsigned int base)
{
	bool ack = event->tcp_flags & TCPTRACE_TCP_ACK;
	struct out *out = &display->out;
	bool segment = has_segment(event);
	bool whole = segment && !has_icmp(event);

	out_field(out, base + COLUMN_FLAGS);
	flags_write(out, event);
	number_or_dash(out, base + COLUMN_SEQ_END, shown_seq(display, event), segment);
	number_or_dash(out, base + COLUMN_ACK_END, shown_ack(display, event), ack);
	number_or_dash(out, base + COLUMN_WINDOW_END, event->window, whole);
	number_or_dash(out, base + COLUMN_LEN_END, event->payload_len, whole);
}

static void write_states(struct out *out, const struct tcptrace_event *event, unsigned int base)
{
	out_field(out, base + COLUMN_INITIATOR);
	out_text(out, shown_state(event->initiator_state));
	out_field(out, base + COLUMN_RESPONDER);
	out_text(out, shown_state(event->responder_state));
	out_field(out, base + COLUMN_BEFORE);
	out_text(out, shown_state(event->prev_initiator_state));
	out_char(out, '/');
	out_text(out, shown_state(event->prev_responder_state));
	out_field(out, base + COLUMN_PHASE);
	out_text(out, event->phase ? phase_name(event->phase) : "-");
}

static void write_place(struct out *out, const struct tcptrace_event *event, unsigned int base)
{
	out_field(out, base + COLUMN_HOOK);
	out_text(out, event->hook ? hook_name(event->hook) : "-");
	out_field(out, base + COLUMN_IFACE);
	iface_write(out, event);
	number_or_dash(out, base + COLUMN_NETNS_END, event->netns, event->netns);
}

static void write_details(struct out *out, const struct tcptrace_event *event)
{
	struct sentence sentence = { .out = out, .full = true };
	bool syn = event->kind == TCPTRACE_EVENT_SYN || event->kind == TCPTRACE_EVENT_SYN_ACK;

	if (syn && event->syn.options) {
		out_char(out, ' ');
		sentence_write_options(&sentence, event);
	} else if (sentence_wanted(event)) {
		out_char(out, ' ');
		sentence_write(&sentence, event);
	}
}

static void wide_event(struct display *display, const struct tcptrace_event *event)
{
	unsigned int base = display->base;
	struct out *out = &display->out;

	write_identity(display, event, base);
	write_segment(display, event, base);
	write_states(out, event, base);
	write_place(out, event, base);
	write_details(out, event);
	out_newline(out);
}

const struct formatter format_wide = {
	.name = "wide",
	.heading = wide_heading,
	.event = wide_event,
};
