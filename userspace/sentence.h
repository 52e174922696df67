/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SENTENCE_H
#define _SENTENCE_H

/*
 * What an event says beyond the columns, as clauses with commas between; a
 * clause that does not fit goes to the next line.
 */

#include <linux/tcptrace.h>

#include "out.h"

/**
 * struct sentence - a sentence under way
 * @out: the output
 * @indent: the column where lines go on
 * @limit: the columns of a line; 0: one line, however long
 * @full: tell also what an earlier event of the flow told
 * @space: where in the output the space before the current clause is, or 0
 * @clauses: how many clauses there are
 */
struct sentence {
	struct out *out;
	unsigned int indent;
	unsigned int limit;
	bool full;
	size_t space;
	unsigned int clauses;
};

bool sentence_wanted(const struct tcptrace_event *event);
void sentence_write(struct sentence *sentence, const struct tcptrace_event *event);
void sentence_write_options(struct sentence *sentence, const struct tcptrace_event *event);

#endif /* _SENTENCE_H */
