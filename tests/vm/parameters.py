#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The module's parameters: their ranges, and what they do."""

import contextlib
import re
import time

from lib import net
from lib.device import Device, errno_of, live_flows
from lib.host import Host
from lib.kernel import (Kmsg, MODULE, Module, NOTICES_SECONDS, PARAMETERS, SLOW, attempt, load,
                        loaded, most_notices, parameter, parameter_ranges, set_parameter, stats)
from lib.tap import check, main, same, test, wait_for
from lib.trace import Trace

DEFAULTS = {
    "max_flows": "262144", "max_half_open": "32768", "ring_events": "32768", "log": "1",
    "timeout_syn": "120", "timeout_synack": "60", "timeout_established": "432000",
    "timeout_fin_wait": "120", "timeout_close_wait": "43200", "timeout_last_ack": "60",
    "timeout_time_wait": "60", "ingress": "",
}


def bad_values(low, high):
    if low:
        yield str(low - 1)
    yield str(high + 1)
    yield "-1"
    yield "x"
    yield "5000000000"


def complaint(name, value, low, high):
    return f'tcptrace: parameter {name}: "{value}" is not a number from {low} to {high}'


@test
def visible(_host):
    """all are in sysfs, with the defaults of the design"""
    with Module():
        same({path.name: path.read_text().strip() for path in PARAMETERS.iterdir()}, DEFAULTS,
             "parameters")
    same(set(parameter_ranges()), set(DEFAULTS) - {"ingress"}, "numbers that modinfo tells")


@test
def refused_at_load(_host):
    """a value out of range refuses insmod, and dmesg says which and why"""
    for turn, (name, (low, high)) in enumerate(parameter_ranges().items()):
        value = str(low - 1 if low and turn % 2 else high + 1)
        kmsg = Kmsg()
        done = load(**{name: value})
        check(done.returncode and not loaded(), f"{name}={value} was taken")
        check(complaint(name, value, low, high) in kmsg.lines(), f"{name}={value}", kmsg.lines())
    low, high = parameter_ranges()["ring_events"]
    for value in ("", "-1", "1x", "99999999999999999999"):
        kmsg = Kmsg()
        check(load(ring_events=value).returncode, f"ring_events={value!r} was taken")
        check(complaint("ring_events", value, low, high) in kmsg.lines(), value, kmsg.lines())
    kmsg = Kmsg()
    check(attempt("insmod", MODULE, "ring_events").returncode, "ring_events was taken")
    check(complaint("ring_events", "", low, high) in kmsg.lines(), "no value", kmsg.lines())


@test
def refused_at_run_time(_host):
    """a value out of range is refused by sysfs too, and the old one stays"""
    with Module():
        for name, (low, high) in parameter_ranges().items():
            if name == "ring_events":
                continue
            for value in bad_values(low, high):
                kmsg = Kmsg()
                same(errno_of(set_parameter, name, value), "EINVAL", f"{name}={value}")
                same(parameter(name), DEFAULTS[name], f"{name} after {value}")
                check(complaint(name, value, low, high) in kmsg.lines(), f"{name}={value}",
                      kmsg.lines())
            for value in (low, high):
                set_parameter(name, f"{value}\n")
                same(parameter(name), str(value), name)
            set_parameter(name, DEFAULTS[name])
        check(errno_of(set_parameter, "ring_events", 64), "ring_events was written")


BAD_LISTS = (",", "a,", ",a", "a,,b", "a,b,a", "a234567890123456", "a/b", "a b", "a:b", ".",
             ",".join(f"mon{number}" for number in range(17)))


def list_complaint(value):
    return (f'tcptrace: parameter ingress: "{value[:64]}" is not a list of up to 16 different '
            "interface names of 1 to 15 characters")


@test
def list_refused(_host):
    """interface names that are none refuse insmod, are refused by sysfs, and the old ones stay"""
    for value in BAD_LISTS:
        kmsg = Kmsg()
        check(load(ingress=f'"{value}"').returncode and not loaded(), f"ingress={value} was taken")
        check(list_complaint(value) in kmsg.lines(), f"ingress={value}", kmsg.lines())
    with Module(ingress="none0,none1"):
        for value in BAD_LISTS:
            kmsg = Kmsg()
            same(errno_of(set_parameter, "ingress", value), "EINVAL", f"ingress={value}")
            same(parameter("ingress"), "none0,none1", f"ingress after {value}")
            check(list_complaint(value) in kmsg.lines(), f"ingress={value}", kmsg.lines())


