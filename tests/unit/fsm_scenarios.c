// SPDX-License-Identifier: GPL-2.0
/*
 * TCP situations and what has to be told of them. What is expected follows RFC
 * 9293 and fsm.h; the sections stand where a rule is not obvious.
 */
#include "fsm_scenarios.h"
#include "unit.h"

const struct scenario fsm_scenarios[] = {
	/*
	 * Opening
	 */
	{ "handshake", HANDSHAKE
	  "is phase ESTABLISHED\n"
	  "is handshake established\n"
	  "> PA 1+100 ack 1	:\n"
	  "< PA 1+200 ack 101	:\n"
	  "> A 101 ack 201	:\n" },

	{ "handshake: the initiator's first data completes it",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> PA 1+100 ack 1	: established ESTABLISHED ESTABLISHED\n" },

	{ "handshake: later data completes it, the ACK was lost",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> PA 1001+100 ack 1	: established ESTABLISHED ESTABLISHED\n" },

	{ "handshake: flags that do not matter",
	  "> SEC 0		: syn SYN_SENT LISTEN\n"
	  "< SAE 0 ack 1	: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> PAU 1+1 ack 1	: established ESTABLISHED ESTABLISHED\n"
	  "> FPAU 2+1 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< RAC 1 ack 2	: rst CLOSED CLOSED\n"
	  "	; end established reset_by_responder initiator\n" },

	{ "SYN+ACK acknowledges what was never sent: 3.10.7.3",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 0		: invalid/bad_ack SYN_SENT LISTEN\n"
	  "< SA 0 ack 2		: invalid/bad_ack SYN_SENT LISTEN\n"
	  "< SA 0 ack -100000	: invalid/bad_ack SYN_SENT LISTEN\n"
	  "< SA 0 ack 0x7fffffff : invalid/bad_ack SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n" },

	{ "ACK of the SYN+ACK is wrong: 3.10.7.4 fifth",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 0		: invalid/bad_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 2		: invalid/bad_ack SYN_SENT SYN_RECEIVED\n"
	  "> PA 1+10 ack -7	: invalid/bad_ack SYN_SENT SYN_RECEIVED\n"
	  "> FA 1 ack 99	: invalid/bad_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n" },

	{ "the RST that answers a wrong SYN+ACK or ACK stands before the SYN: 3.10.7.1",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 0		: invalid/bad_ack SYN_SENT LISTEN\n"
	  "> R 0		: invalid/out_of_window SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 0		: invalid/bad_ack SYN_SENT SYN_RECEIVED\n"
	  "< R 0		: invalid/out_of_window SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n" },

	{ "ACK of the SYN+ACK outside of the window: 3.10.7.4 first",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1 win 1000 : syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 0 ack 1		: invalid/out_of_window SYN_SENT SYN_RECEIVED\n"
	  "> A 1002 ack 1	: invalid/out_of_window SYN_SENT SYN_RECEIVED\n"
	  "> PA -1000+10 ack 1	: invalid/out_of_window SYN_SENT SYN_RECEIVED\n"
	  "> A 1001 ack 1	: established ESTABLISHED ESTABLISHED\n" },

	{ "ACK of the FIN outside of the window: 3.10.7.4 first", HANDSHAKE
	  "> FA 1 ack 1		: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< A 0 ack 2		: invalid/out_of_window FIN_WAIT_1 ESTABLISHED\n"
	  "< A 900000 ack 2	: invalid/out_of_window FIN_WAIT_1 ESTABLISHED\n"
	  "< A 0 ack 1		:\n"			/* keep-alive */
	  "< A 1 ack 2		: fin_acked FIN_WAIT_2 CLOSE_WAIT\n" },

	{ "FIN that acknowledges what was never sent, or long ago: RFC 5961 section 5", HANDSHAKE
	  "> FA 1 ack 1000000	: invalid/bad_ack ESTABLISHED ESTABLISHED\n"
	  "> FA 1 ack -100000	: invalid/bad_ack ESTABLISHED ESTABLISHED\n"
	  "> FA 1 ack -60000	: fin FIN_WAIT_1 ESTABLISHED\n" },

	{ "the responder acknowledges but has sent no SYN",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< A 0 ack 1		: invalid/unexpected SYN_SENT LISTEN\n"
	  "< A 500 ack 777	: invalid/bad_ack SYN_SENT LISTEN\n"	/* figure 9, line 3 */
	  "< FA 500 ack 1	: invalid/unexpected SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n" },

	{ "data in the SYN: all acknowledged, RFC 7413",
	  "> S 0+100		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 102	: invalid/bad_ack SYN_SENT LISTEN\n"
	  "< SA 0 ack 101	: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< PA 1+500 ack 101	:\n"
	  "> A 101 ack 501	: established ESTABLISHED ESTABLISHED\n" },

	{ "data in the SYN: only the SYN acknowledged",
	  "> S 0+100		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> PA 1+100 ack 1	: established ESTABLISHED ESTABLISHED\n" },

	{ "data in the SYN: some acknowledged",
	  "> S 0+100		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 51	: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 51 ack 1		: established ESTABLISHED ESTABLISHED\n" },

	{ "data in the SYN: the SYN again without it",
	  "> S 0+100		: syn SYN_SENT LISTEN\n"
	  "> S 0		: retransmit/1 SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n" },

	{ "data and FIN of the responder before the last ACK",
	  "> S 0+10		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 11	: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< PA 1+90 ack 11	:\n"
	  "< FA 91 ack 11	: fin SYN_SENT FIN_WAIT_1\n"	/* 3.10.4, SYN-RECEIVED */
	  "> A 11 ack 1		: established ESTABLISHED FIN_WAIT_1\n"
	  "> A 11 ack 92	: fin_acked CLOSE_WAIT FIN_WAIT_2\n" },

	{ "FIN of the responder before the last ACK, one ACK for both",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< FA 1 ack 1		: fin SYN_SENT FIN_WAIT_1\n"
	  "> A 1 ack 2		: established ESTABLISHED FIN_WAIT_1\n"
	  "	; fin_acked CLOSE_WAIT FIN_WAIT_2\n" },

	{ "FIN of the responder before the last ACK, nobody answers",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< FA 1 ack 1		: fin SYN_SENT FIN_WAIT_1\n"
	  "is handshake half_open\n"		/* the SYN+ACK was never acknowledged */
	  "timeout		: timeout/fin_wait CLOSED CLOSED; end half_open none responder\n" },

	{ "SYN repeated",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "> S 0		: retransmit/1 SYN_SENT LISTEN\n"
	  "> S 0		: retransmit/2 SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> S 0		: retransmit/3 SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "> S 0		: retransmit/4 ESTABLISHED ESTABLISHED\n" },

	{ "SYN+ACK repeated",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< SA 0 ack 1		: retransmit/1 SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "< SA 0 ack 1		: retransmit/2 ESTABLISHED ESTABLISHED\n"
	  "> A 1 ack 1		:\n" },

	{ "a SYN inside the connection: RFC 5961 section 4", HANDSHAKE
	  "> S 1		: invalid/unexpected_syn ESTABLISHED ESTABLISHED\n"
	  "> S 5000		: invalid/unexpected_syn ESTABLISHED ESTABLISHED\n"
	  "< S 1		: invalid/unexpected_syn ESTABLISHED ESTABLISHED\n"
	  "< SA 77 ack 1	: invalid/unexpected_syn ESTABLISHED ESTABLISHED\n"
	  "> SA 1 ack 1		: invalid/unexpected_syn ESTABLISHED ESTABLISHED\n" },

	{ "a SYN inside the connection, which its receiver has forgotten", HANDSHAKE
	  "> S 5000		: invalid/unexpected_syn ESTABLISHED ESTABLISHED\n"
	  "< A 1 ack 1		:\n"
	  "> S 7000+10		: invalid/unexpected_syn ESTABLISHED ESTABLISHED\n"
	  "< SA 77 ack 5001	: invalid/unexpected_syn ESTABLISHED ESTABLISHED\n"
	  "< SA 77 ack 7011	: reuse\n"		/* the data too, RFC 7413 */
	  "< SA 0 ack 7001	: reuse\n" },

	{ "SYN+ACK with another ISN, as SYN cookies have: the ACK takes the second",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> S 0		: retransmit/1 SYN_SENT SYN_RECEIVED\n"
	  "< SA 500 ack 2	: invalid/unexpected_syn SYN_SENT SYN_RECEIVED\n"
	  "< SA 900 ack 1	: retransmit/1 SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 902000	: invalid/bad_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 901	: established ESTABLISHED ESTABLISHED\n"
	  "< FA 901 ack 1	: fin ESTABLISHED FIN_WAIT_1\n"
	  "> A 1 ack 902	: fin_acked CLOSE_WAIT FIN_WAIT_2\n" },

	{ "SYN+ACK with another ISN: the ACK takes the first",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< SA 900 ack 1	: retransmit/1 SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "< SA 900 ack 1	: invalid/unexpected_syn ESTABLISHED ESTABLISHED\n" },

	{ "simultaneous open: RFC 9293 figure 7", CROSSED_SYNS
	  "is timer syn\n"
	  "> SA 0 ack 1		: syn_ack SYN_RECEIVED SYN_SENT\n"
	  "is timer synack\n"
	  "< SA 0 ack 1		: syn_ack ESTABLISHED SYN_RECEIVED\n"
	  "	; established ESTABLISHED ESTABLISHED\n"
	  "is handshake established\n" },

	{ "simultaneous open: the other answers first", CROSSED_SYNS
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> SA 0 ack 1		: syn_ack SYN_RECEIVED ESTABLISHED\n"
	  "	; established ESTABLISHED ESTABLISHED\n" },

	{ "simultaneous open: one SYN is lost, its SYN+ACK arrives in SYN_SENT", CROSSED_SYNS
	  "> SA 0 ack 1		: syn_ack SYN_RECEIVED SYN_SENT\n"
	  "< A 1 ack 1		: established ESTABLISHED ESTABLISHED\n" },

	{ "simultaneous open: the other SYN is lost", CROSSED_SYNS
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n" },

	{ "simultaneous open: repeated SYN, SYN+ACK", CROSSED_SYNS
	  "> S 0		: retransmit/1 SYN_SENT SYN_SENT\n"
	  "< S 0		: retransmit/1 SYN_SENT SYN_SENT\n"
	  "> SA 0 ack 1		: syn_ack SYN_RECEIVED SYN_SENT\n"
	  "> SA 0 ack 1		: retransmit/2 SYN_RECEIVED SYN_SENT\n"
	  "< SA 0 ack 1		: syn_ack ESTABLISHED SYN_RECEIVED\n"
	  "	; established ESTABLISHED ESTABLISHED\n" },

	{ "simultaneous open: SYN+ACK acknowledges wrongly, has another ISN", CROSSED_SYNS
	  "> SA 0 ack 2		: invalid/bad_ack SYN_SENT SYN_SENT\n"
	  "> SA 7 ack 1		: invalid/unexpected_syn SYN_SENT SYN_SENT\n"
	  "< SA 0 ack 0		: invalid/bad_ack SYN_SENT SYN_SENT\n" },

	{ "crossed SYNs: a wrong or early ACK", CROSSED_SYNS
	  "> A 1 ack 1		: invalid/unexpected SYN_SENT SYN_SENT\n"
	  "> A 1 ack 5		: invalid/bad_ack SYN_SENT SYN_SENT\n" },

	{ "the SYN's sender answers itself",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "> SA 0 ack 1		: invalid/bad_ack SYN_SENT LISTEN\n" },

	/*
	 * Attempts that fail
	 */
	{ "refused: 3.10.7.1",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< RA 0 ack 1 seq nul	: rst CLOSED CLOSED; end refused none none\n"
	  "is timer closed\n"
	  "is phase CLOSED\n"
	  "< RA 0 ack 1 seq nul	:\n" },

	{ "refused: data in the SYN",
	  "> S 0+100		: syn SYN_SENT LISTEN\n"
	  "< RA 0 ack 101 seq nul : rst CLOSED CLOSED; end refused none none\n" },

	{ "RST answers the SYN wrongly: 3.10.7.3 second",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< R 0 ack nul seq nul : invalid/out_of_window SYN_SENT LISTEN\n"
	  "< R 0 ack 1 seq nul	: invalid/out_of_window SYN_SENT LISTEN\n"	/* no ACK flag */
	  "< RA 0 ack 0 seq nul	: invalid/out_of_window SYN_SENT LISTEN\n"
	  "< RA 0 ack 2 seq nul	: invalid/out_of_window SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n" },

	{ "refused when the SYN comes again, the SYN+ACK was lost",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> S 0		: retransmit/1 SYN_SENT SYN_RECEIVED\n"
	  "< RA 0 ack 1 seq nul	: rst CLOSED CLOSED; end reset none none\n" },

	{ "reset in the handshake by the responder",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< R 2		: invalid/out_of_window SYN_SENT SYN_RECEIVED\n"
	  "< R 1		: rst CLOSED CLOSED; end reset none none\n" },

	{ "aborted: an unwanted SYN+ACK is answered by RST, as nmap -sS does",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> R 0		: invalid/out_of_window SYN_SENT SYN_RECEIVED\n"
	  "> R 1		: rst CLOSED CLOSED; end aborted none none\n" },

	{ "aborted before any answer",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "> R 2		: invalid/out_of_window SYN_SENT LISTEN\n"
	  "> R 1		: rst CLOSED CLOSED; end aborted none none\n" },

	{ "no answer",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "> S 0		: retransmit/1 SYN_SENT LISTEN\n"
	  "timeout		: timeout/syn CLOSED CLOSED; end no_answer none none\n"
	  "> S 9000		: reuse\n" },

	{ "the SYN comes again after the END: there is no second one",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< RA 0 ack 1 seq nul	: rst CLOSED CLOSED; end refused none none\n"
	  "> S 0		: retransmit/1 CLOSED CLOSED\n"
	  "< RA 0 ack 1 seq nul	:\n"
	  "> S 0		: retransmit/2 CLOSED CLOSED\n"
	  "timeout		: timeout/closed CLOSED CLOSED\n" },

	{ "the SYN comes again after the END, and is answered otherwise",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< RA 0 ack 1 seq nul	: rst CLOSED CLOSED; end refused none none\n"
	  "< SA 0 ack 1		: invalid/unexpected_syn CLOSED CLOSED\n"
	  "> S 0		: retransmit/1 CLOSED CLOSED\n"
	  "< SA 0 ack 1		: reuse\n" },

	{ "no answer, told too early: the SYN comes again",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "timeout		: timeout/syn CLOSED CLOSED; end no_answer none none\n"
	  "> S 0		: retransmit/1 CLOSED CLOSED\n"
	  "< SA 0 ack 1		: reuse\n" },

	{ "a scanned port repeats its SYN+ACK: there is no second END",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> R 1		: rst CLOSED CLOSED; end aborted none none\n"
	  "< SA 0 ack 1		: retransmit/1 CLOSED CLOSED\n"
	  "> R 1		:\n" },

	{ "half-open",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< SA 0 ack 1		: retransmit/1 SYN_SENT SYN_RECEIVED\n"
	  "timeout		: timeout/synack CLOSED CLOSED; end half_open none none\n" },

	{ "crossed SYNs, one SYN+ACK, then nothing", CROSSED_SYNS
	  "> SA 0 ack 1		: syn_ack SYN_RECEIVED SYN_SENT\n"
	  "timeout		: timeout/synack CLOSED CLOSED; end half_open none none\n" },

	{ "crossed SYNs, then nothing", CROSSED_SYNS
	  "timeout		: timeout/syn CLOSED CLOSED; end no_answer none none\n" },

	/*
	 * Closing
	 */
	{ "close by the initiator: figure 12", INITIATOR_CLOSED
	  "is phase TIME_WAIT\n"
	  "timeout		: timeout/time_wait CLOSED CLOSED\n"
	  "is phase CLOSED\n" },

	{ "close by the responder", RESPONDER_CLOSED
	  "is phase TIME_WAIT\n"
	  "timeout		: timeout/time_wait CLOSED CLOSED\n" },

	{ "close at once: figure 13", BOTH_CLOSED
	  "is phase TIME_WAIT\n"
	  "timeout		: timeout/time_wait CLOSED CLOSED\n" },

	{ "close at once: the other answers first", CROSSED_FINS
	  "is timer fin_wait\n"
	  "is phase TEARDOWN\n"
	  "< A 2 ack 2		: fin_acked CLOSING CLOSING\n"
	  "is timer last_ack\n"
	  "is phase TEARDOWN\n"
	  "> A 2 ack 2		: fin_acked TIME_WAIT TIME_WAIT\n"
	  "	; end established orderly initiator\n" },

	{ "close at once: the responder's FIN was first", HANDSHAKE
	  "< FA 1+50 ack 1	: fin ESTABLISHED FIN_WAIT_1\n"
	  "> FA 1+70 ack 1	: fin FIN_WAIT_1 FIN_WAIT_1\n"
	  "< A 52 ack 72	: fin_acked CLOSING CLOSING\n"
	  "> A 72 ack 52	: fin_acked TIME_WAIT TIME_WAIT\n"
	  "	; end established orderly responder\n" },

	{ "close at once: an ACK that covers only the data", CROSSED_FINS
	  "> A 2 ack 1		:\n"
	  "< A 2 ack 1		:\n"
	  "> A 2 ack 2		: fin_acked CLOSING CLOSING\n" },

	{ "close in three segments", HANDSHAKE
	  "> FA 1 ack 1		: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< FA 1 ack 2		: fin_acked FIN_WAIT_2 CLOSE_WAIT; fin FIN_WAIT_2 LAST_ACK\n"
	  "> A 2 ack 2		: fin_acked TIME_WAIT CLOSED\n"
	  "	; end established orderly initiator\n" },

	{ "close in three segments by the responder, data in the FINs", HANDSHAKE
	  "< FPA 1+10 ack 1	: fin ESTABLISHED FIN_WAIT_1\n"
	  "> FPA 1+20 ack 12	: fin_acked CLOSE_WAIT FIN_WAIT_2; fin LAST_ACK FIN_WAIT_2\n"
	  "< A 12 ack 22	: fin_acked CLOSED TIME_WAIT\n"
	  "	; end established orderly responder\n" },

	{ "the whole connection in few segments",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> FA 1+10 ack 1	: established ESTABLISHED ESTABLISHED; fin FIN_WAIT_1 ESTABLISHED\n"
	  "< FA 1+10 ack 12	: fin_acked FIN_WAIT_2 CLOSE_WAIT; fin FIN_WAIT_2 LAST_ACK\n"
	  "> A 12 ack 12	: fin_acked TIME_WAIT CLOSED\n"
	  "	; end established orderly initiator\n" },

	{ "three things in one segment",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< FA 1 ack 1		: fin SYN_SENT FIN_WAIT_1\n"
	  "> FA 1 ack 2		: established ESTABLISHED FIN_WAIT_1; fin_acked CLOSE_WAIT FIN_WAIT_2\n"
	  "	; fin LAST_ACK FIN_WAIT_2\n"
	  "< A 2 ack 2		: fin_acked CLOSED TIME_WAIT\n"
	  "	; end established orderly responder\n" },

	{ "half-close by the initiator, data after it", INITIATOR_HALF_CLOSED
	  "is timer close_wait\n"
	  "is phase TEARDOWN\n"
	  "< PA 1+1000 ack 2	:\n"
	  "> A 2 ack 1001	:\n"
	  "< PA 1001+1000 ack 2	:\n"
	  "> A 2 ack 2001	:\n"
	  "< FA 2001+7 ack 2	: fin FIN_WAIT_2 LAST_ACK\n"
	  "is timer last_ack\n"
	  "> A 2 ack 2008	:\n"			/* all but the FIN */
	  "> A 2 ack 2009	: fin_acked TIME_WAIT CLOSED\n"
	  "	; end established orderly initiator\n" },

	{ "half-close by the responder, data after it", RESPONDER_HALF_CLOSED
	  "is timer close_wait\n"
	  "> PA 1+1000 ack 2	:\n"
	  "< A 2 ack 1001	:\n"
	  "> FA 1001 ack 2	: fin LAST_ACK FIN_WAIT_2\n"
	  "< A 2 ack 1002	: fin_acked CLOSED TIME_WAIT\n"
	  "	; end established orderly responder\n" },

	{ "FIN is acknowledged by its number alone", HANDSHAKE
	  "> FA 1+100 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 1		:\n"
	  "< A 1 ack 100	:\n"
	  "< A 1 ack 101	:\n"
	  "< A 1 ack 103	:\n"			/* was never sent */
	  "< A 1 ack 102	: fin_acked FIN_WAIT_2 CLOSE_WAIT\n"
	  "< A 1 ack 102	:\n" },

	{ "FIN repeated: counted, no state changed", HANDSHAKE
	  "> FA 1+100 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "> FA 1+100 ack 1	: retransmit/1 FIN_WAIT_1 ESTABLISHED\n"
	  "> FA 51+50 ack 1	: retransmit/2 FIN_WAIT_1 ESTABLISHED\n"	/* cut otherwise */
	  "> FA 101 ack 1	: retransmit/3 FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 102	: fin_acked FIN_WAIT_2 CLOSE_WAIT\n"
	  "> FA 101 ack 1	: retransmit/4 FIN_WAIT_2 CLOSE_WAIT\n"
	  "< FA 1 ack 102	: fin FIN_WAIT_2 LAST_ACK\n"
	  "< FA 1 ack 102	: retransmit/1 FIN_WAIT_2 LAST_ACK\n"
	  "> A 102 ack 2	: fin_acked TIME_WAIT CLOSED; end established orderly initiator\n"
	  "< FA 1 ack 102	: retransmit/2 TIME_WAIT CLOSED\n"
	  "> A 102 ack 2	:\n" },

	{ "FIN repeated carries the ACK of the other's", CROSSED_FINS
	  "> FA 1 ack 2		: fin_acked CLOSING FIN_WAIT_2; retransmit/1 CLOSING FIN_WAIT_2\n"
	  "< A 2 ack 2		: fin_acked TIME_WAIT TIME_WAIT\n"
	  "	; end established orderly initiator\n" },

	{ "a second FIN with another number", HANDSHAKE
	  "> FA 1+100 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "> FA 1+99 ack 1	: invalid/out_of_window FIN_WAIT_1 ESTABLISHED\n"
	  "> FA 1+101 ack 1	: invalid/out_of_window FIN_WAIT_1 ESTABLISHED\n"
	  "< FA 1 ack 102	: fin_acked FIN_WAIT_2 CLOSE_WAIT; fin FIN_WAIT_2 LAST_ACK\n"
	  "> A 102 ack 2	: fin_acked TIME_WAIT CLOSED; end established orderly initiator\n"
	  "> FA 1+99 ack 2	:\n" },

	{ "a FIN ahead, forged: the true one is acknowledged", HANDSHAKE
	  "> FA 5001 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "> PA 1+100 ack 1	:\n"
	  "< A 1 ack 101	:\n"
	  "> FA 90 ack 1	: invalid/out_of_window FIN_WAIT_1 ESTABLISHED\n"
	  "> FA 120 ack 900000	: invalid/out_of_window FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 121	:\n"
	  "> FA 121 ack 1	: invalid/out_of_window FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 122	: fin_acked FIN_WAIT_2 CLOSE_WAIT\n"
	  "> FA 121 ack 1	: retransmit/1 FIN_WAIT_2 CLOSE_WAIT\n"
	  "< FA 1 ack 122	: fin FIN_WAIT_2 LAST_ACK\n"
	  "> A 122 ack 2	: fin_acked TIME_WAIT CLOSED\n"
	  "	; end established orderly initiator\n" },

	{ "FIN before its data", HANDSHAKE
	  "> FA 1001 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "> PA 1+1000 ack 1	:\n"
	  "< A 1 ack 1001	:\n"
	  "< A 1 ack 1002	: fin_acked FIN_WAIT_2 CLOSE_WAIT\n" },

	{ "FIN outside of the window: 3.10.7.4 first",
	  "> S 0 win 500	: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1 win 1000 : syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1 win 500	: established ESTABLISHED ESTABLISHED\n"
	  "> FA 1002 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> FA 0 ack 1		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> FA -70000 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> FA 0x7fffffff ack 1 : invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< FA 502 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< FA 1+501 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< FA 1+499 ack 1	: fin ESTABLISHED FIN_WAIT_1\n"
	  "> FA 1000 ack 501	: fin_acked CLOSE_WAIT FIN_WAIT_2; fin LAST_ACK FIN_WAIT_2\n" },

	{ "the ACK in a FIN outside of the window does not count", HANDSHAKE
	  "< FA 1 ack 1		: fin ESTABLISHED FIN_WAIT_1\n"
	  "> FA 200000 ack 2	: invalid/out_of_window ESTABLISHED FIN_WAIT_1\n" },

	{ "the window moves",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1 win 1000 : syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "> PA 1+1000 ack 1	:\n"
	  "> FA 1002 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< A 1 ack 1001 win 0 :\n"
	  "> FA 1002 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< A 1 ack 1001 win 9 :\n"
	  "> FA 1000 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> FA 1002+8 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n" },

	{ "the window of the SYN was wider than that of the first ACK",
	  "> S 0+10 win 2461	: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 11	: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 11 ack 1 win 2304 : established ESTABLISHED ESTABLISHED\n"
	  "< PA 1+2461 ack 11	:\n"			/* sent before that ACK came */
	  "> A 11 ack 2462 win 2304 :\n"
	  "< FA 2462+1000 ack 11 : fin ESTABLISHED FIN_WAIT_1\n" },

	{ "a FIN may answer a window of zero: nothing better can be said",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1 win 0	: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "> FA 1 ack 1		: fin FIN_WAIT_1 ESTABLISHED\n" },

	{ "window scaling: RFC 7323 section 2.2",
	  "> S 0 ws 2 win 1000	: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1 ws 7 win 1000 : syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1 win 1000	: established ESTABLISHED ESTABLISHED\n"
	  /* that of the SYN+ACK was not scaled */
	  "> FA 1002 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< A 1 ack 1 win 1000	:\n"
	  "> FA 128002 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> FA 128000 ack 1 win 1000 : fin FIN_WAIT_1 ESTABLISHED\n"
	  "< FA 4002 ack 1	: invalid/out_of_window FIN_WAIT_1 ESTABLISHED\n"
	  "< FA 4000 ack 1	: fin FIN_WAIT_1 FIN_WAIT_1\n" },

	{ "window scaling: only the initiator offers it",
	  "> S 0 ws 7 win 1000	: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1 win 1000 : syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1 win 1000	: established ESTABLISHED ESTABLISHED\n"
	  "< FA 1002 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n" },

	{ "window scaling: only the responder offers it",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1 ws 7 win 1000 : syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "< A 1 ack 1 win 1000	:\n"
	  "> FA 1002 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n" },

	{ "window scaling: simultaneous open",
	  "> S 0 ws 3		: syn SYN_SENT LISTEN\n"
	  "< S 0 ws 4		: syn SYN_SENT SYN_SENT\n"
	  "> SA 0 ack 1 ws 3	: syn_ack SYN_RECEIVED SYN_SENT\n"
	  "< SA 0 ack 1 ws 4	: syn_ack ESTABLISHED SYN_RECEIVED\n"
	  "	; established ESTABLISHED ESTABLISHED\n"
	  "> A 1 ack 1 win 10000 :\n"
	  "< FA 80002 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< FA 80000 ack 1	: fin ESTABLISHED FIN_WAIT_1\n" },

	{ "data past the window is not what RST and FIN are measured by",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1 win 1000 : syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "> PA 500000+10 ack 1	:\n"			/* forged */
	  "> R 500010		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> R 1		: rst CLOSED CLOSED; end established reset_by_initiator none\n" },

	{ "much data, all around the sequence space", HANDSHAKE
	  "> A 1+60000 ack 1	:\n"
	  "< A 1 ack 60001	:\n"
	  "> A 60001+60000 ack 1 :\n"
	  "< A 1 ack 120001	:\n"
	  "> FA 120001 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< FA 1 ack 120002	: fin_acked FIN_WAIT_2 CLOSE_WAIT; fin FIN_WAIT_2 LAST_ACK\n"
	  "> A 120002 ack 2	: fin_acked TIME_WAIT CLOSED\n"
	  "	; end established orderly initiator\n" },

	{ "an ACK of what was never sent, nor could be: 3.10.7.4 fifth", HANDSHAKE
	  "< A 1 ack 500000	:\n"
	  "> R 500000		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> FA 500000 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> R 1		: rst CLOSED CLOSED; end established reset_by_initiator none\n" },

	{ "an ACK shows data that did not pass here: the RST behind it holds", HANDSHAKE
	  "< A 1 ack 5001	:\n"
	  "> R 5002		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> R 5001		: rst CLOSED CLOSED; end established reset_by_initiator none\n" },

	{ "an ACK shows data that did not pass here: the FIN behind it holds", HANDSHAKE
	  "< A 1 ack 5001	:\n"
	  "> FA 5001 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 5002	: fin_acked FIN_WAIT_2 CLOSE_WAIT\n" },

	{ "an ACK of what was never sent, but might be: its peer goes on where it was", HANDSHAKE
	  "< A 1 ack 5001	:\n"
	  "> PA 1+10 ack 1	:\n"
	  "< A 1 ack 11		:\n"
	  "> R 5001		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> FA 11 ack 1		: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 12		: fin_acked FIN_WAIT_2 CLOSE_WAIT\n" },

	{ "a window of zero is probed by a byte, which is taken",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1 win 100	: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> PA 1+100 ack 1	: established ESTABLISHED ESTABLISHED\n"
	  "< A 1 ack 101 win 0	:\n"
	  "> A 101+1 ack 1	:\n"
	  "< A 1 ack 101 win 0	:\n"
	  "> A 101+1 ack 1	:\n"
	  "< A 1 ack 102 win 100 :\n"
	  "> FA 102+50 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 153 win 50 : fin_acked FIN_WAIT_2 CLOSE_WAIT\n" },

	/*
	 * A gap in what is seen
	 */
	{ "gap: data beyond the window is acknowledged, the FIN behind it holds", HANDSHAKE
	  "> PA 5000001+100 ack 9000001 :\n"
	  "< A 9000001 ack 5000001 :\n"		/* all but the last segment */
	  "> PA 5000101+100 ack 9000001 :\n"
	  "< PA 9000001+10 ack 5000201 :\n"
	  "> A 5000201 ack 9000011 :\n"
	  "> R 1		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< FA 9000011 ack 5000201 : fin ESTABLISHED FIN_WAIT_1\n"
	  "> FA 5000201 ack 9000012 : fin_acked CLOSE_WAIT FIN_WAIT_2; fin LAST_ACK FIN_WAIT_2\n"
	  "< A 9000012 ack 5000202 : fin_acked CLOSED TIME_WAIT\n"
	  "	; end established orderly responder\n" },

	{ "gap: the first thing behind it is a FIN; its ACK proves it", HANDSHAKE
	  "> FA 5000001+9 ack 9000001 : invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< A 9000001 ack 5000010 :\n"
	  "< FA 9000001 ack 5000011 : fin_acked FIN_WAIT_2 CLOSE_WAIT\n"
	  "	; fin FIN_WAIT_2 LAST_ACK\n"
	  "> A 5000011 ack 9000002 : fin_acked TIME_WAIT CLOSED\n"
	  "	; end established orderly initiator\n"
	  "< FA 9000001 ack 5000011 : retransmit/1 TIME_WAIT CLOSED\n" },

	{ "gap: both FINs lie behind it", HANDSHAKE
	  "< FA 9000001 ack 5000001 : invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> FA 5000001 ack 9000001 : invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< A 9000002 ack 5000002 : fin_acked FIN_WAIT_2 CLOSE_WAIT\n"
	  "> A 5000002 ack 9000002 : fin_acked TIME_WAIT CLOSED\n"
	  "	; end established orderly initiator\n" },

	{ "no gap: a forged FIN ahead is forgotten when its sender goes on", HANDSHAKE
	  "> FA 200001 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> A 1+60000 ack 1	:\n"
	  "< A 1 ack 60001	:\n"
	  "> A 60001+60000 ack 1 :\n"
	  "< A 1 ack 120001	:\n"
	  "> A 120001+60000 ack 1 :\n"
	  "< A 1 ack 180001	:\n"
	  "> A 180001+20001 ack 1 :\n"
	  "< A 1 ack 200002	:\n"
	  "> FA 200002 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n" },

	{ "forged data moves nothing by which a RST is measured: RFC 5961 section 5", HANDSHAKE
	  "> PA 1+10 ack 1	:\n"
	  "< A 1 ack 11		:\n"
	  "> PA 5001+10 ack 500000 :\n"
	  "> PA 5001+10 ack -100000 :\n"
	  "> R 5011		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> R 11		: rst CLOSED CLOSED; end established reset_by_initiator none\n" },

	{ "gap: an old FIN proves nothing", HANDSHAKE
	  "> PA 1+1000 ack 1	:\n"
	  "< A 1 ack 1001	:\n"
	  "> FA 500 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< A 1 ack 501	:\n" },

	{ "gap: far ahead, and never acknowledged",
	  HANDSHAKE
	  "> PA 500000+10 ack 1	:\n"
	  "< A 1 ack 500011	:\n"			/* nor that */
	  "< A 1 ack 1		:\n"
	  "> FA 500010 ack 1	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< A 1 ack 1		:\n"
	  "> FA 1 ack 1		: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 2		: fin_acked FIN_WAIT_2 CLOSE_WAIT\n" },

	/*
	 * RST, more in rst_everywhere()
	 */
	{ "RST inside what is under way", HANDSHAKE
	  "> PA 1+100 ack 1	:\n"
	  "> PA 101+100 ack 1	:\n"
	  "< A 1 ack 101	:\n"
	  "> R 100		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> R 202		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> R 201		: rst CLOSED CLOSED; end established reset_by_initiator none\n" },

	{ "RST in the window, but not exactly: RFC 5961 section 3", HANDSHAKE
	  "> PA 1+100 ack 1	:\n"
	  "> PA 101+100 ack 1	:\n"
	  "> R 2		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> R 101		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> R 1001		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< A 1 ack 201	:\n"			/* the challenge */
	  "> R 201		: rst CLOSED CLOSED; end established reset_by_initiator none\n" },

	{ "RST behind a hole: it is challenged", HANDSHAKE
	  "> PA 101+100 ack 1	:\n"
	  "< A 1 ack 1		:\n"
	  "> R 201		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> PA 1+100 ack 1	:\n"
	  "< A 1 ack 201	:\n"
	  "> PA 201+100 ack 1	:\n"
	  "> R 301		: rst CLOSED CLOSED; end established reset_by_initiator none\n" },

	{ "RST behind a hole: SACK has told that there is something",
	  "> S 0 sack 1		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1 sack 1	: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "> PA 101+100 ack 1	:\n"
	  "< A 1 ack 1		:\n"
	  "> R 201		: rst CLOSED CLOSED; end established reset_by_initiator none\n" },

	{ "RST at or behind a FIN that waits for a hole", HANDSHAKE
	  "> FA 101 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 1		:\n"
	  "> R 101		: invalid/out_of_window FIN_WAIT_1 ESTABLISHED\n"
	  "> R 102		: invalid/out_of_window FIN_WAIT_1 ESTABLISHED\n"
	  "> R 1		: rst CLOSED CLOSED\n"
	  "	; end established reset_by_initiator initiator\n" },

	{ "RST behind data behind a FIN", HANDSHAKE
	  "> FA 1 ack 1		: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 2		: fin_acked FIN_WAIT_2 CLOSE_WAIT\n"
	  "> PA 2+100 ack 1	:\n"
	  "> R 102		: invalid/out_of_window FIN_WAIT_2 CLOSE_WAIT\n" },

	{ "RST at the lower edge", HANDSHAKE
	  "> PA 1+100 ack 1	:\n"
	  "> R 1		: rst CLOSED CLOSED; end established reset_by_initiator none\n" },

	{ "RST at the number of the FIN before it", HANDSHAKE
	  "> FA 1 ack 1		: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 2		: fin_acked FIN_WAIT_2 CLOSE_WAIT\n"
	  "> R 1		: rst CLOSED CLOSED\n"
	  "	; end established reset_by_initiator initiator\n" },

	{ "RST acknowledges the FIN: it was in CLOSE_WAIT", HANDSHAKE
	  "> FA 1+10 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< RA 1 ack 12	: fin_acked FIN_WAIT_1 CLOSE_WAIT; rst CLOSED CLOSED\n"
	  "	; end established reset_by_responder initiator\n" },

	{ "RST acknowledges the data, not the FIN", HANDSHAKE
	  "> FA 1+10 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "< RA 1 ack 11	: rst CLOSED CLOSED\n"
	  "	; end established reset_by_responder initiator\n" },

	{ "RST acknowledges the FIN that crossed its own", CROSSED_FINS
	  "> RA 2 ack 2		: fin_acked CLOSING FIN_WAIT_1; rst CLOSED CLOSED\n"
	  "	; end established reset_by_initiator initiator\n" },

	{ "RST acknowledges the last FIN: no orderly close", INITIATOR_HALF_CLOSED
	  "< FA 1 ack 2		: fin FIN_WAIT_2 LAST_ACK\n"
	  "> RA 2 ack 2		: fin_acked TIME_WAIT LAST_ACK; rst CLOSED CLOSED\n"
	  "	; end established reset_by_initiator initiator\n" },

	{ "RST in TIME_WAIT: RFC 1337", INITIATOR_CLOSED
	  "< R 3		:\n"
	  "< R 1		:\n"
	  "> R 2		:\n"			/* nobody is there to hear it */
	  "< R 2		: rst CLOSED CLOSED\n"
	  "< R 2		:\n"
	  "timeout		: timeout/closed CLOSED CLOSED\n" },

	{ "RST in TIME_WAIT of the responder", RESPONDER_CLOSED
	  "< R 2		:\n"
	  "> R 3		:\n"
	  "> RA 2 ack 2		: rst CLOSED CLOSED\n" },

	{ "after a RST nothing is told but a new SYN", HANDSHAKE
	  "> R 1		: rst CLOSED CLOSED; end established reset_by_initiator none\n"
	  "is timer closed\n"
	  "< PA 1+100 ack 1	:\n"
	  "< A 1 ack 1		:\n"
	  "< FA 1 ack 1		:\n"
	  "> R 1		:\n"
	  "< R 1		:\n"
	  "< SA 0 ack 1		: retransmit/1 CLOSED CLOSED\n"
	  "< SA 5 ack 1		: invalid/unexpected_syn CLOSED CLOSED\n"
	  "> S 0		: invalid/old_duplicate CLOSED CLOSED\n"
	  "> S -5000		: reuse\n"
	  "timeout		: timeout/closed CLOSED CLOSED\n" },

	/*
	 * The tuple used again
	 */
	{ "reuse in TIME_WAIT of the responder: RFC 1122 section 4.2.2.13", RESPONDER_CLOSED
	  "> S 0		: invalid/old_duplicate CLOSED TIME_WAIT\n"
	  "> S 1		: invalid/old_duplicate CLOSED TIME_WAIT\n"
	  "> S -1000		: invalid/old_duplicate CLOSED TIME_WAIT\n"
	  "> S 2		: invalid/old_duplicate CLOSED TIME_WAIT\n"	/* as Linux, BSD */
	  "> S 3		: reuse\n"
	  "> S 100000		: reuse\n" },

	{ "reuse in TIME_WAIT: the SYN+ACK proves it", RESPONDER_CLOSED
	  "> S -1000		: invalid/old_duplicate CLOSED TIME_WAIT\n"
	  "< A 2 ack 2		:\n"
	  "< SA 90 ack -999	: reuse\n" },

	{ "reuse in TIME_WAIT, timestamps: RFC 6191", HANDSHAKE
	  "< FA 1 ack 1 ts 70	: fin ESTABLISHED FIN_WAIT_1\n"
	  "> FA 1 ack 2 ts 500	: fin_acked CLOSE_WAIT FIN_WAIT_2; fin LAST_ACK FIN_WAIT_2\n"
	  "< A 2 ack 2 ts 71	: fin_acked CLOSED TIME_WAIT; end established orderly responder\n"
	  "> FA 1 ack 2 ts 510	: retransmit/1 CLOSED TIME_WAIT\n"
	  "> S -1000 ts 510	: invalid/old_duplicate CLOSED TIME_WAIT\n"
	  "> S -1000 ts 505	: invalid/old_duplicate CLOSED TIME_WAIT\n"
	  "> S 1000 ts 505	: invalid/old_duplicate CLOSED TIME_WAIT\n"
	  "> S 1 ts 510		: invalid/old_duplicate CLOSED TIME_WAIT\n"
	  "> S 1		: invalid/old_duplicate CLOSED TIME_WAIT\n"
	  "> S 1000 ts 510	: reuse\n"
	  "> S -1000 ts 511	: reuse\n"
	  "> S 1000		: reuse\n" },

	{ "reuse by the one in TIME_WAIT: any other ISN", INITIATOR_CLOSED
	  "> S 0		: invalid/old_duplicate TIME_WAIT CLOSED\n"
	  "> S 100000		: reuse\n"
	  "> S -100000		: reuse\n"
	  "< S 1		: invalid/old_duplicate TIME_WAIT CLOSED\n"
	  "< S 100000		: reuse\n" },	/* the roles change */

	{ "reuse after TIME_WAIT", INITIATOR_CLOSED
	  "timeout		: timeout/time_wait CLOSED CLOSED\n"
	  "> S -5		: reuse\n" },

	{ "reuse after close at once", BOTH_CLOSED
	  "> S 1		: invalid/old_duplicate TIME_WAIT TIME_WAIT\n"
	  "> S 3		: reuse\n"
	  "< S 3		: reuse\n" },

	{ "reuse in SYN_SENT: it gave up and tries anew",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "> S 1000		: reuse\n"
	  "> S -1000		: reuse\n" },

	{ "another ISN after the SYN+ACK: RFC 5961 section 4",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> S 1000		: invalid/unexpected_syn SYN_SENT SYN_RECEIVED\n"
	  "< A 1 ack 1		:\n"			/* the challenge */
	  "> R 1		: rst CLOSED CLOSED; end aborted none none\n"
	  "> S 1000		: reuse\n" },

	{ "another ISN after the SYN+ACK: it is answered",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> S 1000		: invalid/unexpected_syn SYN_SENT SYN_RECEIVED\n"
	  "< SA 70 ack 1001	: reuse\n" },

	{ "another ISN after the SYN+ACK: it is refused, as Linux does",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> S 1000		: invalid/unexpected_syn SYN_SENT SYN_RECEIVED\n"
	  "< RA 0 ack 1001 seq nul : rst CLOSED CLOSED; end reset none none\n" },

	/*
	 * Met midway
	 */
	{ "pickup by data",
	  "pickup > PA 5000+100 ack 9000 : pickup ESTABLISHED ESTABLISHED\n"
	  "is timer established\n"
	  "is phase ESTABLISHED\n"
	  "is handshake unseen\n"
	  "is half_open\n"
	  "< A 9000 ack 5100	:\n"
	  "is known\n"
	  "< FA 9000 ack 5100	: fin ESTABLISHED FIN_WAIT_1\n"
	  "> FA 5100 ack 9001	: fin_acked CLOSE_WAIT FIN_WAIT_2; fin LAST_ACK FIN_WAIT_2\n"
	  "< A 9001 ack 5101	: fin_acked CLOSED TIME_WAIT; end unseen orderly responder\n" },

	{ "pickup by the responder's ACK",
	  "pickup < A 9000 ack 5100 : pickup ESTABLISHED ESTABLISHED\n"
	  "> R 5100		: rst CLOSED CLOSED; end unseen reset_by_initiator none\n" },

	{ "pickup by FIN",
	  "pickup > FA 5000+9 ack 9000 : pickup ESTABLISHED ESTABLISHED\n"
	  "	; fin FIN_WAIT_1 ESTABLISHED\n"
	  "< FA 9000 ack 5010	: fin_acked FIN_WAIT_2 CLOSE_WAIT; fin FIN_WAIT_2 LAST_ACK\n"
	  "> A 5010 ack 9001	: fin_acked TIME_WAIT CLOSED; end unseen orderly initiator\n" },

	{ "pickup by SYN+ACK",
	  "pickup < SA 0 ack 1	: pickup SYN_SENT LISTEN; syn_ack SYN_SENT SYN_RECEIVED\n"
	  "is timer synack\n"
	  "is handshake half_open\n"
	  "is half_open\n"
	  "> S 0		: retransmit/1 SYN_SENT SYN_RECEIVED\n"
	  "< SA 0 ack 1		: retransmit/1 SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 2		: invalid/bad_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "is handshake established\n"
	  "is known\n" },

	{ "pickup by SYN+ACK, then RST",
	  "pickup < SA 0 ack 1	: pickup SYN_SENT LISTEN; syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> R 1		: rst CLOSED CLOSED; end aborted none none\n" },

	{ "pickup: the scale of the window is not known",
	  "pickup > PA 5000+100 ack 9000 win 100 : pickup ESTABLISHED ESTABLISHED\n"
	  "< FA 900000 ack 5100	: fin ESTABLISHED FIN_WAIT_1\n" },

	{ "pickup: an ACK of what was seen before the window was known",
	  "pickup > PA 5000+100000 ack 9000 : pickup ESTABLISHED ESTABLISHED\n"
	  "< A 9000 ack 5100 win 1 :\n"
	  "< A 9000 ack 105000 win 1 :\n"
	  "> FA 105000+20000 ack 9000 : invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> FA 105000+1000 ack 9000 : fin FIN_WAIT_1 ESTABLISHED\n" },

	{ "pickup, then a SYN",
	  "pickup > PA 5000+100 ack 9000 : pickup ESTABLISHED ESTABLISHED\n"
	  "> S 0		: invalid/unexpected_syn ESTABLISHED ESTABLISHED\n"
	  "< SA 0 ack 0		: invalid/unexpected_syn ESTABLISHED ESTABLISHED\n"
	  "< SA 0 ack 1		: reuse\n" },	/* the old connection had ended unseen */

	{ "pickup, then silence",
	  "pickup > A 5000 ack 9000 : pickup ESTABLISHED ESTABLISHED\n"
	  "timeout		: timeout/established CLOSED CLOSED\n"
	  "	; end unseen idle_timeout none\n" },

	{ "pickup, then RST, then a SYN",
	  "pickup > PA 5000+100 ack 9000 : pickup ESTABLISHED ESTABLISHED\n"
	  "< A 9000 ack 5100	:\n"
	  "> R 5100		: rst CLOSED CLOSED; end unseen reset_by_initiator none\n"
	  "> S 0		: reuse\n" },

	/*
	 * One side seen
	 */
	{ "only the initiator's segments pass here",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "is half_open\n"				/* one host alone can forge it */
	  "> PA 1+100 ack 1	:\n"
	  "> A 101 ack 5001	:\n"
	  "> FA 101 ack 5001	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "timeout		: timeout/fin_wait CLOSED CLOSED\n"
	  "	; end established idle_timeout initiator\n" },

	{ "only the initiator's segments: its next is not behind its SYN",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "> A 500 ack 1	: invalid/bad_ack SYN_SENT LISTEN\n" },

	{ "only the responder's segments pass here: data",
	  "pickup < SA 0 ack 1	: pickup SYN_SENT LISTEN; syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< A 1 ack 1		:\n"
	  "< PA 1+100 ack 1	: established ESTABLISHED ESTABLISHED\n"
	  "is half_open\n"
	  "< FA 101 ack 500	: fin ESTABLISHED FIN_WAIT_1\n"
	  "< R 600		: invalid/out_of_window ESTABLISHED FIN_WAIT_1\n"
	  "timeout		: timeout/fin_wait CLOSED CLOSED\n"
	  "	; end established idle_timeout responder\n" },

	{ "only the responder's segments pass here: it acknowledges data",
	  "pickup < SA 0 ack 1	: pickup SYN_SENT LISTEN; syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< SA 0 ack 1		: retransmit/1 SYN_SENT SYN_RECEIVED\n"
	  "< A 1 ack 501	: established ESTABLISHED ESTABLISHED\n"
	  "< R 1		: rst CLOSED CLOSED; end established reset_by_responder none\n" },

	{ "only the responder's segments pass here: it closes",
	  "pickup < SA 0 ack 1	: pickup SYN_SENT LISTEN; syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< FA 1 ack 1		: fin SYN_SENT FIN_WAIT_1\n"	/* 3.10.4, SYN-RECEIVED */
	  "< FA 1 ack 1		: retransmit/1 SYN_SENT FIN_WAIT_1\n"
	  "< FA 1 ack 2		: established ESTABLISHED FIN_WAIT_1\n"
	  "	; retransmit/2 ESTABLISHED FIN_WAIT_1\n" },

	{ "only one direction passes here, RST: about where it stands",
	  "pickup > PA 5000+100 ack 9000 : pickup ESTABLISHED ESTABLISHED\n"
	  "> PA 5100+100 ack 9500 :\n"
	  "> R 5201		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> R -0x40000000	: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "> R 5100		: rst CLOSED CLOSED; end unseen reset_by_initiator none\n" },

	{ "only one direction passes here, RST of the other: in the window",
	  "pickup > PA 5000+100 ack 9000 win 1 : pickup ESTABLISHED ESTABLISHED\n"
	  "< R 8999		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< R 26000		: invalid/out_of_window ESTABLISHED ESTABLISHED\n"
	  "< R 9100		: rst CLOSED CLOSED; end unseen reset_by_responder none\n" },

	{ "the responder is heard after all",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "< PA 1+10 ack 1	:\n"
	  "is known\n"
	  "< SA 0 ack 1		: retransmit/1 ESTABLISHED ESTABLISHED\n" },

	/*
	 * Timers and room
	 */
	{ "idle",
	  HANDSHAKE
	  "is timer established\n"
	  "timeout		: timeout/established CLOSED CLOSED\n"
	  "	; end established idle_timeout none\n" },

	{ "evicted: the verdict so far",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "evict		: evict SYN_SENT LISTEN; end no_answer evicted none\n"
	  "evict		: evict SYN_SENT LISTEN\n" },

	{ "evicted half-open",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "evict		: evict SYN_SENT SYN_RECEIVED; end half_open evicted none\n" },

	{ "evicted established", HANDSHAKE
	  "evict		: evict ESTABLISHED ESTABLISHED; end established evicted none\n" },

	{ "evicted in TIME_WAIT: the END was told", INITIATOR_CLOSED
	  "evict		: evict TIME_WAIT CLOSED\n" },

	{ "evicted after pickup",
	  "pickup > A 1 ack 1	: pickup ESTABLISHED ESTABLISHED\n"
	  "evict		: evict ESTABLISHED ESTABLISHED; end unseen evicted none\n" },

	{ "flushed: the verdict so far",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "flush		: end no_answer flushed none\n" },

	{ "flushed half-open",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "flush		: end half_open flushed none\n" },

	{ "flushed half-closed", RESPONDER_HALF_CLOSED
	  "flush		: end established flushed responder\n"
	  "flush		:\n" },

	{ "flushed in TIME_WAIT: the END was told", BOTH_CLOSED
	  "flush		: evict TIME_WAIT TIME_WAIT\n" },

	{ "replaced by a new connection: how it ended is not known", HANDSHAKE
	  "replace		: end established unknown none\n"
	  "replace		:\n" },

	{ "replaced by a new attempt",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "replace		: end no_answer none none\n" },

	{ "replaced by a forged SYN: the answer to the true one shows it",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "> S 1000		: reuse\n"
	  "replace		: end no_answer none none\n"
	  "> S 1000		: syn SYN_SENT LISTEN\n"
	  "< SA 7 ack 200000	: invalid/bad_ack SYN_SENT LISTEN\n"
	  "< SA 7 ack 1		: reuse\n" },

	{ "replaced by a new attempt, which is answered",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "replace		: end no_answer none none\n"
	  "> S 1000		: syn SYN_SENT LISTEN\n"
	  "< SA 7 ack 1001	: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "> A 1001 ack 8	: established ESTABLISHED ESTABLISHED\n" },

	{ "replaced after pickup",
	  "pickup > A 1 ack 1	: pickup ESTABLISHED ESTABLISHED\n"
	  "replace		: end unseen unknown none\n" },

	{ "half-open is what one side alone may have made up",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "is half_open\n"
	  "is phase HANDSHAKE\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "is half_open\n"
	  "is phase HANDSHAKE\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n"
	  "is known\n"
	  "< R 1		: rst CLOSED CLOSED; end established reset_by_responder none\n"
	  "is known\n" },

	/*
	 * ICMP errors
	 */
	{ "icmp: the SYN does not get there, RFC 1122 4.2.3.9",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "icmp > unreachable 0	: icmp_error CLOSED CLOSED; end unreachable none none\n"
	  "is timer closed\n"
	  "is known\n"
	  "icmp > unreachable 0	: icmp_error CLOSED CLOSED\n"
	  "icmp > unreachable 1	: invalid/bad_quote CLOSED CLOSED\n" },

	{ "icmp: an error that ends a SYN only",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "> S 0		: retransmit/1 SYN_SENT LISTEN\n"
	  "icmp > prohibited 0	: icmp_error CLOSED CLOSED; end unreachable none none\n" },

	{ "icmp: too big ends nothing",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "icmp > too_big 0	: icmp_error SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "icmp < too_big 0	: icmp_error SYN_SENT SYN_RECEIVED\n"
	  "> A 1 ack 1		: established ESTABLISHED ESTABLISHED\n" },

	{ "icmp: about a SYN that was never sent, RFC 5927 4.1",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "icmp > unreachable 1	: invalid/bad_quote SYN_SENT LISTEN\n"
	  "icmp > unreachable -1 : invalid/bad_quote SYN_SENT LISTEN\n"
	  "icmp > unreachable 0x7fffffff : invalid/bad_quote SYN_SENT LISTEN\n"
	  "icmp > unreachable -0x7fffffff unseen : invalid/bad_quote SYN_SENT LISTEN\n"
	  "icmp < unreachable 0	: invalid/bad_quote SYN_SENT LISTEN\n"
	  "icmp < unreachable 0 unseen : invalid/bad_quote SYN_SENT LISTEN\n"
	  "is half_open\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n" },

	{ "icmp: a SYN with data, RFC 7413",
	  "> S 0+100		: syn SYN_SENT LISTEN\n"
	  "icmp > unreachable 1	: icmp_error SYN_SENT LISTEN\n"
	  "icmp > unreachable 101 : invalid/bad_quote SYN_SENT LISTEN\n"
	  "icmp > unreachable 0	: icmp_error CLOSED CLOSED; end unreachable none none\n" },

	{ "icmp: the SYN+ACK does not get there",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "icmp < unreachable 1	: invalid/bad_quote SYN_SENT SYN_RECEIVED\n"
	  "icmp > unreachable 0	: invalid/bad_quote SYN_SENT SYN_RECEIVED\n"	/* answered */
	  "icmp < prohibited 0	: icmp_error SYN_SENT SYN_RECEIVED\n"
	  "icmp < unreachable 0	: icmp_error CLOSED CLOSED; end unreachable none none\n"
	  "icmp < unreachable 0	: icmp_error CLOSED CLOSED\n" },

	{ "icmp: a SYN+ACK met midway",
	  "pickup < SA 0 ack 1	: pickup SYN_SENT LISTEN; syn_ack SYN_SENT SYN_RECEIVED\n"
	  "icmp < unreachable 0	: icmp_error CLOSED CLOSED; end unreachable none none\n" },

	{ "icmp: the responder sends data before the last ACK",
	  "> S 0		: syn SYN_SENT LISTEN\n"
	  "< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED\n"
	  "< PA 1+100 ack 1	:\n"
	  "icmp < unreachable 1	: icmp_error SYN_SENT SYN_RECEIVED\n" },

	{ "icmp: crossed SYNs", CROSSED_SYNS
	  "icmp < prohibited 0	: icmp_error CLOSED CLOSED; end unreachable none none\n" },

	{ "icmp: in an established connection nothing changes", HANDSHAKE
	  "icmp > unreachable 1	: icmp_error ESTABLISHED ESTABLISHED\n"	/* a pure ACK */
	  "icmp > unreachable 0	: invalid/bad_quote ESTABLISHED ESTABLISHED\n"
	  "icmp > unreachable 2	: invalid/bad_quote ESTABLISHED ESTABLISHED\n"
	  "> PA 1+100 ack 1	:\n"
	  "icmp > unreachable 1	: icmp_error ESTABLISHED ESTABLISHED\n"
	  "icmp > too_big 50	: icmp_error ESTABLISHED ESTABLISHED\n"
	  "icmp > prohibited 101 : icmp_error ESTABLISHED ESTABLISHED\n"
	  "icmp > unreachable 102 : invalid/bad_quote ESTABLISHED ESTABLISHED\n"
	  "< A 1 ack 101	:\n"
	  "icmp > unreachable 100 : invalid/bad_quote ESTABLISHED ESTABLISHED\n"
	  "icmp > unreachable 101 : icmp_error ESTABLISHED ESTABLISHED\n"
	  "is phase ESTABLISHED\n" },

	{ "icmp: this host could not pass on what the error is about", HANDSHAKE
	  "icmp > too_big 2921	: invalid/bad_quote ESTABLISHED ESTABLISHED\n"
	  "icmp > too_big 2921 unseen : icmp_error ESTABLISHED ESTABLISHED\n"
	  "icmp > too_big 65536 unseen : icmp_error ESTABLISHED ESTABLISHED\n"
	  "icmp > too_big 65537 unseen : invalid/bad_quote ESTABLISHED ESTABLISHED\n"
	  "icmp > too_big 0 unseen : invalid/bad_quote ESTABLISHED ESTABLISHED\n" },

	{ "icmp: about a FIN", HANDSHAKE
	  "> FA 1 ack 1	: fin FIN_WAIT_1 ESTABLISHED\n"
	  "icmp > unreachable 1	: icmp_error FIN_WAIT_1 ESTABLISHED\n"
	  "< A 1 ack 2		: fin_acked FIN_WAIT_2 CLOSE_WAIT\n"
	  "icmp > unreachable 1	: invalid/bad_quote FIN_WAIT_2 CLOSE_WAIT\n"
	  "< FA 1 ack 2		: fin FIN_WAIT_2 LAST_ACK\n"
	  "icmp < unreachable 1	: icmp_error FIN_WAIT_2 LAST_ACK\n"
	  "> A 2 ack 2		: fin_acked TIME_WAIT CLOSED; end established orderly initiator\n"
	  "icmp > unreachable 2	: icmp_error TIME_WAIT CLOSED\n"
	  "icmp < unreachable 1	: invalid/bad_quote TIME_WAIT CLOSED\n" },

	{ "icmp: after a reset", HANDSHAKE
	  "> R 1		: rst CLOSED CLOSED; end established reset_by_initiator none\n"
	  "icmp > unreachable 1	: icmp_error CLOSED CLOSED\n" },

	{ "icmp: met midway, heard from one side",
	  "pickup > PA 1+100 ack 1 : pickup ESTABLISHED ESTABLISHED\n"
	  "icmp > unreachable 1	: icmp_error ESTABLISHED ESTABLISHED\n"
	  "icmp > unreachable 101 : icmp_error ESTABLISHED ESTABLISHED\n"
	  "icmp > unreachable 102 : invalid/bad_quote ESTABLISHED ESTABLISHED\n"
	  "icmp < unreachable 1	: icmp_error ESTABLISHED ESTABLISHED\n"	/* in the window */
	  "icmp < unreachable 501 : icmp_error ESTABLISHED ESTABLISHED\n"
	  "icmp < unreachable 0	: invalid/bad_quote ESTABLISHED ESTABLISHED\n"
	  "< A 1 ack 101	:\n"
	  "icmp < unreachable 501 : invalid/bad_quote ESTABLISHED ESTABLISHED\n" },
};

const unsigned int fsm_scenarios_count = ARRAY_SIZE(fsm_scenarios);
