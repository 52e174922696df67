/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OUT_H
#define _OUT_H

/*
 * The output: a fixed buffer that formatters append to, written in big pieces.
 * One event never takes more than OUT_ROOM bytes, and out_room() makes that room
 * before each event: so the appending functions need no check and no syscall.
 */

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <string.h>

#define OUT_SIZE	65536
#define OUT_ROOM	4096
#define OUT_SPACES	"                                "
#define OUT_PAD		(sizeof(OUT_SPACES) - 1)

/**
 * struct out - an output under way
 * @fd: where it goes
 * @error: errno of the first write that failed, 0 as long as none did
 * @len: bytes in @buffer
 * @line: where in @buffer the current line starts
 * @buffer: what is not written yet
 */
struct out {
	int fd;
	int error;
	size_t len;
	size_t line;
	char buffer[OUT_SIZE];
};

void out_open(struct out *out, int fd);
int out_flush(struct out *out);
void out_bytes(struct out *out, const void *bytes, size_t count);
void out_number(struct out *out, __u64 number);
void out_digits(struct out *out, __u64 number, unsigned int digits);
void out_thousandths(struct out *out, __u64 number);
void out_wrap(struct out *out, size_t space, unsigned int indent);
unsigned int digits_of(__u64 number);

/**
 * out_room - make room for one event
 * @out: the output
 */
static inline void out_room(struct out *out)
{
	if (out->len > OUT_SIZE - OUT_ROOM)
		out_flush(out);
}

static inline void out_char(struct out *out, char c)
{
	out->buffer[out->len++] = c;
}

/**
 * out_text - append a string
 * @out: the output
 * @text: the string; of a literal the length is known when this is compiled
 */
static inline void out_text(struct out *out, const char *text)
{
	size_t count = strlen(text);

	memcpy(out->buffer + out->len, text, count);
	out->len += count;
}

static inline void out_newline(struct out *out)
{
	out_char(out, '\n');
	out->line = out->len;
}

/**
 * out_column - where the next byte goes
 * @out: the output
 *
 * Return: the column, from 0
 */
static inline unsigned int out_column(const struct out *out)
{
	return out->len - out->line;
}

/**
 * out_pad - append spaces up to a column
 * @out: the output
 * @column: the column, from 0; nothing is appended when the line is past it
 */
static inline void out_pad(struct out *out, unsigned int column)
{
	unsigned int now = out_column(out);
	unsigned int step;

	/* one step of a fixed size is cheaper than as many bytes as needed */
	for (; now < column; now += step) {
		memcpy(out->buffer + out->len, OUT_SPACES, OUT_PAD);
		step = column - now < OUT_PAD ? column - now : OUT_PAD;
		out->len += step;
	}
}

/**
 * out_field - start the field of a table
 * @out: the output
 * @column: where it starts; one space after a field that is too long
 */
static inline void out_field(struct out *out, unsigned int column)
{
	if (out_column(out) >= column && column)
		out_char(out, ' ');
	else
		out_pad(out, column);
}

/**
 * out_number_field - a right-aligned number in a table
 * @out: the output
 * @end: the column behind its last digit
 * @number: the number
 */
static inline void out_number_field(struct out *out, unsigned int end, __u64 number)
{
	unsigned int digits = digits_of(number);

	out_field(out, end > digits ? end - digits : 0);
	out_digits(out, number, digits);
}

/**
 * out_text_field - a right-aligned word in a table
 * @out: the output
 * @end: the column behind its last letter
 * @text: the word
 */
static inline void out_text_field(struct out *out, unsigned int end, const char *text)
{
	size_t count = strlen(text);

	out_field(out, end > count ? end - count : 0);
	out_text(out, text);
}

#endif /* _OUT_H */
