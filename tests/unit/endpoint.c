// SPDX-License-Identifier: GPL-2.0
/* RFC 9293 section 3.10; see endpoint.h. */
#include <assert.h>
#include "endpoint.h"

#define FIN	TCPTRACE_TCP_FIN
#define SYN	TCPTRACE_TCP_SYN
#define RST	TCPTRACE_TCP_RST
#define PSH	TCPTRACE_TCP_PSH
#define ACK	TCPTRACE_TCP_ACK

#define RTO_FIRST	1000
#define RTO_MAX		8000
#define SYN_TRIES	6
#define TRIES		60
#define FLIGHT_MAX	8	/* segments under way at once */

/* a < b and a <= b in sequence space */
static bool lt(u32 a, u32 b)
{
	return a != b && b - a < 0x80000000;
}

static bool le(u32 a, u32 b)
{
	return !lt(b, a);
}

static void enter(struct endpoint *e, u8 state)
{
	assert(e->path_len < ENDPOINT_PATH_MAX);
	e->state = state;
	e->path[e->path_len++] = state;
}

static void stop_timers(struct endpoint *e)
{
	e->retransmit_at = NEVER;
	e->ack_at = NEVER;
	e->time_wait_at = NEVER;
}

static void enter_closed(struct endpoint *e)
{
	stop_timers(e);
	e->queued = 0;
	enter(e, TCPTRACE_STATE_CLOSED);
}

static void enter_time_wait(struct endpoint *e, u32 now)
{
	e->retransmit_at = NEVER;
	e->time_wait_at = now + ENDPOINT_2MSL;
	enter(e, TCPTRACE_STATE_TIME_WAIT);
}

/*
 * Sending
 */

static void put(struct endpoint *e, const struct segment *seg)
{
	assert(e->out_len < ENDPOINT_OUT_MAX);
	e->out[e->out_len++] = *seg;
}

/* The window as the next segment tells it. */
static u16 window_field(const struct endpoint *e, u8 flags)
{
	u32 window = e->config.window;

	if (!(flags & SYN))
		window >>= e->rcv_shift;
	return window < 65535 ? window : 65535;
}

static void emit(struct endpoint *e, u8 flags, u32 seq, u32 len)
{
	struct segment seg = {
		.flags		= flags,
		.seq		= seq,
		.payload_len	= len,
		.header_len	= 20,
		.window		= window_field(e, flags),
	};

	if (flags & ACK) {
		seg.ack = e->rcv_nxt;
		e->acked_syn |= e->got_syn;
		e->acked_fin |= e->got_fin;
		e->ack_at = NEVER;
	}
	/* RFC 7323 section 2.2: a SYN+ACK offers it only if the SYN did */
	if (flags & SYN && e->config.offer_scale && (!(flags & ACK) || e->rcv_shift)) {
		seg.syn.options |= TCPTRACE_OPT_WSCALE;
		seg.syn.wscale = e->config.shift;
	}
	if (flags & SYN)
		e->sent_syn = true;
	if ((flags & (SYN | ACK)) == (SYN | ACK))
		e->sent_syn_ack = true;
	put(e, &seg);
}

static void emit_ack(struct endpoint *e)
{
	emit(e, ACK, e->snd_nxt, 0);
}

static void arm_retransmit(struct endpoint *e, u32 now)
{
	if (e->snd_una == e->snd_nxt)
		e->retransmit_at = NEVER;
	else if (e->retransmit_at == NEVER)
		e->retransmit_at = now + e->rto;
}

/* Room in the peer's window, and in what we dare to have under way. */
static u32 room(const struct endpoint *e)
{
	u32 most = FLIGHT_MAX * e->config.mss;
	u32 window = e->snd_wnd < most ? e->snd_wnd : most;
	u32 used = e->snd_nxt - e->snd_una;

	return used < window ? window - used : 0;
}

static bool may_send_data(const struct endpoint *e)
{
	return e->state == TCPTRACE_STATE_ESTABLISHED || e->state == TCPTRACE_STATE_CLOSE_WAIT ||
	       (e->state == TCPTRACE_STATE_SYN_RECEIVED && e->passive && e->config.fastopen);
}

