// SPDX-License-Identifier: GPL-2.0
/* Reads a scenario and plays it to the machine; see scenario.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "names.h"
#include "plain.h"
#include "scenario.h"
#include "unit.h"

#define TOLD_MAX 256

/* One line of a scenario, for messages. */
struct line {
	const struct scenario *scenario;
	const struct isns *isns;
	const char *text;
	int number;
};

static void __attribute__((format(printf, 2, 3), noreturn)) complain(const struct line *line,
								     const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	fail_msg("%s (ISNs %#x %#x), line %d: %s\n\t%s", line->scenario->name,
		 line->isns->isn[0], line->isns->isn[1], line->number, line->text, what);
	abort();	/* fail_msg() has jumped */
}

/*
 * What was told, in the words of a scenario
 */

static int told_change(char *text, size_t size, const struct fsm_change *change)
{
	char cause[32] = "";

	if (change->kind == TCPTRACE_EVENT_INVALID)
		snprintf(cause, sizeof(cause), "/%s", reason_name(change->cause));
	else if (change->kind == TCPTRACE_EVENT_TIMEOUT)
		snprintf(cause, sizeof(cause), "/%s", timer_name(change->cause));
	else if (change->kind == TCPTRACE_EVENT_RETRANSMIT)
		snprintf(cause, sizeof(cause), "/%d", change->count);
	return snprintf(text, size, "%s%s %s %s", kind_name(change->kind), cause,
			state_name(change->state[0]), state_name(change->state[1]));
}

static void told(char *text, const struct fsm *fsm, const struct fsm_result *res)
{
	const char *separator = "";
	int len = 0, i;

	text[0] = '\0';
	for (i = 0; i < res->changes; i++) {
		len += snprintf(text + len, TOLD_MAX - len, "%s", separator);
		len += told_change(text + len, TOLD_MAX - len, &res->change[i]);
		separator = "; ";
	}
	if (res->ended) {
		len += snprintf(text + len, TOLD_MAX - len, "%send %s %s %s", separator,
				handshake_name(fsm->handshake), close_name(fsm->close),
				side_name(fsm->first_fin));
		separator = "; ";
	}
	if (res->reuse)
		snprintf(text + len, TOLD_MAX - len, "%sreuse", separator);
}

/* What holds after every step, whatever the scenario says. */
static void check_always(const struct line *line, const struct fsm *before, const struct fsm *fsm,
			 const struct fsm_result *res)
{
	const u8 state[2] = { fsm->end[0].state, fsm->end[1].state };
	u8 prev[2] = { before->end[0].state, before->end[1].state };
	int i;

	if (res->changes > FSM_CHANGES_MAX)
		complain(line, "%d changes", res->changes);
	for (i = 0; i < res->changes; i++) {
		const struct fsm_change *change = &res->change[i];

		if (memcmp(change->prev, prev, sizeof(prev)))
			complain(line, "change %d does not begin where the one before it ended", i);
		memcpy(prev, change->state, sizeof(prev));
	}
	if (memcmp(prev, state, sizeof(prev)))
		complain(line, "the states changed, which was not told");
	if (res->ended && before->ended)
		complain(line, "a second END");
	if (res->ended != (fsm->ended && !before->ended))
		complain(line, "the END and the result disagree");
	if (res->reuse && (res->changes || memcmp(before, fsm, sizeof(*fsm))))
		complain(line, "reuse, but something was done");
	if (fsm->ended && !fsm->handshake)
		complain(line, "ended without a verdict on the handshake");
	if (fsm_phase(state) == TCPTRACE_PHASE_CLOSED && !fsm->ended)
		complain(line, "closed without an end");
}

/*
 * Reading
 */

static char *word(char **rest)
{
	char *token;

	do
		token = strsep(rest, " \t");
	while (token && !*token);
	return token;
}

static u8 parse_flags(const struct line *line, const char *letters)
{
	unsigned int flags;
	char text[9];

	if (!strcmp(letters, "0"))
		return 0;
	for (flags = 1; flags < 256; flags++)
		if (!strcmp(flags_text(flags, text), letters))
			return flags;
	complain(line, "no such flags");
}

/* FLAGS SEQ[+LEN] [ack N|nul] [win N] [ws N] [ts N] [sack 1] */
static struct segment parse_segment(const struct line *line, enum fsm_dir dir, char *text)
{
	struct segment seg = { .window = 65535, .header_len = 20 };
	char *token = word(&text);

