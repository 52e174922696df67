/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_READER_H
#define _TCPTRACE_READER_H

#include <linux/tcptrace.h>
#include <linux/types.h>

/**
 * struct reader - a cursor in the stream, a filter and an account
 * @account: what became of the events so far; @account.next_seq is the cursor,
 *	@account.snapshot the one in a snapshot
 * @filter: which events it wants
 *
 * The owner keeps two calls on one reader apart.
 */
struct reader {
	struct tcptrace_reader account;
	struct tcptrace_filter filter;
};

/**
 * reader_init - a reader that wants every event
 * @reader: the reader
 * @seq: where it stands
 */
void reader_init(struct reader *reader, u64 seq);

/**
 * reader_wants - does an event pass the filter
 * @reader: the reader
 * @event: any but LOST
 */
bool reader_wants(const struct reader *reader, const struct tcptrace_event *event);

/**
 * reader_next - the next event that the reader wants, or a LOST
 * @reader: left as it is, so that an event whose copy to the user fails is not
 *	consumed
 * @account: starts as a copy of the reader's account and is carried over what
 *	was met; when the event is delivered, it becomes the reader's own
 * @event: receives the event
 *
 * Context: may sleep; takes no lock.
 *
 * Return: false if there is none; @account is then behind what the filter passed
 * over.
 */
bool reader_next(const struct reader *reader, struct tcptrace_reader *account,
		 struct tcptrace_event *event);

/**
 * reader_seek - stand at another event
 * @reader: the reader
 * @seq: its number
 */
void reader_seek(struct reader *reader, u64 seq);

#endif /* _TCPTRACE_READER_H */
