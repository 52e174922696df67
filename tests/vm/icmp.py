#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""ICMP and ICMPv6 errors as routers and hosts send them, with connect() as the judge."""

import contextlib
import itertools
import os
import re
import socket
import time

from lib import net
from lib.device import Device
from lib.icmp import (UNREACHABLE, at_router, connect_error, hurry_neighbours, reject, slow_stage,
                      unreachable)
from lib.kernel import Kmsg, stats
from lib.net import CLIENT, CLIENT6, SERVER, SERVER6
from lib.packet import packet
from lib.tap import check, main, same, test, wait_for
from lib.trace import line_of, lines_of, told

OPENED = """
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
established  >A                    ESTABLISHED  ESTABLISHED
"""

CLOSED_BY_CLIENT = """\
fin          >FA                   FIN_WAIT_1   ESTABLISHED
fin_acked    <A                    FIN_WAIT_2   CLOSE_WAIT
fin          <FA                   FIN_WAIT_2   LAST_ACK
fin_acked    >A                    TIME_WAIT    CLOSED
end          established/orderly   TIME_WAIT    CLOSED
"""

# nft's word, type and code, the error of connect()
REJECTS = (
    ("net-unreachable", "3/0", "ENETUNREACH"),
    ("host-unreachable", "3/1", "EHOSTUNREACH"),
    ("prot-unreachable", "3/2", "ENOPROTOOPT"),
    ("port-unreachable", "3/3", "ECONNREFUSED"),
    ("net-prohibited", "3/9", "ENETUNREACH"),
    ("host-prohibited", "3/10", "EHOSTUNREACH"),
    ("admin-prohibited", "3/13", "EHOSTUNREACH"),
)

REJECTS6 = (
    ("no-route", "1/0", "ENETUNREACH"),
    ("admin-prohibited", "1/1", "EACCES"),
    ("addr-unreachable", "1/3", "EHOSTUNREACH"),
    ("port-unreachable", "1/4", "ECONNREFUSED"),
    ("policy-fail", "1/5", "EACCES"),
    ("reject-route", "1/6", "EACCES"),
)


@test
def rejected_by_router(lab, trace):
    """a forwarding host rejects, with every code: client and router tell the same"""
    for address, rejects in ((SERVER, REJECTS), (SERVER6, REJECTS6)):
        ports = [net.new_port() for _ in rejects]
        before = stats()
        with lab.router.rules("forward", ";".join(
                reject(word, address, port)
                for (word, _, _), port in zip(rejects, ports, strict=True))):
            for (word, icmp, error), port in zip(rejects, ports, strict=True):
                same(connect_error(lab.client, address, port), error, f"connect(), {word}")
                origin = at_router(address)
                unreachable(trace, lab.client, port, icmp, origin, ("in", "to-router"))
                unreachable(trace, lab.router, port, icmp, origin, ("out", "to-client"))
                same(trace.at(lab.server, port), [], "events at the server")
        after = stats()
        same(after["icmp_errors"] - before["icmp_errors"], 2 * len(rejects), "ICMP errors")
        same(after["icmp_no_flow"] - before["icmp_no_flow"], 0, "of no flow")


@test
def rejected_by_server(lab, trace):
    """the server's host rejects ahead of its listener: all three hosts tell the same"""
    for address, word, icmp, error in ((SERVER, "port-unreachable", "3/3", "ECONNREFUSED"),
                                       (SERVER6, "admin-prohibited", "1/1", "EACCES")):
        port = net.new_port()
        with lab.server.rules("input", reject(word, address, port)), \
                lab.server.listen(address, port):
            same(connect_error(lab.client, address, port), error, "connect()")
        for host, place in ((lab.client, ("in", "to-router")),
                            (lab.router, ("forward", "to-server")),
                            (lab.server, ("out", "to-router"))):
            unreachable(trace, host, port, icmp, address, place)


@test
def rejected_by_client(lab, trace):
    """the client's own host rejects what never leaves: it tells, nobody else does"""
    for address, word, icmp, error in ((SERVER, "host-prohibited", "3/10", "EHOSTUNREACH"),
                                       (SERVER6, "port-unreachable", "1/4", "ECONNREFUSED")):
        port = net.new_port()
        with lab.client.rules("output", reject(word, address, port)):
            same(connect_error(lab.client, address, port), error, "connect()")
        trace.wait_event(lab.client, port, "end")
        trace.sync()
        events = trace.at(lab.client, port)
        same([line_of(event) for event in events[:3]], lines_of(UNREACHABLE.format(icmp)),
             "at the client", told(events))
        # the socket was in use: it heard of the error of a second SYN only
        same({line_of(event) for event in events[3:]} - {f"icmp_error >{icmp} CLOSED CLOSED"},
             set(), "what follows", told(events))
        syn, answer, _ = events[:3]
        check(syn["mss"] and "wscale" in syn and "sack_ok" in syn, "options", [str(syn)])
        same((syn["tcp_seq"], answer["icmp_from"]),
             (answer["tcp_seq"], CLIENT6 if ":" in address else CLIENT), "the error")
        for host in (lab.router, lab.server):
            same(trace.at(host, port), [], f"events at {host.name}")


