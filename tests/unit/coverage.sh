#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run the tests built with --coverage; print the lines and branches taken, and
# those that were not.
#
#   coverage.sh DIRECTORY

set -eu

if ! command -v gcov >/dev/null; then
	echo "coverage: gcov is not there; it comes with gcc" >&2
	exit 1
fi

build=$1
find "$build" -name '*.gcda' -delete

for name in segment quote history fsm ring; do
	"$build/${name}_test" >"$build/$name.out" 2>&1 || {
		cat "$build/$name.out"
		exit 1
	}
done

for data in segment/segment quote/quote history/history fsm/marks fsm/fsm \
	fsm/fsm_ended fsm/fsm_outside fsm/fsm_result ring/ring; do
	echo "${data#*/}.c:"
	data=$build/$data.gcda
	gcov --no-output --branch-probabilities --branch-counts "$data" | awk '
		/^File/ { ours = $0 ~ /\.c.$/ }
		/^(Lines|Taken)/ && ours { print "    " $0 }
		/^Taken/ { exit }'
	gcov --stdout --branch-probabilities --branch-counts "$data" | awk -F: '
		/:Source:/ { ours = $0 ~ /\.c$/ }
		!ours { next }
		/^ +[0-9#=-]+\*?: *[0-9]+:/ { line = $2; text = $0; sub(/^[^:]*:[^:]*:/, "", text) }
		/^ +#####: */ { print "    not run:      " line ":" text }
		/^branch .* taken 0/ { print "    not both ways:" line ":" text }' | uniq
done
