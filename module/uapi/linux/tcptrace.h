/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_LINUX_TCPTRACE_H
#define _UAPI_LINUX_TCPTRACE_H

/**
 * DOC: /dev/tcptrace, the event device
 *
 * The module publishes one event for every step in the life of a TCP
 * connection: its SYN, its SYN+ACK, the ACK that establishes it, each FIN and
 * the ACK of that FIN, a RST, a retransmission, a timeout, and one END with the
 * verdict.  Events carry one global sequence number, starting at 1, without a
 * gap; they are kept in a ring in which a new event overwrites the oldest.
 *
 * Every open file description is a *reader*: it has its own cursor, mode and
 * filter, and does not disturb the others.  A new reader stands at the oldest
 * event that the ring still holds.
 *
 * **Modes.**  A fresh open reads text, one line an event, so that
 * ``cat /dev/tcptrace`` works.  %TCPTRACE_IOC_SET_MODE with
 * %TCPTRACE_MODE_BINARY switches to an array of &struct tcptrace_event.
 *
 * **read()** returns whole lines or whole records, as many as are there and
 * fit, and waits only if there is none.
 *
 * ======== =================================================================
 * EINVAL   the buffer is too small for the next line or record; nothing was
 *          consumed
 * EAGAIN   O_NONBLOCK, and there is no event
 * EINTR    a signal came before anything was read (SA_RESTART restarts)
 * EFAULT   the buffer is not writable; the cursor stands where it stood
 * ======== =================================================================
 *
 * **Loss.**  A reader that the ring has overtaken gets one
 * %TCPTRACE_EVENT_LOST record in place of the events that were overwritten:
 * its @seq is that of the first one lost and @lost.count says how many, so the
 * next record has @seq + @lost.count.  LOST passes every filter.  For each
 * reader, at all times, the events produced since its start and those that the
 * ring then held are read + lost + filtered + skipped - revisited + pending
 * (&struct tcptrace_reader; pending are those from @next_seq on).
 *
 * **Snapshot.**  %TCPTRACE_IOC_SNAPSHOT asks for the live flows.  The reader skips
 * to the next event, as with SEEK_END, and reads first one %TCPTRACE_EVENT_SNAPSHOT
 * record for each live flow that passes its filter, then one without a flow
 * (@flow_id 0, which passes every filter): the snapshot is complete.  Behind it
 * come the events as ever.
 *
 * A record holds how its flow stood when exactly @seq - 1 events were produced.
 * So whoever takes the states of the record, and from there on those of the
 * flow's events with that number or a greater one, has the true table.  Events
 * with a smaller number are contained in the record.  No record has a greater
 * number than the last one: the events from there on are new for every flow.
 *
 * A flow is live until an EVICT, an event with %TCPTRACE_PHASE_CLOSED, or an END
 * with another phase than %TCPTRACE_PHASE_TIME_WAIT.  A flow that ends meanwhile
 * may still have its record or not; one that begins meanwhile comes by its events
 * and may have a record too.  A flow may have two, when others leave the table or
 * it is resized meanwhile: number and states of either will do.  No flow is left
 * out.
 *
 * - Records are no events of the stream: they count as @snapshot only.
 * - Until the last record is read, read() does not wait, with O_NONBLOCK or
 *   without, and poll() reports EPOLLIN.  EINVAL and EFAULT mean what they mean
 *   for events: no record is lost.  One read() may give records and then events.
 * - In text mode the last record reads "snapshot complete".
 * - A filter that is set meanwhile holds for the flows that the module has not
 *   looked at yet, which are all but the next few.
 * - SNAPSHOT once more starts over; lseek() ends it, without the last record.
 *
 * After a LOST a reader that keeps a table does not know what became of its
 * flows.  To get the true table again it asks for a snapshot, forgets what it
 * has, and goes on as above.
 *
 * **poll()** reports EPOLLIN | EPOLLRDNORM when read() would not wait.  Wake-ups
 * are coalesced: a sleeping reader is woken within some milliseconds of the
 * first event, not once for each.
 *
 * **lseek()** takes offset 0 only, as /dev/kmsg does: SEEK_SET stands the
 * reader at the oldest event, SEEK_DATA at the first event after the last
 * %TCPTRACE_IOC_FLUSH, SEEK_END behind the newest.
 *
 * **ioctl()** see TCPTRACE_IOC_*; an unknown number is ENOTTY, a field out of
 * its range EINVAL, a bad pointer EFAULT.
 *
 * **Compatibility.**  &tcptrace_info.abi grows when the meaning or the layout
 * of anything here changes; a reader must refuse a number that it does not
 * know.  New event kinds, reasons, flags and ioctls do not raise it: a reader
 * ignores what it does not know.  All integers are in the byte order of the
 * host, except addresses and ports, which are in network order as on the wire.
 */

