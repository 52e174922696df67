# SPDX-License-Identifier: GPL-2.0
"""The module, its parameters and counters, and what the kernel says."""

import os
import pathlib
import re
import subprocess

from lib.system import delete_module

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
MODULE = os.environ.get("TCPTRACE_MODULE", REPOSITORY / "tcptrace.ko")
READER = os.environ.get("TCPTRACE_READER", REPOSITORY / "userspace/tcptracectl")
# The upstream one, which Debian's kernels tell as their version
RELEASE = tuple(map(int, re.search(r"(\d+)\.(\d+)\.(\d+)", re.sub(
    r".* Debian ", "", os.uname().version) + " " + os.uname().release).groups()))
# A kernel full of checks takes so many times as long.
SLOW = int(os.environ.get("TCPTRACE_SLOW", 1))
PARAMETERS = pathlib.Path("/sys/module/tcptrace/parameters")
# of the first namespace, wherever this thread is
STATS = pathlib.Path("/proc/1/net/stat/tcptrace")


def run(*command, **options):
    """A program that must end well; its standard output."""
    done = attempt(*command, **options)
    if done.returncode:
        raise RuntimeError(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def attempt(*command, limit=60, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, timeout=limit * SLOW, **options)


class Kmsg:
    """The kernel's log from now on; whoever looks, reads for all."""

    fd = None
    seen = []

    def __init__(self):
        if Kmsg.fd is None:
            Kmsg.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
            os.lseek(Kmsg.fd, 0, os.SEEK_END)
        self.start = 0
        self.start = len(self.lines())

    def lines(self):
        while True:
            try:
                record = os.read(Kmsg.fd, 8192).decode(errors="replace")
            except BlockingIOError:
                return Kmsg.seen[self.start:]
            except BrokenPipeError:
                record = ";(lines of the kernel's log were overwritten)"
            Kmsg.seen.append(unescaped(record.partition(";")[2].split("\n")[0]))


NOTICES_SECONDS = 5


def most_notices(seconds):
    """How many lines about parameters and interfaces are printed in this time."""
    return 100 * (1 + int(seconds / NOTICES_SECONDS))


def unescaped(line):
    """With the backslashes that were printed; controls remain escaped, so that none is shown."""
    return line.replace(r"\x5c", "\\")


def load(**parameters):
    return attempt("insmod", MODULE, *(f"{name}={value}" for name, value in parameters.items()))


def unload():
    return attempt("rmmod", "tcptrace")


def loaded():
    return PARAMETERS.exists()


class Module:
    """The module, loaded as long as the context lasts."""

    def __init__(self, **parameters):
        self.parameters = parameters

    def __enter__(self):
        done = load(**self.parameters)
        if done.returncode:
            raise RuntimeError(f"insmod: {done.stderr}")
        return self

    def __exit__(self, *exception):
        delete_module()


def parameter(name):
    return (PARAMETERS / name).read_text().strip()


def set_parameter(name, value):
    with open(PARAMETERS / name, "wb", buffering=0) as file:	# or it writes again at its close
        file.write(str(value).encode())


def parameter_ranges():
    """Name to (lowest, highest) of all numbers, as the module itself tells them."""
    found = re.findall(r"(?m)^(\w+):.*\((\d+) to (\d+)\)$", run("modinfo", "-F", "parm", MODULE))
    return {name: (int(low), int(high)) for name, low, high in found}


def stats():
    """Every counter of the module by its name."""
    return {line.split()[0]: int(line.split()[1]) for line in STATS.read_text().splitlines()}
