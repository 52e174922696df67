// SPDX-License-Identifier: GPL-2.0
#include "address.h"
#include "existing.h"
#include "names.h"
#include "sentence.h"
#include "vocabulary.h"

/* Break the line before the clause that was written last, if it is too long. */
static void end_clause(struct sentence *sentence)
{
	if (sentence->limit && sentence->space &&
	    out_column(sentence->out) >= sentence->limit)
		out_wrap(sentence->out, sentence->space, sentence->indent);
}

static struct out *clause(struct sentence *sentence)
{
	struct out *out = sentence->out;

	if (sentence->clauses++) {
		end_clause(sentence);
		out_char(out, ',');
		sentence->space = out->len;
		out_char(out, ' ');
	}
	return out;
}

static void clause_text(struct sentence *sentence, const char *text)
{
	out_text(clause(sentence), text);
}

static void clause_count(struct sentence *sentence, __u64 count, const char *what)
{
	struct out *out = clause(sentence);

	out_number(out, count);
	out_char(out, ' ');
	out_text(out, what);
}

static void write_units(struct out *out, __u64 count, const char *unit)
{
	out_number(out, count);
	out_char(out, ' ');
	out_text(out, unit);
	if (count != 1)
		out_char(out, 's');
}

static void say_retransmissions(struct sentence *sentence, const struct tcptrace_summary *summary)
{
	if (summary->syn_retrans)
		clause_count(sentence, summary->syn_retrans, "SYN retransmitted");
	if (summary->synack_retrans)
		clause_count(sentence, summary->synack_retrans, "SYN-ACK retransmitted");
}

static void say_latency(struct sentence *sentence, const struct tcptrace_event *event)
{
	const struct tcptrace_summary *summary = &event->summary;
	bool synack = event->known & TCPTRACE_KNOWN_SYNACK_US;
	bool ack = event->known & TCPTRACE_KNOWN_ACK_US;
	struct out *out = clause(sentence);

	if (!synack || !ack) {
		out_text(out, "handshake not seen whole");
		return;
	}
	out_text(out, "handshake ");
	out_thousandths(out, (__u64)summary->synack_us + summary->ack_us);
	out_text(out, " ms: SYN-ACK after ");
	out_thousandths(out, summary->synack_us);
	out = clause(sentence);
	out_text(out, "ACK after ");
	out_thousandths(out, summary->ack_us);
}

/* Milliseconds below a second, seconds above, both with 3 decimals. */
static void write_duration(struct out *out, __u64 us)
{
	bool seconds = us >= 1000000;

	out_thousandths(out, seconds ? us / 1000 : us);
	out_text(out, seconds ? " s" : " ms");
}

static void say_duration(struct sentence *sentence, const struct tcptrace_event *event)
{
	struct out *out = clause(sentence);

	out_text(out, event->kind == TCPTRACE_EVENT_SNAPSHOT ? "for " : "after ");
	write_duration(out, event->summary.duration_us);
}

static void say_volume(struct sentence *sentence, const struct tcptrace_summary *summary)
{
	struct out *out;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		out = clause(sentence);
		out_text(out, i ? "< " : "> ");
		if (!summary->pkts[i]) {
			out_text(out, "nothing");
			continue;
		}
		write_units(out, summary->bytes[i], "byte");
		out_text(out, " in ");
		write_units(out, summary->pkts[i], "packet");
	}
}

static const char *handshake_phrase(unsigned int handshake)
{
	static const char *const phrases[] = {
		[TCPTRACE_HANDSHAKE_REFUSED]	 = "refused: a RST answered the SYN",
		[TCPTRACE_HANDSHAKE_RESET]	 = "reset by the responder in the handshake",
		[TCPTRACE_HANDSHAKE_UNREACHABLE] = "unreachable: an ICMP error ended it",
		[TCPTRACE_HANDSHAKE_NO_ANSWER]	 = "no answer to the SYN",
		[TCPTRACE_HANDSHAKE_HALF_OPEN]	 = "half-open: the SYN-ACK was not acknowledged",
		[TCPTRACE_HANDSHAKE_ABORTED]	 = "aborted by the initiator in the handshake",
		[TCPTRACE_HANDSHAKE_UNSEEN]	 = "handshake not seen",
	};

	return NAME_OF(phrases, handshake);
}

