// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "display.h"
#include "libtcptrace.h"
#include "options.h"
#include "run.h"
#include "stats.h"

static void parse_expression(struct options *options, int first)
{
	if (!filter_words(&options->filter, options->words + first, options->word_count - first))
		usage_error("%s", options->filter.error);
}

static int show_events(struct options *options)
{
	const struct formatter *formatter = options->json ? &format_json :
					    options->wide ? &format_wide : &format_text;

	parse_expression(options, 0);
	return run(options, formatter);
}

static int list_flows(struct options *options)
{
	const struct formatter *formatter = options->json ? &format_json :
					    options->wide ? &format_wide : &format_flows;

	if (options->recording)
		usage_error("flows is about the device, not a recording");
	parse_expression(options, 1);
	options->existing = true;
	options->flows = true;
	return run(options, formatter);
}

static int record_events(struct options *options)
{
	if (options->word_count < 2)
		usage_error("record wants a file, or - for standard output");
	if (options->json || options->wide)
		usage_error("a recording holds records; -j and -w are for reading it");
	options->output = options->words[1];
	if (!strcmp(options->output, "-") && isatty(STDOUT_FILENO))
		usage_error("a recording is not for a terminal: give a file");
	parse_expression(options, 2);
	options->no_heading = false;	/* of a recording that is its header */
	return run(options, &format_raw);
}

static void no_operands(const struct options *options)
{
	if (options->word_count > 1)
		usage_error("%s takes no operand: \"%s\"", options->words[0], options->words[1]);
	if (options->recording)
		usage_error("%s is about the device, not a recording", options->words[0]);
}

static int print_stats(struct options *options)
{
	no_operands(options);
	return stats_print(options);
}

static int flush_flows(struct options *options)
{
	static struct tcptrace_source source;
	int ret;

	no_operands(options);
	ret = tcptrace_open_device(&source, options->device);
	if (!ret)
		ret = tcptrace_flush(&source);
	if (ret)
		fprintf(stderr, "tcptracectl: %s\n", source.error);
	tcptrace_close(&source);
	return ret ? EXIT_ERROR : EXIT_OK;
}

static const struct {
	const char *name;
	int (*run)(struct options *options);
} commands[] = {
	{ "flows", list_flows },
	{ "record", record_events },
	{ "stats", print_stats },
	{ "flush", flush_flows },
};

int main(int argc, char *argv[])
{
	struct options options;
	unsigned int i;

	/* a closed pipe is an error of write() */
	signal(SIGPIPE, SIG_IGN);
	options_parse(&options, argc, argv);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (options.word_count && !strcmp(options.words[0], commands[i].name))
			return commands[i].run(&options);
	return show_events(&options);
}
