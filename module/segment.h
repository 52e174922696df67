/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_SEGMENT_H
#define _TCPTRACE_SEGMENT_H

#include <linux/types.h>
#include <linux/tcptrace.h>

#define SEGMENT_HEADER_MIN	20
#define SEGMENT_HEADER_MAX	60

#define SEGMENT_CHECKSUM	16	/* offset in the header */

#define SEGMENT_CONTROL		(TCPTRACE_TCP_SYN | TCPTRACE_TCP_FIN | TCPTRACE_TCP_RST)

/**
 * struct segment - one TCP segment as parsed, in host byte order
 * @seq: sequence number
 * @ack: acknowledgment number; means nothing without the ACK flag
 * @payload_len: bytes after the header
 * @window: as on the wire, not scaled
 * @flags: TCPTRACE_TCP_*
 * @header_len: 20 to 60 bytes, options included
 * @tsval: its timestamp, if @syn.options has %TCPTRACE_OPT_TIMESTAMPS
 * @syn: the options of a SYN, or of a FIN
 */
struct segment {
	u32	seq;
	u32	ack;
	u32	payload_len;
	u16	window;
	u8	flags;
	u8	header_len;
	u32	tsval;
	struct tcptrace_syn syn;
};

/* From network order, anywhere. */
static inline u16 segment_read16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static inline u32 segment_read32(const u8 *p)
{
	return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/**
 * segment_parse - read the fixed part of a TCP header, RFC 9293 section 3.1
 * @seg: filled in; after BAD_OFFSET everything but @payload_len holds
 * @header: the first %SEGMENT_HEADER_MIN bytes of the segment
 * @len: length of the segment, header and payload, as the IP layer gives it;
 *	may be less than %SEGMENT_HEADER_MIN, then @header is not read
 *
 * Return: %TCPTRACE_REASON_NONE, or why the segment is not one: TRUNCATED or
 * BAD_OFFSET.
 */
static inline enum tcptrace_reason segment_parse(struct segment *seg, const u8 *header, u32 len)
{
	if (len < SEGMENT_HEADER_MIN) {
		*seg = (struct segment){};
		return TCPTRACE_REASON_TRUNCATED;
	}
	*seg = (struct segment){
		.seq		= segment_read32(header + 4),
		.ack		= segment_read32(header + 8),
		.header_len	= (header[12] >> 4) * 4,
		.flags		= header[13],
		.window		= segment_read16(header + 14),
	};
	if (seg->header_len < SEGMENT_HEADER_MIN || seg->header_len > len)
		return TCPTRACE_REASON_BAD_OFFSET;

	seg->payload_len = len - seg->header_len;
	return TCPTRACE_REASON_NONE;
}

/**
 * segment_parse_options - read the options of a SYN or FIN into @seg->syn
 * @seg: parsed by segment_parse()
 * @options: what follows the fixed header
 * @len: their length, 0 to 40 bytes
 *
 * As a receiver does, takes what stands before the first malformed option and
 * ignores the rest (%TCPTRACE_OPT_MALFORMED).  RFC 9293 section 3.2, RFC 7323
 * sections 2.2 and 3.2, RFC 2018 section 2, RFC 7413 section 4.1.1.
 */
void segment_parse_options(struct segment *seg, const u8 *options, unsigned int len);

/* Sequence numbers are compared modulo 2^32, RFC 9293 section 3.4. */
static inline bool seq_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool seq_between(u32 low, u32 seq, u32 high)
{
	return high - low >= seq - low;
}

/* The number of a FIN, behind the payload. */
static inline u32 segment_fin(const struct segment *seg)
{
	return seg->seq + seg->payload_len;
}

/* The number that follows the last one the segment occupies. */
static inline u32 segment_end(const struct segment *seg)
{
	return seg->seq + seg->payload_len + !!(seg->flags & TCPTRACE_TCP_SYN) +
	       !!(seg->flags & TCPTRACE_TCP_FIN);
}

#endif /* _TCPTRACE_SEGMENT_H */
