// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "out.h"

/* "00" to "99": two digits for one division */
static char pairs[100][2];

static void fill_pairs(void)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		pairs[i][0] = '0' + i / 10;
		pairs[i][1] = '0' + i % 10;
	}
}

/**
 * out_open - start an output
 * @out: the output
 * @fd: where it goes; stays the caller's to close
 */
void out_open(struct out *out, int fd)
{
	fill_pairs();
	out->fd = fd;
	out->error = 0;
	out->len = 0;
	out->line = 0;
}

/**
 * out_flush - write what is in the buffer
 * @out: the output; empty afterwards, also when the write failed
 *
 * Return: 0, or the negative errno of the first write that ever failed.
 */
int out_flush(struct out *out)
{
	size_t done = 0;
	ssize_t n;

	while (done < out->len && !out->error) {
		n = write(out->fd, out->buffer + done, out->len - done);
		if (n >= 0)
			done += n;
		else if (errno != EINTR)
			out->error = errno;
	}
	out->len = 0;
	out->line = 0;
	return -out->error;
}

/**
 * out_bytes - append bytes, however many
 * @out: the output
 * @bytes: the bytes
 * @count: how many
 */
void out_bytes(struct out *out, const void *bytes, size_t count)
{
	const char *from = bytes;
	size_t part;

	while (count) {
		part = count < OUT_ROOM ? count : OUT_ROOM;
		out_room(out);
		memcpy(out->buffer + out->len, from, part);
		out->len += part;
		from += part;
		count -= part;
	}
}

/**
 * digits_of - how many decimal digits a number has
 * @number: the number
 *
 * Return: 1 to 20
 */
unsigned int digits_of(__u64 number)
{
	static const __u64 powers[] = {
		1ULL, 10ULL, 100ULL, 1000ULL, 10000ULL, 100000ULL, 1000000ULL,
		10000000ULL, 100000000ULL, 1000000000ULL, 10000000000ULL,
		100000000000ULL, 1000000000000ULL, 10000000000000ULL,
		100000000000000ULL, 1000000000000000ULL, 10000000000000000ULL,
		100000000000000000ULL, 1000000000000000000ULL,
		10000000000000000000ULL,
	};
	/* 1233 / 4096 is a little less than log10(2): one digit too few or right */
	unsigned int bits = 64 - __builtin_clzll(number | 1);
	unsigned int guess = bits * 1233 >> 12;

	return guess + (guess == 0 || number >= powers[guess]);
}

static void put_pair(char *to, unsigned int number)
{
	memcpy(to, pairs[number], sizeof(pairs[number]));
}

/**
 * out_digits - append a number with leading zeros
 * @out: the output
 * @number: the number
 * @digits: how many digits, at least as many as it has
 */
void out_digits(struct out *out, __u64 number, unsigned int digits)
{
	char *p = out->buffer + out->len + digits;
	__u32 small;

	out->len += digits;
	/* most numbers are small, and narrow division is cheaper */
	for (; number > UINT32_MAX; digits -= 2) {
		p -= 2;
		put_pair(p, number % 100);
		number /= 100;
	}
	for (small = number; digits >= 2; digits -= 2) {
		p -= 2;
		put_pair(p, small % 100);
		small /= 100;
	}
	if (digits)
		p[-1] = '0' + small;
}

/**
 * out_number - append a number
 * @out: the output
 * @number: the number
 */
void out_number(struct out *out, __u64 number)
{
	if (number < 10)
		out_char(out, '0' + number);
	else
		out_digits(out, number, digits_of(number));
}

/**
 * out_thousandths - append a number of thousandths as a decimal, 1234 as 1.234
 * @out: the output
 * @number: the thousandths
 */
void out_thousandths(struct out *out, __u64 number)
{
	out_number(out, number / 1000);
	out_char(out, '.');
	out_digits(out, number % 1000, 3);
}

/**
 * out_wrap - break the line at a space
 * @out: the output
 * @space: where in the buffer the space is
 * @indent: at which column the rest of the line goes on, at least 1
 */
void out_wrap(struct out *out, size_t space, unsigned int indent)
{
	char *at = out->buffer + space + 1;

	memmove(at + indent, at, out->buffer + out->len - at);
	memset(at, ' ', indent);
	at[-1] = '\n';
	out->line = space + 1;
	out->len += indent;
}
