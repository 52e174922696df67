// SPDX-License-Identifier: GPL-2.0
/* The simulator's tracer, and what it tells against what is so; see sim.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "names.h"
#include "plain.h"
#include "sim_parts.h"

/*
 * Complaints
 */

void sim_wrong(struct sim *sim, const char *format, ...)
{
	va_list args;
	int len;

	if (sim->failed)
		return;
	sim->failed = true;
	len = snprintf(sim->error, sim->error_size, "at %u ms: ", sim->now);
	va_start(args, format);
	vsnprintf(sim->error + len, sim->error_size - len, format, args);
	va_end(args);
}

void sim_excuse(struct sim *sim, enum sim_excuse why)
{
	if (!sim->excused[why] && sim->verbose)
		printf("# %8u not compared from here: %d\n", sim->now, why);
	sim->excused[why] = true;
}

bool sim_excused(const struct sim *sim)
{
	int i;

	for (i = 0; i < SIM_EXCUSES; i++)
		if (sim->excused[i])
			return true;
	return false;
}

/* What the tracer says of endpoint @i. */
u8 sim_told(const struct sim *sim, int i)
{
	return sim->fsm.end[sim->side_of[i]].state;
}

/*
 * The tracer
 */

/* By fsm.h, what a state claims of its endpoint and of its peer has been done. */
static bool possible(u8 state, const struct endpoint *e, const struct endpoint *peer)
{
	bool both_answered = e->acked_syn && peer->acked_syn;

	switch (state) {
	case TCPTRACE_STATE_LISTEN:
	case TCPTRACE_STATE_CLOSED:
		return true;
	case TCPTRACE_STATE_SYN_SENT:
		return e->sent_syn;
	case TCPTRACE_STATE_SYN_RECEIVED:
		return e->sent_syn_ack && e->got_syn;
	case TCPTRACE_STATE_ESTABLISHED:
		return both_answered;
	case TCPTRACE_STATE_FIN_WAIT_1:
		return e->sent_fin && peer->sent_syn;
	case TCPTRACE_STATE_FIN_WAIT_2:
		return both_answered && e->sent_fin && peer->acked_fin;
	case TCPTRACE_STATE_CLOSE_WAIT:
		return both_answered && e->acked_fin && peer->sent_fin;
	case TCPTRACE_STATE_CLOSING:	/* FINs that crossed, the peer has answered */
		return both_answered && e->sent_fin && peer->sent_fin &&
		       (e->acked_fin || peer->acked_fin);
	case TCPTRACE_STATE_LAST_ACK:
		return both_answered && e->sent_fin && e->acked_fin;
	case TCPTRACE_STATE_TIME_WAIT:
		return both_answered && e->sent_fin && e->acked_fin && peer->acked_fin;
	}
	return false;
}

static void note_told(struct sim *sim, int i, u8 state)
{
	u8 *told = sim->told[i];
	int len = sim->told_len[i];

	if ((len && told[len - 1] == state) || len == TOLD_MAX)
		return;
	told[sim->told_len[i]++] = state;
}

static void check_verdict(struct sim *sim, bool order);

static void check_change(struct sim *sim, const struct fsm_change *change, int from)
{
	int i;

	sim->figures->told++;
	for (i = 0; i < 2; i++) {
		u8 state = change->state[sim->side_of[i]];

		note_told(sim, i, state);
		if (sim->current && !sim->excused[SIM_LATE] &&
		    !possible(state, &sim->end[i], &sim->end[!i]))
			sim_wrong(sim, "endpoint %d cannot be in %s yet", i, state_name(state));
	}
	if (change->kind == TCPTRACE_EVENT_RST) {
		if (sim->current && !sim->end[from].sent_rst)
			sim_wrong(sim, "a RST that was not sent");
		sim->rst_told[from] = true;
	}
}

/* What passed in another order than it was sent, or was lost before: see sim.h. */
static void note_hidden(struct sim *sim, const struct fsm_change *change, int from)
{
	const struct endpoint *e = &sim->end[from];

	if (change->kind == TCPTRACE_EVENT_FIN_ACKED)
		sim->fin_acked_told[from] = true;
	if (change->kind == TCPTRACE_EVENT_FIN && e->fin_before_peers && sim->fin_acked_told[from])
		sim_excuse(sim, SIM_HIDDEN);
	if (change->kind == TCPTRACE_EVENT_INVALID && change->cause == TCPTRACE_REASON_UNEXPECTED &&
	    e->sent_syn_ack && !e->passive)
		sim_excuse(sim, SIM_HIDDEN);
}