#include <linux/ioctl.h>
#include <linux/types.h>

#define TCPTRACE_ABI		2
#define TCPTRACE_DEVICE		"/dev/tcptrace"
#define TCPTRACE_IFACE_LEN	16

/**
 * enum tcptrace_kind - what happened
 * @TCPTRACE_EVENT_SYN: an endpoint sent its first SYN
 * @TCPTRACE_EVENT_SYN_ACK: an endpoint answered a SYN with SYN+ACK
 * @TCPTRACE_EVENT_ESTABLISHED: both SYNs are acknowledged
 * @TCPTRACE_EVENT_FIN: an endpoint sent its first FIN
 * @TCPTRACE_EVENT_FIN_ACKED: an ACK covered the sequence number of a FIN
 * @TCPTRACE_EVENT_RST: a RST that the receiver has to believe
 * @TCPTRACE_EVENT_RETRANSMIT: a SYN, SYN+ACK or FIN was sent again
 * @TCPTRACE_EVENT_INVALID: a segment that changes nothing; see &enum tcptrace_reason
 * @TCPTRACE_EVENT_ICMP_ERROR: an ICMP error that quotes a segment of the flow; see
 *	&struct tcptrace_icmp
 * @TCPTRACE_EVENT_PICKUP: a connection met midway; who initiated may be a guess
 * @TCPTRACE_EVENT_REUSE: a new connection takes the tuple of an old one
 * @TCPTRACE_EVENT_TIMEOUT: a timer ended the flow; see &enum tcptrace_timer
 * @TCPTRACE_EVENT_EVICT: the flow was forgotten: to make room for another, or in
 *	TIME_WAIT, its END told before, by a flush or for a new connection of its tuple
 * @TCPTRACE_EVENT_END: the verdict, once for a connection
 * @TCPTRACE_EVENT_SNAPSHOT: how one live flow stands, on request
 * @TCPTRACE_EVENT_LOST: this reader was overtaken
 */
enum tcptrace_kind {
	TCPTRACE_EVENT_SYN		= 1,
	TCPTRACE_EVENT_SYN_ACK		= 2,
	TCPTRACE_EVENT_ESTABLISHED	= 3,
	TCPTRACE_EVENT_FIN		= 4,
	TCPTRACE_EVENT_FIN_ACKED	= 5,
	TCPTRACE_EVENT_RST		= 6,
	TCPTRACE_EVENT_RETRANSMIT	= 7,
	TCPTRACE_EVENT_INVALID		= 8,
	TCPTRACE_EVENT_ICMP_ERROR	= 9,
	TCPTRACE_EVENT_PICKUP		= 10,
	TCPTRACE_EVENT_REUSE		= 11,
	TCPTRACE_EVENT_TIMEOUT		= 12,
	TCPTRACE_EVENT_EVICT		= 13,
	TCPTRACE_EVENT_END		= 14,
	TCPTRACE_EVENT_SNAPSHOT		= 15,
	TCPTRACE_EVENT_LOST		= 16,
};

/**
 * enum tcptrace_state - the state of one endpoint, RFC 9293 section 3.3.2
 *
 * An endpoint's state is told by what it sends: a segment that has to be
 * answered (SYN, SYN+ACK, FIN) has arrived when the answer is seen; one that is
 * never answered (ACK, RST) is taken to arrive.  Until the responder says
 * something it is presumed to LISTEN.
 */
