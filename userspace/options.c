// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "options.h"
#include "standard.h"

static const char help[] =
"tcptracectl - watch TCP connections live and die\n"
"\n"
"  tcptracectl [OPTIONS] [FILTER]              show events as they happen\n"
"  tcptracectl flows [OPTIONS] [FILTER]        list the live flows\n"
"  tcptracectl record FILE [OPTIONS] [FILTER]  save events; -r FILE shows them\n"
"  tcptracectl stats [-j]                      the counters of the module\n"
"  tcptracectl flush                           end every live flow now\n"
"\n"
"Examples\n"
"  tcptracectl                       every event; Ctrl-C ends with a summary\n"
"  tcptracectl --failed              only connections that failed or were reset\n"
"  tcptracectl port 443 and not net 10.0.0.0/8\n"
"  tcptracectl --state syn-sent -c 5 five events of connections being opened\n"
"  tcptracectl -j event end | jq .   one JSON object a connection\n"
"  tcptracectl record trace -c 1000; tcptracectl -r trace handshake refused\n"
"\n"
"What to show; the same option twice takes either, different ones both\n"
"  -4, -6             IPv4 or IPv6 only\n"
"  --host ADDRESS     either endpoint          --net ADDRESS/LENGTH\n"
"  --port PORT        of either endpoint       --state STATE  such as time-wait\n"
"  --event KIND       such as syn, rst, end    --failed\n"
"  --flow NUMBER      one connection           --netns INODE\n"
"  -r, --read FILE    a recording, - is standard input\n"
"  -N, --new          not what the ring holds already\n"
"      --existing     the live flows, then what happens\n"
"  -d, --dump         what the ring holds, then end\n"
"  -c, --count N      end after N events\n"
"\n"
"FILTER is words: the options above without --, and src, dst, handshake\n"
"OUTCOME, close OUTCOME, ip, ip6, and, or, not, parentheses.  Lists (80,443)\n"
"and ranges (8000-8099) work.  src is the initiator, dst the responder.\n"
"\n"
"How to show it\n"
"  -j, --json         JSON lines               -w, --wide  all, on one line\n"
"  -t, --time FORMAT  wall, rel, rfc3339, epoch or none\n"
"  -S, --absolute     sequence numbers as on the wire\n"
"  -H, --no-header    no heading               -n          does nothing: names\n"
"  -q, --quiet        no summary                           are never resolved\n"
"  -v, --verbose      say what is done         --version, -h, --help\n"
"\n"
">SA is SYN and ACK sent by the initiator, <SA by the responder.\n"
"Exit status: 0 fine, 1 error, 2 wrong usage, 130 interrupted.\n";

enum long_option {
	OPTION_HOST = 256,
	OPTION_NET,
	OPTION_PORT,
	OPTION_STATE,
	OPTION_EVENT,
	OPTION_FAILED,
	OPTION_FLOW,
	OPTION_NETNS,
	OPTION_DEVICE,
	OPTION_EXISTING,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "host",      required_argument, NULL, OPTION_HOST },
	{ "net",       required_argument, NULL, OPTION_NET },
	{ "port",      required_argument, NULL, OPTION_PORT },
	{ "state",     required_argument, NULL, OPTION_STATE },
	{ "event",     required_argument, NULL, OPTION_EVENT },
	{ "failed",    no_argument,       NULL, OPTION_FAILED },
	{ "flow",      required_argument, NULL, OPTION_FLOW },
	{ "netns",     required_argument, NULL, OPTION_NETNS },
	{ "device",    required_argument, NULL, OPTION_DEVICE },
	{ "existing",  no_argument,       NULL, OPTION_EXISTING },
	{ "version",   no_argument,       NULL, OPTION_VERSION },
	{ "read",      required_argument, NULL, 'r' },
	{ "new",       no_argument,       NULL, 'N' },
	{ "dump",      no_argument,       NULL, 'd' },
	{ "count",     required_argument, NULL, 'c' },
	{ "json",      no_argument,       NULL, 'j' },
	{ "wide",      no_argument,       NULL, 'w' },
	{ "time",      required_argument, NULL, 't' },
	{ "absolute",  no_argument,       NULL, 'S' },
	{ "no-header", no_argument,       NULL, 'H' },
	{ "quiet",     no_argument,       NULL, 'q' },
	{ "verbose",   no_argument,       NULL, 'v' },
	{ "help",      no_argument,       NULL, 'h' },
	{ }
};