static bool may_send_fin(const struct endpoint *e)
{
	return may_send_data(e) || e->state == TCPTRACE_STATE_SYN_RECEIVED;
}

static void note_fin(struct endpoint *e, u32 fin)
{
	e->sent_fin = true;
	e->fin = fin;
	e->fin_before_peers = !e->got_fin;
	enter(e, e->state == TCPTRACE_STATE_CLOSE_WAIT ? TCPTRACE_STATE_LAST_ACK :
							 TCPTRACE_STATE_FIN_WAIT_1);
}

/* 3.10.2 SEND and 3.10.4 CLOSE, as far as the window lets them. */
static void push(struct endpoint *e, u32 now)
{
	while (may_send_data(e) && e->to_send && room(e)) {
		u32 len = e->to_send < e->config.mss ? e->to_send : e->config.mss;
		bool fin;

		if (len > room(e))
			len = room(e);
		fin = e->close_asked && !e->config.fin_alone && len == e->to_send &&
		      room(e) > len;
		emit(e, ACK | PSH | (fin ? FIN : 0), e->snd_nxt, len);
		e->to_send -= len;
		e->snd_nxt += len + fin;
		if (fin)
			note_fin(e, e->snd_nxt - 1);
	}
	if (e->close_asked && !e->sent_fin && !e->to_send && may_send_fin(e) && room(e)) {
		emit(e, ACK | FIN, e->snd_nxt, 0);
		e->snd_nxt++;
		note_fin(e, e->snd_nxt - 1);
	}
	arm_retransmit(e, now);
}

/* Everything that is not acknowledged, from the beginning. */
static void retransmit(struct endpoint *e)
{
	u32 end = e->sent_fin ? e->fin : e->snd_nxt;
	u32 seq = e->snd_una;

	if (!e->syn_acked) {
		seq = e->config.iss + 1;
		if (e->state == TCPTRACE_STATE_SYN_SENT) {
			emit(e, SYN, e->config.iss, 0);
			return;
		}
		emit(e, SYN | ACK, e->config.iss, 0);
	}
	while (lt(seq, end)) {
		u32 len = end - seq < e->config.mss ? end - seq : e->config.mss;
		bool fin = e->sent_fin && seq + len == e->fin && !e->config.fin_alone;

		emit(e, ACK | PSH | (fin ? FIN : 0), seq, len);
		seq += len + fin;
	}
	if (e->sent_fin && seq == e->fin)
		emit(e, ACK | FIN, seq, 0);
}

static void emit_rst(struct endpoint *e, u8 flags, u32 seq, u32 ack)
{
	struct segment seg = { .flags = RST | flags, .seq = seq, .ack = ack, .header_len = 20 };

	e->sent_rst = true;
	if (flags & ACK)
		e->acked_fin |= e->got_fin;
	put(e, &seg);
}

/*
 * Calls of the application
 */

void endpoint_init(struct endpoint *e, const struct endpoint_config *config)
{
	*e = (struct endpoint){
		.config	 = *config,
		.state	 = TCPTRACE_STATE_CLOSED,
		.snd_una = config->iss,
		.snd_nxt = config->iss,
		.rto	 = RTO_FIRST,
	};
	stop_timers(e);
}

void endpoint_listen(struct endpoint *e)
{
	e->passive = true;
	enter(e, TCPTRACE_STATE_LISTEN);
}

void endpoint_connect(struct endpoint *e, u32 now, u32 syn_data)
{
	if (syn_data > e->config.mss)
		syn_data = e->config.mss;
	emit(e, SYN, e->config.iss, syn_data);
	e->snd_nxt = e->config.iss + 1 + syn_data;
	enter(e, TCPTRACE_STATE_SYN_SENT);
	arm_retransmit(e, now);
}

void endpoint_send(struct endpoint *e, u32 now, u32 bytes)
{
	if (e->close_asked || e->state == TCPTRACE_STATE_CLOSED)
		return;
	e->to_send += bytes;
	push(e, now);
}