enum tcptrace_state {
	TCPTRACE_STATE_NONE		= 0,	/* the event has no flow */
	TCPTRACE_STATE_CLOSED		= 1,
	TCPTRACE_STATE_LISTEN		= 2,
	TCPTRACE_STATE_SYN_SENT		= 3,
	TCPTRACE_STATE_SYN_RECEIVED	= 4,
	TCPTRACE_STATE_ESTABLISHED	= 5,
	TCPTRACE_STATE_FIN_WAIT_1	= 6,
	TCPTRACE_STATE_FIN_WAIT_2	= 7,
	TCPTRACE_STATE_CLOSE_WAIT	= 8,
	TCPTRACE_STATE_CLOSING		= 9,
	TCPTRACE_STATE_LAST_ACK		= 10,
	TCPTRACE_STATE_TIME_WAIT	= 11,
};

/**
 * enum tcptrace_phase - where the connection stands, derived from both states
 */
enum tcptrace_phase {
	TCPTRACE_PHASE_NONE		= 0,	/* the event has no flow */
	TCPTRACE_PHASE_HANDSHAKE	= 1,
	TCPTRACE_PHASE_ESTABLISHED	= 2,
	TCPTRACE_PHASE_TEARDOWN		= 3,
	TCPTRACE_PHASE_TIME_WAIT	= 4,
	TCPTRACE_PHASE_CLOSED		= 5,
};

/**
 * enum tcptrace_side - one endpoint of a flow
 */
enum tcptrace_side {
	TCPTRACE_SIDE_NONE		= 0,
	TCPTRACE_SIDE_INITIATOR		= 1,
	TCPTRACE_SIDE_RESPONDER		= 2,
};

/**
 * enum tcptrace_hook - where the segment was seen
 */
enum tcptrace_hook {
	TCPTRACE_HOOK_NONE		= 0,	/* no segment: a timer, a flush */
	TCPTRACE_HOOK_IN		= 1,	/* to this host */
	TCPTRACE_HOOK_FORWARD		= 2,	/* through this host */
	TCPTRACE_HOOK_OUT		= 3,	/* from this host; loopback too */
	TCPTRACE_HOOK_INGRESS		= 4,	/* on a mirrored interface */
};

/**
 * enum tcptrace_reason - why a segment, or an ICMP error about one, changes nothing
 *	(%TCPTRACE_EVENT_INVALID)
 * @TCPTRACE_REASON_TRUNCATED: shorter than a TCP header
 * @TCPTRACE_REASON_BAD_OFFSET: the data offset is below 5 or past the end
 * @TCPTRACE_REASON_BAD_CHECKSUM: the TCP checksum is wrong
 * @TCPTRACE_REASON_BAD_FLAGS: no endpoint may send these flags together
 * @TCPTRACE_REASON_BAD_ACK: acknowledges what was never sent, RFC 9293 3.10.7.3
 * @TCPTRACE_REASON_OUT_OF_WINDOW: RST or FIN outside of what the receiver takes,
 *	RFC 9293 3.10.7.4 and RFC 5961 section 3
 * @TCPTRACE_REASON_UNEXPECTED_SYN: a SYN inside a connection, RFC 5961 section 4
 * @TCPTRACE_REASON_OLD_DUPLICATE: a SYN older than the connection in TIME_WAIT
 * @TCPTRACE_REASON_UNEXPECTED: no endpoint sends this in its state
 * @TCPTRACE_REASON_NO_FLOW: a RST for a connection that is not known
 * @TCPTRACE_REASON_BAD_QUOTE: an ICMP error about a segment that its sender has not in
 *	flight, RFC 5927 section 4.1
 * @TCPTRACE_REASON_BAD_ICMP_CHECKSUM: an ICMP error whose checksum is wrong
 */
enum tcptrace_reason {
	TCPTRACE_REASON_NONE		= 0,
	TCPTRACE_REASON_TRUNCATED	= 1,
	TCPTRACE_REASON_BAD_OFFSET	= 2,
	TCPTRACE_REASON_BAD_CHECKSUM	= 3,
	TCPTRACE_REASON_BAD_FLAGS	= 4,
	TCPTRACE_REASON_BAD_ACK		= 5,
	TCPTRACE_REASON_OUT_OF_WINDOW	= 6,
	TCPTRACE_REASON_UNEXPECTED_SYN	= 7,
	TCPTRACE_REASON_OLD_DUPLICATE	= 8,
	TCPTRACE_REASON_UNEXPECTED	= 9,
	TCPTRACE_REASON_NO_FLOW		= 10,
	TCPTRACE_REASON_BAD_QUOTE	= 11,
	TCPTRACE_REASON_BAD_ICMP_CHECKSUM = 12,
};

