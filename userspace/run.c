// SPDX-License-Identifier: GPL-2.0
/*
 * From the source through the filter to the output: live, from a recording, or
 * into one, all the same way.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "account.h"
#include "existing.h"
#include "interrupt.h"
#include "libtcptrace.h"
#include "run.h"

/**
 * struct run - a run under way
 * @options: what is wanted
 * @source: where events come from
 * @display: where they go
 * @account: what was done so far
 * @existing: what a snapshot has told
 * @error: negative errno of what went wrong on the way, with words in the source
 * @ending: no more waiting: take what is there and end
 * @last_seq: when ending, the event not to go beyond
 */
struct run {
	const struct options *options;
	struct tcptrace_source source;
	struct display display;
	struct account account;
	struct existing existing;
	int error;
	bool ending;
	__u64 last_seq;
};

static int complain(const char *message)
{
	fprintf(stderr, "tcptracectl: %s\n", message);
	return EXIT_ERROR;
}

static int set_up_device(struct run *run)
{
	const struct options *options = run->options;
	struct tcptrace_filter wanted;
	int ret;

	filter_for_kernel(&options->filter, &wanted);
	ret = tcptrace_set_filter(&run->source, &wanted);
	if (!ret && options->existing)
		ret = tcptrace_snapshot(&run->source);
	else if (!ret && options->new_only)
		ret = tcptrace_seek_newest(&run->source);
	if (!ret && options->verbose)
		fprintf(stderr,
			"tcptracectl: %s: ABI %u, ring of %u events; the kernel filters kinds 0x%x, port %u, IP version %u, netns %u\n",
			run->source.path, run->source.info.abi, run->source.info.ring_events,
			wanted.kinds, ntohs(wanted.port), wanted.ip_version,
			wanted.netns);
	return ret;
}

static int open_source(struct run *run)
{
	const struct options *options = run->options;
	int ret;

	if (options->recording)
		return tcptrace_open_recording(&run->source, options->recording);
	ret = tcptrace_open_device(&run->source, options->device);
	return ret ? ret : set_up_device(run);
}

static void take_lost(struct run *run, const struct tcptrace_event *event)
{
	account_lost(&run->account, event);
	if (!run->options->quiet)
		account_tell_loss(&run->account);
	display_event(&run->display, event);
}

static void take_flow(struct run *run, const struct tcptrace_event *record)
{
	if (filter_matches(&run->options->filter, record)) {
		display_event(&run->display, record);
		run->account.flows++;
	} else {
		run->account.flows_filtered++;
	}
}

static void take_news(struct run *run, const struct tcptrace_event *event)
{
	/* as the ABI says: a reader ignores kinds that it does not know */
	if (event->kind > TCPTRACE_EVENT_LOST || !event->kind ||
	    !filter_matches(&run->options->filter, event)) {
		run->account.filtered++;
		return;
	}
	display_event(&run->display, event);
	account_shown(&run->account, event);
}

/* Returns whether this was the last event to take. */
static bool take_event(struct run *run, const struct tcptrace_event *event)
{
	bool is_record = event->kind == TCPTRACE_EVENT_SNAPSHOT;
	struct account *account = &run->account;

	if (event->kind == TCPTRACE_EVENT_LOST) {
		take_lost(run, event);
		return false;
	}
	account->read += !is_record;
	switch (existing_take(&run->existing, event)) {
	case EXISTING_NO_MEMORY:
		run->error = tcptrace_fail(&run->source, -ENOMEM,
					   "no memory for the flows of the snapshot");
		return true;
	case EXISTING_TOLD:
		account->told += !is_record;
		return false;
	case EXISTING_NEWS:
		break;
	}
	if (existing_ends(event)) {
		if (!run->options->flows)
			display_event(&run->display, event);
		return run->options->flows;
	}
	if (is_record)
		take_flow(run, event);
	else
		take_news(run, event);
	return run->options->count && account->shown + account->flows == run->options->count;
}

/* Returns whether there is reason to go on. */
static bool take_events(struct run *run)
{
	const struct tcptrace_event *event;

	while ((event = tcptrace_next(&run->source))) {
		if (run->ending && event->kind != TCPTRACE_EVENT_SNAPSHOT &&
		    event->seq > run->last_seq)
			return false;
		if (take_event(run, event) || run->display.out.error)
			return false;
	}
	return true;
}

