#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Packet by packet: every script in scripts/, over IPv4 and IPv6, through the wrap."""

import contextlib
import os
import pathlib
import sys

from lib.device import Device
from lib.kernel import Kmsg, Module, RELEASE
from lib.play import Late, Play
from lib.script import read_scripts
from lib.tap import Failure, Skip, check, main, needs_speed, tests
from lib.wire import WiredHost

DIRECTORY = pathlib.Path(__file__).parent / "scripts"
TRIES = 3


@contextlib.contextmanager
def stage():
    with Module(), WiredHost() as host, Device() as reader:
        reader.set_filter(netns=host.inode)
        reader.seek(os.SEEK_END)
        yield host, reader


def plays(script):
    """How a script is played: lines, IP version, ISNs by side."""
    for number, lines in enumerate(script.variants()):
        yield lines, script.versions[number % len(script.versions)], {}
    if script.vary:
        return
    for version in script.versions[1:]:
        yield script.lines, version, {}
    if script.slow or any(line.segment and len(line.segment.flags) > 1 for line in script.lines):
        return
    for number, isns in enumerate(script.wraps()):
        yield script.lines, script.versions[number % len(script.versions)], isns


def play(host, reader, script):
    """Every play of a script; one that timers disturbed is played again."""
    for lines, version, isns in plays(script):
        for left in reversed(range(TRIES)):
            try:
                Play(host, reader, script, version, isns).run(lines)
                break
            except Late:
                if not left:
                    needs_speed()
                    raise


# Where the socket itself behaves otherwise it is no judge: from and before which kernel, and how.
ALWAYS, NEVER = (0, 0, 0), (99, 0, 0)
STRICT = "drops a segment whose options are malformed, as it looks for TCP-AO"
CHALLENGES = "answers an ACK of what was never sent"
DIFFERS = {
    "The kernel's SYN crosses another":
        (ALWAYS, (6, 1, 0), "stays in SYN_RECEIVED when its SYN is acknowledged"),
    "With two SYNs crossed":
        (ALWAYS, (6, 1, 0), "stays in SYN_RECEIVED when its SYN is acknowledged"),
    "A RST inside the window, but not exact, in SYN_RECEIVED":
        (ALWAYS, (6, 1, 192), "sends no challenge ACK"),
    "A data offset that makes options of all the data":
        ((6, 7, 0), NEVER, STRICT),
    "An option of length zero: what stands before it holds": ((6, 13, 0), NEVER, STRICT),
    "An option of length one": ((6, 13, 0), NEVER, STRICT),
    "Known options of a wrong length are no options": ((6, 13, 0), NEVER, STRICT),
    "A FIN that acknowledges what was never sent": ((6, 13, 0), NEVER, CHALLENGES),
    "Old ACKs, ACKs of what was never sent": ((6, 13, 0), NEVER, CHALLENGES),
}


def as_test(name, script, how):
    """A script as a test of the suite."""
    def run(host, reader):
        since, before, how_else = DIFFERS.get(script.title, (NEVER, NEVER, ""))
        if since <= RELEASE < before:
            raise Skip(f"this kernel {how_else}")
        how(host, reader, script)
    run.__doc__ = f"{name}: {script.title}"
    return run


def must_fail(host, reader, script):
    """A script that is wrong is found out, at its last line."""
    lines, version, isns = next(plays(script))
    try:
        Play(host, reader, script, version, isns).run(lines)
    except Failure as failure:
        check(script.lines[-1].text in str(failure), "it fails elsewhere", [str(failure)])
    else:
        raise Failure("it was played to its end")


def load(names):
    parts = {}
    read_scripts(DIRECTORY / "parts.pkt", parts)
    for path in sorted(DIRECTORY.glob("*.pkt")):
        if path.name == "parts.pkt" or names and path.stem not in names:
            continue
        how = must_fail if path.stem == "wrong" else play
        tests.extend(as_test(path.stem, script, how) for script in read_scripts(path, parts))


def never_logged(kmsg):
    """The last test: what was invalid in all the scripts."""
    def run(*_):
        """at log level 1 nothing invalid gets into dmesg"""
        lines = [line for line in kmsg.lines() if " invalid" in line]
        check(not lines, "dmesg", lines)
    return run


if __name__ == "__main__":
    load(sys.argv[1:])
    tests.append(never_logged(Kmsg()))
    main(stage())
