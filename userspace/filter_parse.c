// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "filter.h"
#include "names.h"

#define MAX_DEPTH	32
#define MAX_VALUE	128

/**
 * struct words - the words of an expression
 * @filter: what is built from them
 * @next: the text from the next word on
 * @word: the word at hand, empty at the end
 * @depth: how many parentheses and nots are open
 */
struct words {
	struct filter *filter;
	const char *next;
	char word[FILTER_TEXT];
	unsigned int depth;
};

/**
 * struct primitive - a word that starts a test
 * @word: the word
 * @test: the test
 * @sided: whether src and dst may go before it
 * @parse: reads one value into the node; NULL if the word takes none
 * @wants: what the value has to be, for messages
 */
struct primitive {
	const char *word;
	enum filter_test test;
	bool sided;
	bool (*parse)(struct filter_node *node, const char *value);
	const char *wants;
};

static bool fail(struct filter *filter, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail(struct filter *filter, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(filter->error, sizeof(filter->error), format, args);
	va_end(args);
	return false;
}

/* syn-sent, SYN_SENT and Syn_Sent are the same. */
static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		char x = *a == '-' ? '_' : tolower((unsigned char)*a);
		char y = *b == '-' ? '_' : tolower((unsigned char)*b);

		if (x != y)
			return false;
	}
	return *a == *b;
}

static bool parse_name(struct filter_node *node, const char *value,
		       const char *(*name)(unsigned int number), unsigned int last)
{
	unsigned int i;

	for (i = 0; i <= last; i++) {
		if (same_name(value, name(i)) && !same_name(value, "unknown")) {
			node->first = i;
			node->last = i;
			return true;
		}
	}
	return false;
}

static bool parse_state(struct filter_node *node, const char *value)
{
	return parse_name(node, value, state_name, TCPTRACE_STATE_TIME_WAIT);
}

static bool parse_kind(struct filter_node *node, const char *value)
{
	return parse_name(node, value, kind_name, TCPTRACE_EVENT_LOST);
}

static bool parse_handshake(struct filter_node *node, const char *value)
{
	return parse_name(node, value, handshake_name, TCPTRACE_HANDSHAKE_UNSEEN);
}

static bool parse_close(struct filter_node *node, const char *value)
{
	return parse_name(node, value, close_name, TCPTRACE_CLOSE_UNKNOWN);
}

static bool parse_host(struct filter_node *node, const char *value)
{
	return address_parse(&node->address, value);
}

static bool parse_net(struct filter_node *node, const char *value)
{
	return address_parse_net(&node->address, value);
}

/* N or N-M */
static bool parse_range(struct filter_node *node, const char *value, __u64 most)
{
	char *end;

	if (!isdigit((unsigned char)*value))
		return false;
	node->first = strtoull(value, &end, 10);
	node->last = node->first;
	if (*end == '-' && isdigit((unsigned char)end[1]))
		node->last = strtoull(end + 1, &end, 10);
	return !*end && node->first <= node->last && node->last <= most;
}

static bool parse_port(struct filter_node *node, const char *value)
{
	return parse_range(node, value, UINT16_MAX);
}

static bool parse_netns(struct filter_node *node, const char *value)
{
	return parse_range(node, value, UINT32_MAX);
}

static bool parse_flow(struct filter_node *node, const char *value)
{
	return parse_range(node, value, UINT64_MAX - 1);
}

static const struct primitive primitives[] = {
	{ "host", TEST_HOST, true, parse_host,
	  "an IPv4 or IPv6 address; names are never resolved" },
	{ "net", TEST_NET, true, parse_net, "ADDRESS/LENGTH" },
	{ "port", TEST_PORT, true, parse_port, "a number from 0 to 65535, or a range N-M" },
	{ "state", TEST_STATE, true, parse_state,
	  "a state such as syn-sent, established or time-wait" },
	{ "event", TEST_KIND, false, parse_kind, "an event such as syn, established or end" },
	{ "flow", TEST_FLOW, false, parse_flow, "the number of a flow" },
	{ "netns", TEST_NETNS, false, parse_netns, "the inode number of a network namespace" },
	{ "handshake", TEST_HANDSHAKE, false, parse_handshake,
	  "an outcome such as established, refused or no-answer" },
	{ "close", TEST_CLOSE, false, parse_close,
	  "an outcome such as orderly, reset-by-responder or idle-timeout" },
	{ "failed", TEST_FAILED, false, NULL, NULL },
	{ "ip", TEST_VERSION, false, NULL, NULL },
	{ "ip6", TEST_VERSION, false, NULL, NULL },
};

