// SPDX-License-Identifier: GPL-2.0
/*
 * JSON lines; tcptrace-event.schema.json is their description.  A key that every
 * event has is null when there is nothing to tell, a key of one kind is absent
 * from the others.
 */
#include <arpa/inet.h>
#include <ctype.h>

#include "address.h"
#include "display.h"
#include "existing.h"
#include "names.h"
#include "vocabulary.h"

/* ,"name": as one string that is known when this is compiled */
#define KEY(out, name)	out_text(out, ",\"" name "\":")

static void json_name(struct out *out, const char *name)
{
	out_char(out, '"');
	out_text(out, name);
	out_char(out, '"');
}

static void json_null(struct out *out)
{
	out_text(out, "null");
}

static void json_name_or_null(struct out *out, const char *name, bool known)
{
	if (known)
		json_name(out, name);
	else
		json_null(out);
}

static void json_number_or_null(struct out *out, __u64 number, bool known)
{
	if (known)
		out_number(out, number);
	else
		json_null(out);
}

static void json_address(struct out *out, const struct tcptrace_event *event, const __u8 *bytes)
{
	if (!event->ip_version) {
		json_null(out);
		return;
	}
	out_char(out, '"');
	address_write(out, event->ip_version, bytes);
	out_char(out, '"');
}

static void json_tuple(struct out *out, const struct tcptrace_event *event)
{
	bool known = event->ip_version;

	KEY(out, "src_ip");
	json_address(out, event, event->initiator_addr);
	KEY(out, "src_port");
	json_number_or_null(out, ntohs(event->initiator_port), known);
	KEY(out, "dest_ip");
	json_address(out, event, event->responder_addr);
	KEY(out, "dest_port");
	json_number_or_null(out, ntohs(event->responder_port), known);
	KEY(out, "ip_version");
	json_number_or_null(out, event->ip_version, known);
	KEY(out, "proto");
	out_text(out, "\"TCP\"");
}

static void json_segment(struct out *out, const struct tcptrace_event *event)
{
	char flags[9];

	KEY(out, "sender");
	json_name_or_null(out, side_name(event->sender), event->sender);
	KEY(out, "flags");
	json_name(out, flags_text(event->tcp_flags, flags));
	KEY(out, "tcp_seq");
	out_number(out, event->tcp_seq);
	KEY(out, "tcp_ack");
	out_number(out, event->tcp_ack);
	KEY(out, "window");
	out_number(out, event->window);
	KEY(out, "payload_len");
	out_number(out, event->payload_len);
}

static void json_state(struct out *out, unsigned int state)
{
	json_name_or_null(out, state_name(state), state);
}

static void json_states(struct out *out, const struct tcptrace_event *event)
{
	KEY(out, "initiator_state");
	json_state(out, event->initiator_state);
	KEY(out, "responder_state");
	json_state(out, event->responder_state);
	KEY(out, "prev_initiator_state");
	json_state(out, event->prev_initiator_state);
	KEY(out, "prev_responder_state");
	json_state(out, event->prev_responder_state);
	KEY(out, "phase");
	json_name_or_null(out, phase_name(event->phase), event->phase);
}

static void json_iface(struct out *out, const struct tcptrace_event *event)
{
	unsigned int i;

	if (!event->iface[0]) {
		json_number_or_null(out, event->ifindex, event->ifindex);
		return;
	}
	out_char(out, '"');
	for (i = 0; i < sizeof(event->iface) && event->iface[i]; i++) {
		unsigned char c = event->iface[i];

		if (isgraph(c) && c != '"' && c != '\\') {
			out_char(out, c);
		} else {
			out_text(out, "\\u00");
			out_char(out, "0123456789abcdef"[c >> 4]);
			out_char(out, "0123456789abcdef"[c & 15]);
		}
	}
	out_char(out, '"');
}

static void json_place(struct out *out, const struct tcptrace_event *event)
{
	KEY(out, "netns");
	json_number_or_null(out, event->netns, event->netns);
	KEY(out, "iface");
	json_iface(out, event);
	KEY(out, "hook");
	json_name_or_null(out, hook_name(event->hook), event->hook);
}

static void json_options(struct out *out, const struct tcptrace_syn *syn)
{
	if (syn->options & TCPTRACE_OPT_MSS) {
		KEY(out, "mss");
		out_number(out, syn->mss);
	}
	if (syn->options & TCPTRACE_OPT_WSCALE) {
		KEY(out, "wscale");
		out_number(out, syn->wscale);
	}
	if (syn->options & TCPTRACE_OPT_SACK_OK)
		out_text(out, ",\"sack_ok\":true");
	if (syn->options & TCPTRACE_OPT_TIMESTAMPS)
		out_text(out, ",\"timestamps\":true");
	if (syn->options & TCPTRACE_OPT_FASTOPEN)
		out_text(out, ",\"fastopen\":true");
	if (syn->options & TCPTRACE_OPT_MALFORMED)
		out_text(out, ",\"malformed_options\":true");
}

