/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OPTIONS_H
#define _OPTIONS_H

#include <stdbool.h>

#include "filter.h"
#include "timestamp.h"

#define VERSION "0.1"

/* peers.md: what the program exits with */
enum exit_status {
	EXIT_OK		= 0,
	EXIT_ERROR	= 1,
	EXIT_USAGE	= 2,
	EXIT_INTERRUPT	= 130,
};

/**
 * struct options - what the command line asks for
 * @device: the device, NULL for the usual one
 * @recording: the recording to read instead, or NULL
 * @output: the recording to write, "-" for standard output; NULL: show events
 * @count: end after so many events; 0: never
 * @time: the time format
 * @json: JSON lines
 * @wide: one line an event
 * @no_heading: no heading
 * @absolute: sequence numbers as on the wire
 * @new_only: not what the ring holds already
 * @existing: first the live flows
 * @flows: only the live flows
 * @dump: end when there is no event
 * @quiet: nothing on stderr but errors
 * @verbose: say on stderr what is done
 * @filter: which events to show
 * @words: what is not an option: the subcommand and its operands, or an expression
 * @word_count: how many
 */
struct options {
	const char *device;
	const char *recording;
	const char *output;
	__u64 count;
	enum time_format time;
	bool json;
	bool wide;
	bool no_heading;
	bool absolute;
	bool new_only;
	bool existing;
	bool flows;
	bool dump;
	bool quiet;
	bool verbose;
	struct filter filter;
	char **words;
	int word_count;
};

void options_parse(struct options *options, int argc, char *argv[]);
void usage_error(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#endif /* _OPTIONS_H */