static void check_result(struct sim *sim, const struct fsm_result *res, int from)
{
	int i;

	for (i = 0; i < res->changes; i++) {
		if (sim->verbose)
			printf("# %8u told: %s %s\n", sim->now, kind_name(res->change[i].kind),
			       reason_name(res->change[i].kind == TCPTRACE_EVENT_INVALID ?
					   res->change[i].cause : 0));
		check_change(sim, &res->change[i], from);
		note_hidden(sim, &res->change[i], from);
	}
	if (res->ended) {
		sim->ends++;
		check_verdict(sim, false);
	}
}

static void forget_told(struct sim *sim)
{
	sim->told_len[0] = 0;
	sim->told_len[1] = 0;
	sim->ends = 0;
	memset(sim->rst_told, 0, sizeof(sim->rst_told));
}

/* What the first segment of a flow says is taken for granted, as it most often is. */
static bool missed_too_much(const struct endpoint *e, const struct endpoint *peer, bool syn,
			    bool ack)
{
	if (e->sent_fin || peer->sent_fin)
		return true;
	if (syn && ack)
		return !e->passive || e->config.fastopen;
	if (syn)
		return !peer->passive || peer->config.fastopen || e->syn_acked;
	return !e->acked_syn || !peer->acked_syn;
}

static void trace_first(struct sim *sim, const struct fsm *old, int from,
			const struct segment *seg)
{
	bool syn = seg->flags & TCPTRACE_TCP_SYN, ack = seg->flags & TCPTRACE_TCP_ACK;
	bool proved = sim->open && ack;	/* the SYN was not believed, its answer shows it */
	struct fsm_result res;

	if (!syn && !fsm_can_pickup(seg))
		return;
	forget_told(sim);
	sim->open = true;
	sim->current = true;
	sim->side_of[from] = syn && ack ? FSM_RESPONDER : FSM_INITIATOR;
	sim->side_of[!from] = !sim->side_of[from];
	if ((sim->trace_from || proved) &&
	    missed_too_much(&sim->end[from], &sim->end[!from], syn, ack))
		sim_excuse(sim, SIM_LATE);
	if (syn && !ack) {
		fsm_open(&sim->fsm);
		if (old)
			fsm_succeed(&sim->fsm, old);
		fsm_step(&sim->fsm, sim->side_of[from], seg, &res);
		if (res.reuse || res.changes != 1 || res.change[0].kind != TCPTRACE_EVENT_SYN)
			sim_wrong(sim, "a first SYN was not told as one");
	} else {
		sim->figures->picked_up++;
		fsm_pickup(&sim->fsm, sim->side_of[from], seg, &res);
	}
	check_result(sim, &res, from);
}

/* The SYN begins another connection: the old one gets its verdict if it has none. */
static void trace_reuse(struct sim *sim, int from, const struct segment *seg)
{
	struct fsm_result res;
	struct fsm old;

	sim->figures->reused++;
	fsm_abandon(&sim->fsm, TCPTRACE_CLOSE_UNKNOWN, &res);
	sim->ends += res.ended;
	if (sim->ends != 1)
		sim_wrong(sim, "%d ENDs before the tuple was used again", sim->ends);
	old = sim->fsm;
	trace_first(sim, &old, from, seg);
}

/* fsm_carry() and the data path, where they take the segment, do what fsm_step() does. */
static void step(struct sim *sim, int from, const struct segment *seg, struct fsm_result *res)
{
	struct fsm carried = sim->fsm, plain = sim->fsm;
	bool taken = fsm_carry(&carried, sim->side_of[from], seg);
	bool is_plain = carry_plain(&plain, sim->side_of[from], seg);

	if (!taken && memcmp(&carried, &sim->fsm, sizeof(carried)))
		sim_wrong(sim, "not carried, but not left alone");
	if (memcmp(&plain, is_plain ? &carried : &sim->fsm, sizeof(plain)))
		sim_wrong(sim, "the data path carries it to another place");
	sim->figures->plain += is_plain;
	fsm_step(&sim->fsm, sim->side_of[from], seg, res);
	if (!taken || sim->fsm.ended)	/* abandoned: nobody asks any more */
		return;
	sim->figures->carried++;
	if (res->changes || res->ended || res->reuse ||
	    memcmp(&carried, &sim->fsm, sizeof(carried)))
		sim_wrong(sim, "carried to another place");
}

