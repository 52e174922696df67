# SPDX-License-Identifier: GPL-2.0
"""On which CPU a thread is, and what it begins."""

import contextlib
import os


@contextlib.contextmanager
def one_cpu():
    """What is sent stays in order, also by programs that are begun meanwhile: of two CPUs each
    has a queue of its own, and one may overtake the other."""
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usual)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)
