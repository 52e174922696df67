#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""ICMP and ICMPv6 errors: real ones with connect() as the judge, forged ones, under NAT."""

import contextlib
import errno
import itertools
import os
import re
import socket
import time

from lib import net
from lib.device import Device
from lib.kernel import Kmsg, stats
from lib.net import CLIENT, CLIENT6, SERVER, SERVER6
from lib.packet import fragments, icmp_error, packet, with_headers, with_options
from lib.tap import Skip, check, main, needs_speed, same, test, wait_for
from lib.trace import check_tuple, line_of, lines_of, stage, told

ROUTER, ROUTER6 = "10.0.1.2", "fd01::2"
FORGER, FORGER6 = "10.0.2.99", "fd02::99"

UNREACHABLE = """
syn          >S                    SYN_SENT     LISTEN
icmp_error   >{0}                  CLOSED       CLOSED
end          unreachable/none      CLOSED       CLOSED
"""

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


def error_of_connect(sock, address):
    """The name of the error that it ends with.

    It waits in the kernel. Python's own way to wait for so long and no longer, poll(), may
    be woken by the copy of the error that goes to the socket's error queue first, and then
    find no error (tcp_v4_err() from 6.1 on).
    """
    sock.settimeout(None)
    return errno.errorcode.get(sock.connect_ex(address))


def connect_error(host, address, port, *options):
    with host.socket(address) as sock:
        for option in options:
            sock.setsockopt(*option)
        return error_of_connect(sock, (address, port))


def unreachable(trace, host, port, icmp, origin, place):
    """An attempt ended by this error; its Flow.  place: hook and interface."""
    flow = trace.expect(host, port, UNREACHABLE.format(icmp))
    error = flow.one("icmp_error")
    same((error["icmp_from"], error["hook"], error["iface"]), (origin, *place),
         f"origin and place at {host.name}")
    same((error["tcp_seq"], error["flags"]), (flow.one("syn")["tcp_seq"], ""), "segment")
    return flow


def reject(word, address, port, match="dport"):
    kind = "icmpv6" if ":" in address else "icmp"
    return f"tcp {match} {port} reject with {kind} type {word}"


def at_router(address):
    return ROUTER6 if ":" in address else ROUTER


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


def hurry_neighbours(lab):
    """Give up to look for a neighbour after a moment."""
    for version in (4, 6):
        for name, value in (("mcast_solicit", 1), ("retrans_time_ms", 200)):
            lab.router.sysctl(f"net/ipv{version}/neigh/to-server/{name}", value)


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


#
# Forged
#

def opened(lab, trace, address=SERVER):
    """An attempt that nobody answers; both ends, and the SYN, whose number is 1000."""
    here, there = (CLIENT6 if ":" in address else CLIENT, 1234), (address, net.new_port())
    lab.router.firewall("swallow", there[1])
    syn = packet(here, there, "S", 1000)
    lab.client.send_raw(syn, address)
    for host in (lab.client, lab.router):
        trace.wait_event(host, there[1], "syn")
    return here, there, syn


def forge(lab, quote, number=None, code=1, address=SERVER, **more):
    """An error that claims to come from some host, sent by the server's."""
    six = ":" in address
    number = number if number is not None else 1 if six else 3
    source, dest = (FORGER6, CLIENT6) if six else (FORGER, CLIENT)
    error = icmp_error(source, dest, number, code, quote, **more)
    lab.server.send_raw(error, dest)


def told_at(trace, host, port):
    """What follows the SYN."""
    trace.sync()
    return [line_of(event) for event in trace.at(host, port)][1:]


def settle(lab, trace):
    """All that was sent to the client before is there: an attempt, and its end by an error."""
    here, there, syn = opened(lab, trace)
    forge(lab, syn)
    for host in (lab.client, lab.router):
        trace.wait_event(host, there[1], "end")


INVALID = "invalid >/bad_quote SYN_SENT LISTEN"
ENDED = ["icmp_error >{0} CLOSED CLOSED", "end unreachable/none CLOSED CLOSED"]


