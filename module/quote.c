// SPDX-License-Identifier: GPL-2.0
#include "quote.h"
#include "segment.h"

#define ICMP_HEADER	8
#define IPV4_HEADER_MIN	20
#define IPV6_HEADER	40
#define TCP_START	8	/* ports and sequence number, which RFC 792 promises */

enum {
	NEXT_HOP_BY_HOP		= 0,
	NEXT_TCP		= 6,
	NEXT_ROUTING		= 43,
	NEXT_FRAGMENT		= 44,
	NEXT_AUTHENTICATION	= 51,
	NEXT_DESTINATION	= 60,
};

enum {
	V4_UNREACHABLE		= 3,
	V4_TIME_EXCEEDED	= 11,
	V4_PARAMETER_PROBLEM	= 12,

	V4_NET_UNREACHABLE	= 0,
	V4_HOST_UNREACHABLE	= 1,
	V4_FRAGMENTATION_NEEDED	= 4,
	V4_UNREACHABLE_LAST	= 15,

	V4_REASSEMBLY		= 1,	/* of TIME_EXCEEDED */
};

enum {
	V6_UNREACHABLE		= 1,
	V6_PACKET_TOO_BIG	= 2,
	V6_TIME_EXCEEDED	= 3,
	V6_PARAMETER_PROBLEM	= 4,

	V6_NO_ROUTE		= 0,
	V6_BEYOND_SCOPE		= 2,
	V6_ADDRESS_UNREACHABLE	= 3,
};

/*
 * What Linux gives up, as its tcp_v4_err(), tcp_v6_err() and tcp_req_err() do.  Who
 * waits for the answer to a SYN is told of any error, so that connect() need not go on
 * (RFC 1122 section 4.2.3.9, RFC 5461 section 4).  Who has answered one goes on waiting
 * unless the error is clear; which ones are differs by the version of IP.  That a packet
 * is too big never is the end of anything: RFC 1191, RFC 8201.
 */
static u8 ends_v4(u8 type, u8 code)
{
	switch (type) {
	case V4_UNREACHABLE:
		if (code == V4_FRAGMENTATION_NEEDED || code > V4_UNREACHABLE_LAST)
			return 0;
		if (code == V4_NET_UNREACHABLE || code == V4_HOST_UNREACHABLE)
			return QUOTE_ENDS_SYN | QUOTE_ENDS_SYN_ACK;
		return QUOTE_ENDS_SYN;
	case V4_TIME_EXCEEDED:
		if (code == V4_REASSEMBLY)
			return 0;
		return QUOTE_ENDS_SYN | QUOTE_ENDS_SYN_ACK;
	}
	return QUOTE_ENDS_SYN | QUOTE_ENDS_SYN_ACK;
}

static u8 ends_v6(u8 type, u8 code)
{
	switch (type) {
	case V6_PACKET_TOO_BIG:
		return 0;
	case V6_TIME_EXCEEDED:
		return QUOTE_ENDS_SYN;
	case V6_UNREACHABLE:
		if (code == V6_NO_ROUTE || code == V6_BEYOND_SCOPE ||
		    code == V6_ADDRESS_UNREACHABLE)
			return QUOTE_ENDS_SYN;
	}
	return QUOTE_ENDS_SYN | QUOTE_ENDS_SYN_ACK;
}

/* @len and @headers: of the IP packet, as its header tells, and of what precedes @tcp */
static void read_tcp(struct quote *quote, const u8 *tcp, const u8 *end, u32 len, u32 headers)
{
	quote->len = len > headers ? len - headers : 0;
	quote->tcp = tcp;
	quote->quoted = end - tcp;
	quote->source_port = segment_read16(tcp);
	quote->dest_port = segment_read16(tcp + 2);
	quote->seq = segment_read32(tcp + 4);
}

static bool start(struct quote *quote, const u8 *message, unsigned int len,
		  unsigned int ip_header)
{
	if (len < ICMP_HEADER + ip_header)
		return false;
	*quote = (struct quote){
		.ip	= message + ICMP_HEADER,
		.type	= message[0],
		.code	= message[1],
	};
	return true;
}

bool quote_parse_v4(struct quote *quote, const u8 *message, unsigned int len)
{
	unsigned int header;
	const u8 *ip;

	if (!start(quote, message, len, IPV4_HEADER_MIN))
		return false;
	if (quote->type != V4_UNREACHABLE && quote->type != V4_TIME_EXCEEDED &&
	    quote->type != V4_PARAMETER_PROBLEM)
		return false;
	ip = quote->ip;
	header = (ip[0] & 0x0f) * 4;
	if (ip[0] >> 4 != 4 || header < IPV4_HEADER_MIN || len < ICMP_HEADER + header + TCP_START)
		return false;
	if (ip[9] != NEXT_TCP || segment_read16(ip + 6) & 0x1fff)	/* fragment offset */
		return false;
	read_tcp(quote, ip + header, message + len, segment_read16(ip + 2), header);
	quote->ends = ends_v4(quote->type, quote->code);
	return true;
}

/* The length of an IPv6 extension header, which has at least 8 bytes; 0 if it is none. */
static unsigned int extension_len(u8 number, const u8 *header)
{
	switch (number) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_DESTINATION:
		return (header[1] + 1) * 8;
	case NEXT_AUTHENTICATION:	/* RFC 4302 section 2.2 */
		return (header[1] + 2) * 4;
	case NEXT_FRAGMENT:
		return segment_read16(header + 2) & 0xfff8 ? 0 : 8;	/* fragment offset */
	}
	return 0;
}

bool quote_parse_v6(struct quote *quote, const u8 *message, unsigned int len)
{
	unsigned int at = ICMP_HEADER + IPV6_HEADER, size;
	u8 next;

	if (!start(quote, message, len, IPV6_HEADER))
		return false;
	if (quote->type < V6_UNREACHABLE || quote->type > V6_PARAMETER_PROBLEM ||
	    quote->ip[0] >> 4 != 6)
		return false;
	for (next = quote->ip[6]; len >= at + TCP_START; at += size) {
		if (next == NEXT_TCP) {
			read_tcp(quote, message + at, message + len,
				 IPV6_HEADER + segment_read16(quote->ip + 4), at - ICMP_HEADER);
			quote->ends = ends_v6(quote->type, quote->code);
			return true;
		}
		size = extension_len(next, message + at);
		if (!size)
			return false;
		next = message[at];
	}
	return false;
}
