# SPDX-License-Identifier: GPL-2.0
"""A suite: functions marked @test, each one line of TAP, run in their order."""

import re
import sys
import time
import traceback

from lib.kernel import Kmsg, SLOW

# What the kernel says when namespaces and modules come and go, and of a strange SYN.
HARMLESS = (
    "tcptrace: ",
    "IPv6: ADDRCONF(NETDEV_CHANGE)",
    "nf_tables: (c)",
    "netem: version",
    "tun: Universal TUN",
    "TCP: tcp_parse_options: Illegal window scaling value",
    # mirrored interfaces enter and leave promiscuous mode, and get other names
    "device mon", "mon0", "mon1", "monx",
    "device lo entered", "device lo left", "lo: entered", "lo: left",
    "device gone", "gone0", "gone1",
    # tshark asks for interfaces of all kinds
    "alg: No test for ",
    "Bluetooth: ",
    "NET: Registered PF_BLUETOOTH", "NET: Registered protocol family 31",
    "cryptd: ", "AVX2 version of", "AES CTR mode",
    "hrtimer: interrupt took",
    # a CPU goes and comes, the machine sleeps
    "smpboot: ", "x86: Booting SMP", "PM: ", "Filesystems sync", "Freezing ", "OOM killer ",
    "Restarting tasks", "random: crng reseeded", "ACPI: PM: ", "ACPI: Preparing to enter",
    "ACPI: Waking up from", "Disabling non-boot CPUs", "Enabling non-boot CPUs", "CPU1 is up",
    "printk: Suspending console",
    "serio serio1: deferred probe pending",	# the mouse, probed as it wakes
    # a kernel that is locked down refuses a module
    "Loading of unsigned module is", "Loading of module with unavailable key is",
    # emulated clocks
    "clocksource: ", "tsc: ", "TSC found unstable", "sched_clock: ",
    "TCP: request_sock_TCP",	# sends cookies
    "to-router: Failed to cycle device",	# when it joins a VRF; the tests see whether it did
)

# What is wrong even where the kernel has much to say, as when it has no memory.
REPORTS = "BUG|KASAN|KCSAN|UBSAN|WARNING|Oops|ODEBUG|general protection|unreferenced|" \
          "stall|blocked for more than"

JIFFIES_LATE = 0.1	# seconds, see in_time()

tests = []


def test(function):
    """Mark a test; the first line of its doc string is its name."""
    tests.append(function)
    return function


class Failure(Exception):
    """A test's finding; the lines say what was seen."""

    def __init__(self, what, lines=()):
        super().__init__(what)
        self.lines = lines


class Skip(Exception):
    """The test cannot be run here; why."""


def check(condition, what, lines=()):
    if not condition:
        raise Failure(what, lines)


def same(found, wanted, what, lines=()):
    check(found == wanted, f"{what}: {found!r}, wanted {wanted!r}", lines)


def in_time(waited, timeout, what, more=1):
    """A timer of the module ran for timeout seconds, and for so many more at most.

    It counts jiffies, which stand still while the CPU that keeps them for both is held up:
    by the clock of the events it may be early by that.
    """
    check(timeout - JIFFIES_LATE <= waited <= timeout + more, f"{what} took {waited} s")


def needs_speed():
    """For a test that is about many things within a second."""
    if SLOW > 1:
        raise Skip("this kernel is too slow for it")


def wait_for(condition, what, seconds=10, lines=lambda: ()):
    """Wait until condition() is true; its value."""
    deadline = time.monotonic() + seconds * SLOW
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds} s: {what}", lines())
        time.sleep(0.01)
    return value


class Report:
    def __init__(self):
        self.count = 0
        self.failed = 0
        print("TAP version 14", flush=True)

    def line(self, passed, name, diagnostics=()):
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}")
        for line in diagnostics:
            print(f"# {line}")
        sys.stdout.flush()

    def run(self, name, function, *args):
        start = time.monotonic()
        try:
            function(*args)
        except Failure as failure:
            self.line(False, name, [str(failure), *failure.lines])
        except Skip as skip:
            self.line(True, f"{name} # SKIP {skip}")
        except Exception:  # a test that dies is a test that fails
            self.line(False, name, traceback.format_exc().splitlines())
        else:
            self.line(True, name, [f"{time.monotonic() - start:.1f} s"])


def only_harmless(kmsg):
    """nothing in dmesg but our own lines"""
    odd = [line for line in kmsg.lines() if not line.startswith(HARMLESS)]
    check(not odd, "the kernel said", odd)


def no_reports(kmsg):
    """no report in dmesg"""
    odd = [line for line in kmsg.lines() if re.search(REPORTS, line)]
    check(not odd, "the kernel said", odd)


def main(stage, dmesg=only_harmless):
    """Run the suite; stage is a context whose values every test gets.

    dmesg: the last test, which looks at what the kernel said
    """
    report = Report()
    kmsg = Kmsg()
    try:
        with stage as values:
            for function in tests:
                report.run(function.__doc__.splitlines()[0], function, *values)
                kmsg.lines()	# before they are overwritten
    except Exception:
        report.line(False, "set-up and tear-down", traceback.format_exc().splitlines())
    report.run(dmesg.__doc__, dmesg, kmsg)
    print(f"1..{report.count}", flush=True)
    sys.exit(report.failed > 0)