def ended(icmp):
    return [line.format(icmp) for line in ENDED]


@test
def wrong_number(lab, trace):
    """a quote whose number is not that of the SYN: invalid, and nothing changes"""
    here, there, syn = opened(lab, trace)
    for off in (1, -1, 100000, 2**31):
        forge(lab, packet(here, there, "S", 1000 + off))
    for host in (lab.client, lab.router):
        trace.wait_event(host, there[1], "invalid", 4)
        same(told_at(trace, host, there[1]), [INVALID] * 4, f"at {host.name}")
        error = trace.at(host, there[1])[1]
        same((error["icmp_from"], error["icmp_type"], error["icmp_code"], error["tcp_seq"]),
             (FORGER, 3, 1, 1001), "the error")
    forge(lab, syn)
    for host in (lab.client, lab.router):
        trace.wait_event(host, there[1], "end")
        same(told_at(trace, host, there[1])[4:], ended("3/1"), f"at {host.name}")


@test
def other_flow(lab, trace):
    """a quote of another connection's tuple, and one turned around"""
    here, there, syn = opened(lab, trace)
    other, elsewhere, _ = opened(lab, trace, SERVER)
    forge(lab, packet(other, elsewhere, "S", 5000))
    forge(lab, packet(there, here, "S", 1000))
    forge(lab, packet(here, (SERVER, net.new_port()), "S", 1000))
    settle(lab, trace)
    same(told_at(trace, lab.client, elsewhere[1]), [INVALID], "the other")
    same(told_at(trace, lab.client, there[1]), [INVALID.replace(">", "<")], "the first")
    forge(lab, syn)
    trace.wait_event(lab.client, there[1], "end")


@test
def truncated_quotes(lab, trace):
    """quotes of every length: 8 bytes of TCP are needed, and enough"""
    for address, needed in ((SERVER, 28), (SERVER6, 48)):
        _, there, syn = opened(lab, trace, address)
        before = stats()["icmp_errors"]
        for length in range(needed):
            forge(lab, syn[:length], address=address)
        settle(lab, trace)
        same(told_at(trace, lab.client, there[1]), [], "told of short quotes")
        same(stats()["icmp_errors"] - before, 3, "those that settle() made")
        forge(lab, syn[:needed], address=address)
        trace.wait_event(lab.client, there[1], "end")
        same(told_at(trace, lab.client, there[1]),
             ended("1/1" if address == SERVER6 else "3/1"), "told")


@test
def headers_in_the_quote(lab, trace):
    """quotes with IP options and extension headers, and a chain that ends nowhere"""
    for options in (bytes([7, 15, 4]) + bytes(12) + b"\x01", b"\x01" * 40):
        _, there, syn = opened(lab, trace)
        quote = with_options(syn, options)
        forge(lab, quote[:20 + len(options) + 7])
        forge(lab, quote[:20 + len(options) + 8])
        trace.wait_event(lab.client, there[1], "end")
        same(told_at(trace, lab.client, there[1]), ended("3/1"), "told")
    padding = bytes([0, 1, 4, 0, 0, 0, 0])
    for headers in (((0, padding),), ((0, padding), (60, padding), (44, bytes(7)))):
        _, there, syn = opened(lab, trace, SERVER6)
        quote = with_headers(syn, *headers)
        forge(lab, with_headers(syn, (60, bytes([255, 1, 4, 0, 0, 0, 0]))), address=SERVER6)
        forge(lab, quote[:40 + 8 * len(headers) + 7], address=SERVER6)
        forge(lab, quote[:40 + 8 * len(headers) + 8], address=SERVER6)
        trace.wait_event(lab.client, there[1], "end")
        same(told_at(trace, lab.client, there[1]), ended("1/1"), "told")


