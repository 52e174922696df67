#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Snapshots under load: they line up with the events, exactly.

Two processes flood SYNs and two open connections and end them in every way, while the
table grows to thousands of flows and shrinks again. Readers take snapshots all the time,
one more collects every event. Afterwards the events tell of each flow how it stood
when; every record of every snapshot is held against that.
"""

import bisect
import collections
import contextlib
import itertools
import json
import multiprocessing
import os
import random
import socket
import struct
import subprocess
import time

from lib import device, net
from lib.device import Device, EVENT_SIZE, Event, kinds, live_flows
from lib.host import ADDRESS, DEAD, Host
from lib.kernel import Module, READER, set_parameter
from lib.net import abort_on_close
from lib.packet import packet
from lib.table import LOST, SNAPSHOT, Table, proc_table
from lib.tap import Failure, check, main, same, test, wait_for
from lib.threads import Threads

MANY, FEW = 3000, 2000
PORTS = range(DEAD[0], DEAD[0] + MANY * 5 // 4)	# that are flooded
PAUSE = 0.3	# between two snapshots, for the traffic to get the CPU
HELD = 40	# connections that a worker leaves open
READERS = ((1 << 16, "as much as fits"), (EVENT_SIZE * 5, "five"), (EVENT_SIZE, "one"))

FIELDS = ("kind", "phase", "seq", "flow_id", "initiator_state", "responder_state")
Brief = collections.namedtuple("Brief", FIELDS)


def brief_layout():
    """Only what FIELDS name: ctypes would take minutes for so many records."""
    layout, at = "=", 0
    for name in FIELDS:
        field = getattr(Event, name)
        layout += f"{field.offset - at}x{'Q' if field.size == 8 else 'B'}"
        at = field.offset + field.size
    return struct.Struct(f"{layout}{EVENT_SIZE - at}x")


BRIEF = brief_layout()


def briefs(data):
    return [Brief._make(fields) for fields in BRIEF.iter_unpack(data)]


def flood(host, done):
    """SYNs with any number from one port to many: new, repeated and instead of others."""
    numbers = random.Random(os.getpid())
    with host.namespace.socket(ADDRESS, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        while not done.is_set():
            for _ in range(50):
                port, number = numbers.choice(PORTS), numbers.choice((1, 2))
                sock.sendto(packet((ADDRESS, 999), (ADDRESS, port), "S", number), (ADDRESS, 0))


def connect(host, port, done):
    """Connections that stay for a while, half-closed or not, or end at once, or are reset."""
    held = collections.deque()
    with host.namespace.listen(ADDRESS, port) as listener:
        while not done.is_set():
            for how in ("stay", "half", "end", "reset"):
                client = host.namespace.socket(ADDRESS)
                client.connect((ADDRESS, port))
                server, _ = listener.accept()
                client.sendall(b"x" * 100)
                if how == "half":
                    client.shutdown(socket.SHUT_WR)
                if how == "reset":
                    abort_on_close(server)
                held.append((server, client))
                if how in ("end", "reset") or len(held) > HELD:
                    for sock in held.pop() if how in ("end", "reset") else held.popleft():
                        sock.close()
    os._exit(0)	# the rest ends by its sockets, all at once


class Load:
    """The traffic, as long as the context lasts."""

    def __init__(self, host):
        self.done = multiprocessing.Event()
        self.workers = [multiprocessing.Process(target=flood, args=(host, self.done)),
                        multiprocessing.Process(target=flood, args=(host, self.done))]
        self.workers += [multiprocessing.Process(target=connect,
                                                 args=(host, net.new_port(), self.done))
                         for _ in range(2)]

    def __enter__(self):
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(self, *exception):
        self.done.set()
        for worker in self.workers:
            worker.join()
        same([worker.exitcode for worker in self.workers], [0] * 4, "exit codes")


class Collector:
    """Every event from the start on, as it came."""

    def __init__(self):
        self.reader = Device()
        self.data = []

    def read(self):
        try:
            self.data.append(self.reader.read(1 << 20))
        except BlockingIOError:
            return

    def events(self):
        last = self.reader.info().next_seq - 1
        while self.reader.account().next_seq <= last:
            self.read()
        events = briefs(b"".join(self.data))
        self.reader.__exit__()
        same(sum(event.kind == LOST for event in events), 0, "lost")
        same([events[0].seq, events[-1].seq, len(events)], [1, last, last], "numbers")
        return events


class Snapshots:
    """Snapshot after snapshot by one reader, so much a read()."""

    def __init__(self, size):
        self.size = size
        self.reader = Device()
        self.taken = []

    def take(self):
        """One more: the number at which it was asked for, and its records."""
        self.reader.snapshot()
        start = self.reader.account().next_seq
        data = [self.reader.read(self.size)]
        while not self.is_last(data[-1]):
            data.append(self.reader.read(self.size))
        self.taken.append((start, b"".join(data)))
        time.sleep(PAUSE)

    @staticmethod
    def is_last(data):
        """Is the last record in it?  Events may follow."""
        return any(kind == SNAPSHOT and not flow
                   for kind, _, _, flow, _, _ in BRIEF.iter_unpack(data))

    def all(self):
        self.reader.__exit__()
        return [(start, [event for event in briefs(data) if event.kind == SNAPSHOT])
                for start, data in self.taken]


class History:
    """How every flow stood when, told by all the events."""

    def __init__(self, events):
        table = Table()
        self.numbers = collections.defaultdict(list)
        self.states = collections.defaultdict(list)
        self.alive = {}
        for event in events:
            table.apply(event)
            if event.flow_id:
                self.numbers[event.flow_id].append(event.seq)
                self.states[event.flow_id].append(table.flows.get(event.flow_id))
        for flow, states in self.states.items():
            numbers = self.numbers[flow]
            end = next((number for number, state in zip(numbers, states) if not state), None)
            self.alive[flow] = numbers[0], end
        self.flows = table.states()

    def before(self, flow, number):
        """Its states when exactly the events before this number had come; None is no flow."""
        at = bisect.bisect_left(self.numbers[flow], number)
        return self.states[flow][at - 1] if at else None

    def throughout(self, start, end):
        """The flows that were live from the one number to the other."""
        return {flow for flow, (born, gone) in self.alive.items()
                if born < start and (gone is None or gone >= end)}


def tide(at_flood):
    """The table grows and is emptied, grows again and shrinks by evictions."""
    for how in (flush, evict):
        wait_for(lambda: live_flows() > MANY, f"{MANY} flows", 240)
        at_flood()
        how()


def flush():
    with Device() as reader:
        reader.flush()


def evict():
    set_parameter("max_half_open", FEW // 10)
    wait_for(lambda: listed_flows() < FEW, f"less than {FEW} flows", 120)


def listed_flows():
    """How many flows there are but those that linger after their END."""
    with Device() as reader:
        reader.set_filter(kinds=kinds("snapshot"))
        reader.snapshot()
        return len(reader.drain()) - 1


def existing():
    """What the reader shows of the live flows and of thousands of events that follow."""
    with subprocess.Popen([READER, "-q", "-j", "--existing"], stdout=subprocess.PIPE,
                          text=True) as reader:
        lines = []
        for line in reader.stdout:
            lines.append(line)
            if '"complete":true' in line:
                break
        lines += itertools.islice(reader.stdout, MANY)
        reader.terminate()
    return [json.loads(line) for line in lines]


def quiet_table(host):
    """The live flows by /proc, and the number of the next event then."""
    with Device() as reader:
        def quiet():
            before = reader.info().next_seq
            flows = proc_table(host.namespace)
            return reader.info().next_seq == before and (flows, before)
        return wait_for(quiet, "no event", 60)


def ruled(records, events):
    """The table by the rule of the ABI: a snapshot, and the events behind it."""
    table = Table()
    for event in records:
        table.apply(event)
    for event in events:
        table.apply(event)
    return table.states()


class Run:
    """What was collected, once for all tests."""

    def __init__(self, host):
        collected = Collector()
        readers = [Snapshots(size) for size, _ in READERS]
        with Threads(collected.read, *(reader.take for reader in readers)):
            with Load(host):
                self.shown = []
                tide(lambda: self.shown.append(existing()))
        set_parameter("timeout_time_wait", 1000)
        self.proc, number = quiet_table(host)
        with Device() as reader:
            reader.snapshot()
            self.fresh = ruled((event for event in reader.drain() if event.kind == SNAPSHOT), ())
        self.events = collected.events()
        self.history = History(event for event in self.events if event.seq < number)
        self.snapshots = [reader.all() for reader in readers]


@test
def size(seen):
    """thousands of flows come and go in every way"""
    counts = [len({record.flow_id for record in records})
              for snapshots in seen.snapshots for _, records in snapshots]
    kinds = collections.Counter(event.kind for event in seen.events)
    told = [f"{len(seen.events)} events of {len(seen.history.states)} flows"]
    told += [f"{len(snapshots)} snapshots, {what} a read"
             for snapshots, (_, what) in zip(seen.snapshots, READERS)]
    told += [f"{min(counts)} to {max(counts)} flows, "
             f"{sum(len(records) for s in seen.snapshots for _, records in s)} records"]
    print("\n".join(f"# {line}" for line in told))
    check(max(counts) > MANY * 3 // 4 and min(counts) < FEW, "sizes of snapshots", told)
    check(all(snapshots for snapshots in seen.snapshots), "a reader without a snapshot", told)
    for name in ("syn", "established", "fin", "rst", "evict", "reuse", "retransmit", "end"):
        check(kinds[device.kind(name)] > 50, f"{kinds[device.kind(name)]} {name} events", told)


@test
def records(seen):
    """every record holds how its flow stood at its number"""
    for snapshots in seen.snapshots:
        for start, found in snapshots:
            for record in found[:-1]:
                stood = seen.history.before(record.flow_id, record.seq)
                if (record.initiator_state, record.responder_state) != stood or \
                   not start <= record.seq <= found[-1].seq:
                    raise Failure(f"{record}, but it stood {stood}, from {start} on")


@test
def complete(seen):
    """no snapshot leaves out a flow that was live all the while"""
    for snapshots in seen.snapshots:
        for start, found in snapshots:
            wanted = seen.history.throughout(start, found[-1].seq)
            missing = wanted - {record.flow_id for record in found}
            same(len(missing), 0, f"flows left out of {len(wanted)}", sorted(missing)[:20])


@test
def rule(seen):
    """a snapshot and the events behind it give the table as /proc has it in the end"""
    same(seen.fresh, seen.proc, "a snapshot in the end")
    same(seen.history.flows, seen.proc, "all events from the start")
    for snapshots in seen.snapshots:
        for start, found in (snapshots[0], snapshots[len(snapshots) // 2], snapshots[-1]):
            same(ruled(found, seen.events[start - 1:]), seen.proc, f"from event {start} on")


@test
def shown(seen):
    """tcptracectl --existing: nothing is left out, nothing is told twice"""
    for lines in seen.shown:
        at = [line.get("complete", False) for line in lines].index(True)
        found, events = lines[:at], lines[at + 1:]
        same({line["event"] for line in found}, {"snapshot"}, "before the end of the snapshot")
        check(events and "snapshot" not in {line["event"] for line in events}, "behind it")
        since = {line["flow_id"]: line["seq"] for line in found}
        same(len(since), len(found), "flows in records")
        first, last = events[0]["seq"], events[-1]["seq"]
        same([line["seq"] for line in events],
             [event.seq for event in seen.events[first - 1:last]
              if event.seq >= since.get(event.flow_id, 0)], "numbers of the events")
        same(len(seen.history.throughout(first, lines[at]["seq"]) - set(since)), 0,
             "flows left out")


@contextlib.contextmanager
def staged():
    with Module(ring_events=262144, log=0, timeout_syn=1000, timeout_time_wait=1), Host() as host:
        yield (Run(host),)


if __name__ == "__main__":
    main(staged())
