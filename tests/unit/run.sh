#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run test programs that speak TAP, one stream after the other; each has its plan.
#
#   run.sh PROGRAM...

set -eu

export CMOCKA_MESSAGE_OUTPUT=TAP
export TSAN_OPTIONS=halt_on_error=1

# TSan of gcc 12 and before cannot live with much address space randomisation;
# setarch takes it away.
run() {
	if setarch -R true 2>/dev/null; then
		timeout 600 setarch -R "$1" 2>&1
	else
		timeout 600 "$1" 2>&1
	fi
}

status=0
for program; do
	run "$program" || status=1
done
exit $status
