/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_FSM_H
#define _TCPTRACE_FSM_H

#include <linux/types.h>
#include <linux/tcptrace.h>
#include "marks.h"
#include "quote.h"
#include "segment.h"

/**
 * DOC: two endpoints, told from their segments
 *
 * The machine holds the RFC 9293 state of both endpoints and the sequence
 * numbers that decide it.  It sees the segments as they pass one place, so what
 * it knows of an endpoint is what that endpoint sends.  From this one principle
 * every rule follows:
 *
 * - What an endpoint sends, it has done: its SYN, its SYN+ACK, its FIN.
 * - A segment that must be answered has arrived when its answer is seen.  A SYN
 *   that a firewall swallows makes no SYN_RECEIVED, a FIN in flight makes no
 *   CLOSE_WAIT, and two FINs that cross each other are told as what they are.
 * - A segment that is never answered, an ACK or a RST, is taken to arrive:
 *   nothing later could tell.
 *
 * Pure: no locks, no time, no memory but what is handed in.  The caller keeps
 * two calls on one &struct fsm apart.
 */

/* Which endpoint sent a segment, and the index of that endpoint. */
enum fsm_dir {
	FSM_INITIATOR	= 0,
	FSM_RESPONDER	= 1,
};

/**
 * struct fsm - one connection
 * @end: both endpoints, by &enum fsm_dir
 * @handshake: &enum tcptrace_handshake, NONE while it lasts
 * @close: &enum tcptrace_close
 * @first_fin: &enum tcptrace_side
 * @ended: the outcome is known, the END is told
 * @guessed: who initiated is a guess
 * @quiet: both are ESTABLISHED and heard: data and ACKs change nothing
 */
struct fsm {
	struct fsm_endpoint end[2];
	u8	handshake;
	u8	close;
	u8	first_fin;
	bool	ended;
	bool	guessed;
	bool	quiet;
};

/**
 * struct fsm_change - one thing to tell
 * @kind: &enum tcptrace_kind
 * @cause: &enum tcptrace_reason or &enum tcptrace_timer, by kind
 * @count: of RETRANSMIT, which repetition
 * @prev: both states before
 * @state: both states after
 */
struct fsm_change {
	u8	kind;
	u8	cause;
	u8	count;
	u8	prev[2];
	u8	state[2];
};

/* SYN+ACK that also completes a crossed handshake; ACK, then FIN, in one segment */
#define FSM_CHANGES_MAX	4

/**
 * struct fsm_result - what one call did
 * @changes: how many of @change are filled in
 * @ended: the outcome became known: an END is due, with the states of the last
 *	change
 * @reuse: nothing was done: the SYN opens a new connection on this tuple
 * @change: in the order in which they happened
 */
struct fsm_result {
	u8	changes;
	bool	ended;
	bool	reuse;
	struct fsm_change change[FSM_CHANGES_MAX];
};

/**
 * fsm_open - a connection before its first SYN
 * @fsm: initialised; hand the SYN to fsm_step() next, from the initiator
 */
void fsm_open(struct fsm *fsm);

/**
 * fsm_succeed - the connection takes the tuple of another
 * @fsm: initialised by fsm_open()
 * @old: the other; its SYN may be answered yet, if the new one was forged
 */
void fsm_succeed(struct fsm *fsm, const struct fsm *old);

/**
 * fsm_can_pickup - can this segment be the first we see of a connection?
 * @seg: any segment but a SYN
 *
 * A RST cannot: there is nothing left to follow.
 */
bool fsm_can_pickup(const struct segment *seg);

/**
 * fsm_pickup - a connection met midway
 * @fsm: initialised
 * @dir: who sent @seg: for SYN+ACK the responder, else the caller's guess
 * @seg: fsm_can_pickup() holds for it
 * @res: PICKUP, then what the segment itself did
 */
void fsm_pickup(struct fsm *fsm, enum fsm_dir dir, const struct segment *seg,
		struct fsm_result *res);

