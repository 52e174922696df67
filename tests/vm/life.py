#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The module comes and goes, whatever goes on meanwhile."""

import contextlib
import os
import pathlib

from lib import device, net
from lib.device import Device, errno_of, live_flows
from lib.host import Host, Traffic
from lib.kernel import (Module, PARAMETERS, READER, STATS, attempt, load, loaded,
                        unload)
from lib.mirror import Mirror
from lib.tap import check, main, same, test, wait_for
from lib.threads import Threads
from lib.trace import Trace

IFF_PROMISC = 0x100


@test
def refused(host):
    """rmmod is refused while a reader is open and traffic runs"""
    with Module(), Traffic(host) as traffic:
        with Device() as reader:
            before = traffic.count
            wait_for(lambda: traffic.count > before + 20, "traffic")
            done = unload()
            check(done.returncode and "in use" in done.stderr, "rmmod", done.stderr.splitlines())
            check(loaded() and reader.drain(), "the reader reads on")
        same(unload().returncode, 0, "rmmod without a reader")
        same(load().returncode, 0, "insmod")


@test
def mirrored(_host):
    """loaded and unloaded into what comes in on a mirrored interface"""
    with Mirror() as mirror:
        with Threads(lambda: mirror.syns(500)):
            for _ in range(5):
                with Module(ingress=mirror.name, log=0):
                    wait_for(lambda: live_flows() > 1000, "flows")
        flags = pathlib.Path(f"/sys/class/net/{mirror.name}/flags").read_text()
        same(int(flags, 16) & IFF_PROMISC, 0, "promiscuous mode afterwards")


@test
def late(host):
    """a module that is loaded into a connection picks it up"""
    port = net.new_port()
    client, server = host.connect(port)
    with Module(), Trace() as trace:
        server.sendall(b"x" * 10)
        client.recv(100)
        net.abort_on_close(server)
        server.close()
        flow = trace.expect(host, port, """
pickup       <PA                   ESTABLISHED  ESTABLISHED
rst          <RA                   CLOSED       CLOSED
end          unseen/reset_by_responder  CLOSED  CLOSED
""")
        check(all(event["initiator_guessed"] for event in flow.events), "initiator_guessed")
        same(flow.end()["bytes_toclient"], 10, "bytes")
    client.close()


@test
def many_flows(host):
    """unloaded with thousands of flows in the table"""
    with Module(log=0):
        for _ in range(4):
            host.syns(500)
        same(live_flows(), 2000, "flows")


@test
def open_proc(host):
    """unloaded while /proc/net/tcptrace is open, half read"""
    with Module(log=0):
        host.syns(200)
        with host.namespace:
            fd = os.open("/proc/thread-self/net/tcptrace", os.O_RDONLY)
        same(len(os.read(fd, 100)) > 0, True, "read before")
        same(unload().returncode, 0, "rmmod")
        check(errno_of(os.read, fd, 100), "read() after the module is gone")
        os.close(fd)
        same(load().returncode, 0, "insmod")


@test
def twice(_host):
    """loaded only once"""
    with Module():
        done = load()
        check(done.returncode and "exists" in done.stderr, "insmod", done.stderr.splitlines())


@test
def gone(_host):
    """nothing is left behind, and the reader says what is missing"""
    for path in (device.PATH, STATS, PARAMETERS, "/proc/net/tcptrace"):
        check(not pathlib.Path(path).exists(), f"{path} is left")
    done = attempt(READER)
    same(done.returncode, 1, "status")
    check("the module is not loaded" in done.stderr, "message", done.stderr.splitlines())


@contextlib.contextmanager
def staged():
    with Host() as host:
        yield (host,)


if __name__ == "__main__":
    main(staged())
