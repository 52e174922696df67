// SPDX-License-Identifier: GPL-2.0
/* The link and the lives of the endpoints on it; see sim.h. */
#include <stdio.h>
#include <string.h>
#include "names.h"
#include "sim_parts.h"

#define STEPS_MAX	20000

/*
 * Chance
 */

static u32 draw(struct sim *sim)
{
	u64 z = sim->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) >> 32;
}

static u32 below(struct sim *sim, u32 n)
{
	return draw(sim) % n;
}

static bool chance(struct sim *sim, u32 percent)
{
	return below(sim, 100) < percent;
}

/* Small, large, or none; never a pattern. */
static u32 some_bytes(struct sim *sim)
{
	switch (below(sim, 4)) {
	case 0:
		return 0;
	case 1:
		return 1 + below(sim, 100);
	default:
		return 1 + below(sim, 12000);
	}
}

/* Often close to where the sequence numbers wrap. */
static u32 some_isn(struct sim *sim)
{
	return chance(sim, 40) ? 0u - below(sim, 6000) : draw(sim);
}

/*
 * The link
 */

static void show(const struct sim *sim, const char *what, int from, const struct segment *seg)
{
	char flags[9];

	if (!sim->verbose)
		return;
	printf("# %8u %s %d %-4s seq %u+%u ack %u win %u  (%s %s; told %s %s)\n", sim->now, what,
	       from, flags_text(seg->flags, flags), seg->seq - sim->end[from].config.iss,
	       seg->payload_len,
	       seg->flags & TCPTRACE_TCP_ACK ? seg->ack - sim->end[!from].config.iss : 0,
	       seg->window,
	       state_name(sim->end[0].state), state_name(sim->end[1].state),
	       sim->open ? state_name(sim_told(sim, 0)) : "-",
	       sim->open ? state_name(sim_told(sim, 1)) : "-");
}

static void fly(struct sim *sim, struct leg *leg, const struct packet *packet)
{
	int copies = 1 + chance(sim, leg->repeat);

	while (copies--) {
		u32 at = sim->now + leg->delay + (leg->jitter ? below(sim, leg->jitter) : 0);
		struct packet *p = &sim->flight[sim->in_flight];

		if (chance(sim, leg->loss)) {
			show(sim, "lost", packet->from, &packet->seg);
			if (packet->told_rst)
				sim_excuse(sim, SIM_RST_LOST);
			continue;
		}
		if (sim->in_flight == FLIGHT_MAX) {
			sim_wrong(sim, "the link is full");
			return;
		}
		if (chance(sim, leg->reorder))
			at += below(sim, 300);
		else if (at < leg->last)
			at = leg->last;
		if (at > leg->last)
			leg->last = at;
		*p = *packet;
		p->at = at;
		p->serial = sim->serial++;
		sim->in_flight++;
	}
}

static void note_first_fin(struct sim *sim, int i)
{
	if (!sim->end[i].sent_fin || sim->first_fin_sent == 3 || sim->first_fin_sent == i + 1)
		return;
	if (!sim->first_fin_sent)
		sim->first_fin_sent = i + 1;
	else if (sim->end[i].fin_before_peers)
		sim->first_fin_sent = 3;
}

static void send_out(struct sim *sim, int i)
{
	struct endpoint *e = &sim->end[i];
	int n;

	note_first_fin(sim, i);
	for (n = 0; n < e->out_len; n++) {
		struct packet packet = { .from = i, .seg = e->out[n] };

		sim->figures->sent++;
		show(sim, "sent", i, &packet.seg);
		fly(sim, &sim->before[i], &packet);
	}
	e->out_len = 0;
}

static void pass(struct sim *sim, struct packet *packet)
{
	show(sim, "pass", packet->from, &packet->seg);
	packet->passed = true;
	packet->pass = ++sim->passed[packet->from];
	sim_trace(sim, packet);
	fly(sim, &sim->behind[packet->from], packet);
}