/**
 * enum tcptrace_timer - which timer ended the flow (%TCPTRACE_EVENT_TIMEOUT)
 *
 * Each is the module parameter timeout_* of the same name, but for CLOSED: a
 * flow whose END is told stays for some seconds, so that late segments are
 * known for what they are.  Its end is not an event.
 */
enum tcptrace_timer {
	TCPTRACE_TIMER_NONE		= 0,
	TCPTRACE_TIMER_SYN		= 1,
	TCPTRACE_TIMER_SYNACK		= 2,
	TCPTRACE_TIMER_ESTABLISHED	= 3,
	TCPTRACE_TIMER_FIN_WAIT		= 4,
	TCPTRACE_TIMER_CLOSE_WAIT	= 5,
	TCPTRACE_TIMER_LAST_ACK		= 6,
	TCPTRACE_TIMER_TIME_WAIT	= 7,
	TCPTRACE_TIMER_CLOSED		= 8,
};

/**
 * enum tcptrace_handshake - how the attempt to connect ended
 * @TCPTRACE_HANDSHAKE_ESTABLISHED: both SYNs were acknowledged
 * @TCPTRACE_HANDSHAKE_REFUSED: a RST answered the SYN
 * @TCPTRACE_HANDSHAKE_RESET: the responder sent SYN+ACK, then a RST
 * @TCPTRACE_HANDSHAKE_UNREACHABLE: an ICMP error ended it
 * @TCPTRACE_HANDSHAKE_NO_ANSWER: the SYN and its repetitions were not answered
 * @TCPTRACE_HANDSHAKE_HALF_OPEN: the SYN+ACK was not acknowledged
 * @TCPTRACE_HANDSHAKE_ABORTED: the initiator sent a RST
 * @TCPTRACE_HANDSHAKE_UNSEEN: the flow was picked up after it
 */
enum tcptrace_handshake {
	TCPTRACE_HANDSHAKE_NONE		= 0,
	TCPTRACE_HANDSHAKE_ESTABLISHED	= 1,
	TCPTRACE_HANDSHAKE_REFUSED	= 2,
	TCPTRACE_HANDSHAKE_RESET	= 3,
	TCPTRACE_HANDSHAKE_UNREACHABLE	= 4,
	TCPTRACE_HANDSHAKE_NO_ANSWER	= 5,
	TCPTRACE_HANDSHAKE_HALF_OPEN	= 6,
	TCPTRACE_HANDSHAKE_ABORTED	= 7,
	TCPTRACE_HANDSHAKE_UNSEEN	= 8,
};

/**
 * enum tcptrace_close - how the connection ended
 * @TCPTRACE_CLOSE_NONE: it was never established
 * @TCPTRACE_CLOSE_ORDERLY: both FINs were acknowledged
 * @TCPTRACE_CLOSE_RESET_BY_INITIATOR: the initiator sent a RST
 * @TCPTRACE_CLOSE_RESET_BY_RESPONDER: the responder sent a RST
 * @TCPTRACE_CLOSE_IDLE_TIMEOUT: no segment for the timeout of its state
 * @TCPTRACE_CLOSE_EVICTED: forgotten to make room, established or not
 * @TCPTRACE_CLOSE_FLUSHED: established or not, ended by %TCPTRACE_IOC_FLUSH, the end of its network
 *	namespace or of the module
 * @TCPTRACE_CLOSE_UNKNOWN: it ended unseen: a new connection has taken its tuple
 */
