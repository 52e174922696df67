// SPDX-License-Identifier: GPL-2.0
/*
 * A list of flows, at most 80 columns for IPv4:
 *
 *   FLOW INITIATOR > RESPONDER               STATES                  AGE   >B   <B
 *      1 10.0.0.1:43210 > 10.0.0.2:80        ESTABLISHED            5.2m 1.2K  34M
 *      2 10.0.0.1:43212 > 10.0.0.2:80        FIN_WAIT_2/CLOSE_WAIT   12s   77    0
 */
#include <stdio.h>

#include "segment_text.h"

/* The columns of a line; numbers end where the comment of the list says. */
enum column {
	COLUMN_FLOW_END		= 6,
	COLUMN_ENDPOINTS	= 7,
	COLUMN_STATES		= 43,
	COLUMN_STATES_END	= 65,
	COLUMN_AGE_END		= 70,
	COLUMN_INITIATOR_END	= 75,
	COLUMN_RESPONDER_END	= 80,
};

/**
 * struct unit - what a number is told in from some size on
 * @size: how many of the number it is
 * @name: a letter, or nothing
 */
struct unit {
	__u64 size;
	const char *name;
};

/* Of microseconds, of bytes: from the largest to the smallest, then none. */
static const struct unit ages[] = {
	{ 86400000000ULL, "d" }, { 3600000000ULL, "h" }, { 60000000, "m" }, { 1000000, "s" }, { }
};

static const struct unit volumes[] = {
	{ 1000000000000000000ULL, "E" }, { 1000000000000000ULL, "P" }, { 1000000000000ULL, "T" },
	{ 1000000000, "G" }, { 1000000, "M" }, { 1000, "K" }, { 1, "" }, { }
};

/* In at most four columns but for 1000 days: of a few units a decimal too. */
static void write_number(struct out *out, unsigned int end, __u64 number, const struct unit *unit)
{
	unsigned long long whole, tenths;
	char text[32];

	while (number < unit->size && unit[1].size)
		unit++;
	whole = number / unit->size;
	tenths = number % unit->size * 10 / unit->size;
	if (whole < 10 && unit[1].size)
		snprintf(text, sizeof(text), "%llu.%llu%s", whole, tenths, unit->name);
	else
		snprintf(text, sizeof(text), "%llu%s", whole, unit->name);
	out_text_field(out, end, text);
}

static void flows_heading(struct display *display)
{
	struct out *out = &display->out;

	out_text_field(out, COLUMN_FLOW_END, "FLOW");
	out_field(out, COLUMN_ENDPOINTS);
	out_text(out, "INITIATOR > RESPONDER");
	out_field(out, COLUMN_STATES);
	out_text(out, "STATES");
	out_text_field(out, COLUMN_AGE_END, "AGE");
	out_text_field(out, COLUMN_INITIATOR_END, ">B");
	out_text_field(out, COLUMN_RESPONDER_END, "<B");
	out_newline(out);
}

/* Two that are the same are told once; what does not fit goes to a line of its own. */
static void write_states(struct out *out, const struct tcptrace_event *event)
{
	const char *initiator = shown_state(event->initiator_state);
	const char *responder = shown_state(event->responder_state);
	bool same = event->initiator_state == event->responder_state;
	unsigned int len = strlen(initiator) + (same ? 0 : 1 + strlen(responder));
	unsigned int column = COLUMN_STATES_END - len;

	if (out_column(out) >= column)
		out_newline(out);
	out_field(out, column < COLUMN_STATES ? column : COLUMN_STATES);
	out_text(out, initiator);
	if (!same) {
		out_char(out, '/');
		out_text(out, responder);
	}
}

static void flows_event(struct display *display, const struct tcptrace_event *event)
{
	const struct tcptrace_summary *summary = &event->summary;
	struct out *out = &display->out;

	if (event->kind != TCPTRACE_EVENT_SNAPSHOT || !event->flow_id)
		return;
	out_number_field(out, COLUMN_FLOW_END, event->flow_id);
	out_field(out, COLUMN_ENDPOINTS);
	endpoints_write(out, event);
	write_states(out, event);
	write_number(out, COLUMN_AGE_END, summary->duration_us, ages);
	write_number(out, COLUMN_INITIATOR_END, summary->bytes[0], volumes);
	write_number(out, COLUMN_RESPONDER_END, summary->bytes[1], volumes);
	out_newline(out);
}

const struct formatter format_flows = {
	.name = "flows",
	.heading = flows_heading,
	.event = flows_event,
};