static const struct primitive *find_primitive(const char *word)
{
	unsigned int i;

	for (i = 0; i < sizeof(primitives) / sizeof(primitives[0]); i++)
		if (!strcasecmp(word, primitives[i].word))
			return &primitives[i];
	return NULL;
}

static struct filter_node *new_node(struct filter *filter, enum filter_test test, __u8 *index)
{
	struct filter_node *node;

	if (filter->count == FILTER_NODES) {
		fail(filter, "too long: more than %d tests", FILTER_NODES);
		return NULL;
	}
	*index = filter->count++;
	node = &filter->nodes[*index];
	memset(node, 0, sizeof(*node));
	node->test = test;
	return node;
}

/* Make *@left "*@left @test @right", or just @right if there is nothing yet. */
static bool join(struct filter *filter, __u8 *left, enum filter_test test, __u8 right)
{
	struct filter_node *node;
	__u8 first = *left;

	if (first == FILTER_NONE) {
		*left = right;
		return true;
	}
	node = new_node(filter, test, left);
	if (!node)
		return false;
	node->left = first;
	node->right = right;
	return true;
}

/* One test: of the value, or of what the word alone says. */
static bool add_test(struct filter *filter, const struct primitive *primitive, __u8 side,
		     const char *value, __u8 *index)
{
	struct filter_node *node = new_node(filter, primitive->test, index);

	if (!node)
		return false;
	node->side = side;
	if (primitive->test == TEST_VERSION)
		node->first = strcasecmp(primitive->word, "ip6") ? 4 : 6;
	if (primitive->parse && !primitive->parse(node, value))
		return fail(filter, "%s wants %s, not \"%s\"", primitive->word,
			    primitive->wants, value);
	return true;
}

/* A list of values, a,b,c: any of them will do. */
static bool add_tests(struct filter *filter, const struct primitive *primitive, __u8 side,
		      const char *values, __u8 *index)
{
	char value[MAX_VALUE];
	__u8 one;
	size_t len;

	for (;;) {
		len = strcspn(values, ",");
		if (len >= sizeof(value))
			return fail(filter, "%s wants %s: too long", primitive->word,
				    primitive->wants);
		memcpy(value, values, len);
		value[len] = '\0';
		if (!add_test(filter, primitive, side, value, &one) ||
		    !join(filter, index, TEST_OR, one))
			return false;
		if (!values[len])
			return true;
		values += len + 1;
	}
}

/**
 * filter_init - let everything pass
 * @filter: the filter
 */
void filter_init(struct filter *filter)
{
	filter->count = 0;
	filter->root = FILTER_NONE;
	memset(filter->options, FILTER_NONE, sizeof(filter->options));
	filter->error[0] = '\0';
}

/**
 * filter_option - add what an option asks for
 * @filter: the filter
 * @word: the word of the expression that means the same
 * @value: its value, or NULL
 *
 * Return: whether it is right; if not, @filter->error says what is wrong.
 */
bool filter_option(struct filter *filter, const char *word, const char *value)
{
	const struct primitive *primitive = find_primitive(word);

	return add_tests(filter, primitive, TCPTRACE_SIDE_NONE, value ? value : "",
			 &filter->options[primitive->test]);
}

static void next_word(struct words *words)
{
	const char *p = words->next + strspn(words->next, " \t\n");
	size_t len;

	len = *p && strchr("()!", *p) ? 1 : strcspn(p, " \t\n()");
	words->next = p + len;
	memcpy(words->word, p, len);
	words->word[len] = '\0';
}

static bool at(const struct words *words, const char *word)
{
	return !strcasecmp(words->word, word);
}

static bool take(struct words *words, const char *word, const char *sign)
{
	if (!at(words, word) && !at(words, sign))
		return false;
	next_word(words);
	return true;
}

static __u8 take_side(struct words *words)
{
	if (take(words, "src", "initiator"))
		return TCPTRACE_SIDE_INITIATOR;
	if (take(words, "dst", "responder"))
		return TCPTRACE_SIDE_RESPONDER;
	return TCPTRACE_SIDE_NONE;
}