void endpoint_close(struct endpoint *e, u32 now)
{
	e->close_asked = true;
	switch (e->state) {
	case TCPTRACE_STATE_CLOSED:
		break;
	case TCPTRACE_STATE_LISTEN:
		enter_closed(e);
		break;
	case TCPTRACE_STATE_SYN_SENT:
		e->gave_up = true;
		enter_closed(e);
		break;
	default:
		push(e, now);
	}
}

/* 3.10.5 */
void endpoint_abort(struct endpoint *e)
{
	switch (e->state) {
	case TCPTRACE_STATE_CLOSED:
		return;
	case TCPTRACE_STATE_SYN_RECEIVED:
	case TCPTRACE_STATE_ESTABLISHED:
	case TCPTRACE_STATE_FIN_WAIT_1:
	case TCPTRACE_STATE_FIN_WAIT_2:
	case TCPTRACE_STATE_CLOSE_WAIT:
		if (e->config.fin_alone)	/* as good a coin as any */
			emit_rst(e, 0, e->snd_nxt, 0);
		else
			emit_rst(e, ACK, e->snd_nxt, e->rcv_nxt);
		break;
	default:
		e->gave_up = true;
	}
	enter_closed(e);
}

/*
 * 3.10.7 SEGMENT ARRIVES
 */

/* 3.10.7.1 */
static void arrives_closed(struct endpoint *e, const struct segment *seg)
{
	if (seg->flags & RST || e->config.silent)
		return;
	if (seg->flags & ACK)
		emit_rst(e, 0, seg->ack, 0);
	else
		emit_rst(e, ACK, 0, segment_end(seg));
}

static void take_syn(struct endpoint *e, const struct segment *seg)
{
	e->irs = seg->seq;
	e->rcv_nxt = seg->seq + 1;
	e->got_syn = true;
	e->snd_wnd = seg->window;
	if (e->config.offer_scale && seg->syn.options & TCPTRACE_OPT_WSCALE) {
		e->snd_shift = seg->syn.wscale;
		e->rcv_shift = e->config.shift;
	}
}

static void answer_syn(struct endpoint *e, u32 now)
{
	emit(e, SYN | ACK, e->config.iss, 0);
	e->snd_nxt = e->config.iss + 1;
	enter(e, TCPTRACE_STATE_SYN_RECEIVED);
	arm_retransmit(e, now);
}

/* 3.10.7.2 */
static void arrives_listen(struct endpoint *e, u32 now, const struct segment *seg)
{
	if (seg->flags & RST)
		return;
	if (seg->flags & ACK) {
		emit_rst(e, 0, seg->ack, 0);
		return;
	}
	if (!(seg->flags & SYN))
		return;
	take_syn(e, seg);
	if (e->config.fastopen)
		e->rcv_nxt += seg->payload_len;
	answer_syn(e, now);
	push(e, now);
}

static void note_acked(struct endpoint *e, u32 now, u32 ack)
{
	if (lt(e->snd_una, ack)) {
		e->snd_una = ack;
		e->tries = 0;
		e->rto = RTO_FIRST;
		e->retransmit_at = NEVER;
		arm_retransmit(e, now);
	}
	e->syn_acked = true;
	if (e->sent_fin && lt(e->fin, ack))
		e->fin_acked = true;
}

/* 3.10.7.3 */
static void arrives_syn_sent(struct endpoint *e, u32 now, const struct segment *seg)
{
	bool acceptable = false;

	if (seg->flags & ACK) {
		if (le(seg->ack, e->config.iss) || lt(e->snd_nxt, seg->ack)) {
			if (!(seg->flags & RST))
				emit_rst(e, 0, seg->ack, 0);
			return;
		}
		acceptable = true;
	}
	if (seg->flags & RST) {
		if (acceptable)
			enter_closed(e);
		return;
	}
	if (!(seg->flags & SYN))
		return;
	take_syn(e, seg);
	if (acceptable) {
		e->to_send += e->snd_nxt - seg->ack;	/* data in the SYN it did not take */
		e->snd_nxt = seg->ack;
		note_acked(e, now, seg->ack);
		enter(e, TCPTRACE_STATE_ESTABLISHED);
		emit_ack(e);
		push(e, now);
	} else {
		e->to_send += e->snd_nxt - (e->config.iss + 1);
		e->snd_nxt = e->config.iss + 1;
		e->retransmit_at = NEVER;
		answer_syn(e, now);
	}
}

