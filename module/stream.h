/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_STREAM_H
#define _TCPTRACE_STREAM_H

#include <linux/tcptrace.h>
#include <linux/wait.h>

struct ring;

/*
 * The stream of events: the ring that holds them and the waking of those who
 * wait for them.  There is one.
 */

/**
 * stream_init - make room for events
 * @events: how many the ring holds, a power of two
 *
 * Return: 0 or -ENOMEM.
 */
int stream_init(unsigned long events);

/* Nothing publishes and nobody reads any more. */
void stream_exit(void);

/**
 * stream_begin - append an event
 *
 * Context: as ring_begin().
 *
 * Return: as ring_begin().
 */
struct tcptrace_event *stream_begin(void);

/**
 * stream_end - the event is complete; see to it that sleepers wake
 * @event: of stream_begin()
 *
 * A reader is woken once for all that comes within STREAM_WAKE_MS: a busy host
 * must not pay a context switch an event.
 *
 * Context: bottom halves disabled.
 */
void stream_end(struct tcptrace_event *event);

/**
 * stream_ring - where the events are
 */
const struct ring *stream_ring(void);

/**
 * stream_wait_queue - where to wait until there are more
 */
wait_queue_head_t *stream_wait_queue(void);

#endif /* _TCPTRACE_STREAM_H */
