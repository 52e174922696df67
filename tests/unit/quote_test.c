// SPDX-License-Identifier: GPL-2.0
/* quote.c: every type and code, every length, every header in between. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "quote.h"
#include "unit.h"

#define BOTH	(QUOTE_ENDS_SYN | QUOTE_ENDS_SYN_ACK)

static const u8 tcp[] = { 0x12, 0x34, 0x00, 0x50, 0x89, 0xab, 0xcd, 0xef };

/* An ICMP message under construction. */
struct message {
	u8 bytes[QUOTE_MESSAGE_MAX];
	unsigned int len;
};

static void add(struct message *message, const void *bytes, unsigned int len)
{
	assert_true(message->len + len <= sizeof(message->bytes));
	memcpy(message->bytes + message->len, bytes, len);
	message->len += len;
}

static struct message start(u8 type, u8 code)
{
	return (struct message){ .bytes = { type, code }, .len = 8 };
}

/* The IPv4 header of a segment, so many words long. */
static void add_v4(struct message *message, u8 words, u8 protocol, u16 fragment)
{
	u8 header[60] = {
		0x40 | words, [3] = 100, [6] = fragment >> 8, [7] = fragment, [9] = protocol,
		[12] = 10, 0, 1, 1, 10, 0, 2, 1,
	};

	add(message, header, words * 4);
}

static void add_v6(struct message *message, u8 next)
{
	u8 header[40] = {
		0x60, [5] = 100, [6] = next, [8] = 0xfd, [23] = 1, [24] = 0xfd, [39] = 2,
	};

	add(message, header, sizeof(header));
}

static struct message whole_v4(u8 type, u8 code)
{
	struct message message = start(type, code);

	add_v4(&message, 5, 6, 0);
	add(&message, tcp, sizeof(tcp));
	return message;
}

static struct message whole_v6(u8 type, u8 code)
{
	struct message message = start(type, code);

	add_v6(&message, 6);
	add(&message, tcp, sizeof(tcp));
	return message;
}

/* From a copy of exactly that size, so that a read beyond its end is found. */
static bool parse(bool v6, struct quote *quote, const struct message *message, unsigned int len)
{
	u8 *copy = malloc(len ? len : 1);
	bool parsed;

	memcpy(copy, message->bytes, len);
	memset(quote, 0xee, sizeof(*quote));
	parsed = v6 ? quote_parse_v6(quote, copy, len) : quote_parse_v4(quote, copy, len);
	if (parsed) {
		assert_ptr_equal(quote->ip, copy + 8);
		assert_ptr_equal(quote->tcp + quote->quoted, copy + len);
	}
	free(copy);
	return parsed;
}

static bool parse_v4(struct quote *quote, const struct message *message)
{
	return parse(false, quote, message, message->len);
}

static bool parse_v6(struct quote *quote, const struct message *message)
{
	return parse(true, quote, message, message->len);
}

/* Of a packet of 100 bytes, IPv6: behind its IP header; so many of them are headers. */
static void check_segment(const struct quote *quote, u32 headers)
{
	assert_int_equal(quote->quoted, sizeof(tcp));
	assert_int_equal(quote->len, 100 - headers);
	assert_int_equal(quote->source_port, 0x1234);
	assert_int_equal(quote->dest_port, 80);
	assert_int_equal(quote->seq, 0x89abcdef);
	assert_false(quote->unseen);
}

/* tcp_v4_err() and tcp_req_err() of Linux 6.1 are the judge. */
static u8 linux_gives_up_v4(unsigned int type, unsigned int code)
{
	switch (type) {
	case 3:
		if (code == 4 || code > 15)
			return 0;
		return code <= 1 ? BOTH : QUOTE_ENDS_SYN;
	case 11:
		return code == 1 ? 0 : BOTH;
	}
	return BOTH;
}

