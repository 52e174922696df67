// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <stdint.h>

#include "filter.h"

static bool ends_unwell(const struct tcptrace_event *event)
{
	const struct tcptrace_summary *summary = &event->summary;

	if (event->kind != TCPTRACE_EVENT_END)
		return false;
	return (summary->handshake != TCPTRACE_HANDSHAKE_ESTABLISHED &&
		summary->handshake != TCPTRACE_HANDSHAKE_UNSEEN) ||
	       summary->close == TCPTRACE_CLOSE_RESET_BY_INITIATOR ||
	       summary->close == TCPTRACE_CLOSE_RESET_BY_RESPONDER;
}

/* The ICMP error that ends an attempt; who sent it, the END does not tell. */
static bool says_why(const struct tcptrace_event *event)
{
	return event->kind == TCPTRACE_EVENT_ICMP_ERROR &&
	       event->prev_initiator_state != TCPTRACE_STATE_CLOSED &&
	       event->initiator_state == TCPTRACE_STATE_CLOSED;
}

static bool in_range(const struct filter_node *node, __u64 number)
{
	return number >= node->first && number <= node->last;
}

static bool test_initiator(const struct filter_node *node, const struct tcptrace_event *event)
{
	switch (node->test) {
	case TEST_HOST:
	case TEST_NET:
		return address_covers(&node->address, event->ip_version, event->initiator_addr);
	case TEST_PORT:
		return event->ip_version && in_range(node, ntohs(event->initiator_port));
	default:
		return node->first == event->initiator_state;
	}
}

static bool test_responder(const struct filter_node *node, const struct tcptrace_event *event)
{
	switch (node->test) {
	case TEST_HOST:
	case TEST_NET:
		return address_covers(&node->address, event->ip_version, event->responder_addr);
	case TEST_PORT:
		return event->ip_version && in_range(node, ntohs(event->responder_port));
	default:
		return node->first == event->responder_state;
	}
}

static bool test_sides(const struct filter_node *node, const struct tcptrace_event *event)
{
	return (node->side != TCPTRACE_SIDE_RESPONDER && test_initiator(node, event)) ||
	       (node->side != TCPTRACE_SIDE_INITIATOR && test_responder(node, event));
}

static bool node_matches(const struct filter *filter, unsigned int index,
			 const struct tcptrace_event *event)
{
	const struct filter_node *node = &filter->nodes[index];

	switch (node->test) {
	case TEST_AND:
		return node_matches(filter, node->left, event) &&
		       node_matches(filter, node->right, event);
	case TEST_OR:
		return node_matches(filter, node->left, event) ||
		       node_matches(filter, node->right, event);
	case TEST_NOT:
		return !node_matches(filter, node->left, event);
	case TEST_KIND:
		return node->first == event->kind;
	case TEST_FLOW:
		return in_range(node, event->flow_id);
	case TEST_NETNS:
		return in_range(node, event->netns);
	case TEST_VERSION:
		return node->first == event->ip_version;
	case TEST_HANDSHAKE:
		return event->kind == TCPTRACE_EVENT_END &&
		       node->first == event->summary.handshake;
	case TEST_CLOSE:
		return event->kind == TCPTRACE_EVENT_END && node->first == event->summary.close;
	case TEST_FAILED:
		return ends_unwell(event) || says_why(event);
	default:
		return test_sides(node, event);
	}
}

/**
 * filter_matches - is an event to be shown
 * @filter: the filter
 * @event: the event
 *
 * Return: whether it is; LOST always is
 */
bool filter_matches(const struct filter *filter, const struct tcptrace_event *event)
{
	return filter->root == FILTER_NONE || event->kind == TCPTRACE_EVENT_LOST ||
	       node_matches(filter, filter->root, event);
}

/*
 * What the kernel can check: a condition that every matching event fulfils.
 * With &tcptrace_filter zero is no limit, so of the kinds all bits are kept until
 * the end.
 */
#define ALL_KINDS	UINT32_MAX

static const struct tcptrace_filter anything = { .kinds = ALL_KINDS };

static struct tcptrace_filter both(struct tcptrace_filter a, struct tcptrace_filter b)
{
	return (struct tcptrace_filter){
		.kinds = a.kinds & b.kinds,
		.netns = a.netns ? a.netns : b.netns,
		.ip_version = a.ip_version ? a.ip_version : b.ip_version,
		.port = a.port ? a.port : b.port,
	};
}

static struct tcptrace_filter either(struct tcptrace_filter a, struct tcptrace_filter b)
{
	/* an operand that nothing can fulfil adds nothing */
	if (!a.kinds)
		return b;
	if (!b.kinds)
		return a;
	return (struct tcptrace_filter){
		.kinds = a.kinds | b.kinds,
		.netns = a.netns == b.netns ? a.netns : 0,
		.ip_version = a.ip_version == b.ip_version ? a.ip_version : 0,
		.port = a.port == b.port ? a.port : 0,
	};
}

static struct tcptrace_filter needed_by_test(const struct filter_node *node, bool negated)
{
	struct tcptrace_filter needed = anything;
	bool single = node->first == node->last;

	if (node->test == TEST_KIND) {
		needed.kinds = negated ? ~(1U << node->first) : 1U << node->first;
		return needed;
	}
	if (negated)
		return needed;
	if (node->test == TEST_FAILED)
		needed.kinds = 1U << TCPTRACE_EVENT_END | 1U << TCPTRACE_EVENT_ICMP_ERROR;
	else if (node->test == TEST_HANDSHAKE || node->test == TEST_CLOSE)
		needed.kinds = 1U << TCPTRACE_EVENT_END;
	else if (node->test == TEST_PORT && single)
		needed.port = htons(node->first);
	else if (node->test == TEST_NETNS && single)
		needed.netns = node->first;
	else if (node->test == TEST_VERSION)
		needed.ip_version = node->first;
	else if (node->test == TEST_HOST || node->test == TEST_NET)
		needed.ip_version = node->address.version;
	return needed;
}

/* not (a and b) is not a or not b, and the other way round. */
static struct tcptrace_filter needed_by(const struct filter *filter, unsigned int index,
					bool negated)
{
	const struct filter_node *node = &filter->nodes[index];
	struct tcptrace_filter left, right;

	if (node->test == TEST_NOT)
		return needed_by(filter, node->left, !negated);
	if (node->test != TEST_AND && node->test != TEST_OR)
		return needed_by_test(node, negated);
	left = needed_by(filter, node->left, negated);
	right = needed_by(filter, node->right, negated);
	return (node->test == TEST_AND) != negated ? both(left, right) : either(left, right);
}

/**
 * filter_for_kernel - the part of a filter that the device can apply itself
 * @filter: the filter
 * @wanted: receives a condition that every event which matches @filter fulfils
 */
void filter_for_kernel(const struct filter *filter, struct tcptrace_filter *wanted)
{
	*wanted = filter->root == FILTER_NONE ? anything : needed_by(filter, filter->root, false);
	if (wanted->kinds == ALL_KINDS)
		wanted->kinds = 0;
	else if (!wanted->kinds)	/* nothing can match: ask for the least */
		wanted->kinds = 1U << TCPTRACE_EVENT_LOST;
	else				/* the kernel refuses kinds that do not exist */
		wanted->kinds &= (2U << TCPTRACE_EVENT_LOST) - 2;
}