@test
def list_taken(_host):
    """up to 16 interfaces, none of which has to exist, are waited for"""
    whole = ",".join(f"none{number}" for number in range(16))
    kmsg = Kmsg()
    with Module(ingress=whole):
        same(parameter("ingress"), whole, "ingress")
        for number in range(16):
            line = f"tcptrace: ingress: there is no none{number} yet; waiting for it"
            check(line in kmsg.lines(), line, kmsg.lines())
        for value in ("a23456789012345", ""):
            set_parameter("ingress", f"{value}\n")
            same(parameter("ingress"), value, "ingress")


@test
def limits_taken(_host):
    """the lowest values work, and a ring is rounded up"""
    with Module(ring_events=17, **{name: low for name, (low, _) in parameter_ranges().items()
                                   if name != "ring_events"}):
        same(parameter("ring_events"), "32", "ring_events")
        with Device() as reader:
            same(reader.info().ring_events, 32, "ring_events of the device")


@test
def max_flows(host):
    """beyond max_flows the connection that was idle longest is forgotten"""
    with Module(max_flows=4), Trace() as trace:
        ports = [net.new_port() for _ in range(6)]
        sockets = [sock for port in ports for sock in host.connect(port)]
        for port in ports[:2]:
            trace.expect(host, port, """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
evict        -                     ESTABLISHED  ESTABLISHED
end          established/evicted   ESTABLISHED  ESTABLISHED
""")
        for port in ports[2:]:
            same(len(trace.at(host, port)), 3, "events of what stays")
        same((stats()["flows_evicted"], live_flows()), (2, 4), "evicted, and flows")
        for sock in sockets:
            sock.close()


@test
def half_open_first(host):
    """a half-open flow is evicted before an established one that is older"""
    with Module(max_flows=3), Trace() as trace:
        old, new = net.new_port(), net.new_port()
        sockets = host.connect(old)
        first, second = host.syns(2)
        sockets += host.connect(new)
        trace.expect(host, first, """
syn          >S                    SYN_SENT     LISTEN
evict        -                     SYN_SENT     LISTEN
end          no_answer/evicted     SYN_SENT     LISTEN
""")
        same([len(trace.at(host, port)) for port in (old, second, new)], [3, 1, 3], "other events")
        for sock in sockets:
            sock.close()


@test
def max_half_open(host):
    """half-open flows have a budget of their own"""
    with Module(max_half_open=3), Trace() as trace:
        port = net.new_port()
        sockets = host.connect(port)
        ports = host.syns(5)
        for first in ports[:2]:
            trace.expect(host, first, """
syn          >S                    SYN_SENT     LISTEN
evict        -                     SYN_SENT     LISTEN
end          no_answer/evicted     SYN_SENT     LISTEN
""")
        same([len(trace.at(host, other)) for other in (*ports[2:], port)], [1, 1, 1, 3],
             "events of what stays")
        same((stats()["flows_evicted"], live_flows()), (2, 4), "evicted, and flows")
        for sock in sockets:
            sock.close()


@test
def timeouts(host):
    """a timeout that is written holds at once, for old flows too"""
    with Module(), Trace() as trace:
        port = net.new_port()
        sockets = host.connect(port)
        half_open = host.syns(1)[0]
        time.sleep(1.1)
        start = time.monotonic()
        set_parameter("timeout_established", 1)
        set_parameter("timeout_syn", 1)
        end = trace.wait_event(host, port, "end")
        same(trace.wait_event(host, half_open, "timeout")["timer"], "syn", "timer")
        same(end["close"], "idle_timeout", "close")
        took = end["time_ns"] / 1e9 - start
        check(0 <= took <= SLOW, f"took {took} s")
        for sock in sockets:
            sock.close()


def logged(kmsg):
    return [line.removeprefix("tcptrace: ") for line in kmsg.lines()
            if line.startswith("tcptrace: #")]


def ours(kmsg):
    """The module's lines; on a slow machine the kernel may have something to say meanwhile."""
    return [line for line in kmsg.lines() if line.startswith("tcptrace: ")]


