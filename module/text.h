/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_TEXT_H
#define _TCPTRACE_TEXT_H

#include <linux/types.h>
#include <linux/tcptrace.h>

/* No line is longer, its newline and a final zero byte included. */
#define TEXT_LINE_MAX	512

/**
 * text_event - one event as one line, for the device and for dmesg
 * @line: receives the line and a zero byte, no newline
 * @event: any content
 *
 * The initiator is always on the left; ">" and "<" tell who sent the segment.
 * Sequence and acknowledgment numbers are those on the wire.
 *
 * Context: any.
 *
 * Return: its length in bytes, less than %TEXT_LINE_MAX - 1.
 */
size_t text_event(char line[TEXT_LINE_MAX], const struct tcptrace_event *event);

/**
 * text_time - a time as dmesg shows it, "[   12.345678] "
 * @line: receives it, at most 32 bytes, and no zero byte
 * @time_ns: CLOCK_MONOTONIC
 *
 * Return: its length in bytes.
 */
size_t text_time(char *line, u64 time_ns);

/**
 * text_endpoint - an address and a port, "10.0.0.1:80" or "[2001:db8::1]:80"
 * @line: receives it, at most 56 bytes, and no zero byte
 * @ip_version: 4 or 6
 * @addr: 4 or 16 bytes
 * @port: network order
 *
 * Return: its length in bytes.
 */
size_t text_endpoint(char *line, u8 ip_version, const void *addr, __be16 port);

#endif /* _TCPTRACE_TEXT_H */
