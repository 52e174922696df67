/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TESTS_SCENARIO_H
#define _TESTS_SCENARIO_H

#include "fsm.h"

/**
 * DOC: scenarios
 *
 * A TCP situation as text, in the spirit of packetdrill.  Each line is a segment
 * or an order to the machine, then a colon, then all that must be told for it::
 *
 *	> S 0			: syn SYN_SENT LISTEN
 *	< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED
 *	> A 1 ack 1		: established ESTABLISHED ESTABLISHED
 *	> PA 1+100 ack 1	:
 *
 * ``>`` is from the initiator, ``<`` from the responder.  Flags are letters in
 * the order S F R P A U E C, ``0`` for none.  Sequence numbers count from the
 * sender's ISN, acknowledgments from its peer's; ``+`` adds payload.  ``win N``
 * and the options ``ws N`` (window scale), ``ts N`` (timestamp) and ``sack 1`` follow;
 * the window is 65535 if not given.
 * ``ack nul`` and ``seq nul`` write zero to the wire.
 *
 * What is told: ``kind[/cause] initiator_state responder_state``, several of them
 * with ``;`` between; a line that begins with ``;`` goes on with the one before.
 * ``cause`` is the reason of invalid, the timer of timeout and the count of
 * retransmit.  ``end handshake close first_fin`` says that the END is due,
 * ``reuse`` that the SYN opens a new connection.  Every other effect, and a state
 * that does not continue the one before, is an error.
 *
 * Orders: ``pickup`` before the first segment, ``timeout``, ``evict``, ``flush``,
 * ``replace`` (by a new connection, which begins with the next segment).
 *
 * ``icmp > ERROR SEQ`` is an ICMP error about a segment of the initiator, ``icmp <``
 * about one of the responder.  ``unreachable`` is one for which its sender gives up a
 * SYN and a SYN+ACK, ``prohibited`` a SYN alone, ``too_big`` neither.  ``unseen`` after
 * SEQ says that this host made the error.
 *
 * Questions: ``is timer T``, ``is phase P``, ``is handshake H``, ``is half_open``,
 * ``is known``; the last is the opposite.  ``#`` begins a comment.
 */
struct scenario {
	const char *name;
	const char *text;
};

/* The two ISNs of one run. */
struct isns {
	u32 isn[2];
};

/* Where a scenario stopped; what goes on from there may use it. */
struct scenario_run {
	struct fsm fsm;
	struct fsm replaced;	/* the connection before, zeroed if there was none */
	bool open;
};

/**
 * scenario_play - run a scenario, fail the test if anything differs
 * @run: zeroed, or as an earlier scenario left it
 * @scenario: its text; the name is for messages
 * @isns: what relative sequence numbers count from
 */
void scenario_play(struct scenario_run *run, const struct scenario *scenario,
		   const struct isns *isns);

#endif /* _TESTS_SCENARIO_H */