static void every_type_v4(void **state)
{
	unsigned int type, code;
	struct quote quote;

	(void)state;
	for (type = 0; type < 256; type++) {
		for (code = 0; code < 256; code++) {
			struct message message = whole_v4(type, code);
			bool error = type == 3 || type == 11 || type == 12;

			assert_int_equal(parse_v4(&quote, &message), error);
			if (!error)
				continue;
			check_segment(&quote, 20);
			assert_int_equal(quote.type, type);
			assert_int_equal(quote.code, code);
			assert_int_equal(quote.ends, linux_gives_up_v4(type, code));
		}
	}
}

/* icmpv6_err_convert() of Linux 6.1 is the judge. */
static u8 linux_gives_up_v6(unsigned int type, unsigned int code)
{
	static const bool fatal[] = { false, true, false, false, true, true, true };

	switch (type) {
	case 1:
		return code >= ARRAY_SIZE(fatal) || fatal[code] ? BOTH : QUOTE_ENDS_SYN;
	case 2:
		return 0;
	case 3:
		return QUOTE_ENDS_SYN;
	}
	return BOTH;
}

static void every_type_v6(void **state)
{
	unsigned int type, code;
	struct quote quote;

	(void)state;
	for (type = 0; type < 256; type++) {
		for (code = 0; code < 256; code++) {
			struct message message = whole_v6(type, code);
			bool error = type >= 1 && type <= 4;

			assert_int_equal(parse_v6(&quote, &message), error);
			if (!error)
				continue;
			check_segment(&quote, 0);
			assert_int_equal(quote.type, type);
			assert_int_equal(quote.code, code);
			assert_int_equal(quote.ends, linux_gives_up_v6(type, code));
		}
	}
}

/* Every length, and more than is read. */
static void truncated(void **state)
{
	struct message v4 = whole_v4(3, 1), v6 = whole_v6(1, 0);
	unsigned int len;
	struct quote quote;

	(void)state;
	for (len = 0; len <= QUOTE_MESSAGE_MAX; len++) {
		assert_int_equal(parse(false, &quote, &v4, len), len >= v4.len);
		assert_int_equal(parse(true, &quote, &v6, len), len >= v6.len);
	}
}

static void ip_options(void **state)
{
	struct quote quote;
	u8 words;

	(void)state;
	for (words = 0; words < 16; words++) {
		struct message message = start(3, 3);
		unsigned int len;

		add_v4(&message, words, 6, 0);
		add(&message, tcp, sizeof(tcp));
		for (len = 0; len <= message.len; len++)
			assert_int_equal(parse(false, &quote, &message, len),
					 words >= 5 && len == message.len);
		if (words >= 5) {
			assert_true(parse_v4(&quote, &message));
			check_segment(&quote, words * 4);
		}
	}
}

/* Only the first fragment has the ports; more fragments after it do not matter. */
static void fragments(void **state)
{
	unsigned int fragment;
	struct quote quote;

	(void)state;
	for (fragment = 0; fragment < 0x10000; fragment++) {
		struct message v4 = start(3, 1), v6 = start(1, 0);
		u8 header[8] = { 6, [2] = fragment >> 8, [3] = fragment };

		add_v4(&v4, 5, 6, fragment);
		add(&v4, tcp, sizeof(tcp));
		assert_int_equal(parse_v4(&quote, &v4), !(fragment & 0x1fff));
		add_v6(&v6, 44);
		add(&v6, header, sizeof(header));
		add(&v6, tcp, sizeof(tcp));
		assert_int_equal(parse_v6(&quote, &v6), !(fragment & 0xfff8));
	}
}

static void other_protocols(void **state)
{
	struct quote quote;
	int protocol;

	(void)state;
	for (protocol = 0; protocol < 256; protocol++) {
		struct message v4 = start(3, 1), v6 = start(1, 0);

		add_v4(&v4, 5, protocol, 0);
		add(&v4, tcp, sizeof(tcp));
		assert_int_equal(parse_v4(&quote, &v4), protocol == 6);
		add_v6(&v6, protocol);
		add(&v6, tcp, sizeof(tcp));
		assert_int_equal(parse_v6(&quote, &v6), protocol == 6);
	}
}