static void arrive(struct sim *sim, const struct packet *packet)
{
	struct endpoint *e = &sim->end[!packet->from];

	sim->figures->delivered++;
	if (packet->pass <= sim->arrived[packet->from])
		sim_excuse(sim, SIM_OUT_OF_ORDER);
	sim->arrived[packet->from] = packet->pass;
	endpoint_receive(e, sim->now, &packet->seg);
	show(sim, "come", packet->from, &packet->seg);
	if (packet->told_rst && e->state != TCPTRACE_STATE_CLOSED)
		sim_excuse(sim, SIM_RST_LOST);
	send_out(sim, !packet->from);
}

/* The next packet to move, or -1. */
static int next_packet(const struct sim *sim)
{
	const struct packet *best = NULL;
	int i;

	for (i = 0; i < sim->in_flight; i++) {
		const struct packet *p = &sim->flight[i];

		if (!best || p->at < best->at || (p->at == best->at && p->serial < best->serial))
			best = p;
	}
	return best ? best - sim->flight : -1;
}

static void move(struct sim *sim, int i)
{
	struct packet packet = sim->flight[i];

	sim->flight[i] = sim->flight[--sim->in_flight];
	if (packet.passed)
		arrive(sim, &packet);
	else
		pass(sim, &packet);
}

/*
 * The applications
 */

static u32 earlier(u32 a, u32 b)
{
	return a < b ? a : b;
}

static u32 next_action(const struct plan *plan)
{
	return earlier(earlier(plan->connect_at, plan->send_at),
		       earlier(plan->close_at, plan->abort_at));
}

static void act(struct sim *sim, int i)
{
	struct endpoint *e = &sim->end[i];
	struct plan *plan = &sim->plan[i];

	if (plan->connect_at <= sim->now) {
		plan->connect_at = NEVER;
		if (!e->sent_rst)	/* it has not refused its peer */
			endpoint_connect(e, sim->now, plan->syn_data);
	}
	if (plan->send_at <= sim->now) {
		plan->send_at = NEVER;
		endpoint_send(e, sim->now, plan->send_bytes);
	}
	if (plan->close_at <= sim->now) {
		plan->close_at = NEVER;
		if (e->state == TCPTRACE_STATE_SYN_SENT && chance(sim, 90))
			plan->close_at = sim->now + 50;		/* wait for the answer */
		else if (e->state != TCPTRACE_STATE_LISTEN && !e->listening)
			endpoint_close(e, sim->now);
	}
	if (plan->abort_at <= sim->now) {
		plan->abort_at = NEVER;
		if (e->state != TCPTRACE_STATE_LISTEN && !e->listening)
			endpoint_abort(e);
	}
	send_out(sim, i);
}

/* What the application does when it reads the end of its peer's data. */
static void react(struct sim *sim, int i)
{
	struct plan *plan = &sim->plan[i];

	if (!sim->end[i].got_fin || plan->reacted)
		return;
	plan->reacted = true;
	plan->send_at = sim->now + plan->react_delay;
	plan->send_bytes = plan->react_bytes;
	if (plan->react_close)
		plan->close_at = earlier(plan->close_at,
					 plan->send_at + 1 + below(sim, 2) * plan->react_delay);
}

/*
 * One connection
 */

static u32 next_of(const struct sim *sim, int i)
{
	return earlier(next_action(&sim->plan[i]), endpoint_next_timer(&sim->end[i]));
}

/* Until @until, or until nothing more will happen. */
static void run(struct sim *sim, u32 until)
{
	bool compared = false;
	int steps = 0;

	while (!sim->failed) {
		int i, packet = next_packet(sim);
		u32 next = earlier(next_of(sim, 0), next_of(sim, 1));

		if (!sim_quiet(sim)) {
			compared = false;
		} else if (!compared) {
			sim_compare(sim);
			compared = true;
		}
		if (packet >= 0 && (sim->flight[packet].at <= next || next > until)) {
			sim->now = sim->flight[packet].at;
			move(sim, packet);
		} else if (next <= until) {
			sim->now = next;
			for (i = 0; i < 2; i++) {
				if (endpoint_next_timer(&sim->end[i]) <= sim->now) {
					endpoint_timer(&sim->end[i], sim->now);
					send_out(sim, i);
				}
				if (next_action(&sim->plan[i]) <= sim->now)
					act(sim, i);
			}
			compared = false;
		} else {
			return;
		}
		react(sim, 0);
		react(sim, 1);
		if (++steps == STEPS_MAX)
			sim_wrong(sim, "it does not come to an end");
	}
}

