/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the simulator share; sim.h tells what it is. */
#ifndef _TESTS_SIM_PARTS_H
#define _TESTS_SIM_PARTS_H

#include "sim.h"

#define FLIGHT_MAX	512	/* segments on the link at once */
#define TOLD_MAX	32

/* A leg of the link, in percent. */
struct leg {
	u8 loss, repeat, reorder;
	u8 delay, jitter;
	u32 last;		/* arrival of the one before: order is kept but for @reorder */
};

/* A segment on its way to the tracer, or from it. */
struct packet {
	u32 at, serial;
	u8 from;		/* endpoint */
	bool passed;		/* the tracer */
	bool told_rst;		/* the tracer told it as a RST */
	u32 pass;		/* its number among those that passed from there */
	struct segment seg;
};

/* What one application does; times are NEVER if not at all. */
struct plan {
	u32 connect_at, send_at, close_at, abort_at;
	u32 syn_data, send_bytes;
	/* after the peer's FIN */
	u32 react_delay, react_bytes;
	bool react_close, reacted;
};

struct sim {
	u64 random;
	bool verbose;
	struct sim_figures *figures;
	char *error;
	size_t error_size;
	bool failed;

	u32 now, serial;
	struct endpoint end[2];
	struct plan plan[2];
	struct leg before[2], behind[2];	/* the tracer, by sender */
	struct packet flight[FLIGHT_MAX];
	int in_flight;
	u32 passed[2], arrived[2];

	/* the tracer */
	struct fsm fsm;
	u32 trace_from;		/* it comes at this time */
	bool open;
	bool current;		/* its flow is that of the connection that lives now */
	u8 side_of[2];		/* enum fsm_dir of each endpoint */
	int ends;
	u8 told[2][TOLD_MAX];	/* states told, by endpoint */
	int told_len[2];

	/* this connection */
	bool perfect;
	bool excused[SIM_EXCUSES];
	bool rst_told[2];
	u8 first_fin_sent;	/* endpoint + 1; 3 if the FINs crossed */
	bool fin_acked_told[2];	/* by this endpoint */
};

/* Note the first thing that is wrong; the run ends there. */
void __attribute__((format(printf, 2, 3))) sim_wrong(struct sim *sim, const char *format, ...);

/* From here on what is told is not compared. */
void sim_excuse(struct sim *sim, enum sim_excuse why);
bool sim_excused(const struct sim *sim);

/* What the tracer says of endpoint @i. */
u8 sim_told(const struct sim *sim, int i);

/* A segment passes the tracer. */
void sim_trace(struct sim *sim, struct packet *packet);

/* The tracer's timer runs out, or it is flushed; its verdict is checked. */
void sim_trace_order(struct sim *sim, bool timeout);

/* Nothing is under way, nobody waits for an ACK. */
bool sim_quiet(const struct sim *sim);

/* Are both states the endpoints' own? At a quiet moment. */
void sim_compare(struct sim *sim);

/* Was every state told that each endpoint was in? On a perfect link, at the end. */
void sim_compare_sequences(struct sim *sim);

/* Look for endpoints that went without a word. */
void sim_note_vanished(struct sim *sim);

#endif /* _TESTS_SIM_PARTS_H */
