// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdbool.h>

#include "names.h"
#include "vocabulary.h"

#define INITIATOR	0
#define RESPONDER	TCPTRACE_LETTER_RESPONDER

/* The letter at a place of the history, with who sent it; 0 behind the last. */
static unsigned int code_at(const struct tcptrace_summary *summary, unsigned int place)
{
	const unsigned int mask = (1 << TCPTRACE_LETTER_BITS) - 1;

	return summary->history >> place * TCPTRACE_LETTER_BITS & mask;
}

static bool saw(const struct tcptrace_summary *summary, unsigned int code)
{
	unsigned int place;

	for (place = 0; place < TCPTRACE_HISTORY_LEN; place++)
		if (code_at(summary, place) == code)
			return true;
	return false;
}

/* ACK, perhaps with payload, and none of SYN, FIN and RST. */
static bool saw_ack(const struct tcptrace_summary *summary, unsigned int side)
{
	return saw(summary, TCPTRACE_LETTER_ACK | side) ||
	       saw(summary, TCPTRACE_LETTER_DATA | side);
}

static bool saw_syn_ack(const struct tcptrace_summary *summary)
{
	return saw(summary, TCPTRACE_LETTER_SYN_ACK | INITIATOR) ||
	       saw(summary, TCPTRACE_LETTER_SYN_ACK | RESPONDER);
}

static bool saw_syn(const struct tcptrace_summary *summary, unsigned int side)
{
	return saw(summary, TCPTRACE_LETTER_SYN | side) ||
	       saw(summary, TCPTRACE_LETTER_SYN_ACK | side);
}

static bool saw_any(const struct tcptrace_summary *summary, unsigned int side)
{
	unsigned int letter;

	for (letter = TCPTRACE_LETTER_SYN; letter <= TCPTRACE_LETTER_MULTI_FLAG; letter++)
		if (saw(summary, letter | side))
			return true;
	return false;
}

/* Whose RST ended the connection or the attempt. */
static enum tcptrace_side reset_by(const struct tcptrace_summary *summary)
{
	if (summary->handshake == TCPTRACE_HANDSHAKE_ABORTED ||
	    summary->close == TCPTRACE_CLOSE_RESET_BY_INITIATOR)
		return TCPTRACE_SIDE_INITIATOR;
	if (summary->handshake == TCPTRACE_HANDSHAKE_REFUSED ||
	    summary->handshake == TCPTRACE_HANDSHAKE_RESET ||
	    summary->close == TCPTRACE_CLOSE_RESET_BY_RESPONDER)
		return TCPTRACE_SIDE_RESPONDER;
	return TCPTRACE_SIDE_NONE;
}

/* These states are those of an endpoint that has sent a FIN. */
static bool closed(unsigned int state)
{
	return state == TCPTRACE_STATE_FIN_WAIT_1 || state == TCPTRACE_STATE_FIN_WAIT_2 ||
	       state == TCPTRACE_STATE_CLOSING || state == TCPTRACE_STATE_LAST_ACK ||
	       state == TCPTRACE_STATE_TIME_WAIT;
}

/*
 * Did this side try to close?  Its state before the END tells, so a FIN that its peer need
 * not believe does not count; with only one side heard there is no state that could.
 */
static bool tried_close(const struct tcptrace_event *event, unsigned int side)
{
	const struct tcptrace_summary *summary = &event->summary;

	if (summary->close == TCPTRACE_CLOSE_ORDERLY)
		return true;
	if (!saw_any(summary, INITIATOR) || !saw_any(summary, RESPONDER))
		return saw(summary, TCPTRACE_LETTER_FIN | side);
	return closed(side == INITIATOR ? event->prev_initiator_state :
					  event->prev_responder_state);
}

/**
 * zeek_conn_state - what Zeek's conn.log calls the connection
 * @event: END
 *
 * In quotes what Zeek's documentation of conn_state says; its originator is our initiator.
 * It takes a connection for established when both SYNs were seen.
 *
 * Return: the word
 */
const char *zeek_conn_state(const struct tcptrace_event *event)
{
	const struct tcptrace_summary *summary = &event->summary;
	bool answered = saw_syn(summary, RESPONDER);
	bool heard = saw_any(summary, INITIATOR);

	/* "No SYN seen, just midstream traffic" */
	if (!answered && !saw_syn(summary, INITIATOR))
		return "OTH";
	/* "Normal establishment and termination": both closed; a RST then changes nothing */
	if (tried_close(event, INITIATOR) && tried_close(event, RESPONDER))
		return "SF";
	switch (reset_by(summary)) {
	case TCPTRACE_SIDE_RESPONDER:
		/* "Connection attempt rejected" */
		if (!answered)
			return "REJ";
		/*
		 * "Responder sent a RST"; or "a SYN ACK followed by a RST, we never saw a SYN
		 * from the (purported) originator"
		 */
		return heard ? "RSTR" : "RSTRH";
	case TCPTRACE_SIDE_INITIATOR:
		/*
		 * "Connection established, originator aborted (sent a RST)"; or "sent a SYN
		 * followed by a RST, we never saw a SYN-ACK from the responder"
		 */
		return answered ? "RSTO" : "RSTOS0";
	case TCPTRACE_SIDE_NONE:
		break;
	}
	/*
	 * "Connection established and close attempt by originator seen (but no reply from
	 * responder)"; or "sent a SYN followed by a FIN, we never saw a SYN ACK"
	 */
	if (tried_close(event, INITIATOR))
		return answered ? "S2" : "SH";
	/*
	 * The same by the responder; or it "sent a SYN ACK followed by a FIN, we never saw a
	 * SYN from the originator"
	 */
	if (tried_close(event, RESPONDER))
		return heard ? "S3" : "SHR";
	/* "Connection attempt seen, no reply" */
	if (!answered)
		return "S0";
	/* "Connection established, not terminated"; a SYN+ACK alone shows no such thing */
	return heard ? "S1" : "OTH";
}