/**
 * fsm_step - one segment of the connection
 * @fsm: opened or picked up
 * @dir: who sent it
 * @seg: parsed, its checksum good
 * @res: what it did; no change for a segment that only carries data or an ACK
 */
void fsm_step(struct fsm *fsm, enum fsm_dir dir, const struct segment *seg,
	      struct fsm_result *res);

/**
 * fsm_carry - a segment that only carries data and acknowledges data
 * @fsm: opened or picked up
 * @dir: who sent it
 * @seg: parsed
 *
 * What nearly every segment is; the shortest way through fsm_step().
 *
 * Return: false if it may be more than that, and has to go to fsm_step().
 */
bool fsm_carry(struct fsm *fsm, enum fsm_dir dir, const struct segment *seg);

/**
 * fsm_let_plain - may marks_carry_plain() take what an endpoint sends?
 * @fsm: opened or picked up
 * @dir: which endpoint
 * @kinds: MARKS_PLAIN_* that it may, if nothing else is awaited
 */
static inline void fsm_let_plain(struct fsm *fsm, enum fsm_dir dir, u8 kinds)
{
	struct fsm_endpoint *end = &fsm->end[dir];

	WRITE_ONCE(end->plain, fsm->quiet && !(end->seen & FSM_AHEAD) ? kinds : 0);
}

/* Nothing passes by fsm_step() until fsm_let_plain(). */
static inline void fsm_stop_plain(struct fsm *fsm)
{
	WRITE_ONCE(fsm->end[FSM_INITIATOR].plain, 0);
	WRITE_ONCE(fsm->end[FSM_RESPONDER].plain, 0);
}

/**
 * fsm_icmp - an ICMP error about a segment of the connection
 * @fsm: opened or picked up
 * @dir: who sent the segment that is quoted
 * @quote: of that segment
 * @res: ICMP_ERROR; or INVALID, if the sender has no such number in flight: whoever made
 *	up the error need not have seen the segment, RFC 5927 section 4.1
 *
 * As long as the handshake lasts, an error about the SYN or the SYN+ACK ends it, if that
 * is one for which the sender gives up.  Any other changes nothing: later an endpoint
 * takes every error for a passing one, RFC 1122 section 4.2.3.9, RFC 5461 section 3.
 */
void fsm_icmp(struct fsm *fsm, enum fsm_dir dir, const struct quote *quote,
	      struct fsm_result *res);

/**
 * fsm_note - tell something that changes nothing
 * @fsm: left as it is
 * @kind: what to tell
 * @cause: of an INVALID, why
 * @res: that one change
 */
void fsm_note(const struct fsm *fsm, enum tcptrace_kind kind, enum tcptrace_reason cause,
	      struct fsm_result *res);

/**
 * fsm_timeout - the timer of fsm_timer() ran out
 * @fsm: both endpoints are CLOSED afterwards
 * @res: TIMEOUT
 */
void fsm_timeout(struct fsm *fsm, struct fsm_result *res);

/**
 * fsm_abandon - the connection lives on, but not in our table
 * @fsm: gets its verdict so far; of one in TIME_WAIT, whose END was told before, an
 *	EVICT tells that it is gone
 * @close: %TCPTRACE_CLOSE_EVICTED, told by an EVICT; %TCPTRACE_CLOSE_FLUSHED; or
 *	%TCPTRACE_CLOSE_UNKNOWN, if a new connection takes its tuple
 * @res: what to tell
 */
void fsm_abandon(struct fsm *fsm, enum tcptrace_close close, struct fsm_result *res);

/* Which timer runs now. */
enum tcptrace_timer fsm_timer(const struct fsm *fsm);

/* How the attempt to connect went, or how it looks so far. */
enum tcptrace_handshake fsm_handshake(const struct fsm *fsm);

/* A flow that one side alone may have made up: cheap to forge, first to go. */
bool fsm_half_open(const struct fsm *fsm);

/* Where the connection stands, from the states of its endpoints. */
enum tcptrace_phase fsm_phase(const u8 state[2]);

#endif /* _TCPTRACE_FSM_H */