static const char *close_phrase(unsigned int close)
{
	static const char *const phrases[] = {
		[TCPTRACE_CLOSE_ORDERLY]	    = "orderly close",
		[TCPTRACE_CLOSE_RESET_BY_INITIATOR] = "reset by the initiator",
		[TCPTRACE_CLOSE_RESET_BY_RESPONDER] = "reset by the responder",
		[TCPTRACE_CLOSE_IDLE_TIMEOUT]	    = "idle timeout",
		[TCPTRACE_CLOSE_EVICTED]	    = "evicted to make room",
		[TCPTRACE_CLOSE_FLUSHED]	    = "flushed while it was live",
		[TCPTRACE_CLOSE_UNKNOWN]	    = "ended unseen",
	};

	return NAME_OF(phrases, close);
}

static void say_verdict(struct sentence *sentence, const struct tcptrace_summary *summary)
{
	if (summary->handshake == TCPTRACE_HANDSHAKE_ESTABLISHED)
		clause_text(sentence, "established");
	else if (summary->handshake)
		clause_text(sentence, handshake_phrase(summary->handshake));
	if (summary->close)
		clause_text(sentence, close_phrase(summary->close));
	if (summary->first_fin == TCPTRACE_SIDE_INITIATOR)
		clause_text(sentence, "initiator closed first");
	else if (summary->first_fin == TCPTRACE_SIDE_RESPONDER)
		clause_text(sentence, "responder closed first");
}

static void say_summary(struct sentence *sentence, const struct tcptrace_event *event)
{
	const struct tcptrace_summary *summary = &event->summary;
	bool established = summary->handshake == TCPTRACE_HANDSHAKE_ESTABLISHED;

	say_verdict(sentence, summary);
	say_duration(sentence, event);
	/* ESTABLISHED has told this before */
	if (established && sentence->full)
		say_latency(sentence, event);
	if (!established || sentence->full)
		say_retransmissions(sentence, summary);
	say_volume(sentence, summary);
}

static void say_vocabulary(struct sentence *sentence, const struct tcptrace_event *event)
{
	char text[ZEEK_HISTORY_SIZE];
	struct out *out = clause(sentence);

	out_text(out, "Zeek ");
	out_text(out, zeek_conn_state(event));
	out_char(out, ' ');
	out_text(out, zeek_history(event, text));
	out = clause(sentence);
	out_text(out, "completeness ");
	out_number(out, completeness(event));
	out = clause(sentence);
	out_text(out, "conntrack ");
	out_text(out, conntrack_state(event));
}

static const char *reason_phrase(unsigned int reason)
{
	static const char *const phrases[] = {
		[TCPTRACE_REASON_TRUNCATED]	 = "shorter than a TCP header",
		[TCPTRACE_REASON_BAD_OFFSET]	 = "the data offset is impossible",
		[TCPTRACE_REASON_BAD_CHECKSUM]	 = "the TCP checksum is wrong",
		[TCPTRACE_REASON_BAD_FLAGS]	 = "nobody sends these flags together",
		[TCPTRACE_REASON_BAD_ACK]	 = "acknowledges what was never sent",
		[TCPTRACE_REASON_OUT_OF_WINDOW]	 = "outside of the receiver's window",
		[TCPTRACE_REASON_UNEXPECTED_SYN] = "a SYN inside a connection",
		[TCPTRACE_REASON_OLD_DUPLICATE]	 = "older than the connection",
		[TCPTRACE_REASON_UNEXPECTED]	 = "not sent in this state",
		[TCPTRACE_REASON_NO_FLOW]	 = "of no known connection",
		[TCPTRACE_REASON_BAD_QUOTE]	 = "quotes what is not in flight",
		[TCPTRACE_REASON_BAD_ICMP_CHECKSUM] = "the ICMP checksum is wrong",
	};

	return NAME_OF(phrases, reason);
}

static void say_reason(struct sentence *sentence, unsigned int reason)
{
	struct out *out = clause(sentence);

	out_text(out, reason_name(reason));
	out_text(out, ": ");
	out_text(out, reason_phrase(reason));
}

static void say_timer(struct sentence *sentence, unsigned int timer)
{
	struct out *out = clause(sentence);

	out_text(out, "timer ");
	out_text(out, timer_name(timer));
	out_text(out, timer == TCPTRACE_TIMER_TIME_WAIT ? ": 2MSL are over" : " ran out");
}

static void say_retransmit(struct sentence *sentence, const struct tcptrace_event *event)
{
	struct out *out = clause(sentence);

	if (event->tcp_flags & TCPTRACE_TCP_FIN)
		out_text(out, "FIN");
	else if (event->tcp_flags & TCPTRACE_TCP_ACK)
		out_text(out, "SYN-ACK");
	else
		out_text(out, "SYN");
	out_text(out, " sent again, repetition ");
	out_number(out, event->retransmit.count);
}