static void make_legs(struct sim *sim)
{
	bool loss = chance(sim, 60), disorder_before = loss && chance(sim, 50);
	bool disorder_behind = disorder_before && chance(sim, 30);
	int i;

	for (i = 0; i < 2; i++) {
		u8 delay_before = below(sim, 60), delay_behind = below(sim, 60);

		sim->before[i] = (struct leg){
			.loss	 = loss ? below(sim, 30) : 0,
			.repeat	 = disorder_before ? below(sim, 15) : 0,
			.reorder = disorder_before ? below(sim, 30) : 0,
			.delay	 = delay_before,
			.jitter	 = below(sim, 20),
		};
		sim->behind[i] = (struct leg){
			.loss	 = loss ? below(sim, 30) : 0,
			.repeat	 = disorder_behind ? below(sim, 15) : 0,
			.reorder = disorder_behind ? below(sim, 30) : 0,
			.delay	 = delay_behind,
			.jitter	 = below(sim, 20),
		};
	}
	sim->perfect = !loss;
}

static struct endpoint_config make_config(struct sim *sim)
{
	return (struct endpoint_config){
		.iss		= some_isn(sim),
		.window		= 2000 + below(sim, chance(sim, 50) ? 3000 : 200000),
		.mss		= 100 + below(sim, 1361),
		.shift		= 1 + below(sim, 9),
		.ack_delay	= chance(sim, 50) ? below(sim, 80) : 0,
		.offer_scale	= chance(sim, 50),
		.queue		= chance(sim, 50),
		.fastopen	= chance(sim, 20),
		.strict_syn	= chance(sim, 50),
		.fin_alone	= chance(sim, 50),
	};
}

/* Who closes, when, and what the other does about it. */
static void plan_close(struct sim *sim, u32 base)
{
	struct plan *a = &sim->plan[0], *b = &sim->plan[1];
	u32 at = base + below(sim, chance(sim, 70) ? 600 : 20000);
	int first = below(sim, 2);

	switch (below(sim, 10)) {
	case 0:			/* nobody */
		return;
	case 1:			/* one only: half-closed until the end */
		sim->plan[first].close_at = at;
		sim->plan[!first].react_close = false;
		return;
	case 2:
	case 3:
	case 4:			/* both at once, more or less */
		a->close_at = at + below(sim, 100);
		b->close_at = at + below(sim, 100);
		return;
	default:
		sim->plan[first].close_at = at;
	}
}

static void make_plans(struct sim *sim, u32 base)
{
	int i;

	for (i = 0; i < 2; i++)
		sim->plan[i] = (struct plan){
			.connect_at	= NEVER,
			.send_at	= base + below(sim, 400),
			.close_at	= NEVER,
			.abort_at	= NEVER,
			.syn_data	= chance(sim, 10) ? 1 + below(sim, 500) : 0,
			.send_bytes	= some_bytes(sim),
			.react_delay	= chance(sim, 50) ? 0 : below(sim, 500),
			.react_bytes	= some_bytes(sim),
			.react_close	= true,
		};
	plan_close(sim, base);
	if (chance(sim, 12))
		sim->plan[below(sim, 2)].abort_at = base + below(sim, chance(sim, 50) ? 200 : 1500);
}

static void begin_connection(struct sim *sim)
{
	int i;

	memset(sim->excused, 0, sizeof(sim->excused));
	memset(sim->fin_acked_told, 0, sizeof(sim->fin_acked_told));
	sim->first_fin_sent = 0;
	sim->current = false;
	for (i = 0; i < 2; i++) {
		sim->before[i].last = 0;
		sim->behind[i].last = 0;
	}
}

