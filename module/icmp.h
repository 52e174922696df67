/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_ICMP_H
#define _TCPTRACE_ICMP_H

struct packet;

/**
 * DOC: ICMP errors, and the connections that they are about
 *
 * An error is seen where segments are, each once, and belongs to the flow of the segment
 * that it quotes.  NAT translates a quote at the very hooks at which it translates the
 * segments that go the way of the error, nf_nat_icmp_reply_translation(), so where we look
 * the quote has the tuple by which we know the flow.
 *
 * Some of what a host rejects never gets to where we look: its own SYN or SYN+ACK in its
 * OUTPUT chain, one that it cannot forward for want of a route or of a time to live.  The
 * kernel quotes more than it must, so the error that it makes shows that segment, which
 * is told as if it had been seen.  Any other error about an unknown connection is counted.
 */

/**
 * icmp_follow - if an ICMP packet is an error about a connection, follow that
 * @packet: all filled in, of ICMP or ICMPv6
 *
 * Context: under rcu_read_lock().
 */
void icmp_follow(const struct packet *packet);

#endif /* _TCPTRACE_ICMP_H */
