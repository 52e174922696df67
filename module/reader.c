// SPDX-License-Identifier: GPL-2.0
#include <linux/bits.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "reader.h"
#include "ring.h"
#include "stream.h"

#define READER_BATCH	256	/* events to pass over before others may use the CPU */

void reader_init(struct reader *reader, u64 seq)
{
	*reader = (struct reader){ .account.next_seq = seq };
}

static bool wanted_kind(const struct tcptrace_filter *filter, u8 kind)
{
	return !filter->kinds || filter->kinds & BIT(kind);
}

bool reader_wants(const struct reader *reader, const struct tcptrace_event *event)
{
	const struct tcptrace_filter *filter = &reader->filter;

	if (!wanted_kind(filter, event->kind))
		return false;
	if (filter->ip_version && filter->ip_version != event->ip_version)
		return false;
	if (filter->netns && filter->netns != event->netns)
		return false;
	return !filter->port || filter->port == event->initiator_port ||
	       filter->port == event->responder_port;
}

/* The ring has overtaken the reader: all up to the oldest event is gone. */
static void tell_lost(struct tcptrace_reader *account, struct tcptrace_event *event)
{
	u64 oldest = ring_oldest(stream_ring());

	memset(event, 0, sizeof(*event));
	event->size = sizeof(*event);
	event->kind = TCPTRACE_EVENT_LOST;
	event->seq = account->next_seq;
	event->time_ns = ktime_get_ns();
	event->lost.count = oldest - account->next_seq;
	account->lost += event->lost.count;
	account->next_seq = oldest;
}

/* The event at the cursor; an unwanted kind is not copied. */
static enum ring_answer get(const struct ring *ring, const struct tcptrace_filter *filter,
			    u64 seq, struct tcptrace_event *event)
{
	if (filter->kinds) {
		enum ring_answer answer = ring_peek(ring, seq, event);

		if (answer != RING_EVENT || !wanted_kind(filter, event->kind))
			return answer;
	}
	return ring_get(ring, seq, event);
}

bool reader_next(const struct reader *reader, struct tcptrace_reader *account,
		 struct tcptrace_event *event)
{
	const struct ring *ring = stream_ring();

	for (;;) {
		switch (get(ring, &reader->filter, account->next_seq, event)) {
		case RING_NOT_YET:
			return false;
		case RING_OVERWRITTEN:
			tell_lost(account, event);
			return true;
		case RING_EVENT:
			account->next_seq++;
			if (reader_wants(reader, event)) {
				account->read++;
				return true;
			}
			account->filtered++;
			if (account->filtered % READER_BATCH == 0)
				cond_resched();
		}
	}
}

void reader_seek(struct reader *reader, u64 seq)
{
	struct tcptrace_reader *account = &reader->account;

	if (seq > account->next_seq)
		account->skipped += seq - account->next_seq;
	else
		account->revisited += account->next_seq - seq;
	account->next_seq = seq;
}