@test
def bad_checksum(lab, trace):
    """an error with a wrong checksum: counted, told if its flow is known, changes nothing"""
    for address, icmp in ((SERVER, "3/1"), (SERVER6, "1/1")):
        here, there, syn = opened(lab, trace, address)
        before = stats()
        forge(lab, syn, address=address, good_checksum=False)
        forge(lab, packet((here[0], 4321), there, "S"), address=address, good_checksum=False)
        wait_for(lambda: stats()["icmp_bad_sum"] >= before["icmp_bad_sum"] + 6, "six errors")
        for host in (lab.client, lab.router):
            same(told_at(trace, host, there[1]),
                 ["invalid >/bad_icmp_checksum SYN_SENT LISTEN"], f"at {host.name}")
        after = stats()
        same((after["icmp_bad_sum"] - before["icmp_bad_sum"],
              after["icmp_no_flow"] - before["icmp_no_flow"]), (6, 4), "counted")
        forge(lab, syn, address=address)
        trace.wait_event(lab.client, there[1], "end")
        same(told_at(trace, lab.client, there[1])[1:], ended(icmp), "told")


@test
def quoted_fragments(lab, trace):
    """a quote of a later fragment is of no segment, one of the first is"""
    _, there, syn = opened(lab, trace)
    first, *_ = fragments(syn, 16, 7)
    forge(lab, first[:6] + bytes([0x20, 2]) + first[8:])
    settle(lab, trace)
    same(told_at(trace, lab.client, there[1]), [], "told of a later one")
    forge(lab, first)
    trace.wait_event(lab.client, there[1], "end")


@test
def fragmented_errors(lab, trace):
    """an error in fragments: the first has the quote, or the host joins them"""
    for address, icmp in ((SERVER, "3/1"), (SERVER6, "1/1")):
        here, there, _ = opened(lab, trace, address)
        source, dest = (FORGER6, CLIENT6) if address == SERVER6 else (FORGER, CLIENT)
        syn = packet(here, there, "S", 1000, payload=b"x" * 100)
        error = icmp_error(source, dest, 1 if address == SERVER6 else 3, 1, syn)
        for part in fragments(error, 64, 99):
            lab.server.send_raw(part, dest)
        for host in (lab.client, lab.router):
            trace.wait_event(host, there[1], "end")
            same(told_at(trace, host, there[1]), ended(icmp), f"at {host.name}")


@test
def other_messages(lab, trace):
    """what is no error, or not one that matters: no event"""
    _, there, syn = opened(lab, trace)
    before = stats()["icmp_errors"]
    for number in (0, 4, 5, 8, 9, 13, 30, 255):
        forge(lab, syn, number, 0)
    udp = syn[:9] + bytes([17]) + syn[10:]
    forge(lab, udp)
    settle(lab, trace)
    _, six, syn = opened(lab, trace, SERVER6)
    for number in (0, 100, 127, 128, 129, 137, 255):
        forge(lab, syn, number, 0, SERVER6)
    settle(lab, trace)
    same(told_at(trace, lab.client, there[1]), [], "told")
    same(told_at(trace, lab.client, six[1]), [], "told of IPv6")
    same(stats()["icmp_errors"] - before, 6, "those that settle() made")


@test
def soft(lab, trace):
    """errors for which nobody gives up to connect"""
    _, there, syn = opened(lab, trace)
    for number, code in ((3, 4), (3, 16), (11, 1)):
        forge(lab, syn, number, code)
    _, six, syn6 = opened(lab, trace, SERVER6)
    forge(lab, syn6, 2, 0, SERVER6)
    for host in (lab.client, lab.router):
        trace.wait_event(host, there[1], "icmp_error", 3)
        same(told_at(trace, host, there[1]),
             [f"icmp_error >{icmp} SYN_SENT LISTEN" for icmp in ("3/4", "3/16", "11/1")], "told")
        trace.wait_event(host, six[1], "icmp_error")
        same(told_at(trace, host, six[1]), ["icmp_error >2/0 SYN_SENT LISTEN"], "told of IPv6")
    forge(lab, syn, 12, 0)
    forge(lab, syn6, 4, 0, SERVER6)
    for port in (there[1], six[1]):
        same(trace.wait_event(lab.client, port, "end")["handshake"], "unreachable", "outcome")


