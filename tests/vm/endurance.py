#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The same a thousand times, and everything at once.

TCPTRACE_CYCLES in the environment says how often; `make test-long` takes 1,000.
"""

import contextlib
import os
import pathlib
import random
import select
import signal
import subprocess
import threading
import time

from lib import device, net
from lib.device import Device, kind, live_flows
from lib.host import Host, Traffic
from lib.kernel import (Module, PARAMETERS, READER, SLOW, STATS, attempt, load,
                        loaded, run, set_parameter, stats, unload)
from lib.mirror import Mirror
from lib.net import Namespace
from lib.system import delete_module
from lib.tap import Skip, check, main, same, test, wait_for
from lib.threads import Threads

CYCLES = int(os.environ.get("TCPTRACE_CYCLES", 20))
ONLINE = pathlib.Path("/sys/devices/system/cpu/cpu1/online")


def take_out():
    """rmmod, as soon as nobody has it open."""
    wait_for(lambda: unload().returncode == 0, "rmmod")


@test
def cycles(host):
    """loaded and unloaded into traffic, each time with a reader that is killed"""
    with Traffic(host) as traffic:
        for _ in range(CYCLES):
            done = load(ring_events=256, log=0)
            same(done.returncode, 0, "insmod", [done.stderr])
            before = traffic.count
            with subprocess.Popen([READER, "-j"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as reader:
                wait_for(lambda: traffic.count > before, "traffic")
                reader.kill()
            take_out()
    print(f"# {CYCLES} cycles, {traffic.count} connections")


def until(done, errors, function):
    """Call it over and over; what goes while it is used is no error."""
    count = 0
    while not done.is_set():
        try:
            function()
            count += 1
            time.sleep(random.random() / 20)
        except (FileNotFoundError, OSError):
            pass
        except Exception as error:
            errors.append(error)
            return
    errors.append(count)


def read_device():
    with Device() as reader:
        reader.drain()


def block_on_device():
    with Device(block=True) as reader:
        reader.set_filter(port=1)
        poll = select.poll()
        poll.register(reader.fd, select.POLLIN)
        poll.poll(5)


def call_device():
    with Device() as reader:
        reader.info()
        reader.snapshot()
        reader.drain()
        reader.account()
        reader.flush()


def read_files():
    pathlib.Path("/proc/net/tcptrace").read_text()
    STATS.read_text()


def write_parameters():
    set_parameter("timeout_syn", random.randint(1, 1000))
    set_parameter("max_flows", random.randint(1, 1000))
    set_parameter("ingress", random.choice(("\n", "lo")))
    (PARAMETERS / "log").read_text()


@test
def races(host):
    """unloaded and loaded against open, read, poll, ioctl, proc files and parameters"""
    done, said = threading.Event(), []
    uses = (read_device, block_on_device, call_device, read_files, write_parameters)
    threads = [threading.Thread(target=until, args=(done, said, use)) for use in uses]
    unloads = 0
    with Traffic(host):
        load(log=0)
        for thread in threads:
            thread.start()
        end = time.monotonic() + (5 + CYCLES / 10) * SLOW
        try:
            while time.monotonic() < end:
                with contextlib.suppress(BlockingIOError):	# it is in use
                    delete_module()
                    unloads += 1
                    load(log=0)
        finally:
            done.set()
            for thread in threads:
                thread.join()
    if loaded():
        take_out()
    errors = [error for error in said if not isinstance(error, int)]
    check(not errors, "a use failed", [repr(error) for error in errors])
    print(f"# {unloads} unloads, beside {sum(said)} uses")
    check(unloads > 3, "hardly ever unloaded")
    check(min(said) > 0, f"one use never succeeded: {said}")


@test
def namespaces(_host):
    """namespaces by the hundred, each gone with flows open, some at the same time"""
    count = max(20, CYCLES * 3 // 10)
    with Module(log=0), Device() as reader:
        reader.set_filter(kinds=device.kinds("end"))
        opened = 0
        for first in range(0, count, 10):
            made = [Namespace.make(f"brief{first + i}") for i in range(10)]
            for name in made:
                opened += leave_open(name)
            for name in made:
                name.remove()
        wait_for(lambda: live_flows() == 0, "no flow of a namespace that is gone", 30)
        ends = reader.drain()
    print(f"# {count} namespaces, {opened} flows open when theirs went")
    same(len(ends), opened, "ENDs")
    same({event.summary.close for event in ends}, {device.CONSTANTS["CLOSE_FLUSHED"]}, "close")


def leave_open(name):
    """Two flows that are open yet when their namespace goes; their number."""
    with name:
        name.run("nft", "add table inet wall; add chain inet wall output "
                 "{ type filter hook output priority 0; }")
        with name.listen("127.0.0.1", 80) as listener:
            pairs = []
            for _ in range(2):
                client = name.socket("127.0.0.1")
                client.connect(("127.0.0.1", 80))
                pairs += [client, listener.accept()[0]]
            # what the sockets would say when they close does not get out
            name.run("nft", "add rule inet wall output drop")
            for sock in pairs:
                net.abort_on_close(sock)
                sock.close()
    return 2


@test
def interfaces(_host):
    """interfaces that vanish under their flows, mirrored ones while frames come in"""
    mirror, rounds = Mirror(), max(5, CYCLES // 10)

    def feed():
        with contextlib.suppress(OSError):	# while it is gone
            mirror.syns(100)

    with Module(log=0, ingress=mirror.name):
        with Threads(feed):
            for _ in range(rounds):
                before = stats()["flows_opened"]
                with mirror, vanishing():
                    wait_for(lambda: stats()["flows_opened"] > before + 100, "flows")
        print(f"# {rounds} times, with {stats()['flows_opened']} flows")
        with Device() as reader:
            reader.flush()
        same(live_flows(), 0, "flows")


@contextlib.contextmanager
def vanishing():
    """An interface of this host, which goes with an attempt under way."""
    run("ip", "link", "add", "gone0", "type", "dummy")
    run("ip", "address", "add", "198.18.0.1/24", "dev", "gone0")
    run("ip", "link", "set", "gone0", "up")
    with net.socket.socket() as sock:
        sock.setblocking(False)
        sock.connect_ex(("198.18.0.9", 80))
        yield
        run("ip", "link", "del", "gone0")


@test
def hotplug(host):
    """a CPU that goes and comes: no count is lost, no connection either"""
    if not ONLINE.exists():
        raise Skip("this CPU cannot be taken out")
    with Module(log=0), Device() as reader:
        before, times = 0, max(5, CYCLES // 20)
        with Traffic(host) as traffic:
            for state in "01" * times:
                ONLINE.write_text(state)
                counted = traffic.count
                wait_for(lambda: traffic.count > counted, "traffic")
                now = stats()["segments"]
                check(now >= before, f"segments went back from {before} to {now}")
                before = now
        reader.drain()
        wait_for(lambda: stats()["flows_opened"] == traffic.count, "one flow a connection",
                 lines=lambda: [f"{stats()['flows_opened']} flows, {traffic.count} connections"])
    print(f"# {times} times, {traffic.count} connections meanwhile")


@test
def killed(host):
    """a reader that is killed at any point: the other's account stays exact"""
    count = max(10, CYCLES // 5)
    with Module(log=0, ring_events=1024), Device() as other, Traffic(host):
        for _ in range(count):
            with subprocess.Popen([READER, "--existing"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as reader:
                time.sleep(random.random() / 10)
                reader.send_signal(random.choice((signal.SIGKILL, signal.SIGTERM,
                                                  signal.SIGINT, signal.SIGSEGV)))
            other.drain()
            account = other.account()
            same(account.read + account.lost, account.next_seq - 1, "read + lost")
        print(f"# {count} killed; the other read {account.read} and lost {account.lost}")


@test
def many_open(host):
    """the device opened a thousand times at once, each reader with its own account"""
    with Module(log=0):
        readers = [Device() for _ in range(1000)]
        host.syns(100)
        for reader in readers:
            same(len(reader.drain()), 100, "events")
        check(unload().returncode, "rmmod with readers")
        for reader in readers:
            os.close(reader.fd)
    print(f"# {len(readers)} readers, 100 events each")


@test
def clock(host):
    """the wall clock stepped back and forth: times only go forward, durations are true"""
    wall = time.time()
    try:
        with Module(log=0), Device() as reader:
            for step in (-86400, 86400, -3600, 7200, 0) * 4:
                time.clock_settime(time.CLOCK_REALTIME, wall + step)
                host.reset(net.new_port())
            events = reader.drain()
            times = [event.time_ns for event in events]
            same(times, sorted(times), "times")
            ends = [event.summary.duration_us for event in events if event.kind == kind("end")]
            same(len(ends), 20, "ENDs")
            check(max(ends) < 10_000_000, f"a duration of {max(ends)} us")
            done = attempt(READER, "-d", "-t", "rfc3339")
            same(done.returncode, 0, "status", [done.stderr])
            print(f"# 20 steps, {len(events)} events")
    finally:
        time.clock_settime(time.CLOCK_REALTIME, wall)


@contextlib.contextmanager
def hooks_held():
    """Each hook in use all the time, as on a gateway.

    Without it the kernel patches its code when our hooks come and go (static keys). An
    emulated CPU that runs that code at the time may see the old instruction, an int3, for
    ever: qemu's fault (-accel tcg,thread=multi), not the kernel's.
    """
    chains = "; ".join(f"chain {hook} {{ type filter hook {hook} priority 0; }}"
                       for hook in ("prerouting", "input", "forward", "output", "postrouting"))
    run("nft", f"table inet held {{ {chains}; }}; "
        "table netdev held { chain ingress { type filter hook ingress device lo priority 0; }; }")
    try:
        yield
    finally:
        run("nft", "delete table inet held; delete table netdev held")


@contextlib.contextmanager
def staged():
    with hooks_held(), Host() as host:
        yield (host,)


if __name__ == "__main__":
    main(staged())
