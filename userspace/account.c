// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <time.h>

#include "account.h"
#include "names.h"

/**
 * account_shown - count an event that is shown
 * @account: the account
 * @event: the event, neither LOST nor of a snapshot
 */
void account_shown(struct account *account, const struct tcptrace_event *event)
{
	account->shown++;
	if (event->kind != TCPTRACE_EVENT_END)
		return;
	account->handshakes[event->summary.handshake % ACCOUNT_OUTCOMES]++;
	account->closes[event->summary.close % ACCOUNT_OUTCOMES]++;
}

/**
 * account_lost - count a loss
 * @account: the account
 * @event: LOST
 */
void account_lost(struct account *account, const struct tcptrace_event *event)
{
	account->lost += event->lost.count;
}

/**
 * account_tell_loss - say on stderr what was lost, at most once a second
 * @account: the account
 *
 * Return: whether something remains to be told later
 */
bool account_tell_loss(struct account *account)
{
	struct timespec now;

	if (account->lost == account->lost_told)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (account->lost_told_at && now.tv_sec <= account->lost_told_at)
		return true;
	fprintf(stderr,
		"tcptracectl: %llu events lost, %llu in all: the ring overtook this reader\n",
		account->lost - account->lost_told, account->lost);
	account->lost_told = account->lost;
	account->lost_told_at = now.tv_sec;
	return false;
}

static void print_outcomes(const char *title, const __u64 outcomes[ACCOUNT_OUTCOMES],
			   const char *(*name)(unsigned int number))
{
	const char *separator = ": ";
	unsigned int i;

	for (i = 1; i < ACCOUNT_OUTCOMES; i++) {
		if (!outcomes[i])
			continue;
		fprintf(stderr, "%s%s%llu %s", *separator == ':' ? title : "", separator,
			outcomes[i], name(i));
		separator = ", ";
	}
	if (*separator != ':')
		fputc('\n', stderr);
}

/**
 * account_print_flows - the final summary of a snapshot, on stderr
 * @account: the account
 */
void account_print_flows(const struct account *account)
{
	fprintf(stderr, "tcptracectl: %llu live flows shown, %llu filtered\n", account->flows,
		account->flows_filtered);
}

/**
 * account_print - the final summary of the events, on stderr
 * @account: the account
 */
void account_print(const struct account *account)
{
	fprintf(stderr, "tcptracectl: %llu events shown, %llu read, %llu lost, %llu filtered",
		account->shown, account->read, account->lost, account->filtered);
	if (account->filtered_in_kernel)
		fprintf(stderr, " (and %llu in the kernel)", account->filtered_in_kernel);
	if (account->told)
		fprintf(stderr, ", %llu told by the snapshot", account->told);
	fputc('\n', stderr);
	print_outcomes("tcptracectl: handshakes", account->handshakes, handshake_name);
	print_outcomes("tcptracectl: closes", account->closes, close_name);
}