@test
def about_a_fin(lab, trace):
    """forged into an established connection and its end: told, and nothing changes"""
    port = net.new_port()
    client, server = lab.connect(port)
    here, there = client.getsockname(), (SERVER, port)
    number = trace.wait_event(lab.client, port, "established")["tcp_seq"]
    for off in (-1, 0, 1, 2**31):
        forge(lab, packet(here, there, "A", number + off), code=0)
    wanted = ["invalid >/bad_quote", "icmp_error >3/0"] + ["invalid >/bad_quote"] * 2
    for host in (lab.client, lab.router):
        trace.wait_event(host, port, "invalid", 3)
        same(told_at(trace, host, port)[2:],
             [f"{line} ESTABLISHED ESTABLISHED" for line in wanted], f"at {host.name}")
    client.shutdown(socket.SHUT_WR)
    for host in lab.hosts:
        trace.wait_event(host, port, "fin_acked")
    forge(lab, packet(here, there, "FA", number), code=3)
    forge(lab, packet(here, there, "A", number + 1), code=3)
    for host in (lab.client, lab.router):
        trace.wait_event(host, port, "icmp_error", 2)
        same(told_at(trace, host, port)[-2:],
             [f"{line} FIN_WAIT_2 CLOSE_WAIT" for line in ("invalid >/bad_quote",
                                                          "icmp_error >3/3")], f"at {host.name}")
    server.sendall(b"x")
    same(len(client.recv(100)), 1, "bytes")
    server.close()
    for host in lab.hosts:
        same(trace.wait_event(host, port, "end")["close"], "orderly", f"close at {host.name}")
    client.close()


