# SPDX-License-Identifier: GPL-2.0
"""A process of its own, for what must not be done to the suite's."""

import os

from lib.tap import check


def outcome(function, *args):
    """What it returned, behind a +, or what it raised, behind a -."""
    try:
        return f"+{function(*args)}"
    except BaseException as error:
        return f"-{type(error).__name__}: {error}"


def apart(function, *args):
    """Call it in a process of its own; what it returned, as text."""
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(readable)
            os.write(writable, outcome(function, *args).encode())
        finally:
            os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as file:
        said = file.read()
    os.waitpid(child, 0)
    check(said.startswith("+"), said or "the process died")
    return said[1:]