@test
def rejected_by_client_again(lab, trace):
    """an attempt on the tuple of one that its own host rejected: each has its end"""
    here, there = (CLIENT, 1234), (SERVER, net.new_port())
    with lab.client.rules("output", reject("admin-prohibited", SERVER, there[1])):
        for number in (1000, 1000, 90000):
            with contextlib.suppress(PermissionError):	# of the chain, to a raw socket
                lab.client.send_raw(packet(here, there, "S", number), SERVER)
    trace.wait_event(lab.client, there[1], "end", 2)
    first = lines_of(UNREACHABLE.format("3/13"))
    same([line_of(event) for event in trace.at(lab.client, there[1])],
         [*first, "icmp_error >3/13 CLOSED CLOSED", "reuse >S CLOSED LISTEN", *first], "events")


@test
def as_text(lab, trace):
    """cat /dev/tcptrace has the words too"""
    port = net.new_port()
    lab.client.firewall("no_reset", port)
    with lab.router.rules("forward", reject("admin-prohibited", SERVER, port)), \
            Device(binary=False) as device:
        device.seek(os.SEEK_END)
        lab.client.send_raw(packet((CLIENT, 1234), (SERVER, port), "S", 77), SERVER)
        trace.wait_event(lab.client, port, "end")
        found = [line for line in device.drain_text() if " icmp_error " in line]
    check(found, "no line")
    for line in found:
        check(re.search(f"10.0.1.1:1234 > 10.0.2.1:{port} seq=77 CLOSED/CLOSED icmp=3/13 "
                        "administratively_prohibited from=10.0.1.2$", line), "line", found)


@test
def as_log(lab, _trace):
    """dmesg tells what ended an attempt, unless its rate limit leaves that out"""
    port = net.new_port()
    kmsg = Kmsg()
    sources = itertools.count(2000)

    def logged():
        lab.client.send_raw(packet((CLIENT, next(sources)), (SERVER, port), "S", 77), SERVER)
        time.sleep(0.5)
        return [line for line in kmsg.lines() if f":{port} " in line and " icmp_error " in line and
                line.endswith("administratively_prohibited from=10.0.1.2")]

    lab.client.firewall("no_reset", port)
    with lab.router.rules("forward", reject("admin-prohibited", SERVER, port)):
        wait_for(logged, "the error in dmesg", lines=kmsg.lines)


@test
def loopback(lab, trace):
    """on loopback an error is seen once"""
    port = net.new_port()
    before = stats()["icmp_errors"]
    with lab.client.rules("input", reject("port-unreachable", "127.0.0.1", port)):
        lab.client.send_raw(packet(("127.0.0.1", 1234), ("127.0.0.1", port), "S", 77), "127.0.0.1")
        unreachable(trace, lab.client, port, "3/3", "127.0.0.1", ("out", "lo"))
    same(stats()["icmp_errors"] - before, 1, "ICMP errors")


def told_by_router(lab, trace, address, port, icmp):
    """Client and router tell of an attempt that did not get any farther."""
    for host, place in ((lab.client, ("in", "to-router")), (lab.router, ("out", "to-client"))):
        flow = unreachable(trace, host, port, icmp, at_router(address), place)
        options = {key: flow.one("syn").get(key) for key in ("mss", "wscale", "sack_ok")}
        check(None not in options.values(), "options", [str(options)])
        end = flow.end()
        same((end["pkts_toserver"], end["pkts_toclient"]), (1, 0), "packets")


@test
def no_route(lab, trace):
    """a router without a route: client and router tell the same"""
    lab.router.run("ip", "-batch", "-", input="""\
route add unreachable 10.1.0.0/16
route add prohibit 10.2.0.0/16
route add prohibit fd0e::/16
""")
    for address, icmp, error in (("10.9.0.1", "3/0", "ENETUNREACH"),
                                 ("10.1.0.1", "3/1", "EHOSTUNREACH"),
                                 ("10.2.0.1", "3/13", "EHOSTUNREACH"),
                                 ("fd0f::1", "1/0", "ENETUNREACH"),
                                 ("fd0e::1", "1/1", "EACCES")):
        port = net.new_port()
        same(connect_error(lab.client, address, port), error, f"connect() to {address}")
        told_by_router(lab, trace, address, port, icmp)