@test
def flood(lab, trace):
    """a flood of errors that change nothing: the rest is counted, an end is told all the same"""
    needs_speed()
    here, there, syn = opened(lab, trace)
    count = 4000
    before, start = stats(), time.monotonic()
    error = icmp_error(FORGER, CLIENT, 3, 1, packet(here, there, "S", 5))
    with lab.server.socket(CLIENT, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        for _ in range(count):
            sock.sendto(error, (CLIENT, 0))
    seconds = time.monotonic() - start
    forge(lab, syn)
    for host in (lab.client, lab.router):
        trace.wait_event(host, there[1], "end", seconds=60)
    trace.sync()
    after = stats()
    suppressed = after["icmp_suppressed"] - before["icmp_suppressed"]
    reported = sum(event["event"] == "invalid" for host in lab.hosts
                   for event in trace.at(host, there[1]))
    same(suppressed + reported, 2 * count, "errors")
    check(0 < reported <= 1000 * (seconds + 2), f"{reported} reported in {seconds:.1f} s")
    if not suppressed:
        raise Skip("this machine is too busy for a flood")


#
# NAT
#

def check_nat(lab, trace, address, port, icmp, error, tuples):
    """An attempt that ends unreachable; tuples: what each host sees, None for nothing.

    port: the client's own
    """
    with lab.client.socket(address[0]) as client:
        client.bind((CLIENT, port))
        same(error_of_connect(client, address), error, "connect()")
    for host, ends in zip(lab.hosts, tuples, strict=True):
        if not ends:
            same(trace.at(host, port), [], f"events at {host.name}")
            continue
        check_tuple(trace.expect(host, port, UNREACHABLE.format(icmp)), *ends)


@test
def masquerade(lab, trace):
    """the router masquerades: each host ties the error to the tuple that it sees"""
    to, port = (SERVER, net.new_port()), net.new_port()
    here, outside = (CLIENT, port), ("10.0.2.2", port)
    with lab.router.nat("postrouting", "oifname to-server masquerade"):
        with lab.server.rules("input", reject("port-unreachable", SERVER, to[1])):
            check_nat(lab, trace, to, port, "3/3", "ECONNREFUSED",
                      [(here, to), (here, to), (outside, to)])
        # rejected before the source is changed
        port = net.new_port()
        with lab.router.rules("forward", reject("net-prohibited", SERVER, to[1])):
            check_nat(lab, trace, to, port, "3/9", "ENETUNREACH",
                      [((CLIENT, port), to)] * 2 + [None])
        # and after: the error about the changed segment goes to the router itself
        port, nowhere = net.new_port(), ("10.0.2.78", to[1])
        hurry_neighbours(lab)
        check_nat(lab, trace, nowhere, port, "3/1", "EHOSTUNREACH",
                  [((CLIENT, port), nowhere)] * 2 + [None])


@test
def dnat(lab, trace):
    """the router redirects to the server: each host ties the error to what it sees"""
    to, real = (ROUTER, net.new_port()), (SERVER, net.new_port())
    with lab.router.nat("prerouting", f"tcp dport {to[1]} dnat to {real[0]}:{real[1]}"):
        for rejecting, hook, last in ((lab.server, "input", True), (lab.router, "forward", False)):
            port = net.new_port()
            here = (CLIENT, port)
            with rejecting.rules(hook, reject("host-prohibited", SERVER, real[1])):
                check_nat(lab, trace, to, port, "3/10", "EHOSTUNREACH",
                          [(here, to), (here, real), (here, real) if last else None])


@test
def own_nat(lab, trace):
    """the endpoints' own hosts change addresses: client and server see one tuple"""
    to, real = ("10.0.9.9", net.new_port()), (SERVER, net.new_port())
    port = net.new_port()
    here = (CLIENT, port)
    with lab.server.rules("input", reject("port-unreachable", SERVER, real[1])), \
            lab.client.nat("output", f"tcp dport {to[1]} dnat to {real[0]}:{real[1]}"):
        check_nat(lab, trace, to, port, "3/3", "ECONNREFUSED", [(here, real)] * 3)
    port = net.new_port()
    here = (CLIENT, port)
    with lab.server.rules("input", reject("port-unreachable", SERVER, real[1])), \
            lab.server.nat("input", f"tcp dport {real[1]} snat to 10.0.9.9"):
        check_nat(lab, trace, real, port, "3/3", "ECONNREFUSED", [(here, real)] * 3)


@test
def vrf(lab, trace):
    """a VRF: each error is seen once, those of its own host too"""
    lab.enslave()
    blue = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"blue\0")
    for address, words in ((SERVER, ("host-prohibited", "3/10", "EHOSTUNREACH")),
                           (SERVER6, ("addr-unreachable", "1/3", "EHOSTUNREACH"))):
        word, icmp, error = words
        port, before = net.new_port(), stats()["icmp_errors"]
        with lab.router.rules("forward", reject(word, address, port)):
            same(connect_error(lab.client, address, port, blue), error, "connect()")
        unreachable(trace, lab.client, port, icmp, at_router(address), ("in", "blue"))
        same(stats()["icmp_errors"] - before, 2, "ICMP errors")

        here = CLIENT6 if ":" in address else CLIENT
        port, before = net.new_port(), stats()["icmp_errors"]
        with lab.client.rules("input", reject(word, address, port)):
            same(connect_error(lab.server, here, port), error, "connect()")
        for host, place in ((lab.client, ("out", "to-router")),
                            (lab.router, ("forward", "to-client")),
                            (lab.server, ("in", "to-router"))):
            flow = trace.at(host, port)
            same([line_of(event) for event in flow], lines_of(UNREACHABLE.format(icmp)),
                 f"at {host.name}", told(flow))
            same((flow[1]["hook"], flow[1]["iface"], flow[1]["icmp_from"]), (*place, here),
                 f"place at {host.name}")
        same(stats()["icmp_errors"] - before, 3, "ICMP errors")


@contextlib.contextmanager
def slow_stage():
    """An answer takes so long that connect() waits for it, and no error is too many."""
    with stage() as (lab, trace):
        for host in lab.hosts:
            host.sysctl("net/ipv4/icmp_ratemask", 0)
            host.sysctl("net/ipv6/icmp/ratemask", "")
        # a socket that is just in use takes an error for a passing one
        lab.client.run("tc", "qdisc", "add", "dev", "to-router", "root", "netem", "delay", "50ms")
        yield lab, trace


if __name__ == "__main__":
    main(slow_stage())
