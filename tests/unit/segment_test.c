// SPDX-License-Identifier: GPL-2.0
/* segment.c: every field, every length, every option. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "segment.h"
#include "unit.h"

/* What stands in the way of a wrong read: no byte twice. */
static const u8 header[SEGMENT_HEADER_MIN] = {
	0x01, 0x02, 0x03, 0x04,		/* ports */
	0x89, 0xab, 0xcd, 0xef,		/* sequence number */
	0xfe, 0xdc, 0xba, 0x98,		/* acknowledgment number */
	0x50, 0x12, 0xa5, 0x5a,		/* offset 5, SYN+ACK, window */
	0x21, 0x22, 0x23, 0x24,		/* checksum, urgent pointer */
};

static void fields(void **state)
{
	struct segment seg;

	(void)state;
	memset(&seg, 0xff, sizeof(seg));
	assert_int_equal(segment_parse(&seg, header, 1234), TCPTRACE_REASON_NONE);
	assert_int_equal(seg.seq, 0x89abcdef);
	assert_int_equal(seg.ack, 0xfedcba98);
	assert_int_equal(seg.window, 0xa55a);
	assert_int_equal(seg.flags, TCPTRACE_TCP_SYN | TCPTRACE_TCP_ACK);
	assert_int_equal(seg.header_len, 20);
	assert_int_equal(seg.payload_len, 1214);
	assert_int_equal(seg.syn.mss, 0);
	assert_int_equal(seg.syn.wscale, 0);
	assert_int_equal(seg.syn.options, 0);
}

static void unaligned_header(void **state)
{
	u8 buffer[SEGMENT_HEADER_MIN + 1];
	struct segment seg;

	(void)state;
	memcpy(buffer + 1, header, sizeof(header));
	assert_int_equal(segment_parse(&seg, buffer + 1, 20), TCPTRACE_REASON_NONE);
	assert_int_equal(seg.seq, 0x89abcdef);
	assert_int_equal(seg.ack, 0xfedcba98);
}

static void all_flags(void **state)
{
	u8 copy[SEGMENT_HEADER_MIN];
	struct segment seg;
	unsigned int flags;

	(void)state;
	memcpy(copy, header, sizeof(copy));
	for (flags = 0; flags < 256; flags++) {
		copy[13] = flags;
		assert_int_equal(segment_parse(&seg, copy, 20), TCPTRACE_REASON_NONE);
		assert_int_equal(seg.flags, flags);
	}
}

/* The four bits behind the offset are reserved: ignored, RFC 9293 section 3.1. */
static void reserved_bits(void **state)
{
	u8 copy[SEGMENT_HEADER_MIN];
	struct segment seg;

	(void)state;
	memcpy(copy, header, sizeof(copy));
	copy[12] = 0x5f;
	assert_int_equal(segment_parse(&seg, copy, 20), TCPTRACE_REASON_NONE);
	assert_int_equal(seg.header_len, 20);
	assert_int_equal(seg.payload_len, 0);
}

static void truncated(void **state)
{
	struct segment seg;
	u32 len;

	(void)state;
	for (len = 0; len < SEGMENT_HEADER_MIN; len++)	/* NULL: must not be read */
		assert_int_equal(segment_parse(&seg, NULL, len), TCPTRACE_REASON_TRUNCATED);
}

/* Every offset with every length around it, and the longest. */
static void offset(void **state)
{
	u8 copy[SEGMENT_HEADER_MIN];
	struct segment seg;
	unsigned int words;
	u32 len;

	(void)state;
	memcpy(copy, header, sizeof(copy));
	for (words = 0; words < 16; words++) {
		copy[12] = words << 4;
		for (len = 20; len < 70; len++) {
			bool good = words >= 5 && words * 4 <= len;

			assert_int_equal(segment_parse(&seg, copy, len),
					 good ? TCPTRACE_REASON_NONE : TCPTRACE_REASON_BAD_OFFSET);
			assert_int_equal(seg.seq, 0x89abcdef);
			assert_int_equal(seg.ack, 0xfedcba98);
			assert_int_equal(seg.window, 0xa55a);
			assert_int_equal(seg.flags, 0x12);
			assert_int_equal(seg.header_len, words * 4);
			assert_int_equal(seg.payload_len, good ? len - words * 4 : 0);
		}
	}
	copy[12] = 0xf0;
	assert_int_equal(segment_parse(&seg, copy, 0xffffffff), TCPTRACE_REASON_NONE);
	assert_int_equal(seg.payload_len, 0xffffffff - 60);
}

