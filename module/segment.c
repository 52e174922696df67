// SPDX-License-Identifier: GPL-2.0
#include "segment.h"

enum {
	OPTION_END		= 0,
	OPTION_NOP		= 1,
	OPTION_MSS		= 2,
	OPTION_WSCALE		= 3,
	OPTION_SACK_OK		= 4,
	OPTION_TIMESTAMPS	= 8,
	OPTION_FASTOPEN		= 34,
	OPTION_EXPERIMENT	= 254,
};

#define WSCALE_MAX		14	/* RFC 7323 section 2.3 */
#define FASTOPEN_MAGIC		0xf989	/* RFC 6994 as used before RFC 7413 */

static u16 read16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static u32 read32(const u8 *p)
{
	return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

enum tcptrace_reason segment_parse(struct segment *seg, const u8 *header, u32 len)
{
	*seg = (struct segment){};
	if (len < SEGMENT_HEADER_MIN)
		return TCPTRACE_REASON_TRUNCATED;

	seg->seq	= read32(header + 4);
	seg->ack	= read32(header + 8);
	seg->header_len	= (header[12] >> 4) * 4;
	seg->flags	= header[13];
	seg->window	= read16(header + 14);
	if (seg->header_len < SEGMENT_HEADER_MIN || seg->header_len > len)
		return TCPTRACE_REASON_BAD_OFFSET;

	seg->payload_len = len - seg->header_len;
	return TCPTRACE_REASON_NONE;
}

/* One option of @len bytes, kind and length included; a wrong length is no option. */
static void parse_option(struct tcptrace_syn *syn, const u8 *option, u8 len)
{
	switch (option[0]) {
	case OPTION_MSS:
		if (len != 4)
			return;
		syn->mss = read16(option + 2);
		syn->options |= TCPTRACE_OPT_MSS;
		return;
	case OPTION_WSCALE:
		if (len != 3)
			return;
		syn->wscale = option[2] < WSCALE_MAX ? option[2] : WSCALE_MAX;
		syn->options |= TCPTRACE_OPT_WSCALE;
		return;
	case OPTION_SACK_OK:
		if (len == 2)
			syn->options |= TCPTRACE_OPT_SACK_OK;
		return;
	case OPTION_TIMESTAMPS:
		if (len == 10)
			syn->options |= TCPTRACE_OPT_TIMESTAMPS;
		return;
	case OPTION_FASTOPEN:
		syn->options |= TCPTRACE_OPT_FASTOPEN;
		return;
	case OPTION_EXPERIMENT:
		if (len >= 4 && read16(option + 2) == FASTOPEN_MAGIC)
			syn->options |= TCPTRACE_OPT_FASTOPEN;
		return;
	}
}

void segment_parse_options(struct segment *seg, const u8 *options, unsigned int len)
{
	while (len && options[0] != OPTION_END) {
		u8 size = 1;

		if (options[0] != OPTION_NOP) {
			if (len < 2 || options[1] < 2 || options[1] > len) {
				seg->syn.options |= TCPTRACE_OPT_MALFORMED;
				return;
			}
			size = options[1];
			parse_option(&seg->syn, options, size);
		}
		options += size;
		len -= size;
	}
}