void sim_trace(struct sim *sim, struct packet *packet)
{
	int from = packet->from;
	bool told_before = sim->rst_told[from];
	struct fsm_result res;

	if (sim->now < sim->trace_from) {
		if (packet->seg.flags & TCPTRACE_TCP_FIN ||
		    (packet->seg.flags & TCPTRACE_TCP_SYN && packet->seg.payload_len))
			sim_excuse(sim, SIM_LATE);
		return;
	}
	sim->figures->seen++;
	if (!sim->open) {
		trace_first(sim, NULL, from, &packet->seg);
		return;
	}
	step(sim, from, &packet->seg, &res);
	if (res.reuse)
		trace_reuse(sim, from, &packet->seg);
	else
		check_result(sim, &res, from);
	packet->told_rst = sim->rst_told[from] && !told_before;
}

void sim_trace_order(struct sim *sim, bool timeout)
{
	struct fsm_result res;

	if (timeout)
		fsm_timeout(&sim->fsm, &res);
	else
		fsm_abandon(&sim->fsm, TCPTRACE_CLOSE_FLUSHED, &res);
	if (!res.ended)
		return;
	sim->ends++;
	if (sim->current)
		check_verdict(sim, true);
}

/*
 * Verdicts
 */

/* The verdict has to be one of those that what happened allows. */
static void check_handshake(struct sim *sim, const struct endpoint *initiator,
			    const struct endpoint *responder)
{
	bool surely = initiator->syn_acked && responder->syn_acked;
	bool possibly = initiator->acked_syn && responder->acked_syn;
	u8 told = sim->fsm.handshake;
	bool good = true;

	switch (told) {
	case TCPTRACE_HANDSHAKE_ESTABLISHED:
		good = possibly;
		break;
	case TCPTRACE_HANDSHAKE_REFUSED:
		good = responder->sent_rst && !(sim->perfect && responder->sent_syn_ack);
		break;
	case TCPTRACE_HANDSHAKE_RESET:
		good = responder->sent_rst && responder->sent_syn;
		break;
	case TCPTRACE_HANDSHAKE_ABORTED:
		good = initiator->sent_rst;
		break;
	case TCPTRACE_HANDSHAKE_NO_ANSWER:
		good = !(sim->perfect && (initiator->sent_syn_ack || responder->sent_syn_ack));
		break;
	case TCPTRACE_HANDSHAKE_HALF_OPEN:
		good = initiator->sent_syn_ack || responder->sent_syn_ack;
		break;
	case TCPTRACE_HANDSHAKE_UNSEEN:
		good = sim->trace_from;
		break;
	default:
		good = false;
	}
	if (sim->perfect && !sim->trace_from && surely && told != TCPTRACE_HANDSHAKE_ESTABLISHED)
		good = false;
	if (!good)
		sim_wrong(sim, "the handshake was not %s", handshake_name(told));
}

static void check_close(struct sim *sim, const struct endpoint *initiator,
			const struct endpoint *responder)
{
	bool surely = initiator->fin_acked && responder->fin_acked;
	bool possibly = initiator->acked_fin && responder->acked_fin;
	u8 told = sim->fsm.close;
	bool good = true;

	switch (told) {
	case TCPTRACE_CLOSE_NONE:
		good = sim->fsm.handshake > TCPTRACE_HANDSHAKE_ESTABLISHED;
		break;
	case TCPTRACE_CLOSE_ORDERLY:
		good = possibly;
		break;
	case TCPTRACE_CLOSE_RESET_BY_INITIATOR:
		good = initiator->sent_rst && !(sim->perfect && surely);
		break;
	case TCPTRACE_CLOSE_RESET_BY_RESPONDER:
		good = responder->sent_rst && !(sim->perfect && surely);
		break;
	default:
		good = false;
	}
	if (!good)
		sim_wrong(sim, "it was not closed as %s", close_name(told));
}

static void check_first_fin(struct sim *sim)
{
	u8 side;

	if (!sim->fsm.first_fin || sim->first_fin_sent == 3 || sim_excused(sim))
		return;
	side = sim->first_fin_sent ? sim->side_of[sim->first_fin_sent - 1] + 1 : 0;
	if (sim->fsm.first_fin != side)
		sim_wrong(sim, "the first FIN was not of the %s", side_name(sim->fsm.first_fin));
}