/*
 * Options
 */

struct options_case {
	const char *name;
	struct {
		const char *text;
		unsigned int len;
	} bytes;
	u8 options;
	u16 mss;
	u8 wscale;
};

#define OPTIONS(text)	{ text, sizeof(text) - 1 }
#define MSS		TCPTRACE_OPT_MSS
#define WSCALE		TCPTRACE_OPT_WSCALE
#define SACK_OK		TCPTRACE_OPT_SACK_OK
#define TIMESTAMPS	TCPTRACE_OPT_TIMESTAMPS
#define FASTOPEN	TCPTRACE_OPT_FASTOPEN
#define MALFORMED	TCPTRACE_OPT_MALFORMED
#define TS_BYTES	"\x08\x0a\x11\x12\x13\x14\0\0\0\0"

static const struct options_case options_cases[] = {
	{ "none", OPTIONS(""), 0, 0, 0 },
	{ "mss", OPTIONS("\x02\x04\x05\xb4"), MSS, 1460, 0 },
	{ "mss: 0", OPTIONS("\x02\x04\x00\x00"), MSS, 0, 0 },
	{ "mss: 65535", OPTIONS("\x02\x04\xff\xff"), MSS, 65535, 0 },
	{ "wscale", OPTIONS("\x03\x03\x07"), WSCALE, 0, 7 },
	{ "wscale: 0", OPTIONS("\x03\x03\x00"), WSCALE, 0, 0 },
	{ "wscale: 14", OPTIONS("\x03\x03\x0e"), WSCALE, 0, 14 },
	{ "wscale: 15 counts as 14, RFC 7323 2.3", OPTIONS("\x03\x03\x0f"), WSCALE, 0, 14 },
	{ "wscale: 255 counts as 14", OPTIONS("\x03\x03\xff"), WSCALE, 0, 14 },
	{ "sack permitted", OPTIONS("\x04\x02"), SACK_OK, 0, 0 },
	{ "timestamps", OPTIONS(TS_BYTES), TIMESTAMPS, 0, 0 },
	{ "fastopen: request", OPTIONS("\x22\x02"), FASTOPEN, 0, 0 },
	{ "fastopen: cookie", OPTIONS("\x22\x0a\x63ookie!!"), FASTOPEN, 0, 0 },
	{ "fastopen: experimental request", OPTIONS("\xfe\x04\xf9\x89"), FASTOPEN, 0, 0 },
	{ "fastopen: experimental cookie", OPTIONS("\xfe\x0c\xf9\x89\x63ookie!!"), FASTOPEN,
	  0, 0 },
	{ "experiment: another", OPTIONS("\xfe\x04\xf9\x88"), 0, 0, 0 },
	{ "experiment: too short for its number", OPTIONS("\xfe\x03\xf9"), 0, 0, 0 },
	{ "experiment: no number", OPTIONS("\xfe\x02\xf9\x89"), MALFORMED, 0, 0 },
	{ "Linux", OPTIONS("\x02\x04\x05\xb4\x04\x02" TS_BYTES "\x01\x03\x03\x0a"),
	  MSS | SACK_OK | TIMESTAMPS | WSCALE, 1460, 10 },
	{ "all", OPTIONS("\x02\x04\x01\x02\x04\x02" TS_BYTES "\x03\x03\x01\x22\x02"),
	  MSS | SACK_OK | TIMESTAMPS | WSCALE | FASTOPEN, 0x102, 1 },
	{ "any order", OPTIONS("\x03\x03\x05" TS_BYTES "\x02\x04\x05\xb4"),
	  MSS | TIMESTAMPS | WSCALE, 1460, 5 },
	{ "the last one counts", OPTIONS("\x02\x04\x05\xb4\x02\x04\x02\x18"), MSS, 536, 0 },
	{ "only NOPs", OPTIONS("\x01\x01\x01\x01"), 0, 0, 0 },
	{ "NOPs around", OPTIONS("\x01\x01\x02\x04\x05\xb4\x01\x03\x03\x02\x01"), MSS | WSCALE,
	  1460, 2 },
	{ "END then options", OPTIONS("\x03\x03\x03\x00\x02\x04\x05\xb4"), WSCALE, 0, 3 },
	{ "END then garbage", OPTIONS("\x04\x02\x00\xff\x00\xff\x01"), SACK_OK, 0, 0 },
	{ "only END", OPTIONS("\x00"), 0, 0, 0 },
	{ "unknown kinds are passed over", OPTIONS("\x1e\x04\xaa\xbb\xfd\x02\x02\x04\x05\xb4"),
	  MSS, 1460, 0 },
	{ "unknown kind, 40 bytes",
	  OPTIONS("\x1e\x28\x61\x62\x63\x64\x65\x66ghijklmnopqrstuvwxyz0123456789//"),
	  0, 0, 0 },

	{ "length 0", OPTIONS("\x02\x00\x05\xb4"), MALFORMED, 0, 0 },
	{ "length 1", OPTIONS("\x02\x01\x05\xb4"), MALFORMED, 0, 0 },
	{ "length 0, unknown kind", OPTIONS("\x1e\x00\x01\x01"), MALFORMED, 0, 0 },
	{ "length 1, unknown kind", OPTIONS("\x1e\x01\x01\x01"), MALFORMED, 0, 0 },
	{ "length past the end by 1", OPTIONS("\x02\x05\x05\xb4"), MALFORMED, 0, 0 },
	{ "length 255", OPTIONS("\x02\xff\x05\xb4"), MALFORMED, 0, 0 },
	{ "no room for the length", OPTIONS("\x02"), MALFORMED, 0, 0 },
	{ "no room for the length, last", OPTIONS("\x04\x02\x01\x03"), SACK_OK | MALFORMED, 0, 0 },
	{ "cut short", OPTIONS("\x02\x04\x05"), MALFORMED, 0, 0 },
	{ "what stood before counts", OPTIONS("\x02\x04\x05\xb4\x03\x00\x04\x02"), MSS | MALFORMED,
	  1460, 0 },

	{ "mss of 3 bytes", OPTIONS("\x02\x03\x05\x04\x02"), SACK_OK, 0, 0 },
	{ "mss of 5 bytes", OPTIONS("\x02\x05\x05\xb4\x01\x04\x02"), SACK_OK, 0, 0 },
	{ "mss of 2 bytes", OPTIONS("\x02\x02\x04\x02"), SACK_OK, 0, 0 },
	{ "wscale of 2 bytes", OPTIONS("\x03\x02\x04\x02"), SACK_OK, 0, 0 },
	{ "wscale of 4 bytes", OPTIONS("\x03\x04\x07\x07\x04\x02"), SACK_OK, 0, 0 },
	{ "sack permitted of 3 bytes", OPTIONS("\x04\x03\x01\x03\x03\x01"), WSCALE, 0, 1 },
	{ "timestamps of 9 bytes",
	  OPTIONS("\x08\x09\x11\x12\x13\x14\0\0\0\x04\x02"), SACK_OK, 0, 0 },
	{ "timestamps of 11 bytes", OPTIONS("\x08\x0b\x11\x12\x13\x14\0\0\0\0\0\x04\x02"), SACK_OK,
	  0, 0 },
	{ "timestamps of 2 bytes", OPTIONS("\x08\x02"), 0, 0, 0 },
};