enum tcptrace_close {
	TCPTRACE_CLOSE_NONE			= 0,
	TCPTRACE_CLOSE_ORDERLY			= 1,
	TCPTRACE_CLOSE_RESET_BY_INITIATOR	= 2,
	TCPTRACE_CLOSE_RESET_BY_RESPONDER	= 3,
	TCPTRACE_CLOSE_IDLE_TIMEOUT		= 4,
	TCPTRACE_CLOSE_EVICTED			= 5,
	TCPTRACE_CLOSE_FLUSHED			= 6,
	TCPTRACE_CLOSE_UNKNOWN			= 7,
};

/**
 * enum tcptrace_letter - one kind of segment in &tcptrace_summary.history
 * @TCPTRACE_LETTER_NONE: no more letters
 * @TCPTRACE_LETTER_SYN: SYN without ACK
 * @TCPTRACE_LETTER_SYN_ACK: SYN with ACK
 * @TCPTRACE_LETTER_ACK: ACK without payload and without SYN, FIN or RST
 * @TCPTRACE_LETTER_DATA: the same with payload
 * @TCPTRACE_LETTER_FIN: FIN, alone of SYN, FIN and RST
 * @TCPTRACE_LETTER_RST: RST, alone of SYN, FIN and RST
 * @TCPTRACE_LETTER_CORRUPT: a SYN, FIN or RST whose TCP checksum is wrong
 * @TCPTRACE_LETTER_FIN_RST: FIN and RST, perhaps SYN
 * @TCPTRACE_LETTER_MULTI_FLAG: SYN and either FIN or RST
 */
enum tcptrace_letter {
	TCPTRACE_LETTER_NONE		= 0,
	TCPTRACE_LETTER_SYN		= 1,
	TCPTRACE_LETTER_SYN_ACK		= 2,
	TCPTRACE_LETTER_ACK		= 3,
	TCPTRACE_LETTER_DATA		= 4,
	TCPTRACE_LETTER_FIN		= 5,
	TCPTRACE_LETTER_RST		= 6,
	TCPTRACE_LETTER_CORRUPT		= 7,
	TCPTRACE_LETTER_FIN_RST		= 8,
	TCPTRACE_LETTER_MULTI_FLAG	= 9,
};

/* the responder sent it, else the initiator */
#define TCPTRACE_LETTER_RESPONDER	0x10

/* &tcptrace_summary.history: so many letters, of so many bits each */
#define TCPTRACE_HISTORY_LEN		12
#define TCPTRACE_LETTER_BITS		5
/* further kinds were seen after these */
#define TCPTRACE_HISTORY_MORE		((__u64)1 << 63)

/* &tcptrace_summary.segments: what was seen, whoever sent it */
#define TCPTRACE_SEGMENT_SYN		0x01	/* the flow begins with a SYN without ACK */
#define TCPTRACE_SEGMENT_SYN_ACK	0x02
#define TCPTRACE_SEGMENT_ACK		0x04	/* ACK, no SYN, no payload; perhaps FIN or RST */
#define TCPTRACE_SEGMENT_DATA		0x08	/* ACK, no SYN, payload; or that of the first SYN */
#define TCPTRACE_SEGMENT_FIN		0x10	/* with ACK */
#define TCPTRACE_SEGMENT_RST		0x20

/**
 * enum tcptrace_teardown - how far a close went, by nothing but the flags of valid segments
 * @TCPTRACE_TEARDOWN_NONE: no FIN was seen
 * @TCPTRACE_TEARDOWN_FIN: a FIN was
 * @TCPTRACE_TEARDOWN_ACK: after it an ACK without FIN, from whichever side
 * @TCPTRACE_TEARDOWN_FINS: a second FIN, from the other side or the same one again
 * @TCPTRACE_TEARDOWN_LAST_ACK: after that an ACK without FIN
 */
enum tcptrace_teardown {
	TCPTRACE_TEARDOWN_NONE		= 0,
	TCPTRACE_TEARDOWN_FIN		= 1,
	TCPTRACE_TEARDOWN_ACK		= 2,
	TCPTRACE_TEARDOWN_FINS		= 3,
	TCPTRACE_TEARDOWN_LAST_ACK	= 4,
};