static char zeek_letter(unsigned int code)
{
	static const char letters[] = {
		[TCPTRACE_LETTER_SYN]		= 's',
		[TCPTRACE_LETTER_SYN_ACK]	= 'h',
		[TCPTRACE_LETTER_ACK]		= 'a',
		[TCPTRACE_LETTER_DATA]		= 'd',
		[TCPTRACE_LETTER_FIN]		= 'f',
		[TCPTRACE_LETTER_RST]		= 'r',
		[TCPTRACE_LETTER_CORRUPT]	= 'c',
		[TCPTRACE_LETTER_FIN_RST]	= 'i',
		[TCPTRACE_LETTER_MULTI_FLAG]	= 'q',
	};
	unsigned int letter = code & ~RESPONDER;

	if (letter >= sizeof(letters) || !letters[letter])
		return '?';
	return code & RESPONDER ? letters[letter] : toupper(letters[letter]);
}

/**
 * zeek_history - what Zeek's conn.log has as history
 * @event: END
 * @text: receives it: the letters of the initiator are upper case; ^ first if the sender
 *	of the first segment was taken for the responder; x last if there were more kinds
 *	of segments than a record holds
 *
 * Return: @text
 */
const char *zeek_history(const struct tcptrace_event *event, char text[ZEEK_HISTORY_SIZE])
{
	const struct tcptrace_summary *summary = &event->summary;
	unsigned int place, code;
	char *p = text;

	if (code_at(summary, 0) & RESPONDER)
		*p++ = '^';
	for (place = 0; place < TCPTRACE_HISTORY_LEN; place++) {
		code = code_at(summary, place);
		if (!code)
			break;
		*p++ = zeek_letter(code);
	}
	if (summary->history & TCPTRACE_HISTORY_MORE)
		*p++ = 'x';
	*p = '\0';
	return text;
}

/**
 * completeness - what Wireshark's field tcp.completeness has
 * @event: END
 *
 * Return: the sum of SYN 1, SYN-ACK 2, ACK 4, DATA 8, FIN 16 and RST 32
 */
unsigned int completeness(const struct tcptrace_event *event)
{
	static const struct {
		unsigned int segment, value;
	} parts[] = {
		{ TCPTRACE_SEGMENT_SYN, 1 },
		{ TCPTRACE_SEGMENT_SYN_ACK, 2 },
		{ TCPTRACE_SEGMENT_ACK, 4 },
		{ TCPTRACE_SEGMENT_DATA, 8 },
		{ TCPTRACE_SEGMENT_FIN, 16 },
		{ TCPTRACE_SEGMENT_RST, 32 },
	};
	unsigned int i, sum = 0;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (event->summary.segments & parts[i].segment)
			sum += parts[i].value;
	return sum;
}

/**
 * conntrack_state - the state that nf_conntrack has the connection in
 * @event: END
 *
 * It has one state for both endpoints, and looks at nothing but the flags of a segment
 * that lies in the window.  The numbers of @teardown are its way from FIN_WAIT on.
 *
 * Return: the name
 */
const char *conntrack_state(const struct tcptrace_event *event)
{
	static const char *const closing[] = {
		[TCPTRACE_TEARDOWN_FIN]		= "FIN_WAIT",
		[TCPTRACE_TEARDOWN_ACK]		= "CLOSE_WAIT",
		[TCPTRACE_TEARDOWN_FINS]	= "LAST_ACK",
		[TCPTRACE_TEARDOWN_LAST_ACK]	= "TIME_WAIT",
	};
	const struct tcptrace_summary *summary = &event->summary;
	bool acked = saw_ack(summary, INITIATOR) || saw_ack(summary, RESPONDER);
	bool opened = saw(summary, TCPTRACE_LETTER_SYN | INITIATOR);

	/* only a SYN or an ACK makes an entry */
	if (!opened && !acked)
		return "NONE";
	if (reset_by(summary))
		return "CLOSE";
	/* between SYN and SYN+ACK it takes nothing but another SYN */
	if (opened && !saw_syn_ack(summary))
		return saw(summary, TCPTRACE_LETTER_SYN | RESPONDER) ? "SYN_SENT2" : "SYN_SENT";
	if (summary->teardown)
		return NAME_OF(closing, summary->teardown);
	/* SYN+ACKs alone establish no connection whose SYNs crossed */
	if (acked && (!opened || summary->handshake == TCPTRACE_HANDSHAKE_ESTABLISHED))
		return "ESTABLISHED";
	return "SYN_RECV";
}
