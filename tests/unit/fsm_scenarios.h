/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TESTS_FSM_SCENARIOS_H
#define _TESTS_FSM_SCENARIOS_H

#include "scenario.h"

/* The beginnings that many scenarios share. */
#define HANDSHAKE						\
	"> S 0		: syn SYN_SENT LISTEN\n"		\
	"< SA 0 ack 1	: syn_ack SYN_SENT SYN_RECEIVED\n"	\
	"> A 1 ack 1	: established ESTABLISHED ESTABLISHED\n"

#define INITIATOR_HALF_CLOSED HANDSHAKE				\
	"> FA 1 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"		\
	"< A 1 ack 2	: fin_acked FIN_WAIT_2 CLOSE_WAIT\n"

#define RESPONDER_HALF_CLOSED HANDSHAKE				\
	"< FA 1 ack 1	: fin ESTABLISHED FIN_WAIT_1\n"		\
	"> A 1 ack 2	: fin_acked CLOSE_WAIT FIN_WAIT_2\n"

/* RFC 9293 figure 12 */
#define INITIATOR_CLOSED INITIATOR_HALF_CLOSED			\
	"< FA 1 ack 2	: fin FIN_WAIT_2 LAST_ACK\n"		\
	"> A 2 ack 2	: fin_acked TIME_WAIT CLOSED; end established orderly initiator\n"

#define RESPONDER_CLOSED RESPONDER_HALF_CLOSED			\
	"> FA 1 ack 2	: fin LAST_ACK FIN_WAIT_2\n"		\
	"< A 2 ack 2	: fin_acked CLOSED TIME_WAIT; end established orderly responder\n"

#define CROSSED_SYNS						\
	"> S 0		: syn SYN_SENT LISTEN\n"		\
	"< S 0		: syn SYN_SENT SYN_SENT\n"

#define CROSSED_FINS HANDSHAKE					\
	"> FA 1 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"		\
	"< FA 1 ack 1	: fin FIN_WAIT_1 FIN_WAIT_1\n"

/* RFC 9293 figure 13 */
#define BOTH_CLOSED CROSSED_FINS				\
	"> A 2 ack 2	: fin_acked CLOSING CLOSING\n"		\
	"< A 2 ack 2	: fin_acked TIME_WAIT TIME_WAIT; end established orderly initiator\n"

extern const struct scenario fsm_scenarios[];
extern const unsigned int fsm_scenarios_count;

#endif /* _TESTS_FSM_SCENARIOS_H */