/* @tcp_flags: as on the wire, RFC 9293 section 3.1 */
#define TCPTRACE_TCP_FIN	0x01
#define TCPTRACE_TCP_SYN	0x02
#define TCPTRACE_TCP_RST	0x04
#define TCPTRACE_TCP_PSH	0x08
#define TCPTRACE_TCP_ACK	0x10
#define TCPTRACE_TCP_URG	0x20
#define TCPTRACE_TCP_ECE	0x40
#define TCPTRACE_TCP_CWR	0x80

/* @known: which fields of a record hold something */
#define TCPTRACE_KNOWN_INITIATOR_ISN	0x01
#define TCPTRACE_KNOWN_RESPONDER_ISN	0x02
#define TCPTRACE_KNOWN_SYNACK_US	0x04
#define TCPTRACE_KNOWN_ACK_US		0x08
/* who initiated is a guess: the flow was met midway, without a SYN or SYN+ACK */
#define TCPTRACE_INITIATOR_GUESSED	0x80

/* &tcptrace_syn.options: which options the SYN carried */
#define TCPTRACE_OPT_MSS		0x01
#define TCPTRACE_OPT_WSCALE		0x02
#define TCPTRACE_OPT_SACK_OK		0x04
#define TCPTRACE_OPT_TIMESTAMPS		0x08
#define TCPTRACE_OPT_FASTOPEN		0x10
#define TCPTRACE_OPT_MALFORMED		0x80	/* the rest is unreadable */

/**
 * struct tcptrace_syn - the part of SYN and SYN_ACK
 * @mss: maximum segment size in bytes, if %TCPTRACE_OPT_MSS
 * @wscale: window scale shift, 0 to 14, if %TCPTRACE_OPT_WSCALE
 * @options: TCPTRACE_OPT_*
 */
struct tcptrace_syn {
	__u16	mss;
	__u8	wscale;
	__u8	options;
};

/**
 * struct tcptrace_summary - the part of ESTABLISHED, END and SNAPSHOT
 * @handshake: &enum tcptrace_handshake; of a live flow, the verdict so far
 * @close: &enum tcptrace_close
 * @first_fin: &enum tcptrace_side, who sent the first FIN
 * @teardown: &enum tcptrace_teardown
 * @syn_retrans: how often the SYN was sent again; stays at 255
 * @synack_retrans: how often the SYN+ACK was sent again; stays at 255
 * @segments: TCPTRACE_SEGMENT_* of all segments of the flow, invalid ones too
 * @pad: zero
 * @synack_us: first SYN to first SYN+ACK in microseconds, as seen at this host,
 *	if %TCPTRACE_KNOWN_SYNACK_US; this and @ack_us stay at their greatest number
 * @ack_us: first SYN+ACK to the ACK that establishes, if %TCPTRACE_KNOWN_ACK_US;
 *	the handshake took @synack_us + @ack_us
 * @duration_us: first segment to this event
 * @bytes: payload from the initiator [0] and from the responder [1], as sent:
 *	retransmissions count again, of a fragmented segment only the first part
 * @pkts: packets from each as the host handles them: GSO and GRO join several
 * @history: which kinds of segments were seen, invalid ones too, in the order in which each
 *	was first sent by each side: %TCPTRACE_HISTORY_LEN times an &enum tcptrace_letter,
 *	perhaps with %TCPTRACE_LETTER_RESPONDER, the first in the lowest bits; behind the
 *	last all bits are zero but %TCPTRACE_HISTORY_MORE
 */
struct tcptrace_summary {
	__u8		handshake;
	__u8		close;
	__u8		first_fin;
	__u8		teardown;
	__u8		syn_retrans;
	__u8		synack_retrans;
	__u8		segments;
	__u8		pad;
	__u32		synack_us;
	__u32		ack_us;
	__aligned_u64	duration_us;
	__aligned_u64	bytes[2];
	__aligned_u64	pkts[2];
	__aligned_u64	history;
};