static void json_latency(struct out *out, const struct tcptrace_event *event)
{
	const struct tcptrace_summary *summary = &event->summary;
	bool synack = event->known & TCPTRACE_KNOWN_SYNACK_US;
	bool ack = event->known & TCPTRACE_KNOWN_ACK_US;

	KEY(out, "synack_us");
	json_number_or_null(out, summary->synack_us, synack);
	KEY(out, "ack_us");
	json_number_or_null(out, summary->ack_us, ack);
	KEY(out, "handshake_us");
	json_number_or_null(out, (__u64)summary->synack_us + summary->ack_us, synack && ack);
	KEY(out, "syn_retrans");
	out_number(out, summary->syn_retrans);
	KEY(out, "synack_retrans");
	out_number(out, summary->synack_retrans);
}

static void json_summary(struct out *out, const struct tcptrace_event *event)
{
	const struct tcptrace_summary *summary = &event->summary;

	KEY(out, "handshake");
	json_name_or_null(out, handshake_name(summary->handshake), summary->handshake);
	KEY(out, "close");
	json_name(out, close_name(summary->close));
	KEY(out, "first_fin");
	json_name_or_null(out, side_name(summary->first_fin), summary->first_fin);
	json_latency(out, event);
	KEY(out, "duration_us");
	out_number(out, summary->duration_us);
	KEY(out, "bytes_toserver");
	out_number(out, summary->bytes[0]);
	KEY(out, "bytes_toclient");
	out_number(out, summary->bytes[1]);
	KEY(out, "pkts_toserver");
	out_number(out, summary->pkts[0]);
	KEY(out, "pkts_toclient");
	out_number(out, summary->pkts[1]);
}

static void json_vocabulary(struct out *out, const struct tcptrace_event *event)
{
	char text[ZEEK_HISTORY_SIZE];

	KEY(out, "zeek_conn_state");
	json_name(out, zeek_conn_state(event));
	KEY(out, "zeek_history");
	json_name(out, zeek_history(event, text));
	KEY(out, "completeness");
	out_number(out, completeness(event));
	KEY(out, "conntrack_state");
	json_name(out, conntrack_state(event));
}

static void json_icmp(struct out *out, const struct tcptrace_event *event)
{
	KEY(out, "icmp_type");
	out_number(out, event->icmp.type);
	KEY(out, "icmp_code");
	out_number(out, event->icmp.code);
	KEY(out, "icmp_name");
	json_name(out, icmp_name(event));
	KEY(out, "icmp_from");
	json_address(out, event, event->icmp.from);
}

static void json_kind(struct out *out, const struct tcptrace_event *event)
{
	switch (event->kind) {
	case TCPTRACE_EVENT_SYN:
	case TCPTRACE_EVENT_SYN_ACK:
		json_options(out, &event->syn);
		break;
	case TCPTRACE_EVENT_ESTABLISHED:
		json_latency(out, event);
		break;
	case TCPTRACE_EVENT_SNAPSHOT:
		if (existing_ends(event))
			out_text(out, ",\"complete\":true");
		else
			json_summary(out, event);
		break;
	case TCPTRACE_EVENT_END:
		json_summary(out, event);
		json_vocabulary(out, event);
		break;
	case TCPTRACE_EVENT_ICMP_ERROR:
		json_icmp(out, event);
		break;
	case TCPTRACE_EVENT_RETRANSMIT:
		KEY(out, "retransmit_count");
		out_number(out, event->retransmit.count);
		break;
	case TCPTRACE_EVENT_INVALID:
		KEY(out, "reason");
		json_name(out, reason_name(event->cause));
		if (has_icmp(event))
			json_icmp(out, event);
		break;
	case TCPTRACE_EVENT_TIMEOUT:
		KEY(out, "timer");
		json_name(out, timer_name(event->cause));
		break;
	case TCPTRACE_EVENT_LOST:
		KEY(out, "count");
		out_number(out, event->lost.count);
		break;
	}
}

static void json_event(struct display *display, const struct tcptrace_event *event)
{
	struct out *out = &display->out;

	out_text(out, "{\"timestamp\":\"");
	timestamp_write(&display->stamp, out, event->time_ns);
	out_text(out, "\",\"time_ns\":");
	out_number(out, event->time_ns);
	KEY(out, "seq");
	out_number(out, event->seq);
	KEY(out, "flow_id");
	json_number_or_null(out, event->flow_id, event->flow_id);
	out_text(out, ",\"event_type\":\"tcptrace\"");
	KEY(out, "event");
	json_name(out, kind_name(event->kind));
	json_tuple(out, event);
	json_segment(out, event);
	json_states(out, event);
	json_place(out, event);
	if (event->known & TCPTRACE_INITIATOR_GUESSED)
		out_text(out, ",\"initiator_guessed\":true");
	json_kind(out, event);
	out_char(out, '}');
	out_newline(out);
}

const struct formatter format_json = {
	.name = "json",
	.event = json_event,
};
