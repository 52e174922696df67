/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_NAMES_H
#define _TCPTRACE_NAMES_H

/*
 * The words for the numbers of the ABI, for every text and JSON output.  Pure:
 * shared by the module and the userspace tools.  Each function takes any number
 * and returns "unknown" for one that has no name.
 */

#include <linux/tcptrace.h>

static inline const char *name_of(const char *const names[], unsigned int count,
				  unsigned int number)
{
	return number < count && names[number] ? names[number] : "unknown";
}

#define NAME_OF(names, number) \
	name_of(names, sizeof(names) / sizeof((names)[0]), number)

static inline const char *kind_name(unsigned int kind)
{
	static const char *const names[] = {
		[TCPTRACE_EVENT_SYN]		= "syn",
		[TCPTRACE_EVENT_SYN_ACK]	= "syn_ack",
		[TCPTRACE_EVENT_ESTABLISHED]	= "established",
		[TCPTRACE_EVENT_FIN]		= "fin",
		[TCPTRACE_EVENT_FIN_ACKED]	= "fin_acked",
		[TCPTRACE_EVENT_RST]		= "rst",
		[TCPTRACE_EVENT_RETRANSMIT]	= "retransmit",
		[TCPTRACE_EVENT_INVALID]	= "invalid",
		[TCPTRACE_EVENT_ICMP_ERROR]	= "icmp_error",
		[TCPTRACE_EVENT_PICKUP]		= "pickup",
		[TCPTRACE_EVENT_REUSE]		= "reuse",
		[TCPTRACE_EVENT_TIMEOUT]	= "timeout",
		[TCPTRACE_EVENT_EVICT]		= "evict",
		[TCPTRACE_EVENT_END]		= "end",
		[TCPTRACE_EVENT_SNAPSHOT]	= "snapshot",
		[TCPTRACE_EVENT_LOST]		= "lost",
	};

	return NAME_OF(names, kind);
}

static inline const char *state_name(unsigned int state)
{
	static const char *const names[] = {
		[TCPTRACE_STATE_NONE]		= "NONE",
		[TCPTRACE_STATE_CLOSED]		= "CLOSED",
		[TCPTRACE_STATE_LISTEN]		= "LISTEN",
		[TCPTRACE_STATE_SYN_SENT]	= "SYN_SENT",
		[TCPTRACE_STATE_SYN_RECEIVED]	= "SYN_RECEIVED",
		[TCPTRACE_STATE_ESTABLISHED]	= "ESTABLISHED",
		[TCPTRACE_STATE_FIN_WAIT_1]	= "FIN_WAIT_1",
		[TCPTRACE_STATE_FIN_WAIT_2]	= "FIN_WAIT_2",
		[TCPTRACE_STATE_CLOSE_WAIT]	= "CLOSE_WAIT",
		[TCPTRACE_STATE_CLOSING]	= "CLOSING",
		[TCPTRACE_STATE_LAST_ACK]	= "LAST_ACK",
		[TCPTRACE_STATE_TIME_WAIT]	= "TIME_WAIT",
	};

	return NAME_OF(names, state);
}

static inline const char *phase_name(unsigned int phase)
{
	static const char *const names[] = {
		[TCPTRACE_PHASE_NONE]		= "NONE",
		[TCPTRACE_PHASE_HANDSHAKE]	= "HANDSHAKE",
		[TCPTRACE_PHASE_ESTABLISHED]	= "ESTABLISHED",
		[TCPTRACE_PHASE_TEARDOWN]	= "TEARDOWN",
		[TCPTRACE_PHASE_TIME_WAIT]	= "TIME_WAIT",
		[TCPTRACE_PHASE_CLOSED]		= "CLOSED",
	};

	return NAME_OF(names, phase);
}

static inline const char *side_name(unsigned int side)
{
	static const char *const names[] = {
		[TCPTRACE_SIDE_NONE]		= "none",
		[TCPTRACE_SIDE_INITIATOR]	= "initiator",
		[TCPTRACE_SIDE_RESPONDER]	= "responder",
	};

	return NAME_OF(names, side);
}

