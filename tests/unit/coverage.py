#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Branches of the pure parts that tests and fuzz corpora reach, together.

    coverage.py DIRECTORY...    where programs built with --coverage were run

Prints each file's share, and the lines with a branch that was never taken; fails below 95 %.
A branch that only the compiler knows of, as in a switch, counts as it does for gcov.
"""

import collections
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

WANTED = 95.0
PURE = ("segment.c segment.h quote.c history.c history.h marks.c marks.h fsm.c fsm.h fsm_ended.c "
        "fsm_outside.c fsm_result.c fsm_parts.h ring.c text.c names.h").split()


def reports(data):
    """What gcov says of one object's run."""
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(["gcov", "--json-format", "--branch-probabilities", str(data.resolve())],
                       cwd=work, check=True, capture_output=True)
        for path in pathlib.Path(work).glob("*.gz"):
            yield json.loads(gzip.decompress(path.read_bytes()))


def main():
    """Of each branch, whether any program took it."""
    taken = collections.defaultdict(lambda: collections.defaultdict(bool))
    for directory in sys.argv[1:]:
        for data in pathlib.Path(directory).rglob("*.gcda"):
            for report in reports(data):
                for source in report["files"]:
                    path = pathlib.Path(source["file"])
                    if path.parent.name != "module" or path.name not in PURE:
                        continue
                    for line in source["lines"]:
                        count = len(line["branches"])
                        for index, branch in enumerate(line["branches"]):
                            key = line["line_number"], count, index
                            taken[path.name][key] |= branch["count"] > 0

    done = total = 0
    for name in PURE:
        branches = taken[name]
        if not branches and name.endswith(".h"):	# of inline functions without one
            continue
        if not branches:
            sys.exit(f"{name} was not run")
        hit = sum(branches.values())
        missed = sorted({line for (line, _, _), was in branches.items() if not was})
        done, total = done + hit, total + len(branches)
        where = "  not both ways: " + " ".join(map(str, missed)) if missed else ""
        print(f"{name:<16} {hit:5} of {len(branches):5} branches "
              f"{100 * hit / len(branches):6.1f} %{where}")
    share = 100 * done / total if total else 0
    print(f"{'all':<16} {done:5} of {total:5} branches {share:6.1f} %, wanted {WANTED:.0f} %")
    return share < WANTED


if __name__ == "__main__":
    sys.exit(main())