static void options(void **state)
{
	const struct options_case *c = *state;
	struct segment seg = {};
	/* of its exact size, so that ASan sees a read past the end */
	u8 *bytes = malloc(c->bytes.len + !c->bytes.len);

	assert_non_null(bytes);
	memcpy(bytes, c->bytes.text, c->bytes.len);
	segment_parse_options(&seg, bytes, c->bytes.len);
	assert_int_equal(seg.syn.options, c->options);
	assert_int_equal(seg.syn.mss, c->mss);
	assert_int_equal(seg.syn.wscale, c->wscale);
	assert_int_equal(seg.tsval, c->options & TIMESTAMPS ? 0x11121314 : 0);
	free(bytes);
}

/* Any bytes, any length: terminates, reads nothing else, and wscale is sane. */
static void options_random(void **state)
{
	u32 random = 1, n;

	(void)state;
	for (n = 0; n < 200000; n++) {
		static const u8 kinds[] = { 0, 1, 2, 3, 4, 8, 34, 254 };
		struct segment seg = {};
		unsigned int i, len = n % 41;
		u8 *bytes = malloc(len + !len);

		assert_non_null(bytes);
		for (i = 0; i < len; i++) {
			random = random * 1664525 + 1013904223;
			bytes[i] = random >> 24;
			if (random & 0x10000)
				bytes[i] = random & 0x20000 ? bytes[i] % 12 : kinds[bytes[i] % 8];
		}
		segment_parse_options(&seg, bytes, len);
		assert_true(seg.syn.wscale <= 14);
		assert_true(seg.syn.options & MSS || !seg.syn.mss);
		assert_true(seg.syn.options & WSCALE || !seg.syn.wscale);
		free(bytes);
	}
}