static inline const char *hook_name(unsigned int hook)
{
	static const char *const names[] = {
		[TCPTRACE_HOOK_NONE]		= "none",
		[TCPTRACE_HOOK_IN]		= "in",
		[TCPTRACE_HOOK_FORWARD]		= "forward",
		[TCPTRACE_HOOK_OUT]		= "out",
		[TCPTRACE_HOOK_INGRESS]		= "ingress",
	};

	return NAME_OF(names, hook);
}

static inline const char *reason_name(unsigned int reason)
{
	static const char *const names[] = {
		[TCPTRACE_REASON_NONE]		= "none",
		[TCPTRACE_REASON_TRUNCATED]	= "truncated",
		[TCPTRACE_REASON_BAD_OFFSET]	= "bad_offset",
		[TCPTRACE_REASON_BAD_CHECKSUM]	= "bad_checksum",
		[TCPTRACE_REASON_BAD_FLAGS]	= "bad_flags",
		[TCPTRACE_REASON_BAD_ACK]	= "bad_ack",
		[TCPTRACE_REASON_OUT_OF_WINDOW]	= "out_of_window",
		[TCPTRACE_REASON_UNEXPECTED_SYN] = "unexpected_syn",
		[TCPTRACE_REASON_OLD_DUPLICATE]	= "old_duplicate",
		[TCPTRACE_REASON_UNEXPECTED]	= "unexpected",
		[TCPTRACE_REASON_NO_FLOW]	= "no_flow",
		[TCPTRACE_REASON_BAD_QUOTE]	= "bad_quote",
		[TCPTRACE_REASON_BAD_ICMP_CHECKSUM] = "bad_icmp_checksum",
	};

	return NAME_OF(names, reason);
}

static inline const char *timer_name(unsigned int timer)
{
	static const char *const names[] = {
		[TCPTRACE_TIMER_NONE]		= "none",
		[TCPTRACE_TIMER_SYN]		= "syn",
		[TCPTRACE_TIMER_SYNACK]		= "synack",
		[TCPTRACE_TIMER_ESTABLISHED]	= "established",
		[TCPTRACE_TIMER_FIN_WAIT]	= "fin_wait",
		[TCPTRACE_TIMER_CLOSE_WAIT]	= "close_wait",
		[TCPTRACE_TIMER_LAST_ACK]	= "last_ack",
		[TCPTRACE_TIMER_TIME_WAIT]	= "time_wait",
		[TCPTRACE_TIMER_CLOSED]		= "closed",
	};

	return NAME_OF(names, timer);
}

static inline const char *handshake_name(unsigned int handshake)
{
	static const char *const names[] = {
		[TCPTRACE_HANDSHAKE_NONE]	 = "none",
		[TCPTRACE_HANDSHAKE_ESTABLISHED] = "established",
		[TCPTRACE_HANDSHAKE_REFUSED]	 = "refused",
		[TCPTRACE_HANDSHAKE_RESET]	 = "reset",
		[TCPTRACE_HANDSHAKE_UNREACHABLE] = "unreachable",
		[TCPTRACE_HANDSHAKE_NO_ANSWER]	 = "no_answer",
		[TCPTRACE_HANDSHAKE_HALF_OPEN]	 = "half_open",
		[TCPTRACE_HANDSHAKE_ABORTED]	 = "aborted",
		[TCPTRACE_HANDSHAKE_UNSEEN]	 = "unseen",
	};

	return NAME_OF(names, handshake);
}

static inline const char *close_name(unsigned int close)
{
	static const char *const names[] = {
		[TCPTRACE_CLOSE_NONE]			= "none",
		[TCPTRACE_CLOSE_ORDERLY]		= "orderly",
		[TCPTRACE_CLOSE_RESET_BY_INITIATOR]	= "reset_by_initiator",
		[TCPTRACE_CLOSE_RESET_BY_RESPONDER]	= "reset_by_responder",
		[TCPTRACE_CLOSE_IDLE_TIMEOUT]		= "idle_timeout",
		[TCPTRACE_CLOSE_EVICTED]		= "evicted",
		[TCPTRACE_CLOSE_FLUSHED]		= "flushed",
		[TCPTRACE_CLOSE_UNKNOWN]		= "unknown",
	};

	return NAME_OF(names, close);
}