@test
def log_levels(host):
    """dmesg gets nothing, connections, or every event: the device's lines"""
    kinds = {0: [], 1: ["established", "end"],
             2: ["syn", "syn_ack", "established", "rst", "end"]}
    with Module(log=0), Device(binary=False) as reader:
        for level in (0, 1, 2, 1, 0):
            set_parameter("log", level)
            kmsg = Kmsg()
            reader.drain_text()
            host.reset(net.new_port())
            if kinds[level]:
                wait_for(lambda: len(logged(kmsg)) >= len(kinds[level]), "lines", 5,
                         lambda: kmsg.lines())
            else:
                time.sleep(0.1)
            lines = [line.partition("] ")[2] for line in reader.drain_text()]
            same(logged(kmsg), [line for line in lines if line.split()[1] in kinds[level]],
                 f"lines at level {level}")


def counted(lines, what):
    """The counts in the lines that end so; they tell of lines that were left out."""
    found = (re.fullmatch(f"tcptrace: (\\d+) {what}", line) for line in lines)
    return [int(count[1]) for count in found if count]


@test
def rate_limit(host):
    """lines beyond the rate limit are counted, and the count is told"""
    with Module(log=2):
        kmsg = Kmsg()
        host.syns(200)
        wait_for(lambda: any("suppressed" in line for line in kmsg.lines()), "count of lines", 10)
        lines = kmsg.lines()
        suppressed = sum(counted(lines, "lines suppressed"))
        check(0 < len(logged(kmsg)) < 200, "nothing was suppressed", lines)
        same(len(logged(kmsg)) + suppressed, 200, "lines printed and suppressed", lines)
        same(stats()["log_suppressed"], suppressed, "counter")


STRANGE = {
    "7\n\n": r"7\n",
    " 7": " 7",
    "7 ": "7 ",
    "7\ntcptrace: unloaded\n": r"7\ntcptrace: unloaded",
    "\x1b[2J\r\a\x7f": r"\e[2J\r\a\177",
    '"\\': '"\\',
    "7" * 1000: "7" * 64,
}


@test
def strange_text(_host):
    """what is refused is told on one line, without a control character"""
    low, high = parameter_ranges()["max_flows"]
    with Module():
        for text, shown in STRANGE.items():
            kmsg = Kmsg()
            same(errno_of(set_parameter, "max_flows", text), "EINVAL", f"max_flows={text!r}")
            same(ours(kmsg), [complaint("max_flows", shown, low, high)], f"max_flows={text!r}")
        kmsg = Kmsg()
        same(errno_of(set_parameter, "ingress", "a\n\tb"), "EINVAL", "ingress")
        same(ours(kmsg), [list_complaint(r"a\n\tb")], "ingress")


@test
def notices(_host):
    """parameters that are written in a loop do not fill dmesg; what is left out is counted"""
    rounds = 300
    with Module():
        kmsg = Kmsg()
        start = time.monotonic()
        for _ in range(rounds):
            errno_of(set_parameter, "max_flows", 0)
            errno_of(set_parameter, "ingress", ",")
            set_parameter("ingress", "none0")	# there is no none0 yet
            set_parameter("ingress", "\n")
        took = time.monotonic() - start
        lines = ours(kmsg)
        printed = len(lines) - len(counted(lines, "callbacks suppressed"))
        check(most_notices(0) <= printed <= most_notices(took),
              f"{printed} lines in {took:.1f} s", lines)
        time.sleep(NOTICES_SECONDS + 1)
        errno_of(set_parameter, "max_flows", 0)
        lines = ours(kmsg)
        counts = counted(lines, "callbacks suppressed")
        same(len(lines) - len(counts) + sum(counts), 3 * rounds + 1, "printed and suppressed",
             lines)


@test
def level_in_a_loop(host):
    """nor does the level; each line of an event is printed, or counted and told"""
    rounds = 300
    with Module(log=2):
        kmsg = Kmsg()
        start = time.monotonic()
        for _ in range(rounds):
            host.syns(1)
            set_parameter("log", 2)	# tells what was left out so far
        took = time.monotonic() - start
        set_parameter("log", 0)	# the ends of all these are none of them
        suppressed = stats()["log_suppressed"]
        told = len(counted(ours(kmsg), "lines suppressed"))
        check(told <= most_notices(took) + 10, f"told {told} times in {took:.1f} s")
        same(len(logged(kmsg)) + suppressed, rounds, "lines printed and suppressed")
    same(sum(counted(ours(kmsg), "lines suppressed")), suppressed, "told at the end")


@contextlib.contextmanager
def staged():
    with Host() as host:
        yield (host,)


if __name__ == "__main__":
    main(staged())