	if (!token)
		complain(line, "no flags");
	seg.flags = parse_flags(line, token);
	token = word(&text);
	if (!token)
		complain(line, "no sequence number");
	seg.seq = line->isns->isn[dir] + (u32)strtol(token, &token, 0);
	if (*token == '+')
		seg.payload_len = strtoul(token + 1, NULL, 0);
	while ((token = word(&text))) {
		char *value = word(&text);

		if (!value)
			complain(line, "%s has no value", token);
		if (!strcmp(token, "ack")) {
			if (strcmp(value, "nul"))
				seg.ack = line->isns->isn[!dir] + (u32)strtol(value, NULL, 0);
		} else if (!strcmp(token, "seq") && !strcmp(value, "nul")) {
			seg.seq = 0;
		} else if (!strcmp(token, "win")) {
			seg.window = strtoul(value, NULL, 0);
		} else if (!strcmp(token, "ws")) {
			seg.syn.wscale = strtoul(value, NULL, 0);
			seg.syn.options |= TCPTRACE_OPT_WSCALE;
		} else if (!strcmp(token, "sack")) {
			seg.syn.options |= TCPTRACE_OPT_SACK_OK;
		} else if (!strcmp(token, "ts")) {
			seg.tsval = strtoul(value, NULL, 0);
			seg.syn.options |= TCPTRACE_OPT_TIMESTAMPS;
		} else {
			complain(line, "what is %s?", token);
		}
	}
	return seg;
}

/* fsm_carry() and the data path, where they take the segment, do what fsm_step() does. */
static void step(const struct line *line, struct fsm *fsm, enum fsm_dir dir,
		 const struct segment *seg, struct fsm_result *res)
{
	struct fsm carried = *fsm, plain = *fsm;

	if (carry_plain(&plain, dir, seg) && fsm_carry(&carried, dir, seg) &&
	    memcmp(&plain, &carried, sizeof(plain)))
		complain(line, "the data path carries it to another place");
	carried = *fsm;
	if (!fsm_carry(&carried, dir, seg)) {
		if (memcmp(&carried, fsm, sizeof(carried)))
			complain(line, "not carried, but not left alone");
		fsm_step(fsm, dir, seg, res);
		return;
	}
	fsm_step(fsm, dir, seg, res);
	if (res->changes || res->ended || res->reuse)
		complain(line, "carried, but there is something to tell");
	if (memcmp(&carried, fsm, sizeof(carried)))
		complain(line, "carried to another place");
}

static void play_segment(const struct line *line, struct scenario_run *run, bool pickup,
			 enum fsm_dir dir, char *text, struct fsm_result *res)
{
	struct segment seg = parse_segment(line, dir, text);

	if (pickup) {
		if (!fsm_can_pickup(&seg))
			complain(line, "cannot be picked up");
		fsm_pickup(&run->fsm, dir, &seg, res);
	} else {
		if (!run->open) {
			fsm_open(&run->fsm);
			fsm_succeed(&run->fsm, &run->replaced);
		}
		step(line, &run->fsm, dir, &seg, res);
	}
	run->open = true;
}

/* ERROR SEQ [unseen] */
static struct quote parse_quote(const struct line *line, enum fsm_dir dir, char *text)
{
	static const struct {
		const char *name;
		u8 ends;
	} errors[] = {
		{ "unreachable", QUOTE_ENDS_SYN | QUOTE_ENDS_SYN_ACK },
		{ "prohibited", QUOTE_ENDS_SYN },
		{ "too_big", 0 },
	};
	const char *error = word(&text), *seq = word(&text), *unseen = word(&text);
	struct quote quote = { .unseen = unseen };
	unsigned int i;

	if (!seq || (unseen && strcmp(unseen, "unseen")))
		complain(line, "icmp > ERROR SEQ [unseen]");
	quote.seq = line->isns->isn[dir] + (u32)strtol(seq, NULL, 0);
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		if (!strcmp(errors[i].name, error)) {
			quote.ends = errors[i].ends;
			return quote;
		}
	}
	complain(line, "no such error");
}

static void play_icmp(const struct line *line, struct fsm *fsm, char *text, struct fsm_result *res)
{
	const char *arrow = word(&text);
	enum fsm_dir dir = arrow && *arrow == '<' ? FSM_RESPONDER : FSM_INITIATOR;
	const struct quote quote = parse_quote(line, dir, text);
	const struct fsm before = *fsm;

	fsm_icmp(fsm, dir, &quote, res);
	if (!res->ended && memcmp(&before, fsm, sizeof(before)))
		complain(line, "an error that ended nothing changed something");
}

