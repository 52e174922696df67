// SPDX-License-Identifier: GPL-2.0
/* A segment, an ICMP and an ICMPv6 message of any bytes. */
#include <string.h>
#include "fuzz.h"
#include "quote.h"
#include "segment.h"

#define OPTIONS_MAX	40

static void parse_segment(const uint8_t *data, size_t size)
{
	struct segment seg;
	enum tcptrace_reason reason = segment_parse(&seg, data, size);

	must((reason == TCPTRACE_REASON_TRUNCATED) == (size < SEGMENT_HEADER_MIN));
	if (reason)
		return;
	must(seg.header_len >= SEGMENT_HEADER_MIN && seg.header_len + seg.payload_len == size);
	segment_parse_options(&seg, data + SEGMENT_HEADER_MIN,
			      seg.header_len - SEGMENT_HEADER_MIN);
	must(seg.syn.wscale <= 14);
}

/* Options of any length from 0 to 40, which no header of ours announces. */
static void parse_options(const uint8_t *data, size_t size)
{
	struct segment seg = {};

	segment_parse_options(&seg, data, size < OPTIONS_MAX ? size : OPTIONS_MAX);
}

static void check_quote(const struct quote *quote, const uint8_t *data, size_t size)
{
	must(quote->ip >= data && quote->tcp > quote->ip);
	must(quote->tcp + quote->quoted <= data + size);
	must(quote->quoted >= 8 && quote->len <= 65535);
	must(quote->source_port == (quote->tcp[0] << 8 | quote->tcp[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quote quote = {};

	if (size > 65535)
		return 0;
	parse_segment(data, size);
	parse_options(data, size);
	if (quote_parse_v4(&quote, data, size))
		check_quote(&quote, data, size);
	memset(&quote, 0, sizeof(quote));
	if (quote_parse_v6(&quote, data, size))
		check_quote(&quote, data, size);
	return 0;
}
