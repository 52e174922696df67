#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Mirrored interfaces that come, go, and change."""

import json

from lib.device import live_flows
from lib.frames import connection, ends, expect_whole
from lib.kernel import Kmsg, parameter, run, set_parameter, stats
from lib.mirror import Mirror, flows_of, mirrored_stage
from lib.net import Namespace
from lib.tap import check, main, same, test, wait_for


def promiscuity(name):
    link, = json.loads(run("ip", "-d", "-j", "link", "show", "dev", name))
    return link["promiscuity"]


def wait_promiscuity(name, wanted):
    wait_for(lambda: promiscuity(name) == wanted, f"promiscuity {wanted} of {name}")


def says(kmsg, line):
    wait_for(lambda: f"tcptrace: ingress: {line}" in kmsg.lines(), f"the line: {line}", 10,
             kmsg.lines)


def half(trace, mirror):
    """A connection that is established at a mirrored interface; its frames."""
    whole = ends()
    frames = list(connection(whole))
    mirror.send(*frames[:3])
    trace.wait_event(mirror, whole[1][1], "established")
    return whole, frames


def check_flushed(trace, mirror, whole):
    end = trace.wait_event(mirror, whole[1][1], "end")
    same((end["handshake"], end["close"]), ("established", "flushed"), "outcome")


@test
def comes_and_goes(mirror, trace):
    """an interface that comes later is mirrored; when it goes its flows end, and no others"""
    kept, kept_frames = half(trace, mirror)
    for _ in range(2):
        kmsg = Kmsg()
        with Mirror(1) as second:
            says(kmsg, "mirroring mon1")
            wait_promiscuity("mon1", 1)
            whole, _ = half(trace, second)
        says(kmsg, "mon1 is gone; waiting for it")
        check_flushed(trace, second, whole)
    mirror.send(*kept_frames[3:])
    expect_whole(trace, mirror, kept)


@test
def renamed(mirror, trace):
    """a name stands for the interface that has it"""
    kmsg = Kmsg()
    with Mirror(1) as second:
        whole, frames = half(trace, second)
        run("ip", "link", "set", "mon1", "down")
        run("ip", "link", "set", "mon1", "name", "monx")
        says(kmsg, "mon1 is gone; waiting for it")
        check_flushed(trace, second, whole)
        wait_promiscuity("monx", 0)
        run("ip", "link", "set", "monx", "up")
        seen = stats()["segments"]
        second.send(*frames[3:])
        run("ip", "link", "set", "monx", "down")
        run("ip", "link", "set", "monx", "name", "mon1")
        run("ip", "link", "set", "mon1", "up")
        same(stats()["segments"], seen, "segments seen on another name")
        wait_promiscuity("mon1", 1)
        expect_again, _ = half(trace, second)
        run("ip", "link", "set", "mon1", "down")
        run("ip", "link", "set", "mon1", "name", "monx")
        check_flushed(trace, second, expect_again)
    same(promiscuity(mirror.name), 1, "promiscuity of the other")


@test
def another_name(mirror, trace):
    """an interface is mirrored by its name alone: by no other that it has, nor twice"""
    kmsg = Kmsg()
    run("ip", "link", "property", "add", "dev", "mon0", "altname", "tap0")
    set_parameter("ingress", "mon0,tap0")
    says(kmsg, "tap0 is another name of mon0, which is the one to give")
    whole, frames = half(trace, mirror)
    mirror.send(*frames[3:])
    expect_whole(trace, mirror, whole)
    same(len(flows_of(trace.at(mirror, whole[1][1]))), 1, "flows")
    set_parameter("ingress", "mon0,mon1")
    run("ip", "link", "property", "del", "dev", "mon0", "altname", "tap0")


@test
def moved(_mirror, trace):
    """an interface that leaves for another namespace is left alone, until it comes back"""
    with Mirror(1) as second:
        peer = Namespace.make("peer")
        whole, frames = half(trace, second)
        run("ip", "link", "set", "mon1", "netns", "peer")
        check_flushed(trace, second, whole)
        peer.run("ip", "link", "set", "mon1", "up")
        seen = stats()["segments"]
        second.send(*frames[3:])
        same(stats()["segments"], seen, "segments seen in another namespace")
        peer.run("ip", "link", "set", "mon1", "netns", "1")
        run("ip", "link", "set", "mon1", "up")
        wait_promiscuity("mon1", 1)
        half(trace, second)
        peer.remove()
    trace.device.flush()


@test
def written(mirror, trace):
    """the list may be written: what is left out ends its flows, what is new is mirrored"""
    kmsg = Kmsg()
    with Mirror(1) as second:
        first, frames = half(trace, mirror)
        other, _ = half(trace, second)
        set_parameter("ingress", "mon2,mon1\n")
        says(kmsg, "there is no mon2 yet; waiting for it")
        same(sorted(parameter("ingress").split(",")), ["mon1", "mon2"], "parameter")
        check_flushed(trace, mirror, first)
        wait_promiscuity("mon0", 0)
        seen = stats()["segments"]
        mirror.send(*frames[3:])
        same(stats()["segments"], seen, "segments of what is left out")
        same(promiscuity("mon1"), 1, "promiscuity of what stays")
        trace.sync()
        check(not [e for e in trace.at(mirror, other[1][1]) if e["event"] == "end"], "ended")
        set_parameter("ingress", "\n")
        same(parameter("ingress"), "", "parameter")
        check_flushed(trace, second, other)
        same(live_flows(), 0, "flows")
        set_parameter("ingress", "mon0,mon1")
        half(trace, mirror)
    trace.device.flush()


if __name__ == "__main__":
    main(mirrored_stage())
