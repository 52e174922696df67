/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ACCOUNT_H
#define _ACCOUNT_H

#include <stdbool.h>
#include <linux/tcptrace.h>

#define ACCOUNT_OUTCOMES	16

/**
 * struct account - what a run did
 * @read: events read, LOST and snapshots not counted
 * @shown: of these those shown
 * @filtered: of these those the filter left out
 * @told: of these those that a snapshot had told before
 * @flows: flows of a snapshot shown
 * @flows_filtered: flows of a snapshot that the filter left out
 * @lost: events lost
 * @filtered_in_kernel: events left out before they were read
 * @handshakes: ENDs shown, by &enum tcptrace_handshake
 * @closes: ENDs shown, by &enum tcptrace_close
 * @lost_told: how much of @lost was told on stderr
 * @lost_told_at: when, in seconds of CLOCK_MONOTONIC; 0: never
 */
struct account {
	__u64 read;
	__u64 shown;
	__u64 filtered;
	__u64 told;
	__u64 flows;
	__u64 flows_filtered;
	__u64 lost;
	__u64 filtered_in_kernel;
	__u64 handshakes[ACCOUNT_OUTCOMES];
	__u64 closes[ACCOUNT_OUTCOMES];
	__u64 lost_told;
	__s64 lost_told_at;
};

void account_shown(struct account *account, const struct tcptrace_event *event);
void account_lost(struct account *account, const struct tcptrace_event *event);
bool account_tell_loss(struct account *account);
void account_print_flows(const struct account *account);
void account_print(const struct account *account);

#endif /* _ACCOUNT_H */