static u32 receive_window(const struct endpoint *e)
{
	return e->config.window >> e->rcv_shift << e->rcv_shift;
}

/* 3.10.7.4 first */
static bool acceptable(const struct endpoint *e, const struct segment *seg)
{
	u32 len = segment_end(seg) - seg->seq;
	u32 edge = e->rcv_nxt + receive_window(e);

	if (le(e->rcv_nxt, seg->seq) && lt(seg->seq, edge))
		return true;
	return len && le(e->rcv_nxt, seg->seq + len - 1) && lt(seg->seq + len - 1, edge);
}

/* Take what follows RCV.NXT out of @seq, @len, @fin: true if there was anything. */
static bool take(struct endpoint *e, u32 now, u32 seq, u32 len, bool fin)
{
	bool taken = false;

	if (lt(e->rcv_nxt, seq) || e->got_fin)
		return false;
	if (lt(e->rcv_nxt, seq + len)) {
		e->rcv_nxt = seq + len;
		taken = true;
	}
	if (!fin || e->rcv_nxt != seq + len)
		return taken;

	/* eighth, check the FIN bit */
	e->rcv_nxt++;
	e->got_fin = true;
	switch (e->state) {
	case TCPTRACE_STATE_SYN_RECEIVED:
	case TCPTRACE_STATE_ESTABLISHED:
		enter(e, TCPTRACE_STATE_CLOSE_WAIT);
		break;
	case TCPTRACE_STATE_FIN_WAIT_1:
		enter(e, TCPTRACE_STATE_CLOSING);
		break;
	case TCPTRACE_STATE_FIN_WAIT_2:
		enter_time_wait(e, now);
		break;
	}
	return true;
}

static void keep(struct endpoint *e, const struct segment *seg)
{
	if (!e->config.queue || e->queued == ENDPOINT_QUEUE_MAX)
		return;
	e->queue[e->queued].seq = seg->seq;
	e->queue[e->queued].len = seg->payload_len;
	e->queue[e->queued].fin = seg->flags & FIN;
	e->queued++;
}

static void take_kept(struct endpoint *e, u32 now)
{
	bool again = true;
	int i;

	while (again) {
		again = false;
		for (i = 0; i < e->queued; i++)
			again |= take(e, now, e->queue[i].seq, e->queue[i].len, e->queue[i].fin);
	}
}

/* 3.10.7.4 seventh and eighth */
static void take_text(struct endpoint *e, u32 now, const struct segment *seg)
{
	if (!seg->payload_len && !(seg->flags & FIN))
		return;
	if (lt(e->rcv_nxt, seg->seq)) {
		keep(e, seg);
		emit_ack(e);
		return;
	}
	take(e, now, seg->seq, seg->payload_len, seg->flags & FIN);
	take_kept(e, now);
	if (e->ack_at != NEVER || !e->config.ack_delay)
		emit_ack(e);		/* every second segment at least */
	else
		e->ack_at = now + e->config.ack_delay;
}

/* 3.10.7.4 fifth: true if the segment goes on */
static bool take_ack(struct endpoint *e, u32 now, const struct segment *seg)
{
	if (e->state == TCPTRACE_STATE_SYN_RECEIVED) {
		if (le(seg->ack, e->snd_una) || lt(e->snd_nxt, seg->ack)) {
			emit_rst(e, 0, seg->ack, 0);
			return false;
		}
		enter(e, TCPTRACE_STATE_ESTABLISHED);
	}
	if (lt(e->snd_nxt, seg->ack)) {
		emit_ack(e);
		return false;
	}
	if (le(e->snd_una, seg->ack)) {
		if (lt(e->snd_una, seg->ack))
			note_acked(e, now, seg->ack);
		e->snd_wnd = seg->flags & SYN ? seg->window : (u32)seg->window << e->snd_shift;
	}
	if (!e->fin_acked)
		return e->state != TCPTRACE_STATE_CLOSING;
	switch (e->state) {
	case TCPTRACE_STATE_FIN_WAIT_1:
		enter(e, TCPTRACE_STATE_FIN_WAIT_2);
		break;
	case TCPTRACE_STATE_CLOSING:
		enter_time_wait(e, now);
		break;
	case TCPTRACE_STATE_LAST_ACK:
		enter_closed(e);
		return false;
	}
	return true;
}

