/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FILTER_H
#define _FILTER_H

/*
 * Which events to show.  Options like --port 80 and an expression of words like
 * "port 80 and not net 10.0.0.0/8" are both built from the same primitives into
 * one tree of nodes, kept in a fixed array.
 *
 *	expression := term { "or" term }
 *	term       := factor { ["and"] factor }
 *	factor     := primitive | "not" factor | "(" expression ")"
 *	primitive  := ["src" | "dst"] WORD VALUE{,VALUE} | "failed" | "ip" | "ip6"
 */

#include <stdbool.h>
#include <linux/tcptrace.h>

#include "address.h"

#define FILTER_NODES	128
#define FILTER_TEXT	4096
#define FILTER_NONE	0xff	/* no node */

enum filter_test {
	TEST_AND,
	TEST_OR,
	TEST_NOT,
	TEST_HOST,
	TEST_NET,
	TEST_PORT,
	TEST_STATE,
	TEST_KIND,
	TEST_FLOW,
	TEST_NETNS,
	TEST_VERSION,
	TEST_HANDSHAKE,
	TEST_CLOSE,
	TEST_FAILED,
};

/**
 * struct filter_node - one test
 * @test: &enum filter_test
 * @side: &enum tcptrace_side that is looked at; NONE for either
 * @left: first operand of AND, OR, NOT
 * @right: second operand of AND, OR
 * @address: of HOST and NET
 * @first: of PORT, FLOW, NETNS: the range; of the others the number that counts
 * @last: the end of the range
 */
struct filter_node {
	__u8 test;
	__u8 side;
	__u8 left;
	__u8 right;
	union {
		struct address address;
		struct {
			__u64 first;
			__u64 last;
		};
	};
};

/**
 * struct filter - which events to show
 * @root: the whole condition, or FILTER_NONE: all events
 * @count: how many of @nodes are used
 * @options: for each option that was given its tests, else FILTER_NONE; the same
 *	option given twice takes either value
 * @error: what is wrong with the words
 * @nodes: the tests
 */
struct filter {
	__u8 root;
	__u8 count;
	__u8 options[TEST_FAILED + 1];
	char error[160];
	struct filter_node nodes[FILTER_NODES];
};

void filter_init(struct filter *filter);
bool filter_option(struct filter *filter, const char *word, const char *value);
bool filter_words(struct filter *filter, char *const words[], int count);
bool filter_matches(const struct filter *filter, const struct tcptrace_event *event);
void filter_for_kernel(const struct filter *filter, struct tcptrace_filter *wanted);

#endif /* _FILTER_H */