@test
def no_neighbour(lab, trace):
    """a host that is not there: the router gives up some time after the SYN"""
    hurry_neighbours(lab)
    for address, icmp in (("10.0.2.77", "3/1"), ("fd02::77", "1/3")):
        port = net.new_port()
        same(connect_error(lab.client, address, port), "EHOSTUNREACH", "connect()")
        told_by_router(lab, trace, address, port, icmp)
        for host in (lab.client, lab.router):
            flow = trace.expect(host, port, UNREACHABLE.format(icmp))
            waited = flow.seconds(flow.one("syn"), flow.one("icmp_error"))
            check(waited > 0.05, f"it came after {waited} s")


@test
def time_exceeded(lab, trace):
    """a hop limit of one"""
    for address, icmp, option in ((SERVER, "11/0", (socket.IPPROTO_IP, socket.IP_TTL, 1)),
                                  (SERVER6, "3/0",
                                   (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1))):
        port = net.new_port()
        same(connect_error(lab.client, address, port, option), "EHOSTUNREACH", "connect()")
        told_by_router(lab, trace, address, port, icmp)


@test
def again_after_the_end(lab, trace):
    """a client that goes on: its attempt has one end, whatever else is told"""
    port = net.new_port()
    with lab.router.rules("forward", reject("host-unreachable", SERVER, port)):
        syn = packet((CLIENT, 1234), (SERVER, port), "S", 77)
        for count in (1, 2, 3):
            lab.client.send_raw(syn, SERVER)
            for host in (lab.client, lab.router):
                trace.wait_event(host, port, "icmp_error", count)
    trace.sync()
    for host in (lab.client, lab.router):
        events = trace.at(host, port)
        same([line_of(event) for event in events[:3]],
             lines_of(UNREACHABLE.format("3/1")),
             f"beginning at {host.name}", told(events))
        same([line_of(event) for event in events if event["event"] == "icmp_error"][1:],
             ["icmp_error >3/1 CLOSED CLOSED"] * 2, f"errors at {host.name}", told(events))
        same(len([event for event in events if event["event"] == "end"]), 1, "ends", told(events))


# The server's host gives up for these, and not for those.
GIVES_UP = ((SERVER, "net-unreachable", "3/0"), (SERVER, "host-unreachable", "3/1"),
            (SERVER6, "admin-prohibited", "1/1"), (SERVER6, "port-unreachable", "1/4"),
            (SERVER6, "reject-route", "1/6"))
WAITS = ((SERVER, "port-unreachable", "3/3"), (SERVER, "admin-prohibited", "3/13"),
         (SERVER6, "no-route", "1/0"), (SERVER6, "addr-unreachable", "1/3"))


def half_open(lab):
    """The ports at which the server's host waits for the ACK of its SYN+ACK."""
    lines = lab.server.run("ss", "-Htn", "state", "syn-recv").splitlines()
    return {int(line.split()[2].rpartition(":")[2]) for line in lines}


@contextlib.contextmanager
def syn_acks_rejected(lab, errors):
    """A SYN for each of these errors to its answer; the ports."""
    with contextlib.ExitStack() as stack:
        ports = []
        for address, _, _ in errors:
            ports.append(net.new_port())
            stack.enter_context(lab.server.listen(address, ports[-1]))
            lab.client.firewall("no_reset", ports[-1])
        stack.enter_context(lab.router.rules("forward", ";".join(
            reject(word, address, port, "sport")
            for (address, word, _), port in zip(errors, ports, strict=True))))
        for (address, _, _), port in zip(errors, ports, strict=True):
            here = CLIENT6 if ":" in address else CLIENT
            lab.client.send_raw(packet((here, 1234), (address, port), "S", 77), address)
        yield ports


def syn_ack_rejected(lab, trace, errors, states):
    """Router and server tell of each error, with these states; what the server waits for."""
    with syn_acks_rejected(lab, errors) as ports:
        for (_, word, icmp), port in zip(errors, ports, strict=True):
            for host in (lab.router, lab.server):
                error = trace.wait_event(host, port, "icmp_error")
                same(line_of(error), f"icmp_error <{icmp} {states}", f"{word} at {host.name}")
            same([line_of(event) for event in trace.at(lab.client, port)[:1]],
                 ["syn >S SYN_SENT LISTEN"], "at the client")
        return ports, half_open(lab)