/**
 * struct tcptrace_icmp - the part of ICMP_ERROR, and of INVALID if @cause is
 *	%TCPTRACE_REASON_BAD_QUOTE or %TCPTRACE_REASON_BAD_ICMP_CHECKSUM
 * @type: ICMP or ICMPv6 type
 * @code: ICMP or ICMPv6 code
 * @pad: zero
 * @from: who sent it; an IPv4 address is in the first 4 bytes
 *
 * The event's @sender is who sent the segment that the error quotes, and whom it is for;
 * @tcp_seq is the sequence number of that segment.  Of the rest of the segment nothing
 * is known: @tcp_flags, @tcp_ack, @payload_len and @window are zero.  @hook, @ifindex and
 * @iface tell where the error was seen.
 *
 * While the handshake lasts, an error about the SYN for which the initiator gives up ends
 * it as %TCPTRACE_HANDSHAKE_UNREACHABLE, and so does one about the SYN+ACK for which the
 * responder does; the END follows at once.  What they give up for is what Linux does: for
 * their SYN any error but "too big"; for a SYN+ACK (IPv4) net or host unreachable, time
 * exceeded, parameter problem, (IPv6) prohibited, port unreachable, rejected, parameter
 * problem.  Every other error changes nothing; only some of these are told each second.
 *
 * A SYN or SYN+ACK that this host itself rejects before it is seen, in its output chain
 * or for want of a route, is told from the error, with the place of that.
 */
struct tcptrace_icmp {
	__u8	type;
	__u8	code;
	__u8	pad[2];
	__u8	from[16];
};

/**
 * struct tcptrace_event - one record
 * @size: size of the record in bytes
 * @kind: &enum tcptrace_kind
 * @ip_version: 4 or 6; 0 if the event has no tuple
 * @seq: the event's global number; of SNAPSHOT that of the next event of all
 * @time_ns: CLOCK_MONOTONIC
 * @flow_id: the flow, from 1, never used again; 0 if the event has none.  A connection
 *	that is seen at two places, this host's stack and a mirrored interface, is two
 * @initiator_addr: an IPv4 address is in the first 4 bytes, the rest is zero
 * @responder_addr: the same.  Of an INVALID event without a flow the source of
 *	the segment is given as the initiator
 * @initiator_port: network order
 * @responder_port: network order
 * @initiator_state: &enum tcptrace_state after the event
 * @responder_state: the same
 * @prev_initiator_state: &enum tcptrace_state before the event; of SNAPSHOT the
 *	same as after it
 * @prev_responder_state: the same
 * @sender: &enum tcptrace_side, who sent the segment; NONE if there was none
 * @tcp_flags: TCPTRACE_TCP_* of the segment
 * @phase: &enum tcptrace_phase
 * @hook: &enum tcptrace_hook; of a SNAPSHOT, INGRESS if the flow is followed on a mirrored
 *	interface, else NONE
 * @netns: inode number of the network namespace
 * @ifindex: interface, 0 if there is none
 * @tcp_seq: sequence number of the segment, as on the wire
 * @tcp_ack: acknowledgment number of the segment
 * @payload_len: in bytes
 * @initiator_isn: the initiator's initial sequence number, if
 *	%TCPTRACE_KNOWN_INITIATOR_ISN
 * @responder_isn: the responder's, if %TCPTRACE_KNOWN_RESPONDER_ISN
 * @window: as on the wire, not scaled
 * @known: TCPTRACE_KNOWN_*, %TCPTRACE_INITIATOR_GUESSED
 * @cause: INVALID: &enum tcptrace_reason; TIMEOUT: &enum tcptrace_timer
 * @iface: interface name, ended by a zero byte
 * @syn: of SYN and SYN_ACK
 * @summary: of ESTABLISHED, END and SNAPSHOT
 * @icmp: of ICMP_ERROR, and of INVALID if an ICMP error was invalid
 * @retransmit: of RETRANSMIT
 * @retransmit.count: the how-manieth repetition this is, from 1; stays at 255
 * @lost: of LOST
 * @lost.count: how many events this reader lost, the first of them being @seq
 */
