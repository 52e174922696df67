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

/* One option of @len bytes, kind and length included; a wrong length is no option. */
static void parse_option(struct segment *seg, const u8 *option, u8 len)
{
	struct tcptrace_syn *syn = &seg->syn;

	switch (option[0]) {
	case OPTION_MSS:
		if (len != 4)
			return;
		syn->mss = segment_read16(option + 2);
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
		if (len != 10)
			return;
		seg->tsval = segment_read32(option + 2);
		syn->options |= TCPTRACE_OPT_TIMESTAMPS;
		return;
	case OPTION_FASTOPEN:
		syn->options |= TCPTRACE_OPT_FASTOPEN;
		return;
	case OPTION_EXPERIMENT:
		if (len >= 4 && segment_read16(option + 2) == FASTOPEN_MAGIC)
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
			parse_option(seg, options, size);
		}
		options += size;
		len -= size;
	}
}
