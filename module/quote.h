/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_QUOTE_H
#define _TCPTRACE_QUOTE_H

#include <linux/types.h>
#include <linux/tcptrace.h>

/* More of an ICMP message is not read: IPv6 extension headers may be long. */
#define QUOTE_MESSAGE_MAX	256

/* &quote.ends */
#define QUOTE_ENDS_SYN		0x01
#define QUOTE_ENDS_SYN_ACK	0x02

/**
 * struct quote - what an ICMP error tells of the TCP segment that caused it
 * @ip: the quoted IP header, in the message
 * @tcp: the quoted segment, in the message
 * @quoted: how many bytes of the segment are there, from 8
 * @len: how long the segment is by its IP header, from 0 to 65535
 * @source_port: host order
 * @dest_port: host order
 * @seq: sequence number of the segment
 * @type: ICMP or ICMPv6 type
 * @code: ICMP or ICMPv6 code
 * @ends: QUOTE_ENDS_*, what an endpoint gives up for this error, by what it had sent:
 *	its SYN, or the SYN+ACK that answers one
 * @unseen: this host made the error, perhaps of a segment that did not get as far as
 *	where segments are seen
 */
struct quote {
	const u8 *ip;
	const u8 *tcp;
	unsigned int quoted;
	u32	len;
	u16	source_port;
	u16	dest_port;
	u32	seq;
	u8	type;
	u8	code;
	u8	ends;
	bool	unseen;
};

/**
 * quote_parse_v4 - read an ICMP error, RFC 792
 * @quote: filled in, but for @unseen
 * @message: from the ICMP header on
 * @len: its length, 0 or more
 *
 * Errors are DEST_UNREACH, TIME_EXCEEDED and PARAMETERPROB.  REDIRECT and
 * SOURCE_QUENCH are none: the segment went on, and RFC 6633 says to ignore the
 * latter.  Of the segment the first 8 bytes have to be there, more need not.
 *
 * Return: false if it is no error, or does not quote the beginning of a segment.
 */
bool quote_parse_v4(struct quote *quote, const u8 *message, unsigned int len);

/**
 * quote_parse_v6 - read an ICMPv6 error, RFC 4443
 * @quote: filled in, but for @unseen
 * @message: from the ICMPv6 header on
 * @len: its length, 0 or more
 *
 * Errors are DEST_UNREACH, PKT_TOOBIG, TIME_EXCEED and PARAMPROB.
 *
 * Return: as quote_parse_v4().
 */
bool quote_parse_v6(struct quote *quote, const u8 *message, unsigned int len);

#endif /* _TCPTRACE_QUOTE_H */
