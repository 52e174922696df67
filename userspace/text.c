// SPDX-License-Identifier: GPL-2.0
/*
 * The text for people, at most 80 columns for IPv4:
 *
 * TIME           FLOW EVENT       FLAGS    SEQ      ACK INITIATOR    RESPONDER
 * 12:00:01.000      1 10.0.0.1:43210 > 10.0.0.2:80
 * 12:00:01.000      1 SYN         >S         0        - SYN_SENT     LISTEN
 */
#include "existing.h"
#include "names.h"
#include "segment_text.h"
#include "sentence.h"

/* The columns of a line after the time. */
enum column {
	COLUMN_FLOW_END		= 6,
	COLUMN_EVENT		= 7,
	COLUMN_FLAGS		= 19,
	COLUMN_SEQ_END		= 32,
	COLUMN_ACK_END		= 41,
	COLUMN_INITIATOR	= 42,
	COLUMN_RESPONDER	= 55,
	COLUMN_END		= 67,
};

static void text_heading(struct display *display)
{
	struct out *out = &display->out;
	unsigned int base = display->base;

	if (base)
		out_text(out, "TIME");
	out_text_field(out, base + COLUMN_FLOW_END, "FLOW");
	out_field(out, base + COLUMN_EVENT);
	out_text(out, "EVENT");
	out_field(out, base + COLUMN_FLAGS);
	out_text(out, "FLAGS");
	out_text_field(out, base + COLUMN_SEQ_END, "SEQ");
	out_text_field(out, base + COLUMN_ACK_END, "ACK");
	out_field(out, base + COLUMN_INITIATOR);
	out_text(out, "INITIATOR");
	out_field(out, base + COLUMN_RESPONDER);
	out_text(out, "RESPONDER");
	out_newline(out);
}

/* Time and flow, with which every line but a continued one starts. */
static void start_line(struct display *display, const struct tcptrace_event *event)
{
	struct out *out = &display->out;
	unsigned int base = display->base;

	timestamp_write(&display->stamp, out, event->time_ns);
	if (event->flow_id)
		out_number_field(out, base + COLUMN_FLOW_END, event->flow_id);
	else
		out_text_field(out, base + COLUMN_FLOW_END, "-");
}

/* The first time that a flow is shown, who it is; without a flow each time. */
static void introduce_flow(struct display *display, const struct tcptrace_event *event)
{
	__u64 *shown = &display->shown[event->flow_id % SHOWN_FLOWS];

	if (!event->ip_version || (event->flow_id && *shown == event->flow_id))
		return;
	*shown = event->flow_id;
	start_line(display, event);
	out_field(&display->out, display->base + COLUMN_EVENT);
	endpoints_write(&display->out, event);
	if (event->known & TCPTRACE_INITIATOR_GUESSED)
		out_text(&display->out, " (guessed)");
	out_newline(&display->out);
}

static void write_numbers(struct display *display, const struct tcptrace_event *event)
{
	struct out *out = &display->out;
	unsigned int base = display->base;

	if (has_segment(event))
		out_number_field(out, base + COLUMN_SEQ_END, shown_seq(display, event));
	else
		out_text_field(out, base + COLUMN_SEQ_END, "-");
	if (event->tcp_flags & TCPTRACE_TCP_ACK)
		out_number_field(out, base + COLUMN_ACK_END, shown_ack(display, event));
	else
		out_text_field(out, base + COLUMN_ACK_END, "-");
}

/*
 * Numbers of ten digits push the states to the right; if that is too far, the
 * states go on a line of their own, under their headings.
 */
static void write_states(struct display *display, const struct tcptrace_event *event)
{
	const char *initiator = shown_state(event->initiator_state);
	const char *responder = shown_state(event->responder_state);
	struct out *out = &display->out;
	unsigned int base = display->base;

	if (out_column(out) + strlen(initiator) + strlen(responder) + 2 > base + COLUMN_END)
		out_newline(out);
	out_field(out, base + COLUMN_INITIATOR);
	out_text(out, initiator);
	out_field(out, base + COLUMN_RESPONDER);
	out_text(out, responder);
	out_newline(out);
}

static void write_row(struct display *display, const struct tcptrace_event *event)
{
	struct out *out = &display->out;

	out_field(out, display->base + COLUMN_FLAGS);
	flags_write(out, event);
	write_numbers(display, event);
	write_states(display, event);
}

static void write_sentence(struct display *display, const struct tcptrace_event *event,
			   unsigned int column)
{
	struct sentence sentence = {
		.out = &display->out,
		.indent = display->base + COLUMN_EVENT,
		.limit = display->base + COLUMN_END,
	};

	out_field(&display->out, display->base + column);
	sentence_write(&sentence, event);
	out_newline(&display->out);
}

/* What has no states or told them before; of the others they matter. */
static bool is_only_words(const struct tcptrace_event *event)
{
	return event->kind == TCPTRACE_EVENT_END || event->kind == TCPTRACE_EVENT_LOST ||
	       existing_ends(event);
}

static void text_event(struct display *display, const struct tcptrace_event *event)
{
	struct out *out = &display->out;

	introduce_flow(display, event);
	start_line(display, event);
	out_field(out, display->base + COLUMN_EVENT);
	kind_write(out, event->kind);
	if (is_only_words(event)) {
		write_sentence(display, event, COLUMN_FLAGS);
		return;
	}
	write_row(display, event);
	if (sentence_wanted(event))
		write_sentence(display, event, COLUMN_EVENT);
}

const struct formatter format_text = {
	.name = "text",
	.heading = text_heading,
	.event = text_event,
};