/* Which test the word at hand starts; afterwards the word at hand is its value. */
static const struct primitive *take_primitive(struct words *words, __u8 side)
{
	const struct primitive *primitive = find_primitive(words->word);
	struct address address;

	if (primitive && (!side || primitive->sided)) {
		next_word(words);
		return primitive;
	}
	/* "src 10.0.0.1" is short for "src host 10.0.0.1" */
	if (side && address_parse(&address, words->word))
		return find_primitive("host");
	if (!words->word[0])
		fail(words->filter, "the expression ends where a test should follow");
	else if (side)
		fail(words->filter,
		     "src and dst go before host, net, port, state or an address, not \"%s\"",
		     words->word);
	else
		fail(words->filter, "unknown word \"%s\"", words->word);
	return NULL;
}

static bool parse_primitive(struct words *words, __u8 *index)
{
	__u8 side = take_side(words);
	const struct primitive *primitive = take_primitive(words, side);

	if (!primitive)
		return false;
	if (!primitive->parse)
		return add_test(words->filter, primitive, side, NULL, index);
	if (!words->word[0])
		return fail(words->filter, "%s wants %s", primitive->word, primitive->wants);
	if (!add_tests(words->filter, primitive, side, words->word, index))
		return false;
	next_word(words);
	return true;
}

static bool parse_expression(struct words *words, __u8 *index);

static bool parse_group(struct words *words, __u8 *index)
{
	if (!parse_expression(words, index))
		return false;
	if (take(words, ")", ")"))
		return true;
	return words->word[0] ? fail(words->filter, "\")\" expected before \"%s\"", words->word) :
				fail(words->filter, "\")\" is missing");
}

static bool parse_not(struct words *words, __u8 *index);

static bool parse_factor(struct words *words, __u8 *index)
{
	bool ok;

	if (words->depth == MAX_DEPTH)
		return fail(words->filter, "nested more than %d deep", MAX_DEPTH);
	words->depth++;
	if (take(words, "not", "!"))
		ok = parse_not(words, index);
	else if (take(words, "(", "("))
		ok = parse_group(words, index);
	else
		ok = parse_primitive(words, index);
	words->depth--;
	return ok;
}

static bool parse_not(struct words *words, __u8 *index)
{
	__u8 operand = FILTER_NONE;
	struct filter_node *node;

	if (!parse_factor(words, &operand))
		return false;
	node = new_node(words->filter, TEST_NOT, index);
	if (!node)
		return false;
	node->left = operand;
	return true;
}

static bool parse_term(struct words *words, __u8 *index)
{
	do {
		__u8 factor = FILTER_NONE;

		if (!parse_factor(words, &factor) ||
		    !join(words->filter, index, TEST_AND, factor))
			return false;
		/* the "and" may be left out */
	} while (take(words, "and", "&&") ||
		 (words->word[0] && !at(words, ")") && !at(words, "or") && !at(words, "||")));
	return true;
}

static bool parse_expression(struct words *words, __u8 *index)
{
	do {
		__u8 term = FILTER_NONE;

		if (!parse_term(words, &term) || !join(words->filter, index, TEST_OR, term))
			return false;
	} while (take(words, "or", "||"));
	return true;
}

static bool join_text(struct filter *filter, char text[FILTER_TEXT], char *const words[], int count)
{
	size_t len = 0;
	int i, n;

	text[0] = '\0';
	for (i = 0; i < count; i++) {
		n = snprintf(text + len, FILTER_TEXT - len, "%s ", words[i]);
		if (n < 0 || (size_t)n >= FILTER_TEXT - len)
			return fail(filter, "too long: more than %d characters", FILTER_TEXT);
		len += n;
	}
	return true;
}

static bool parse_text(struct filter *filter, const char *text, __u8 *index)
{
	struct words words = { .filter = filter, .next = text };

	next_word(&words);
	if (!words.word[0])
		return true;
	if (!parse_expression(&words, index))
		return false;
	return !words.word[0] || fail(filter, "unexpected \"%s\"", words.word);
}

/**
 * filter_words - add the expression, after all options
 * @filter: the filter, complete afterwards
 * @words: the words; one may hold several
 * @count: how many
 *
 * Return: whether it is right; if not, @filter->error says what is wrong.
 */
bool filter_words(struct filter *filter, char *const words[], int count)
{
	__u8 expression = FILTER_NONE;
	char text[FILTER_TEXT];
	unsigned int i;

	if (!join_text(filter, text, words, count) || !parse_text(filter, text, &expression))
		return false;
	for (i = 0; i < sizeof(filter->options); i++)
		if (filter->options[i] != FILTER_NONE &&
		    !join(filter, &filter->root, TEST_AND, filter->options[i]))
			return false;
	return expression == FILTER_NONE || join(filter, &filter->root, TEST_AND, expression);
}
