#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Packets and calls that nobody means well with.

TCPTRACE_PACKETS and TCPTRACE_CALLS in the environment say how many, and a tenth as many frames
as packets; TCPTRACE_SEED repeats a run, as far as two CPUs, and KCOV, let it.
"""

import contextlib
import itertools
import os
import pathlib
import random
import socket
import struct
import tempfile
import time

from lib import net
from lib.device import Device, kind, live_flows
from lib.ends import Seen
from lib.kernel import Kmsg, Module, attempt, most_notices, set_parameter, stats
from lib.mirror import Mirror
from lib.net import abort_on_close
from lib.packet import (FLAGS, fragments, icmp_error, packet, readdressed, with_headers,
                        with_options)
from lib.tap import check, main, same, test
from lib.threads import Threads
from lib.wire import WiredHost

PACKETS = int(os.environ.get("TCPTRACE_PACKETS", 50000))
FRAMES = max(PACKETS // 10, 10000)
CALLS = int(os.environ.get("TCPTRACE_CALLS", 20000))
SEED = int(os.environ.get("TCPTRACE_SEED", random.randrange(2**32)))
THREADS = 8
KCOV = pathlib.Path("/sys/kernel/debug/kcov")
PROGRAMS = pathlib.Path(__file__).parent / "traffic/build"


def program(name, *arguments, **options):
    done = attempt(PROGRAMS / name, *arguments, limit=3600, **options)
    check(done.returncode == 0, f"{name}: status {done.returncode}", done.stderr.splitlines())
    return [int(word) for word in done.stdout.split()]


def talk(version):
    """Some whole connections on loopback: closed by either side, reset, refused."""
    address = "127.0.0.1" if version == 4 else "::1"
    family = net.family(address)
    for how in ("client", "server", "reset", "refused"):
        with socket.socket(family) as listener, socket.socket(family) as client:
            listener.bind((address, 0))
            if how == "refused":
                client.connect_ex(listener.getsockname()[:2])
                continue
            listener.listen()
            client.connect(listener.getsockname()[:2])
            server, _ = listener.accept()
            client.sendall(b"x" * 500)
            server.sendall(b"y" * 100)
            if how == "reset":
                abort_on_close(client)
            for end in (client, server) if how == "client" else (server, client):
                end.close()


def recorded():
    """What goes over loopback meanwhile, without the link layer."""
    with net.tap("lo") as tap:
        talk(4)
        talk(6)
        tap.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                yield tap.recv(65536)


def real_packets(host):
    """The segments of whole connections, between hosts behind this one and to it.

    As they were sent, from and to loopback, they would not be let in.
    """
    clients = set()
    for whole in recorded():
        seen, version = Seen(whole), whole[0] >> 4
        if seen.flags & (FLAGS["S"] | FLAGS["A"]) == FLAGS["S"]:
            clients.add(seen.source)
        far, beyond = host.left.far(version), host.right.far(version)
        ends = (far, beyond) if seen.source in clients else (beyond, far)
        yield readdressed(whole, *ends)
        yield readdressed(whole, far, host.left.near(version))


def strange_packets(host):
    """Right ones, of the kinds that loopback does not show."""
    for wire, version, other in ((host.left, 4, host.right), (host.left, 6, host.right)):
        near, far, beyond = wire.near(version), wire.far(version), other.far(version)
        for target in (near, beyond):
            syn = packet((far, 999), (target, 80), "S", 1000, options=bytes((
                2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7)))
            yield syn
            for flags in ("", "SF", "SR", "FPU", "SFRPAUEC", "FA", "RA", "PA"):
                yield packet((far, 999), (target, 80), flags, 1001, 1, payload=b"z" * 50)
            for number, code in ((3, 1), (3, 3), (11, 0), (12, 0)) if version == 4 else (
                    (1, 0), (1, 4), (2, 0), (3, 0), (4, 1)):
                yield icmp_error(far, target, number, code, syn)
            yield from fragments(packet((far, 999), (target, 80), "A", payload=b"q" * 100), 48, 7)
            if version == 4:
                yield with_options(syn, bytes((7, 7, 4, 0, 0, 0, 0, 0)))
            else:
                yield with_headers(syn, (0, b"\0" + bytes(6)), (60, b"\0" + bytes(6)))


def in_frame(whole, *tags):
    """What goes before an IP packet on the wire, with VLAN tags."""
    return bytes(12) + b"".join(struct.pack("!HH", *tag) for tag in tags) + \
        (b"\x86\xdd" if whole[0] >> 4 == 6 else b"\x08\x00")


def write_packets(path, packets):
    """Packets with what goes before each."""
    with open(path, "wb") as file:
        for lower, whole in packets:
            length = len(lower) + len(whole)
            if length <= 2048:
                file.write(struct.pack("<HH", length, len(lower)) + lower + whole)


def spoil(device, packets, count):
    """Send so many of the packets, most of them changed; how much each counter grew."""
    before = stats()
    with tempfile.NamedTemporaryFile() as file, Device() as reader:
        write_packets(file.name, packets)
        first = reader.account().next_seq
        sent, = program("spoil", device, file.name, count, SEED, pass_fds=(device,))
        reader.drain()
        account = reader.account()
        same(account.read + account.lost,
             account.next_seq - first - account.skipped + account.revisited, "read + lost")
    grown = {name: value - before[name] for name, value in stats().items()
             if value != before[name]}
    print(f"# seed {SEED}: {sent} of {count} taken by the device; {live_flows()} flows; {grown}")
    check(grown["segments"] > count / 2, "few were segments")
    return grown


@test
def packets(host, _feed):
    """mutated packets, to this host and through it: nothing but events and counts"""
    spoil(host.left.fd, [(b"", whole) for whole in (*real_packets(host), *strange_packets(host))],
          PACKETS)


@test
def frames(host, feed):
    """mutated frames on a mirrored interface, with VLAN tags and without: the same"""
    wholes = [*real_packets(host), *strange_packets(host)]
    set_parameter("ingress", "mon0")
    grown = spoil(feed.fileno(), [(in_frame(whole, *tags), whole) for whole in wholes for tags in (
        (), ((0x8100, 5),), ((0x88a8, 7), (0x8100, 0x6005)))], FRAMES)
    set_parameter("ingress", "\n")
    check(grown["unreadable"] > FRAMES / 100, "hardly any was not to be read")


@test
def sane(_host, _feed):
    """a connection after all that is told from its SYN to its end"""
    with Device() as reader:
        reader.flush()	# no END of a stranger comes in between
        reader.seek(os.SEEK_END)
        talk(4)
        talk(6)
        ends = [event for event in reader.drain() if event.kind == kind("end")]
    same(len(ends), 8, "connections told at their end")


@test
def calls(host, _feed):
    """calls with any arguments from many threads, while connections are attempted"""
    ports = itertools.cycle(range(1, 60000))

    def attempt_one():
        host.left.send(packet((host.left.far(4), next(ports)), (host.left.near(4), 80), "S"))

    kmsg = Kmsg()

    def follow_log():
        """In a long run more lines are printed than the kernel keeps, rate limit or not."""
        kmsg.lines()
        time.sleep(0.2)

    before, start = stats()["events"], time.monotonic()
    with Threads(attempt_one, follow_log):
        done, failed, reached, kept = program("calls", THREADS, CALLS, SEED)
    events, took = stats()["events"] - before, time.monotonic() - start
    refused = sum(line.startswith("tcptrace: parameter") for line in kmsg.lines())
    print(f"# seed {SEED}: {THREADS} threads, {done} calls succeeded, {failed} failed; "
          f"{events} events meanwhile; {refused} lines about parameters in {took:.1f} s")
    if KCOV.exists():
        print(f"# guided by KCOV: {reached} places of the module reached, {kept} bursts kept")
        check(reached > 500 and kept > 10, "not guided")
    check(done > CALLS and failed > CALLS, "hardly any succeeded, or failed")
    check(events > CALLS / 10, "hardly any events")
    check(refused, "no line about a parameter")
    check(refused <= most_notices(took), "more lines than the rate limit lets through")
    set_parameter("ingress", "\n")
    set_parameter("max_flows", 1000)
    with Device() as reader:
        reader.flush()
        same(reader.info().flows, 0, "flows after a flush")


@contextlib.contextmanager
def staged():
    # a ring that is overtaken
    with Mirror() as mirror, mirror.socket() as feed, WiredHost() as host, \
            Module(log=0, max_flows=20000, max_half_open=10000, ring_events=4096):
        yield host, feed


if __name__ == "__main__":
    main(staged())