/* Of an END that a segment brought, or an order. */
static void check_verdict(struct sim *sim, bool order)
{
	int initiator = sim->side_of[0] == FSM_INITIATOR ? 0 : 1;

	/* nothing is known; or one is of the connection before */
	if (sim->excused[SIM_LATE] || sim->end[0].listening || sim->end[1].listening)
		return;
	check_handshake(sim, &sim->end[initiator], &sim->end[!initiator]);
	if (!order)
		check_close(sim, &sim->end[initiator], &sim->end[!initiator]);
	check_first_fin(sim);
}

/*
 * Comparison
 */

static bool equal(u8 told, const struct endpoint *e)
{
	if (told == e->state)
		return true;
	/* presumed until it speaks */
	if (told == TCPTRACE_STATE_LISTEN && !e->sent_syn)
		return true;
	/* 2MSL is over for it, and soon for the tracer */
	return told == TCPTRACE_STATE_TIME_WAIT && e->expired;
}

/* Nothing is under way, nobody waits for an ACK. */
bool sim_quiet(const struct sim *sim)
{
	return !sim->in_flight && endpoint_quiet(&sim->end[0]) && endpoint_quiet(&sim->end[1]);
}

void sim_note_vanished(struct sim *sim)
{
	int i;

	for (i = 0; i < 2; i++) {
		const struct endpoint *e = &sim->end[i];

		/* it went without a word, or its RST did not pass */
		if (e->gave_up || (e->state == TCPTRACE_STATE_CLOSED && e->sent_rst &&
				   !sim->rst_told[i] && !sim->rst_told[!i]))
			sim_excuse(sim, SIM_VANISHED);
	}
}

void sim_compare(struct sim *sim)
{
	int i;

	sim_note_vanished(sim);
	if (!sim->current || sim_excused(sim))
		return;
	for (i = 0; i < 2; i++)
		if (!equal(sim_told(sim, i), &sim->end[i]))
			sim_wrong(sim, "endpoint %d is in %s, told %s", i,
				  state_name(sim->end[i].state), state_name(sim_told(sim, i)));
	sim->figures->compared++;
	sim->figures->pairs[sim_told(sim, 0)][sim_told(sim, 1)]++;
}

static const char *path_text(char *text, size_t size, const u8 *path, int len)
{
	int i, used = 0;

	text[0] = '\0';
	for (i = 0; i < len; i++)
		used += snprintf(text + used, size - used, " %s", state_name(path[i]));
	return text;
}

/* A path without its ends that are presumed, or are not told. */
static int path_core(u8 *core, const u8 *path, int len, bool reset)
{
	int i, n = 0;

	for (i = 0; i < len; i++) {
		bool closed = path[i] == TCPTRACE_STATE_CLOSED;

		if (i == 0 && (closed || path[i] == TCPTRACE_STATE_LISTEN))
			continue;
		if (closed && (reset || (n && core[n - 1] == TCPTRACE_STATE_TIME_WAIT)))
			continue;
		core[n++] = path[i];
	}
	return n;
}

/* Its FIN left before the ACK of its SYN came, but passed the tracer behind it. */
static int drop_established(u8 *told, int len, const struct endpoint *e)
{
	int i;

	for (i = 0; i < e->path_len; i++)
		if (e->path[i] == TCPTRACE_STATE_ESTABLISHED)
			return len;
	for (i = 0; i < len && told[i] != TCPTRACE_STATE_ESTABLISHED; i++)
		;
	if (i == len)
		return len;
	memmove(told + i, told + i + 1, len - i - 1);
	return len - 1;
}

/*
 * On a perfect link the whole sequence is told.  If there was a RST, one of both
 * may end earlier: the endpoint, if it sent the RST while something was on its way
 * to it; what is told, if something happened while the RST was on its way.
 */
void sim_compare_sequences(struct sim *sim)
{
	bool reset = sim->rst_told[0] || sim->rst_told[1];
	u8 truth[ENDPOINT_PATH_MAX], told[TOLD_MAX];
	char truth_text[256], told_text[256];
	int i;

	for (i = 0; i < 2; i++) {
		const struct endpoint *e = &sim->end[i];
		int len = path_core(truth, e->path, e->path_len, reset);
		int told_len = path_core(told, sim->told[i], sim->told_len[i], reset);

		told_len = drop_established(told, told_len, e);
		if (reset) {
			len = len < told_len ? len : told_len;
			told_len = len;
		}
		if (len != told_len || memcmp(truth, told, len))
			sim_wrong(sim, "endpoint %d went%s, told%s", i,
				  path_text(truth_text, sizeof(truth_text), e->path, e->path_len),
				  path_text(told_text, sizeof(told_text), sim->told[i],
					    sim->told_len[i]));
	}
	sim->figures->sequences++;
}