/* From now on only what has already happened. */
static void begin_to_end(struct run *run)
{
	struct tcptrace_info info;

	run->ending = true;
	run->last_seq = 0;
	if (!run->source.recording && !tcptrace_get_info(&run->source, &info))
		run->last_seq = info.next_seq - 1;
	run->source.drained = false;
}

/*
 * While there is more to read, only look for signals; else write what is in the
 * buffer, so that people see it, and sleep.
 */
static int wait_for_events(struct run *run)
{
	bool pending = !run->options->quiet && account_tell_loss(&run->account);
	int timeout_ms = pending ? 1000 : -1;
	int ret;

	if (!run->source.drained)
		timeout_ms = 0;
	else if (out_flush(&run->display.out))
		return -EIO;
	ret = interrupt_wait(run->source.fd, run->display.out.fd, timeout_ms);
	if (ret == -EPIPE)
		run->display.out.error = EPIPE;
	if (ret != -EINTR || run->source.recording)
		return ret;
	begin_to_end(run);
	return 0;
}

/*
 * Returns 0 at the end, or a negative errno with words in the source; what was
 * good before an error is taken all the same.
 */
static int follow(struct run *run)
{
	bool more;
	int n;

	if (run->options->dump)
		begin_to_end(run);
	do {
		if (!run->ending && wait_for_events(run))
			return 0;
		n = tcptrace_fill(&run->source);
		more = take_events(run);
	} while (more && (n > 0 || n == -EINTR || (n == -EAGAIN && !run->ending)));
	if (run->error)
		return run->error;
	return more && n < 0 && n != -EAGAIN ? n : 0;
}

/* An output whose reader is gone is no error: nobody wants more. */
static int end_output(struct run *run)
{
	int ret = out_flush(&run->display.out);

	if (!ret && close(run->display.out.fd))
		ret = -errno;
	if (!ret || ret == -EPIPE)
		return EXIT_OK;
	errno = -ret;
	perror("tcptracectl: cannot write the output");
	return EXIT_ERROR;
}

static void print_summary(struct run *run)
{
	struct tcptrace_reader reader;

	if (run->options->quiet || run->display.out.error == EPIPE)
		return;
	if (!run->source.recording && !tcptrace_get_reader(&run->source, &reader))
		run->account.filtered_in_kernel = reader.filtered;
	if (run->options->existing || run->account.flows || run->account.flows_filtered)
		account_print_flows(&run->account);
	if (!run->options->flows)
		account_print(&run->account);
}

/* Addresses are private: what root records only root reads. */
static int open_output(const char *path)
{
	if (!path || !strcmp(path, "-"))
		return STDOUT_FILENO;
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static int start_display(struct run *run, const struct formatter *formatter)
{
	const struct options *options = run->options;
	int fd = open_output(options->output);

	if (fd < 0) {
		fprintf(stderr, "tcptracectl: %s: %s\n", options->output, strerror(errno));
		return EXIT_ERROR;
	}
	display_init(&run->display, formatter, fd, options->json ? TIME_RFC3339 : options->time,
		     run->source.wall_offset_ns);
	run->display.absolute = options->absolute;
	if (!options->no_heading)
		display_heading(&run->display);
	return EXIT_OK;
}

static int finish(struct run *run, int error)
{
	int status = end_output(run);

	print_summary(run);
	if (error)
		status = complain(run->source.error);
	if (status == EXIT_OK && interrupt_signal() == SIGINT)
		status = EXIT_INTERRUPT;
	return status;
}

/**
 * run - show events until the end: of the recording, of what -c and -d ask for,
 *	or by a signal
 * @options: what to show
 * @formatter: how
 *
 * Return: what to exit with; what went wrong was said on stderr.
 */
int run(const struct options *options, const struct formatter *formatter)
{
	/* large, and there is one */
	static struct run run;
	int status;

	run.options = options;
	if (open_source(&run))
		return complain(run.source.error);
	if (interrupt_init())
		return complain("cannot catch signals");
	status = start_display(&run, formatter);
	if (status == EXIT_OK)
		status = finish(&run, follow(&run));
	tcptrace_close(&run.source);
	return status;
}