/**
 * usage_error - say what is wrong with the command line, and exit
 * @format: what
 */
void usage_error(const char *format, ...)
{
	va_list args;

	fputs("tcptracectl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry \"tcptracectl --help\".\n", stderr);
	exit(EXIT_USAGE);
}

static void print_and_exit(const char *text)
{
	fputs(text, stdout);
	exit(standard_output_end() ? EXIT_OK : EXIT_ERROR);
}

static void set_filter(struct options *options, const char *word, const char *value)
{
	if (!filter_option(&options->filter, word, value))
		usage_error("%s", options->filter.error);
}

static __u64 parse_count(const char *text)
{
	unsigned long long count;
	char *end;

	count = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || !count)
		usage_error("-c wants a number of events from 1, not \"%s\"", text);
	return count;
}

/* Options that choose events; the others are in parse_option(). */
static bool parse_filter_option(struct options *options, int option, const char *value)
{
	static const char *const words[] = {
		[OPTION_HOST - OPTION_HOST] = "host",
		[OPTION_NET - OPTION_HOST] = "net",
		[OPTION_PORT - OPTION_HOST] = "port",
		[OPTION_STATE - OPTION_HOST] = "state",
		[OPTION_EVENT - OPTION_HOST] = "event",
		[OPTION_FAILED - OPTION_HOST] = "failed",
		[OPTION_FLOW - OPTION_HOST] = "flow",
		[OPTION_NETNS - OPTION_HOST] = "netns",
	};

	if (option == '4')
		set_filter(options, "ip", NULL);
	else if (option == '6')
		set_filter(options, "ip6", NULL);
	else if (option >= OPTION_HOST && option <= OPTION_NETNS)
		set_filter(options, words[option - OPTION_HOST], value);
	else
		return false;
	return true;
}

/* Options that only switch something on. */
static bool *switch_of(struct options *options, int option)
{
	switch (option) {
	case 'd':
		return &options->dump;
	case 'H':
		return &options->no_heading;
	case 'j':
		return &options->json;
	case 'N':
		return &options->new_only;
	case 'q':
		return &options->quiet;
	case 'S':
		return &options->absolute;
	case 'v':
		return &options->verbose;
	case 'w':
		return &options->wide;
	case OPTION_EXISTING:
		return &options->existing;
	default:
		return NULL;
	}
}

static void parse_option(struct options *options, int option, char *value)
{
	bool *is_on = switch_of(options, option);

	if (is_on) {
		*is_on = true;
		return;
	}
	switch (option) {
	case 'n':	/* names are never resolved */
		break;
	case 'r':
		options->recording = value;
		break;
	case OPTION_DEVICE:
		options->device = value;
		break;
	case 'c':
		options->count = parse_count(value);
		break;
	case 't':
		if (!time_format_parse(&options->time, value))
			usage_error("-t wants wall, rel, rfc3339, epoch or none, not \"%s\"",
				    value);
		break;
	case 'h':
		print_and_exit(help);
		break;
	case OPTION_VERSION:
		print_and_exit("tcptracectl " VERSION "\n");
		break;
	default:	/* getopt has said what is wrong */
		fputs("Try \"tcptracectl --help\".\n", stderr);
		exit(EXIT_USAGE);
	}
}

static void check_together(const struct options *options)
{
	if (options->json && options->wide)
		usage_error("-j and -w exclude each other");
	if (options->recording && options->device)
		usage_error("-r and --device exclude each other");
	if (options->recording && (options->new_only || options->dump || options->existing))
		usage_error("-N, -d and --existing are about the device, -r reads a recording");
	if (options->new_only && options->dump)
		usage_error("-N and -d exclude each other");
}

/**
 * options_parse - read the command line; does not return if it is wrong
 * @options: receives it; @options->filter still wants its words
 * @argc: as main() got it
 * @argv: as main() got it
 */
void options_parse(struct options *options, int argc, char *argv[])
{
	int option;

	memset(options, 0, sizeof(*options));
	filter_init(&options->filter);
	while ((option = getopt_long(argc, argv, "46c:dhHjnNqr:St:vw", long_options, NULL)) != -1)
		if (!parse_filter_option(options, option, optarg))
			parse_option(options, option, optarg);
	check_together(options);
	options->words = argv + optind;
	options->word_count = argc - optind;
}
