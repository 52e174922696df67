/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPTRACE_LOG_H
#define _TCPTRACE_LOG_H

/**
 * enum log_level - what dmesg gets
 * @LOG_NOTHING: nothing
 * @LOG_CONNECTIONS: connections established and ended, and the ICMP error that ended one
 * @LOG_EVENTS: every event
 */
enum log_level {
	LOG_NOTHING	= 0,
	LOG_CONNECTIONS	= 1,
	LOG_EVENTS	= 2,
};

/**
 * log_set_level - log from the next event on
 * @level: &enum log_level
 *
 * The log is a reader of the stream like any other, in a worker: no line is
 * printed where packets pass, and a slow console delays none.  Lines beyond the
 * rate limit are counted and the count is printed.
 *
 * Context: may sleep; the caller keeps two calls apart.
 */
void log_set_level(enum log_level level);

/* Nothing is logged any more. */
void log_exit(void);

#endif /* _TCPTRACE_LOG_H */