static void write_spaced(struct out *out, const char *name)
{
	for (; *name; name++)
		out_char(out, *name == '_' ? ' ' : *name);
}

static void say_icmp(struct sentence *sentence, const struct tcptrace_event *event)
{
	struct out *out = clause(sentence);

	write_spaced(out, icmp_name(event));
	out_text(out, " (ICMP type ");
	out_number(out, event->icmp.type);
	out_text(out, " code ");
	out_number(out, event->icmp.code);
	out_char(out, ')');
	out = clause(sentence);
	out_text(out, "says ");
	address_write(out, event->ip_version, event->icmp.from);
}

static void say_lost(struct sentence *sentence, const struct tcptrace_event *event)
{
	struct out *out = clause(sentence);

	write_units(out, event->lost.count, "event");
	out_text(out, " lost");
	clause_text(sentence, "the ring overtook this reader");
}

static void say_pickup(struct sentence *sentence, const struct tcptrace_event *event)
{
	clause_text(sentence, "met midway");
	if (event->known & TCPTRACE_INITIATOR_GUESSED)
		clause_text(sentence, "who initiated is a guess");
}

/**
 * sentence_write_options - say which options a SYN carried
 * @sentence: the sentence
 * @event: SYN or SYN_ACK
 */
void sentence_write_options(struct sentence *sentence, const struct tcptrace_event *event)
{
	const struct tcptrace_syn *syn = &event->syn;
	struct out *out;

	if (syn->options & TCPTRACE_OPT_MSS) {
		out = clause(sentence);
		out_text(out, "mss ");
		out_number(out, syn->mss);
	}
	if (syn->options & TCPTRACE_OPT_WSCALE) {
		out = clause(sentence);
		out_text(out, "wscale ");
		out_number(out, syn->wscale);
	}
	if (syn->options & TCPTRACE_OPT_SACK_OK)
		clause_text(sentence, "sack_ok");
	if (syn->options & TCPTRACE_OPT_TIMESTAMPS)
		clause_text(sentence, "timestamps");
	if (syn->options & TCPTRACE_OPT_FASTOPEN)
		clause_text(sentence, "fastopen");
	if (syn->options & TCPTRACE_OPT_MALFORMED)
		clause_text(sentence, "malformed options");
	end_clause(sentence);
}

/**
 * sentence_wanted - is there more to say than the columns do
 * @event: the event
 *
 * Return: whether sentence_write() says something
 */
bool sentence_wanted(const struct tcptrace_event *event)
{
	switch (event->kind) {
	case TCPTRACE_EVENT_ESTABLISHED:
	case TCPTRACE_EVENT_RETRANSMIT:
	case TCPTRACE_EVENT_INVALID:
	case TCPTRACE_EVENT_ICMP_ERROR:
	case TCPTRACE_EVENT_PICKUP:
	case TCPTRACE_EVENT_TIMEOUT:
	case TCPTRACE_EVENT_END:
	case TCPTRACE_EVENT_SNAPSHOT:
	case TCPTRACE_EVENT_LOST:
		return true;
	default:
		return false;
	}
}

/**
 * sentence_write - append the sentence of an event
 * @sentence: the sentence, with nothing in it yet
 * @event: the event
 */
void sentence_write(struct sentence *sentence, const struct tcptrace_event *event)
{
	switch (event->kind) {
	case TCPTRACE_EVENT_ESTABLISHED:
		say_latency(sentence, event);
		say_retransmissions(sentence, &event->summary);
		break;
	case TCPTRACE_EVENT_RETRANSMIT:
		say_retransmit(sentence, event);
		break;
	case TCPTRACE_EVENT_INVALID:
		say_reason(sentence, event->cause);
		if (has_icmp(event))
			say_icmp(sentence, event);
		break;
	case TCPTRACE_EVENT_ICMP_ERROR:
		say_icmp(sentence, event);
		break;
	case TCPTRACE_EVENT_PICKUP:
		say_pickup(sentence, event);
		break;
	case TCPTRACE_EVENT_TIMEOUT:
		say_timer(sentence, event->cause);
		break;
	case TCPTRACE_EVENT_SNAPSHOT:
		if (existing_ends(event))
			clause_text(sentence, "all live flows are told");
		else
			say_summary(sentence, event);
		break;
	case TCPTRACE_EVENT_END:
		say_summary(sentence, event);
		if (sentence->full)
			say_vocabulary(sentence, event);
		break;
	case TCPTRACE_EVENT_LOST:
		say_lost(sentence, event);
		break;
	}
	end_clause(sentence);
}