struct tcptrace_event {
	__u16		size;
	__u8		kind;
	__u8		ip_version;
	__u8		sender;
	__u8		tcp_flags;
	__u8		phase;
	__u8		hook;
	__aligned_u64	seq;
	__aligned_u64	time_ns;
	__aligned_u64	flow_id;
	__u8		initiator_addr[16];
	__u8		responder_addr[16];
	__be16		initiator_port;
	__be16		responder_port;
	__u8		initiator_state;
	__u8		responder_state;
	__u8		prev_initiator_state;
	__u8		prev_responder_state;
	__u32		netns;
	__u32		ifindex;
	__u32		tcp_seq;
	__u32		tcp_ack;
	__u32		payload_len;
	__u32		initiator_isn;
	__u32		responder_isn;
	__u16		window;
	__u8		known;
	__u8		cause;
	char		iface[TCPTRACE_IFACE_LEN];
	union {
		struct tcptrace_syn	syn;
		struct tcptrace_summary	summary;
		struct tcptrace_icmp	icmp;
		struct {
			__u32		count;
		} retransmit;
		struct {
			__aligned_u64	count;
		} lost;
		__aligned_u64		part[8];
	};
};

#define TCPTRACE_EVENT_SIZE	184

/* &tcptrace_mode */
#define TCPTRACE_MODE_TEXT	0
#define TCPTRACE_MODE_BINARY	1

/**
 * struct tcptrace_info - what %TCPTRACE_IOC_GET_INFO tells
 * @abi: %TCPTRACE_ABI of the module
 * @event_size: size of &struct tcptrace_event in the module
 * @ring_events: how many events the ring holds
 * @buckets: of the table of flows, each the size of a pointer; it grows and shrinks
 * @first_seq: the oldest event in the ring
 * @next_seq: the number that the next event gets; produced so far are
 *	@next_seq - 1
 * @flows: live flows in all namespaces
 */
struct tcptrace_info {
	__u32		abi;
	__u32		event_size;
	__u32		ring_events;
	__u32		buckets;
	__aligned_u64	first_seq;
	__aligned_u64	next_seq;
	__aligned_u64	flows;
};

/**
 * struct tcptrace_filter - which events this reader wants; zero is no limit
 * @kinds: bit 1 << &enum tcptrace_kind set for each kind wanted
 * @netns: inode number of a network namespace
 * @ip_version: 4 or 6
 * @pad: zero
 * @port: of either endpoint, network order
 */
struct tcptrace_filter {
	__u32	kinds;
	__u32	netns;
	__u8	ip_version;
	__u8	pad;
	__be16	port;
};

/**
 * struct tcptrace_reader - the account of this reader
 * @next_seq: the event it reads next
 * @read: records or lines of events handed out, LOST ones not counted
 * @lost: events overwritten before it read them
 * @filtered: events that its filter passed over
 * @skipped: events that lseek() and %TCPTRACE_IOC_SNAPSHOT jumped over
 * @revisited: events that lseek() went back to
 * @snapshot: SNAPSHOT records or lines handed out, those without a flow too
 */
struct tcptrace_reader {
	__aligned_u64	next_seq;
	__aligned_u64	read;
	__aligned_u64	lost;
	__aligned_u64	filtered;
	__aligned_u64	skipped;
	__aligned_u64	revisited;
	__aligned_u64	snapshot;
};

/*
 * SNAPSHOT begins a snapshot, see above; ENOMEM if there is no memory for it, then
 * nothing has changed.
 *
 * FLUSH ends every live flow of every namespace with its verdict so far.  It
 * needs CAP_NET_ADMIN in the initial user namespace, else EPERM.
 */
#define TCPTRACE_IOC_MAGIC		0xB9
#define TCPTRACE_IOC_GET_INFO		_IOR(TCPTRACE_IOC_MAGIC, 0, struct tcptrace_info)
#define TCPTRACE_IOC_SET_MODE		_IOW(TCPTRACE_IOC_MAGIC, 1, __u32)
#define TCPTRACE_IOC_SET_FILTER		_IOW(TCPTRACE_IOC_MAGIC, 2, struct tcptrace_filter)
#define TCPTRACE_IOC_GET_READER		_IOR(TCPTRACE_IOC_MAGIC, 3, struct tcptrace_reader)
#define TCPTRACE_IOC_FLUSH		_IO(TCPTRACE_IOC_MAGIC, 4)
#define TCPTRACE_IOC_SNAPSHOT		_IO(TCPTRACE_IOC_MAGIC, 5)

#endif /* _UAPI_LINUX_TCPTRACE_H */