/* Endpoint @active opens; the other listens, refuses, says nothing, or opens too. */
static void open_connection(struct sim *sim, int active)
{
	u32 base = sim->now;
	int passive = !active;
	u32 how = below(sim, 100);

	begin_connection(sim);
	make_plans(sim, base);
	sim->plan[active].connect_at = base;
	if (how < 10)
		sim->plan[passive].connect_at = base + below(sim, 150);
	else if (how < 14)
		sim->end[passive].config.silent = true;
	else if (how >= 20)
		endpoint_listen(&sim->end[passive]);
	/* else it is CLOSED and refuses */
}

/* The END is told exactly once, whatever came. */
static void end_connection(struct sim *sim)
{
	struct sim_figures *f = sim->figures;
	bool timeout = chance(sim, 50);
	int i;

	sim_note_vanished(sim);
	f->perfect += sim->perfect;
	if (sim->failed || !sim->open)
		return;
	if (sim->perfect && !sim->trace_from && !sim_excused(sim))
		sim_compare_sequences(sim);
	if (!sim->fsm.ended) {
		sim_trace_order(sim, timeout);
		f->timed_out += timeout;
	}
	if (!sim->fsm.ended || sim->ends != 1)
		sim_wrong(sim, "%d ENDs", sim->ends);
	f->connections++;
	f->qualified += !sim_excused(sim);
	for (i = 0; i < SIM_EXCUSES; i++)
		f->excused[i] += sim->excused[i];
	f->handshakes[sim->fsm.handshake]++;
	f->closes[sim->fsm.close]++;
	f->crossed_opens += sim->end[0].sent_syn_ack && sim->end[1].sent_syn_ack;
	f->crossed_closes += sim->first_fin_sent == 3;
}

/*
 * The same tuple again: in TIME_WAIT or later, from either end, with an ISN that
 * follows the old numbers or does not.
 */
static void open_again(struct sim *sim)
{
	int active = below(sim, 2), passive = !active;
	struct endpoint_config config = sim->end[active].config;
	u32 old_next = sim->end[active].snd_nxt;

	sim->current = false;
	if (chance(sim, 50)) {		/* 2MSL is over everywhere */
		run(sim, NEVER - 1);
		if (sim->open && !sim->failed)
			sim_trace_order(sim, true);
	}
	/* what vanished, the tracer takes to be there still */
	if (sim->open && sim->excused[SIM_VANISHED])
		sim_trace_order(sim, true);
	sim->trace_from = sim->trace_from > sim->now ? sim->trace_from : 0;
	config.iss = chance(sim, 70) ? old_next + 1 + below(sim, 100000) : draw(sim);
	endpoint_init(&sim->end[active], &config);
	begin_connection(sim);
	make_plans(sim, sim->now);
	sim->plan[active].connect_at = sim->now;
	if (sim->end[passive].state == TCPTRACE_STATE_TIME_WAIT) {
		sim->end[passive].listening = true;
	} else {
		config = sim->end[passive].config;
		config.iss = sim->end[passive].snd_nxt + 1 + below(sim, 100000);
		config.silent = false;
		endpoint_init(&sim->end[passive], &config);
		endpoint_listen(&sim->end[passive]);
	}
}

bool sim_run(u64 seed, bool verbose, struct sim_figures *figures, char *error, size_t size)
{
	struct endpoint_config config;
	struct sim sim;
	int i, again;

	memset(&sim, 0, offsetof(struct sim, flight));
	memset(&sim.in_flight, 0, sizeof(sim) - offsetof(struct sim, in_flight));
	sim.random = seed;
	sim.verbose = verbose;
	sim.figures = figures;
	sim.error = error;
	sim.error_size = size;
	sim.now = 1000;

	make_legs(&sim);
	for (i = 0; i < 2; i++) {
		config = make_config(&sim);
		endpoint_init(&sim.end[i], &config);
	}
	if (chance(&sim, 5))
		sim.trace_from = sim.now + below(&sim, 1500);

	open_connection(&sim, below(&sim, 2));
	again = chance(&sim, 30);
	for (;;) {
		run(&sim, sim.now + 50000);
		end_connection(&sim);
		if (!again-- || sim.failed)
			break;
		open_again(&sim);
	}
	return !sim.failed;
}