/* 3.10.7.4 */
static void arrives_synchronized(struct endpoint *e, u32 now, const struct segment *seg)
{
	if (e->state == TCPTRACE_STATE_SYN_RECEIVED && !e->config.strict_syn &&
	    (seg->flags & (SYN | ACK | RST)) == (SYN | ACK) && seg->seq == e->irs &&
	    lt(e->snd_una, seg->ack) && le(seg->ack, e->snd_nxt)) {
		take_ack(e, now, seg);		/* figure 7, line 6 */
		push(e, now);
		return;
	}
	if (!acceptable(e, seg)) {
		if (seg->flags & RST)
			return;
		emit_ack(e);
		if (e->state == TCPTRACE_STATE_TIME_WAIT && seg->flags & FIN)
			e->time_wait_at = now + ENDPOINT_2MSL;
		return;
	}
	if (seg->flags & RST) {			/* second, RFC 5961 section 3 */
		if (seg->seq == e->rcv_nxt)
			enter_closed(e);
		else
			emit_ack(e);
		return;
	}
	if (seg->flags & SYN) {			/* fourth, RFC 5961 section 4 */
		emit_ack(e);
		return;
	}
	if (!(seg->flags & ACK) || !take_ack(e, now, seg))
		return;
	take_text(e, now, seg);
	push(e, now);
}

void endpoint_receive(struct endpoint *e, u32 now, const struct segment *seg)
{
	if (e->state == TCPTRACE_STATE_TIME_WAIT && e->listening &&
	    (seg->flags & (SYN | ACK | RST)) == SYN && lt(e->rcv_nxt, seg->seq)) {
		struct endpoint_config config = e->config;

		config.iss = e->snd_nxt + 70000;
		endpoint_init(e, &config);
		endpoint_listen(e);
	}
	if (e->state == TCPTRACE_STATE_CLOSED && e->listening) {
		struct endpoint_config config = e->config;

		endpoint_init(e, &config);
		endpoint_listen(e);
	}
	switch (e->state) {
	case TCPTRACE_STATE_CLOSED:
		arrives_closed(e, seg);
		break;
	case TCPTRACE_STATE_LISTEN:
		arrives_listen(e, now, seg);
		break;
	case TCPTRACE_STATE_SYN_SENT:
		arrives_syn_sent(e, now, seg);
		break;
	default:
		arrives_synchronized(e, now, seg);
	}
}

/*
 * 3.10.8 Timers
 */

u32 endpoint_next_timer(const struct endpoint *e)
{
	u32 next = e->retransmit_at;

	if (e->ack_at < next)
		next = e->ack_at;
	return e->time_wait_at < next ? e->time_wait_at : next;
}

static void retransmit_timer(struct endpoint *e, u32 now)
{
	e->retransmit_at = NEVER;
	if (++e->tries > (e->state == TCPTRACE_STATE_SYN_SENT ? SYN_TRIES : TRIES)) {
		e->gave_up = true;
		enter_closed(e);
		return;
	}
	e->rto = e->rto * 2 < RTO_MAX ? e->rto * 2 : RTO_MAX;
	retransmit(e);
	arm_retransmit(e, now);
}

void endpoint_timer(struct endpoint *e, u32 now)
{
	if (e->time_wait_at <= now) {
		e->expired = true;
		enter_closed(e);
		return;
	}
	if (e->ack_at <= now)
		emit_ack(e);
	if (e->retransmit_at <= now)
		retransmit_timer(e, now);
}

bool endpoint_quiet(const struct endpoint *e)
{
	return e->retransmit_at == NEVER && e->ack_at == NEVER;
}