static inline const char *icmp_v4_name(unsigned int type, unsigned int code)
{
	static const char *const unreachable[] = {	/* RFC 792, RFC 1122, RFC 1812 */
		[0]	= "net_unreachable",
		[1]	= "host_unreachable",
		[2]	= "protocol_unreachable",
		[3]	= "port_unreachable",
		[4]	= "fragmentation_needed",
		[5]	= "source_route_failed",
		[6]	= "net_unknown",
		[7]	= "host_unknown",
		[8]	= "host_isolated",
		[9]	= "net_prohibited",
		[10]	= "host_prohibited",
		[11]	= "net_unreachable_for_tos",
		[12]	= "host_unreachable_for_tos",
		[13]	= "administratively_prohibited",
		[14]	= "precedence_violation",
		[15]	= "precedence_cutoff",
	};

	switch (type) {
	case 3:
		return NAME_OF(unreachable, code);
	case 11:
		return code == 1 ? "reassembly_time_exceeded" : "time_exceeded";
	case 12:
		return "parameter_problem";
	}
	return "unknown";
}

static inline const char *icmp_v6_name(unsigned int type, unsigned int code)
{
	static const char *const unreachable[] = {	/* RFC 4443 section 3.1 */
		[0]	= "no_route",
		[1]	= "administratively_prohibited",
		[2]	= "beyond_scope",
		[3]	= "address_unreachable",
		[4]	= "port_unreachable",
		[5]	= "source_address_failed_policy",
		[6]	= "route_rejected",
		[7]	= "source_route_failed",
	};

	switch (type) {
	case 1:
		return NAME_OF(unreachable, code);
	case 2:
		return "packet_too_big";
	case 3:
		return code == 1 ? "reassembly_time_exceeded" : "time_exceeded";
	case 4:
		return "parameter_problem";
	}
	return "unknown";
}

/* What an ICMP error says. */
static inline const char *icmp_name(const struct tcptrace_event *event)
{
	return event->ip_version == 6 ? icmp_v6_name(event->icmp.type, event->icmp.code) :
					icmp_v4_name(event->icmp.type, event->icmp.code);
}

/* Was it an ICMP error, valid or not, that caused the event? */
static inline int has_icmp(const struct tcptrace_event *event)
{
	return event->kind == TCPTRACE_EVENT_ICMP_ERROR ||
	       (event->kind == TCPTRACE_EVENT_INVALID &&
		(event->cause == TCPTRACE_REASON_BAD_QUOTE ||
		 event->cause == TCPTRACE_REASON_BAD_ICMP_CHECKSUM));
}

/**
 * flags_text - TCP flags as letters in the order S F R P A U E C
 * @flags: TCPTRACE_TCP_*
 * @text: receives the letters and a zero byte, at most 9 bytes
 *
 * Return: @text
 */
static inline char *flags_text(unsigned int flags, char text[9])
{
	static const struct {
		__u8 bit;
		char letter;
	} order[] = {
		{ TCPTRACE_TCP_SYN, 'S' }, { TCPTRACE_TCP_FIN, 'F' },
		{ TCPTRACE_TCP_RST, 'R' }, { TCPTRACE_TCP_PSH, 'P' },
		{ TCPTRACE_TCP_ACK, 'A' }, { TCPTRACE_TCP_URG, 'U' },
		{ TCPTRACE_TCP_ECE, 'E' }, { TCPTRACE_TCP_CWR, 'C' },
	};
	unsigned int i;
	char *p = text;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (flags & order[i].bit)
			*p++ = order[i].letter;
	*p = '\0';
	return text;
}

#endif /* _TCPTRACE_NAMES_H */
