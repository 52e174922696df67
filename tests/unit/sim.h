/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TESTS_SIM_H
#define _TESTS_SIM_H

#include "endpoint.h"
#include "fsm.h"

/**
 * DOC: the simulator
 *
 * Two endpoints (endpoint.h) live one or more connections on one tuple; the
 * tracer stands on the path between them::
 *
 *	endpoint 0  <--- near leg --->  tracer  <--- far leg --->  endpoint 1
 *
 * Each leg loses, repeats and reorders.  After every segment that passes the
 * tracer, what it tells must be possible; whenever the link is empty and no
 * endpoint owes an ACK or waits for one, both states must be the endpoints' own;
 * on a perfect link so must be the whole sequence of states.
 *
 * What no one on the path can know is left out, and counted:
 *
 * - out_of_order: a segment arrived in another order than it passed the tracer,
 *   or twice.
 * - rst_lost: the tracer told a RST that its receiver did not get, or did not
 *   take.  "A RST is taken to arrive": fsm.h.
 * - vanished: an endpoint went away without a word (RFC 9293 sections 3.10.5 and
 *   3.10.4 in SYN-SENT, CLOSING, LAST-ACK; or it retransmitted in vain; or its RST
 *   was lost before the tracer).
 * - hidden: an endpoint sent its FIN and then got its peer's (CLOSING), but the
 *   first FIN that passed the tracer came behind or with its ACK of the other's: as
 *   if it were in LAST_ACK.  The same with a SYN+ACK of crossed SYNs.
 * - late: the tracer came when a FIN had been sent already, or in the middle of
 *   crossed SYNs, or what it met first was not what it seemed: a SYN repeated for
 *   nothing, data before the end of the handshake.
 */

/* Why what is told is not compared from here on. */
enum sim_excuse {
	SIM_OUT_OF_ORDER,
	SIM_RST_LOST,
	SIM_VANISHED,
	SIM_HIDDEN,
	SIM_LATE,
	SIM_EXCUSES,
};

struct sim_figures {
	unsigned long connections;	/* each with an END */
	unsigned long established, orderly, reset;
	unsigned long crossed_opens, crossed_closes;
	unsigned long perfect;		/* on a perfect link */
	unsigned long sequences;	/* whole sequence of states equal */
	unsigned long sent, seen, delivered;
	unsigned long plain;		/* by the data path, as fsm_carry() does it */
	unsigned long carried;		/* by fsm_carry(), as fsm_step() does it */
	unsigned long told;		/* changes */
	unsigned long compared;		/* quiet moments, both states equal */
	unsigned long qualified;	/* connections compared to their end */
	unsigned long excused[SIM_EXCUSES];
	unsigned long handshakes[TCPTRACE_HANDSHAKE_UNSEEN + 1];
	unsigned long closes[TCPTRACE_CLOSE_UNKNOWN + 1];
	unsigned long reused, picked_up, timed_out;
	unsigned long pairs[12][12];	/* states of both at quiet moments */
};

/**
 * sim_run - the life of one tuple
 * @seed: decides everything
 * @verbose: print every segment and all that is told
 * @figures: added to
 * @error: receives what is wrong
 * @size: of @error
 *
 * Return: true if nothing was wrong.
 */
bool sim_run(u64 seed, bool verbose, struct sim_figures *figures, char *error, size_t size);

#endif /* _TESTS_SIM_H */