@test
def syn_ack_ends(lab, trace):
    """the SYN+ACK is rejected, and the server's kernel gives up: unreachable"""
    ports, waits = syn_ack_rejected(lab, trace, GIVES_UP, "CLOSED CLOSED")
    for port, host in itertools.product(ports, (lab.router, lab.server)):
        same(trace.wait_event(host, port, "end")["handshake"], "unreachable", "outcome")
    check(not waits.intersection(ports), "the server's kernel did not give up", [str(waits)])


@test
def syn_ack_goes_on(lab, trace):
    """the SYN+ACK is rejected, and the server's kernel takes no notice: nor do we"""
    ports, waits = syn_ack_rejected(lab, trace, WAITS, "SYN_SENT SYN_RECEIVED")
    check(waits.issuperset(ports), "the server's kernel gave up", [f"{ports} {waits}"])
    for port in ports:
        same([event for event in trace.at(lab.server, port) if event["event"] == "end"], [], "ends")


@test
def syn_ack_rejected_by_server(lab, trace):
    """the server's own host rejects its SYN+ACK, which never leaves"""
    here, there = (CLIENT, 1234), (SERVER, net.new_port())
    with lab.server.rules("output", reject("host-unreachable", SERVER, there[1], "sport")), \
            lab.server.listen(*there):
        lab.client.send_raw(packet(here, there, "S", 77), SERVER)
        trace.wait_event(lab.server, there[1], "end")
        same([line_of(event) for event in trace.at(lab.server, there[1])], lines_of("""
syn          >S                    SYN_SENT     LISTEN
syn_ack      <SA                   SYN_SENT     SYN_RECEIVED
icmp_error   <3/1                  CLOSED       CLOSED
end          unreachable/none      CLOSED       CLOSED
"""), "at the server's host")
        check(there[1] not in half_open(lab), "the server's kernel did not give up")
    for host in (lab.client, lab.router):
        same([line_of(event) for event in trace.at(host, there[1])],
             ["syn >S SYN_SENT LISTEN"], f"at {host.name}")


def close(lab, trace, client, server):
    """An orderly end at all hosts, begun by the client."""
    port = client.getpeername()[1]
    client.shutdown(socket.SHUT_WR)
    for host in lab.hosts:
        trace.wait_event(host, port, "fin_acked")
    server.close()
    for host in lab.hosts:
        trace.wait_event(host, port, "end")
    client.close()


def without_errors(events):
    return [line_of(event) for event in events if event["event"] != "icmp_error"]


@test
def established(lab, trace):
    """errors inside an established connection are told and change nothing"""
    for address, word, icmp in ((SERVER, "host-prohibited", "3/10"),
                                (SERVER6, "addr-unreachable", "1/3")):
        port = net.new_port()
        client, server = lab.connect(port, address)
        with lab.router.rules("forward", reject(word, address, port)):
            client.sendall(b"x" * 100)
            for host in (lab.client, lab.router):
                error = trace.wait_event(host, port, "icmp_error")
                same(line_of(error), f"icmp_error >{icmp} ESTABLISHED ESTABLISHED", "event")
                same(error["tcp_seq"],
                     trace.wait_event(host, port, "established")["tcp_seq"], "segment")
        same(len(server.recv(1000)), 100, "bytes")
        same(client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0, "SO_ERROR")
        close(lab, trace, client, server)
        for host in lab.hosts:
            events = trace.at(host, port)
            same(without_errors(events), lines_of(OPENED + CLOSED_BY_CLIENT), f"at {host.name}",
                 told(events))


@test
def packet_too_big(lab, trace):
    """path MTU discovery: told by all that see it, the connection goes on"""
    lab.router.run("ip", "link", "set", "to-server", "mtu", 1300)
    try:
        for address, icmp in ((SERVER, "3/4"), (SERVER6, "2/0")):
            port = net.new_port()
            client, server = lab.connect(port, address)
            client.sendall(b"x" * 50000)
            received = 0
            while received < 50000:
                received += len(server.recv(50000))
            close(lab, trace, client, server)
            for host in (lab.client, lab.router):
                events = trace.at(host, port)
                errors = [event for event in events if event["event"] == "icmp_error"]
                check(errors, f"no errors at {host.name}", told(events))
                same({line_of(event) for event in errors},
                     {f"icmp_error >{icmp} ESTABLISHED ESTABLISHED"}, f"errors at {host.name}")
                same({event["icmp_from"] for event in errors}, {at_router(address)}, "origin")
                same(without_errors(events), lines_of(OPENED + CLOSED_BY_CLIENT), "the rest")
    finally:
        lab.router.run("ip", "link", "set", "to-server", "mtu", 1500)


if __name__ == "__main__":
    main(slow_stage())
