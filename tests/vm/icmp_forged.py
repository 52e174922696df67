#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""ICMP and ICMPv6 errors that somebody forged, or that a quote tells too little of."""

import socket
import time

from lib import net
from lib.icmp import slow_stage
from lib.kernel import stats
from lib.net import CLIENT, CLIENT6, SERVER, SERVER6
from lib.packet import fragments, icmp_error, packet, with_headers, with_options
from lib.tap import Skip, check, main, needs_speed, same, test, wait_for
from lib.trace import line_of

FORGER, FORGER6 = "10.0.2.99", "fd02::99"


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


if __name__ == "__main__":
    main(slow_stage())