/*
 * Sequence numbers
 */

static void end_of_segment(void **state)
{
	struct segment seg = { .seq = 1000, .payload_len = 10, .flags = TCPTRACE_TCP_ACK };

	(void)state;
	assert_int_equal(segment_end(&seg), 1010);
	seg.flags = TCPTRACE_TCP_SYN;
	assert_int_equal(segment_end(&seg), 1011);
	seg.flags = TCPTRACE_TCP_FIN | TCPTRACE_TCP_ACK;
	assert_int_equal(segment_end(&seg), 1011);
	seg.flags = TCPTRACE_TCP_FIN | TCPTRACE_TCP_SYN;
	assert_int_equal(segment_end(&seg), 1012);
	seg.flags = TCPTRACE_TCP_RST;
	assert_int_equal(segment_end(&seg), 1010);
	seg.seq = 0xfffffff8;
	seg.flags = TCPTRACE_TCP_FIN | TCPTRACE_TCP_ACK;
	assert_int_equal(segment_end(&seg), 3);
}

/* Around every base, the wrap included: the answer depends on the distance alone. */
static void comparisons(void **state)
{
	static const u32 bases[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		u32 b = bases[i];

		assert_true(seq_before(b, b + 1));
		assert_false(seq_before(b + 1, b));
		assert_false(seq_before(b, b));
		assert_true(seq_before(b, b + 0x7fffffff));
		assert_false(seq_before(b + 0x7fffffff, b));

		assert_true(seq_between(b, b, b));
		assert_true(seq_between(b, b, b + 10));
		assert_true(seq_between(b, b + 5, b + 10));
		assert_true(seq_between(b, b + 10, b + 10));
		assert_false(seq_between(b, b + 11, b + 10));
		assert_false(seq_between(b, b - 1, b + 10));
		assert_false(seq_between(b, b + 1, b));
		assert_false(seq_between(b, b + 0x80000000, b + 10));
	}
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(options_cases) + 9] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(unaligned_header),
		cmocka_unit_test(all_flags),
		cmocka_unit_test(reserved_bits),
		cmocka_unit_test(truncated),
		cmocka_unit_test(offset),
		cmocka_unit_test(options_random),
		cmocka_unit_test(end_of_segment),
		cmocka_unit_test(comparisons),
	};
	static char names[ARRAY_SIZE(options_cases)][64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(options_cases); i++) {
		snprintf(names[i], sizeof(names[i]), "options: %s", options_cases[i].name);
		tests[9 + i] = (struct CMUnitTest){
			.name		= names[i],
			.test_func	= options,
			.initial_state	= (void *)&options_cases[i],
		};
	}
	return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
