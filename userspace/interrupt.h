/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _INTERRUPT_H
#define _INTERRUPT_H

int interrupt_init(void);
int interrupt_signal(void);
int interrupt_wait(int input, int output, int timeout_ms);

#endif /* _INTERRUPT_H */
