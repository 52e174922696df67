/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TESTS_ENDPOINT_H
#define _TESTS_ENDPOINT_H

#include "segment.h"

/**
 * DOC: one TCP endpoint
 *
 * RFC 9293 section 3.10 event by event, for the simulator: the truth that the
 * tracer is measured by.  It shares nothing with fsm.c.  Bytes have no content,
 * only numbers.  Time is virtual, in milliseconds.
 *
 * A CLOSE is carried out when everything sent before is in segments and the
 * window has room: FIN-WAIT-1 and LAST-ACK begin with the FIN, which is what a
 * third party can know of them.
 */

#define ENDPOINT_2MSL		60000
#define ENDPOINT_PATH_MAX	16
#define ENDPOINT_QUEUE_MAX	16
#define ENDPOINT_OUT_MAX	64
#define NEVER			(~0u)

/**
 * struct endpoint_config - what kind of endpoint it is
 * @iss: initial send sequence number
 * @window: receive window in bytes, always all of it free
 * @mss: payload of its segments
 * @shift: window scale it offers, 1 or more, so that the window is not zero
 * @ack_delay: how long it may hold back an ACK, 0 not at all
 * @offer_scale: it offers window scaling
 * @queue: keeps segments that arrive too early; else drops them
 * @fastopen: as responder takes data in the SYN, and sends before the last ACK
 * @strict_syn: in SYN_RECEIVED drops SYN+ACK as out of window and answers it, as
 *	the letter of 3.10.7.4 has it; else takes its ACK, as figure 7 has it
 * @fin_alone: never sends a FIN together with data
 * @silent: answers nothing that finds it CLOSED: a firewall
 */
struct endpoint_config {
	u32	iss;
	u32	window;
	u16	mss;
	u8	shift;
	u8	ack_delay;
	bool	offer_scale;
	bool	queue;
	bool	fastopen;
	bool	strict_syn;
	bool	fin_alone;
	bool	silent;
};

struct endpoint {
	struct endpoint_config config;
	u8	state;
	bool	passive;		/* it was in LISTEN */
	bool	listening;		/* a SYN in TIME_WAIT may open anew, RFC 1122 4.2.2.13 */

	/* RFC 9293 section 3.3.1 */
	u32	snd_una, snd_nxt, snd_wnd;
	u32	rcv_nxt, irs;
	u8	snd_shift, rcv_shift;

	/* what the application wants */
	u32	to_send;
	bool	close_asked;
	u32	fin;			/* number of its FIN, if @sent_fin */

	/* too early, kept */
	struct {
		u32	seq, len;
		bool	fin;
	} queue[ENDPOINT_QUEUE_MAX];
	int	queued;

	/* when each timer runs out, or NEVER */
	u32	retransmit_at, rto, ack_at, time_wait_at;
	int	tries;

	/* what really happened */
	u8	path[ENDPOINT_PATH_MAX];	/* its states in order */
	int	path_len;
	bool	sent_syn, sent_syn_ack, sent_fin, sent_rst;
	bool	got_syn, got_fin;
	bool	acked_syn, acked_fin;		/* it sent an ACK of its peer's */
	bool	syn_acked, fin_acked;		/* it got an ACK of its own */
	bool	fin_before_peers;		/* when it sent its FIN, it had no other */
	bool	gave_up;			/* retransmitted in vain, or vanished */
	bool	expired;			/* CLOSED by the end of TIME_WAIT */

	/* segments to put on the link */
	struct segment out[ENDPOINT_OUT_MAX];
	int	out_len;
};

void endpoint_init(struct endpoint *e, const struct endpoint_config *config);
void endpoint_listen(struct endpoint *e);
void endpoint_connect(struct endpoint *e, u32 now, u32 syn_data);
void endpoint_send(struct endpoint *e, u32 now, u32 bytes);
void endpoint_close(struct endpoint *e, u32 now);
void endpoint_abort(struct endpoint *e);
void endpoint_receive(struct endpoint *e, u32 now, const struct segment *seg);

/* When its next timer runs out, or NEVER; endpoint_timer() does what is due. */
u32 endpoint_next_timer(const struct endpoint *e);
void endpoint_timer(struct endpoint *e, u32 now);

/* It owes no ACK and waits for none. */
bool endpoint_quiet(const struct endpoint *e);

#endif /* _TESTS_ENDPOINT_H */