static void check_question(const struct line *line, const struct fsm *fsm, char *text)
{
	const u8 state[2] = { fsm->end[0].state, fsm->end[1].state };
	const char *about = word(&text), *wanted = word(&text), *is;

	if (!wanted) {
		wanted = about;
		is = fsm_half_open(fsm) ? "half_open" : "known";
	} else if (!strcmp(about, "timer")) {
		is = timer_name(fsm_timer(fsm));
	} else if (!strcmp(about, "phase")) {
		is = phase_name(fsm_phase(state));
	} else if (!strcmp(about, "handshake")) {
		is = handshake_name(fsm_handshake(fsm));
	} else {
		complain(line, "unknown question");
	}
	if (strcmp(wanted, is))
		complain(line, "it is %s", is);
}

/* Equal, but for how the words are set apart. */
static bool same_words(const char *a, const char *b)
{
	for (;;) {
		a += strspn(a, " \t");
		b += strspn(b, " \t");
		if (*a != *b)
			return false;
		if (!*a)
			return true;
		a++;
		b++;
	}
}

static void play_line(const struct line *line, struct scenario_run *run, char *order, char *wanted)
{
	struct fsm before = run->fsm;
	struct fsm_result res;
	char text[TOLD_MAX];
	bool pickup = false;
	char *verb = word(&order);

	if (!strcmp(verb, "is")) {
		check_question(line, &run->fsm, order);
		return;
	}
	if (!strcmp(verb, "pickup")) {
		pickup = true;
		verb = word(&order);
	}
	memset(&res, 0xee, sizeof(res));	/* nothing may be left over */
	if (!strcmp(verb, ">") || !strcmp(verb, "<")) {
		if (!run->open && !pickup)
			fsm_open(&before);
		play_segment(line, run, pickup, *verb == '>' ? FSM_INITIATOR : FSM_RESPONDER,
			     order, &res);
	} else if (!strcmp(verb, "icmp")) {
		play_icmp(line, &run->fsm, order, &res);
	} else if (!strcmp(verb, "timeout")) {
		fsm_timeout(&run->fsm, &res);
	} else if (!strcmp(verb, "evict")) {
		fsm_abandon(&run->fsm, TCPTRACE_CLOSE_EVICTED, &res);
	} else if (!strcmp(verb, "replace")) {
		fsm_abandon(&run->fsm, TCPTRACE_CLOSE_UNKNOWN, &res);
		run->replaced = run->fsm;
		run->open = false;
	} else if (!strcmp(verb, "flush")) {
		fsm_abandon(&run->fsm, TCPTRACE_CLOSE_FLUSHED, &res);
	} else {
		complain(line, "what is %s?", verb);
	}
	if (!wanted)
		complain(line, "nothing is said of what must be told");

	told(text, &run->fsm, &res);
	if (!same_words(text, wanted))
		complain(line, "told \"%s\"", text);
	if (pickup) {	/* the first change begins nowhere */
		before = (struct fsm){};
		if (res.change[0].prev[0] || res.change[0].prev[1])
			complain(line, "a state before the pickup");
	}
	check_always(line, &before, &run->fsm, &res);
}

static char *trim(char *text)
{
	char *end = text + strcspn(text, "#\n");

	while (end > text && strchr(" \t", end[-1]))
		end--;
	*end = '\0';
	return text + strspn(text, " \t");
}

/* Copy the next line of @text, and those that begin with ";" and go on with it. */
static const char *read_line(struct line *line, const char *text, char copy[TOLD_MAX])
{
	char *end = copy;

	do {
		size_t len = strcspn(text, "\n");

		assert_true(end + len < copy + TOLD_MAX);
		memcpy(end, text, len);
		end += len;
		text += len + (text[len] == '\n');
		line->number++;
	} while (text[strspn(text, " \t")] == ';');
	*end = '\0';
	return text;
}

void scenario_play(struct scenario_run *run, const struct scenario *scenario,
		   const struct isns *isns)
{
	struct line line = { .scenario = scenario, .isns = isns };
	const char *next = scenario->text;

	while (*next) {
		char copy[TOLD_MAX], shown[TOLD_MAX], *order, *wanted;

		next = read_line(&line, next, copy);
		order = trim(copy);
		if (!*order)
			continue;
		strcpy(shown, order);
		line.text = shown;
		wanted = order;
		order = strsep(&wanted, ":");
		play_line(&line, run, order, wanted ? trim(wanted) : NULL);
	}
}
