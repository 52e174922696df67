// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/time64.h>
#include "names.h"
#include "text.h"

/*
 * Every put_ function writes at @p and returns what follows; the longest possible
 * line fits TEXT_LINE_MAX, so none looks for room.  printf would cost as much as all
 * the rest of an event.
 */

/* A string constant. */
#define PUT(p, text) ({					\
	char *_p = (p);					\
							\
	memcpy(_p, text, sizeof(text) - 1);		\
	_p + sizeof(text) - 1;				\
})

static char *put(char *p, const char *text)
{
	while (*text)
		*p++ = *text++;
	return p;
}

/* The two digits of a number below 100. */
static char *put_pair(char *p, u32 number)
{
	p[0] = '0' + number / 10;
	p[1] = '0' + number % 10;
	return p + 2;
}

static char *put_u32(char *p, u32 number)
{
	unsigned int digits = 1;
	u64 power = 10;
	char *end;

	for (; number >= power; power *= 10)
		digits++;
	end = p + digits;
	for (p = end; number >= 100; number /= 100) {
		p -= 2;
		put_pair(p, number % 100);
	}
	if (number >= 10)
		put_pair(p - 2, number);
	else
		p[-1] = '0' + number;
	return end;
}

static char *put_number(char *p, u64 number)
{
	u32 low, pair;

	/* most are small, and 32-bit machines have no cheap 64-bit division */
	if (number <= U32_MAX)
		return put_u32(p, number);
	p = put_number(p, div_u64_rem(number, 100000000, &low));
	for (pair = 1000000; pair; pair /= 100)
		p = put_pair(p, low / pair % 100);
	return p;
}

/* A constant, as " seq=", and a number. */
#define PUT_FIELD(p, name, number)	put_number(PUT(p, name), number)

/* A number of thousandths, as units and three decimals. */
static char *put_milli(char *p, u64 milli)
{
	u32 rest;

	p = put_number(p, div_u64_rem(milli, 1000, &rest));
	*p++ = '.';
	*p++ = '0' + rest / 100;
	return put_pair(p, rest % 100);
}

static char *put_address(char *p, u8 ip_version, const u8 *addr)
{
	int i;

	if (ip_version == 6)
		return p + sprintf(p, "[%pI6c]", addr);
	for (i = 0; i < 4; i++) {
		p = put_u32(p, addr[i]);
		*p++ = '.';
	}
	return p - 1;
}

static char *put_endpoint(char *p, u8 ip_version, const u8 *addr, __be16 port)
{
	p = put_address(p, ip_version, addr);
	*p++ = ':';
	return put_u32(p, ntohs(port));
}

static char *put_tuple(char *p, const struct tcptrace_event *event)
{
	p = put_endpoint(p, event->ip_version, event->initiator_addr, event->initiator_port);
	p = put(p, event->sender == TCPTRACE_SIDE_INITIATOR ? " > " :
		   event->sender == TCPTRACE_SIDE_RESPONDER ? " < " : " - ");
	return put_endpoint(p, event->ip_version, event->responder_addr, event->responder_port);
}

static char *put_segment(char *p, const struct tcptrace_event *event)
{
	char flags[9];

	if (!has_icmp(event)) {
		*p++ = ' ';
		p = put(p, flags_text(event->tcp_flags, flags));
	}
	p = PUT_FIELD(p, " seq=", event->tcp_seq);
	if (event->tcp_flags & TCPTRACE_TCP_ACK)
		p = PUT_FIELD(p, " ack=", event->tcp_ack);
	return event->payload_len ? PUT_FIELD(p, " len=", event->payload_len) : p;
}

static char *put_states(char *p, const struct tcptrace_event *event)
{
	*p++ = ' ';
	p = put(p, state_name(event->initiator_state));
	*p++ = '/';
	return put(p, state_name(event->responder_state));
}

static char *put_options(char *p, const struct tcptrace_syn *syn)
{
	if (syn->options & TCPTRACE_OPT_MSS)
		p = PUT_FIELD(p, " mss=", syn->mss);
	if (syn->options & TCPTRACE_OPT_WSCALE)
		p = PUT_FIELD(p, " wscale=", syn->wscale);
	if (syn->options & TCPTRACE_OPT_SACK_OK)
		p = PUT(p, " sack_ok");
	if (syn->options & TCPTRACE_OPT_TIMESTAMPS)
		p = PUT(p, " timestamps");
	if (syn->options & TCPTRACE_OPT_FASTOPEN)
		p = PUT(p, " fastopen");
	if (syn->options & TCPTRACE_OPT_MALFORMED)
		p = PUT(p, " malformed_options");
	return p;
}

