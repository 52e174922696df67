/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VOCABULARY_H
#define _VOCABULARY_H

/*
 * What other tools call a connection, told from its END.  Where their words do not fit,
 * VOCABULARY in tcptracectl(8) says so.
 */

#include <linux/tcptrace.h>

/* ^, the letters, x, and a zero byte */
#define ZEEK_HISTORY_SIZE	(TCPTRACE_HISTORY_LEN + 3)

const char *zeek_conn_state(const struct tcptrace_event *event);
const char *zeek_history(const struct tcptrace_event *event, char text[ZEEK_HISTORY_SIZE]);
unsigned int completeness(const struct tcptrace_event *event);
const char *conntrack_state(const struct tcptrace_event *event);

#endif /* _VOCABULARY_H */