static void other_versions(void **state)
{
	struct quote quote;
	int version;

	(void)state;
	for (version = 0; version < 16; version++) {
		struct message v4 = whole_v4(3, 1), v6 = whole_v6(1, 0);

		v4.bytes[8] = version << 4 | 5;
		v6.bytes[8] = version << 4;
		assert_int_equal(parse_v4(&quote, &v4), version == 4);
		assert_int_equal(parse_v6(&quote, &v6), version == 6);
	}
}

/* Hop-by-hop, routing, first fragment, authentication, destination options, then TCP. */
static void extension_headers(void **state)
{
	struct message message = start(1, 4);
	u8 hop[8] = { 43, 0 }, routing[24] = { 44, 2 }, fragment[8] = { 51 };
	u8 authentication[24] = { 60, 4 }, destination[16] = { 6, 1 };
	struct quote quote;
	unsigned int len;

	(void)state;
	add_v6(&message, 0);
	add(&message, hop, sizeof(hop));
	add(&message, routing, sizeof(routing));
	add(&message, fragment, sizeof(fragment));
	add(&message, authentication, sizeof(authentication));
	add(&message, destination, sizeof(destination));
	add(&message, tcp, sizeof(tcp));
	assert_true(parse_v6(&quote, &message));
	check_segment(&quote, 8 + 24 + 8 + 24 + 16);
	for (len = 0; len < message.len; len++)
		assert_false(parse(true, &quote, &message, len));
}

/* The IP header says that the packet ends before, in or after the quoted bytes. */
static void lengths(void **state)
{
	struct message v4 = whole_v4(3, 1), v6 = whole_v6(1, 0);
	struct quote quote;
	unsigned int len;

	(void)state;
	for (len = 0; len < 0x10000; len++) {
		v4.bytes[8 + 2] = len >> 8;
		v4.bytes[8 + 3] = len;
		assert_true(parse_v4(&quote, &v4));
		assert_int_equal(quote.len, len < 20 ? 0 : len - 20);
		v6.bytes[8 + 4] = len >> 8;
		v6.bytes[8 + 5] = len;
		assert_true(parse_v6(&quote, &v6));
		assert_int_equal(quote.len, len);
	}
}

/* A header that claims to reach past the end. */
static void long_headers(void **state)
{
	static const u8 numbers[] = { 0, 43, 51, 60 };
	struct quote quote;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct message message = start(1, 4);
		u8 header[8] = { 6, 255 };

		add_v6(&message, numbers[i]);
		add(&message, header, sizeof(header));
		add(&message, tcp, sizeof(tcp));
		assert_false(parse_v6(&quote, &message));
	}
}

/* Any bytes behind a plausible beginning: no read out of bounds, and it ends. */
static void random_bytes(void **state)
{
	static const u8 next[] = { 0, 6, 43, 44, 51, 60 };
	struct quote quote;
	int i;

	(void)state;
	srand(1);
	for (i = 0; i < 200000; i++) {
		struct message message = { .len = rand() % (QUOTE_MESSAGE_MAX + 1) };
		unsigned int j;

		for (j = 0; j < message.len; j++)
			message.bytes[j] = rand() % 3 ? next[rand() % sizeof(next)] : rand();
		message.bytes[0] = i % 2 ? 1 + rand() % 4 : 3;
		message.bytes[8] = i % 2 ? 0x60 : 0x40 | rand() % 16;
		parse(i % 2, &quote, &message, message.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_v4),
		cmocka_unit_test(every_type_v6),
		cmocka_unit_test(truncated),
		cmocka_unit_test(ip_options),
		cmocka_unit_test(fragments),
		cmocka_unit_test(other_protocols),
		cmocka_unit_test(other_versions),
		cmocka_unit_test(extension_headers),
		cmocka_unit_test(lengths),
		cmocka_unit_test(long_headers),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests_name("quote", tests, NULL, NULL);
}
