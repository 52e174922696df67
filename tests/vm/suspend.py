#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The machine sleeps, and wakes without its disk.

All of the kernel sleeps: tasks are frozen, devices suspended, the second CPU goes, the
clocks stop; only the processor itself stays on, for SECONDS
(Documentation/power/basic-pm-debugging.rst, "core"). What does not wake is the file system
that the VM has from its host: from then on no program can be run, nor come to its end. So
the namespace stays, and this one switches the VM off itself.
"""

import contextlib
import fcntl
import linecache
import pathlib
import sys
import termios
import threading
import time

from lib import net
from lib.device import CONSTANTS, Device, kind
from lib.host import Host, Traffic
from lib.kernel import Module, set_parameter
from lib.system import call
from lib.tap import Skip, check, in_time, main, same, test, wait_for

POWER = pathlib.Path("/sys/power")
DELAY = pathlib.Path("/sys/module/suspend/parameters/pm_test_delay")
SECONDS = 2
TIMEOUT = 3
RB_POWER_OFF = 0x4321fedc
MCL_CURRENT = 1


def time_asleep():
    """How long this machine has slept, in seconds."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


def sleep():
    if not DELAY.exists() or "deep" not in (POWER / "mem_sleep").read_text():
        raise Skip("this machine cannot sleep, or not for a test")
    # what is not in memory now never will be: code, and the lines of a traceback
    call("mlockall", MCL_CURRENT)
    linecache.getlines = lambda *_: []
    before = time_asleep()
    DELAY.write_text(str(SECONDS))
    (POWER / "pm_test").write_text("core")
    (POWER / "state").write_text("mem")
    # the clock that goes on while the machine sleeps counts seconds
    check(time_asleep() - before > SECONDS - 1.5, f"asleep for {time_asleep() - before} s")


def until_end(reader, events):
    """Read on until a connection has ended."""
    wait_for(lambda: events.extend(reader.drain()) or events[-1].kind == kind("end"), "END")


@test
def flows(host):
    """three sleeps in traffic: a flow goes on as the same one, nothing is lost"""
    port = net.new_port()
    with Device() as reader, Traffic(host) as traffic:
        reader.set_filter(port=port)
        client, server = host.connect(port)
        events = reader.drain()
        for _ in range(3):
            sleep()
            count = traffic.count
            client.sendall(b"x")
            same(server.recv(10), b"x", "data")
            wait_for(lambda count=count: traffic.count > count + 10, "traffic")
            events += reader.drain()
        client.close()
        server.close()
        until_end(reader, events)
        account = reader.account()
        same((account.read, account.lost), (len(events), 0), "read, lost")
    same(len({event.flow_id for event in events}), 1, "flows")
    same((events[-1].kind, events[-1].summary.close),
         (kind("end"), CONSTANTS["CLOSE_ORDERLY"]), "the last event")
    times = [event.time_ns for event in events]
    same(times, sorted(times), "times")
    print(f"# {traffic.count} connections beside it; asleep for {time_asleep():.1f} s")


@test
def timers(host):
    """a timer stops while the machine sleeps, and goes on"""
    set_parameter("timeout_syn", TIMEOUT)
    with Device() as reader:
        reader.set_filter(port=host.syns(1)[0])
        sleep()
        events = reader.drain()
        until_end(reader, events)
    waited = (events[-1].time_ns - events[0].time_ns) / 1e9
    in_time(waited, TIMEOUT, f"timeout_syn={TIMEOUT}", 1.5)


@test
def waiting(host):
    """a reader that waits for an event is woken by one, not by the sleep"""
    port, got = net.new_port(), []
    with Device(block=True) as reader:
        reader.set_filter(port=port)
        thread = threading.Thread(target=lambda: got.extend(reader.events()))
        thread.start()
        call_of_it = pathlib.Path(f"/proc/self/task/{thread.native_id}/syscall")
        wait_for(lambda: call_of_it.read_text().split()[1:2] == [hex(reader.fd)], "it reads")
        try:
            sleep()
            same(got, [], "read before there was an event")
        finally:
            host.refused(port)
            thread.join(10)
        check(got, "read nothing")


@contextlib.contextmanager
def staged():
    with Module(log=0):
        yield (Host().__enter__(),)


def switch_off(status):
    """What scripts/vm-guest/init does after its command."""
    while any(fcntl.ioctl(sys.stdout, termios.FIONREAD, bytes(4))):
        time.sleep(0.1)
    time.sleep(0.5)	# until what was read from there is written
    pathlib.Path("/dev/vport0p2").write_text(f"{status}\n")
    call("reboot", RB_POWER_OFF)


if __name__ == "__main__":
    try:
        main(staged())
    except SystemExit as ended:
        switch_off(int(ended.code))