static char *put_latency(char *p, const struct tcptrace_event *event)
{
	const struct tcptrace_summary *summary = &event->summary;

	/* to the SYN+ACK, and from there to the ACK */
	if (event->known & TCPTRACE_KNOWN_SYNACK_US)
		p = put_milli(PUT(p, " handshake_ms="), summary->synack_us);
	if (event->known & TCPTRACE_KNOWN_ACK_US)
		p = put_milli(PUT(p, "+"), summary->ack_us);
	if (summary->syn_retrans)
		p = PUT_FIELD(p, " syn_retrans=", summary->syn_retrans);
	if (summary->synack_retrans)
		p = PUT_FIELD(p, " synack_retrans=", summary->synack_retrans);
	return p;
}

static char *put_end(char *p, const struct tcptrace_event *event)
{
	const struct tcptrace_summary *summary = &event->summary;

	p = put(PUT(p, " handshake="), handshake_name(summary->handshake));
	p = put(PUT(p, " close="), close_name(summary->close));
	if (summary->first_fin)
		p = put(PUT(p, " first_fin="), side_name(summary->first_fin));
	p = put_milli(PUT(p, " duration_ms="), summary->duration_us);
	p = put_latency(p, event);
	p = PUT_FIELD(p, " bytes=", summary->bytes[0]);
	p = PUT_FIELD(p, "/", summary->bytes[1]);
	p = PUT_FIELD(p, " pkts=", summary->pkts[0]);
	return PUT_FIELD(p, "/", summary->pkts[1]);
}

static char *put_icmp(char *p, const struct tcptrace_event *event)
{
	p = PUT_FIELD(p, " icmp=", event->icmp.type);
	p = PUT_FIELD(p, "/", event->icmp.code);
	*p++ = ' ';
	p = put(p, icmp_name(event));
	return put_address(PUT(p, " from="), event->ip_version, event->icmp.from);
}

static char *put_part(char *p, const struct tcptrace_event *event)
{
	switch (event->kind) {
	case TCPTRACE_EVENT_SYN:
	case TCPTRACE_EVENT_SYN_ACK:
		return put_options(p, &event->syn);
	case TCPTRACE_EVENT_ESTABLISHED:
		return put_latency(p, event);
	case TCPTRACE_EVENT_RETRANSMIT:
		return PUT_FIELD(p, " count=", event->retransmit.count);
	case TCPTRACE_EVENT_INVALID:
		p = put(PUT(p, " reason="), reason_name(event->cause));
		return has_icmp(event) ? put_icmp(p, event) : p;
	case TCPTRACE_EVENT_TIMEOUT:
		return put(PUT(p, " timer="), timer_name(event->cause));
	case TCPTRACE_EVENT_ICMP_ERROR:
		return put_icmp(p, event);
	case TCPTRACE_EVENT_END:
	case TCPTRACE_EVENT_SNAPSHOT:
		return put_end(p, event);
	}
	return p;
}

size_t text_event(char line[TEXT_LINE_MAX], const struct tcptrace_event *event)
{
	char *p = PUT_FIELD(line, "#", event->seq);

	*p++ = ' ';
	p = put(p, kind_name(event->kind));
	if (event->kind == TCPTRACE_EVENT_LOST) {
		p = PUT_FIELD(p, " count=", event->lost.count);
	} else if (event->kind == TCPTRACE_EVENT_SNAPSHOT && !event->flow_id) {
		p = PUT(p, " complete");
	} else {
		p = PUT_FIELD(p, " flow=", event->flow_id);
		*p++ = ' ';
		p = put_tuple(p, event);
		if (event->sender && event->kind != TCPTRACE_EVENT_END)
			p = put_segment(p, event);
		p = put_states(p, event);
		p = put_part(p, event);
		if (event->known & TCPTRACE_INITIATOR_GUESSED)
			p = PUT(p, " initiator_guessed");
	}
	*p = '\0';
	return p - line;
}

size_t text_time(char *line, u64 time_ns)
{
	u32 ns, us, unit;
	u64 seconds = div_u64_rem(time_ns, NSEC_PER_SEC, &ns);
	char *p = line;

	*p++ = '[';
	for (unit = 10000; unit > 1 && seconds < unit; unit /= 10)
		*p++ = ' ';
	p = put_number(p, seconds);
	*p++ = '.';
	us = ns / NSEC_PER_USEC;
	p = put_pair(p, us / 10000);
	p = put_pair(p, us / 100 % 100);
	p = put_pair(p, us % 100);
	*p++ = ']';
	*p++ = ' ';
	return p - line;
}

size_t text_endpoint(char *line, u8 ip_version, const void *addr, __be16 port)
{
	return put_endpoint(line, ip_version, addr, port) - line;
}
