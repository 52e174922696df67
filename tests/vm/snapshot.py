#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Snapshots: what the ABI promises of them, call by call.

A snapshot keeps 16 records at a time; its walk pauses at the last flow of them.
"""

import contextlib
import ctypes
import fcntl
import json
import mmap
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import tempfile
import time

from lib import device, net
from lib.device import (CONSTANTS, Device, EVENT_SIZE, Event, errno_of, guarded_memory,
                        plain_read)
from lib.host import Host
from lib.kernel import Module, READER, attempt, run, set_parameter, unload
from lib.packet import packet
from lib.table import Table, proc_table
from lib.tap import check, main, same, test, wait_for

RING = 4096
BATCH = 16	# records that the module keeps
SNAPSHOT = device.kind("snapshot")


def is_last(event):
    return event.kind == SNAPSHOT and not event.flow_id


def port_of(event):
    return socket.ntohs(event.responder_port)


def take(reader, size=1 << 16):
    """A whole snapshot; its records but for the last."""
    reader.snapshot()
    return finish(reader, size)


def finish(reader, size=1 << 16):
    """What is left of a snapshot, without an event behind it."""
    events = reader.drain(size)
    check(events and is_last(events[-1]), "no last record", [bytes(e).hex() for e in events[-1:]])
    same([event.kind for event in events], [SNAPSHOT] * len(events), "kinds")
    same([is_last(event) for event in events].count(True), 1, "number of last records")
    return events[:-1]


def take_amid(reader):
    """The records that take() gives, while events may come behind them."""
    reader.snapshot()
    events = reader.drain()
    return events[:[is_last(event) for event in events].index(True)]


@contextlib.contextmanager
def scenery(host, count):
    """So many flows and no others, and a reader; their ports."""
    with Device() as reader:
        reader.flush()
        yield reader, host.syns(count)
        reader.flush()


@test
def records(host):
    """one record a flow, then one without: states, numbers, age"""
    with scenery(host, 3) as (reader, ports):
        reader.seek(os.SEEK_SET)
        opened = {event.flow_id: event for event in reader.drain()
                  if event.kind == device.kind("syn") and port_of(event) in ports}
        before = reader.account()
        reader.snapshot()
        after, now = reader.account(), reader.info().next_seq
        same((after.next_seq, after.skipped), (now, before.skipped), "cursor")
        events = reader.drain()
        same(sorted(port_of(event) for event in events[:-1]), ports, "ports")
        for record in events[:-1]:
            syn = opened[record.flow_id]
            same((record.size, record.kind, record.ip_version, record.seq, record.netns),
                 (EVENT_SIZE, SNAPSHOT, 4, now, host.inode), "head")
            same((record.initiator_state, record.responder_state, record.phase),
                 (syn.initiator_state, syn.responder_state, syn.phase), "states")
            same((record.prev_initiator_state, record.prev_responder_state),
                 (syn.initiator_state, syn.responder_state), "states before")
            same((record.sender, record.hook, record.tcp_flags, record.tcp_seq, record.tcp_ack,
                  record.window, record.payload_len, record.cause), (0,) * 8, "segment")
            same((record.initiator_isn, record.known),
                 (port_of(record), CONSTANTS["KNOWN_INITIATOR_ISN"]), "ISN")
            same((record.summary.handshake, list(record.summary.pkts)),
                 (CONSTANTS["HANDSHAKE_NO_ANSWER"], [1, 0]), "summary")
            same(record.summary.duration_us, (record.time_ns - syn.time_ns) // 1000, "age")
        last = events[-1]
        same((last.size, last.kind, last.seq, last.flow_id), (EVENT_SIZE, SNAPSHOT, now, 0),
             "the last record")
        same(bytes(last)[32:], bytes(EVENT_SIZE - 32), "its rest")
        account = reader.account()
        same((account.read, account.lost, account.filtered, account.next_seq),
             (before.read, before.lost, before.filtered, now), "account")
        same(account.snapshot, 4, "records in the account")


@test
def connections(host):
    """a connection in every phase: TIME_WAIT is live, what a RST ended is not"""
    with scenery(host, 0) as (reader, _):
        ports = [net.new_port() for _ in range(4)]
        pairs = [host.connect(port) for port in ports[:3]]
        pairs[0][0].sendall(b"x" * 1000)
        pairs[0][1].recv(1000)
        pairs[1][0].shutdown(socket.SHUT_WR)
        for sock in pairs[2]:
            sock.close()
        host.reset(ports[3])
        wanted = {port: tuple(CONSTANTS[f"STATE_{name}"] for name in names)
                  for port, names in zip(ports, (
                      ("ESTABLISHED", "ESTABLISHED"), ("FIN_WAIT_2", "CLOSE_WAIT"),
                      ("TIME_WAIT", "CLOSED")))}
        # Linux may delay the ACK of a FIN
        wait_for(lambda: states_of(take_amid(reader)) == wanted, f"these states: {wanted}",
                 lines=lambda: [str(states_of(take_amid(reader)))])
        reader.set_filter(port=ports[0])
        record, = take(reader)
        same(list(record.summary.bytes), [1000, 0], "bytes")
        check(record.known & CONSTANTS["KNOWN_ACK_US"] and record.summary.duration_us > 0,
              "latency and age")
        for pair in pairs[:2]:
            for sock in pair:
                sock.close()


def states_of(records):
    return {port_of(record): (record.initiator_state, record.responder_state)
            for record in records}


def port_phase(reader, port):
    for record in take_amid(reader):
        if port_of(record) == port:
            return {CONSTANTS[f"PHASE_{name}"]: name for name in (
                "HANDSHAKE", "ESTABLISHED", "TEARDOWN", "TIME_WAIT")}[record.phase]
    return None


@test
def then_events(host):
    """behind the snapshot come the events since it was asked for, none before"""
    with scenery(host, 40) as (reader, ports):
        reader.snapshot()
        start = reader.info().next_seq
        first = reader.events(EVENT_SIZE * BATCH)
        same(len(first), BATCH, "records that were asked for")
        young = host.syns(5)
        events = first + reader.drain()
        at = [is_last(event) for event in events].index(True)
        found = [port_of(event) for event in events[:at]]
        same(sorted(port for port in found if port in ports), ports, "ports in records")
        check(set(found) <= set(ports + young) and len(set(found)) == len(found), "others")
        same([(event.kind, port_of(event), event.seq) for event in events[at + 1:]],
             [(device.kind("syn"), port, start + i) for i, port in enumerate(young)], "events")
        for record in events[:at]:
            same(record.seq, start if record in first or port_of(record) in ports and
                 record.seq == start else start + 5, "number of a record")
        same(events[at].seq, start + 5, "number of the last record")


@test
def filtered(host):
    """records pass the filter as events do; the last one always comes"""
    with scenery(host, 10) as (reader, ports):
        with host.namespace.socket("::1") as sock:
            sock.setblocking(False)
            sock.connect_ex(("::1", net.new_port()))	# refused: it is not live
        for fields, wanted in (
                ({}, 10), ({"port": ports[3]}, 1), ({"port": 999}, 10), ({"port": 1}, 0),
                ({"ip_version": 4}, 10), ({"ip_version": 6}, 0), ({"netns": host.inode}, 10),
                ({"netns": host.inode + 1}, 0), ({"kinds": device.kinds("snapshot", "end")}, 10),
                ({"kinds": device.kinds("syn", "end")}, 0)):
            reader.set_filter(**fields)
            before = reader.account().filtered
            same(len(take(reader)), wanted, f"records for {fields}")
            same(reader.account().filtered, before, "filtered")


@test
def filtered_midway(host):
    """a filter that is set midway holds for what is not kept yet"""
    with scenery(host, 100) as (reader, ports):
        reader.snapshot()
        first = reader.events(EVENT_SIZE)
        wanted = (set(ports) - {port_of(event) for event in first}).pop()
        reader.set_filter(port=wanted)
        found = [port_of(record) for record in finish(reader)]
        check(wanted in found and len(found) <= BATCH, "ports", [str(found)])


@test
def short_buffer(host):
    """EINVAL for a buffer that is too small, and nothing is consumed"""
    with scenery(host, 20) as (reader, ports):
        for binary in (True, False):
            reader.set_mode(binary)
            reader.snapshot()
            before = bytes(reader.account())
            for size in (0, 1, 40, EVENT_SIZE - 1 if binary else 50):
                same(errno_of(reader.read, size), "EINVAL", f"read of {size} bytes")
            same(bytes(reader.account()), before, "the account")
            reader.set_mode(True)
            same(sorted(port_of(record) for record in finish(reader, EVENT_SIZE + 7)), ports,
                 "one record a read: ports")


@test
def bad_memory(host):
    """EFAULT: no record is lost"""
    with scenery(host, 50) as (reader, ports), guarded_memory() as (memory, edge):
        reader.snapshot()
        before = bytes(reader.account())
        same(plain_read(reader.fd, 1, 65536), (-1, "EFAULT"), "read() to nowhere")
        same(plain_read(reader.fd, edge - EVENT_SIZE * 2 - 50, 65536), (-1, "EFAULT"),
             "read() over the edge, with room for two before it")
        same(bytes(reader.account()), before, "the account")
        same(plain_read(reader.fd, edge - EVENT_SIZE * 2, EVENT_SIZE * 2), (EVENT_SIZE * 2, None),
             "read() up to the edge")
        found = [Event.from_buffer_copy(memory, mmap.PAGESIZE - EVENT_SIZE * i) for i in (2, 1)]
        same(plain_read(reader.fd, edge - EVENT_SIZE * 3, 65536), (-1, "EFAULT"), "once more")
        found += finish(reader)
        same(sorted(port_of(record) for record in found), ports, "ports")


@test
def waiting(host):
    """poll() and read() do not wait during a snapshot, and do behind it"""
    with scenery(host, 1) as (_, __), Device(block=True) as reader:
        poll = select.poll()
        poll.register(reader.fd, select.POLLIN)
        reader.seek(os.SEEK_END)
        same(poll.poll(0), [], "poll() before")
        reader.snapshot()
        for wanted in (host.inode, 0):
            same(poll.poll(0), [(reader.fd, select.POLLIN)], "poll() during the snapshot")
            same([event.netns for event in reader.events(EVENT_SIZE)], [wanted], "record")
        same(poll.poll(0), [], "poll() behind it")
        reader.snapshot()
        same(len(reader.events()), 2, "records in one read()")
        buffer = ctypes.create_string_buffer(EVENT_SIZE)
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        same(plain_read(reader.fd, ctypes.addressof(buffer), EVENT_SIZE), (-1, "EINTR"),
             "read() behind it")
        os.set_blocking(reader.fd, False)
        same(errno_of(reader.read, 65536), "EAGAIN", "read() that may not wait")


@test
def signals(host):
    """a signal while no flow matches: EINTR, also of a read() that may not wait"""
    with scenery(host, 2000) as (reader, _):
        buffer = ctypes.create_string_buffer(EVENT_SIZE)
        reader.set_filter(port=1)
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
        errors = set()
        for _ in range(50):
            reader.snapshot()
            while (result := plain_read(reader.fd, ctypes.addressof(buffer), EVENT_SIZE))[0] < 0:
                errors.add(result[1])
            check(is_last(Event.from_buffer_copy(buffer)), "a record of no flow that matches")
        signal.setitimer(signal.ITIMER_REAL, 0)
        same(errors, {"EINTR"}, "errors")


@test
def once_more(host):
    """a second SNAPSHOT starts over; lseek() ends one"""
    with scenery(host, 60) as (reader, ports):
        reader.snapshot()
        same(len(reader.events(EVENT_SIZE * 20)), 20, "records")
        same(sorted(port_of(record) for record in take(reader)), ports, "ports the second time")
        for whence, wanted in ((os.SEEK_END, 0), (os.SEEK_DATA, 60)):
            reader.snapshot()
            same(len(reader.events(EVENT_SIZE * 20)), 20, "records")
            reader.seek(whence)
            events = reader.drain()
            same([event.kind for event in events], [device.kind("syn")] * wanted, "kinds")
        account, info = reader.account(), reader.info()
        same(account.next_seq, info.next_seq, "cursor")
        same(account.snapshot, 20 + 61 + 20 + 20, "records in the account")


@test
def text(host):
    """a snapshot as text; the mode may change midway"""
    with scenery(host, 50) as (reader, ports):
        reader.set_mode(0)
        reader.snapshot()
        lines = reader.drain_text()
        same(len(lines), 51, "lines")
        now = reader.info().next_seq
        check(lines[-1].endswith(f"] #{now} snapshot complete"), "the last line", lines[-1:])
        for line in lines[:-1]:
            check(f" #{now} snapshot flow=" in line and " 127.0.0.1:999 - 127.0.0.1:" in line and
                  " SYN_SENT/LISTEN handshake=no_answer " in line, "a line", [line])
        reader.snapshot()
        found = [int(line.split(" - 127.0.0.1:")[1].split()[0])
                 for line in reader.read(1000).decode().splitlines()]
        reader.set_mode(1)
        same(sorted(found + [port_of(record) for record in finish(reader)]), ports, "ports")


@test
def flushed_midway(host):
    """flows that end meanwhile have no record any more, but their events"""
    with scenery(host, 100) as (reader, ports):
        reader.snapshot()
        first = reader.events(EVENT_SIZE * BATCH)
        reader.flush()
        events = reader.drain()
        at = [is_last(event) for event in events].index(True)
        check(at <= BATCH, f"{at} records after the flush")
        same([event.kind for event in events],
             [SNAPSHOT] * (at + 1) + [device.kind("end")] * 100, "kinds")
        table = Table()
        for event in first + events:
            table.apply(event)
        same(table.flows, {}, "flows in the end")
        same(sorted(port_of(event) for event in events[at + 1:]), ports, "ports that ended")


@test
def last_event(host):
    """what is in TIME_WAIT ends with an EVICT at a flush"""
    with scenery(host, 0) as (reader, _):
        port = net.new_port()
        client, server = host.connect(port)
        client.close()
        server.close()
        wait_for(lambda: port_phase(reader, port) == "TIME_WAIT", "TIME_WAIT")
        table = Table()
        for event in take(reader):
            table.apply(event)
        same(len(table.flows), 1, "flows")
        reader.flush()
        events = reader.drain()
        same([(event.kind, port_of(event)) for event in events], [(device.kind("evict"), port)],
             "events")
        table.apply(events[0])
        same(table.flows, {}, "flows after it")


def answered(host, ports):
    """SYN+ACKs for these SYNs: other flows time out and are evicted first."""
    with host.namespace.socket("127.0.0.1", socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        for port in ports:
            answer = packet(("127.0.0.1", port), ("127.0.0.1", 999), "SA", 1, port + 1)
            sock.sendto(answer, ("127.0.0.1", 0))


@test
def paused(host):
    """no flow is left out when the one at which the walk pauses is removed"""
    with contextlib.ExitStack() as stack, scenery(host, 1500) as (_, staying):
        # so that going and staying flows are mixed, and no resize covers up a loss
        answered(host, staying)
        going = host.syns(1500)
        readers = [stack.enter_context(Device()) for _ in range(3000 // BATCH)]
        for i, reader in enumerate(readers):
            reader.snapshot()
            reader.found = reader.events(EVENT_SIZE * BATCH * (i + 1))
            same(len(reader.found), BATCH * (i + 1), "records")
        set_parameter("timeout_syn", 1)
        try:
            wait_for(lambda: device.live_flows() == len(staying), "flows to time out", 20)
        finally:
            set_parameter("timeout_syn", 1000)
        for reader in readers:
            reader.set_filter(kinds=device.kinds("snapshot"))
            records = reader.found + finish(reader)
            found = {port_of(record) for record in records}
            same(len(set(staying) - found), 0, f"flows left out after {len(reader.found)} records")
            check(found <= set(staying + going), "others")


@test
def resized(host):
    """no flow is left out when the table grows and shrinks while a walk pauses"""
    with contextlib.ExitStack() as stack, scenery(host, 200) as (_, staying):
        answered(host, staying)
        readers = [stack.enter_context(Device()) for _ in range(200 // BATCH)]
        for i, reader in enumerate(readers):
            reader.snapshot()
            reader.found = reader.events(EVENT_SIZE * BATCH * (i + 1))
        host.syns(3000)		# the table grows by a factor of 16
        for reader in readers:
            reader.found += reader.events(EVENT_SIZE * BATCH)
        set_parameter("max_half_open", 300)
        try:
            host.syns(3000)	# each evicts two, as long as there are too many
        finally:
            set_parameter("max_half_open", 32768)
        same(device.live_flows(), 300, "flows")
        for reader in readers:
            records = reader.found + [event for event in reader.drain() if event.kind == SNAPSHOT]
            found = {port_of(record) for record in records}
            same(len(set(staying) - found), 0, f"flows left out after {len(reader.found)} records")


@test
def resync(host):
    """after a LOST a snapshot gives the true table again"""
    with scenery(host, 50) as (reader, _):
        reader.seek(os.SEEK_END)
        for _ in range(3):
            host.syns(RING // 2)
        check(device.kind("lost") in {event.kind for event in reader.drain()}, "no loss")
        table = Table()
        reader.snapshot()
        host.syns(100)
        for event in reader.drain():
            table.apply(event)
        same(table.states(), proc_table(host.namespace), "table")
        same(len(table.flows), 50 + 3 * RING // 2 + 100, "flows")


@test
def left(host):
    """a reader may go midway: closed, or killed in the middle of a read()"""
    with scenery(host, 500) as (reader, ports):
        for _ in range(20):
            with Device() as other:
                other.snapshot()
                other.events(EVENT_SIZE * 3)
        script = ("import fcntl, os; fd = os.open('/dev/tcptrace', os.O_RDONLY); print(flush=True)\n"
                  f"while True: fcntl.ioctl(fd, {device.SNAPSHOT}); os.read(fd, 10000)")
        for turn in range(5):
            with subprocess.Popen(["python3", "-c", script], stdout=subprocess.PIPE) as process:
                process.stdout.readline()
                time.sleep(0.02 * turn)	# at another place each time
                process.kill()
        same(sorted(port_of(record) for record in take(reader)), sorted(ports), "ports")


@test
def rmmod(host):
    """rmmod is refused during a snapshot"""
    with scenery(host, 100) as (reader, _):
        reader.snapshot()
        reader.events(EVENT_SIZE)
        done = unload()
        check(done.returncode and "in use" in done.stderr, "rmmod", done.stderr.splitlines())
        same(len(finish(reader)), 99, "records left")


@test
def argument(_host):
    """SNAPSHOT ignores its argument; there is none beside it"""
    with Device() as reader:
        fcntl.ioctl(reader.fd, device.SNAPSHOT, 1)
        check(is_last(reader.drain()[-1]), "last record")
        same(errno_of(fcntl.ioctl, reader.fd, device.request(0, 6, None), 0), "ENOTTY", "ioctl 6")


def lines_of(*words):
    return [json.loads(line) for line in run(READER, "-q", "-j", *words).splitlines()]


@test
def listed(host):
    """tcptracectl flows lists each live flow once, as /proc does"""
    with scenery(host, 2000) as (_, ports):
        port = net.new_port()
        client, server = host.connect(port)
        client.sendall(b"x" * 1234)
        server.recv(2000)
        found = lines_of("flows")
        same({line["flow_id"]: (line["initiator_state"], line["responder_state"])
              for line in found}, proc_table(host.namespace), "flows")
        same(len(found), 2001, "lines")
        for words, wanted in ((["port", str(port)], [port]), (["state", "established"], [port]),
                              (["-6"], []), (["--port", str(ports[7])], [ports[7]]),
                              (["--netns", "1"], [])):
            same([line["dest_port"] for line in lines_of("flows", *words)], wanted,
                 " ".join(words))
        done = attempt(READER, "flows", "port", str(port))
        source, now = client.getsockname()[1], found[0]["seq"]
        line = done.stdout.splitlines()[1]
        check(re.fullmatch(rf" *\d+ 127.0.0.1:{source} > 127.0.0.1:{port} +ESTABLISHED +"
                           r"\d+s 1.2K +0", line) and len(line) == 80, "a line", [line])
        same((done.returncode, done.stderr),
             (0, "tcptracectl: 1 live flows shown, 0 filtered\n"), "summary")
        same({line["seq"] for line in found}, {now}, "numbers without traffic")
        client.close()
        server.close()


@test
def existing(host):
    """tcptracectl --existing: the live flows, then what happens; a recording shows it too"""
    with scenery(host, 3) as (reader, ports), tempfile.TemporaryDirectory() as folder:
        now, trace = reader.info().next_seq, pathlib.Path(folder, "trace")
        words = ([READER, "-q", "-j", "--existing", "-c", "5"],
                 [READER, "record", trace, "-q", "--existing", "-c", "5"])
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in words]
        shown = [json.loads(processes[0].stdout.readline()) for _ in range(4)]
        wait_for(lambda: trace.exists() and trace.stat().st_size > 4 * EVENT_SIZE, "the recording")
        ports += host.syns(2)
        shown += [json.loads(line) for line in processes[0].communicate()[0].splitlines()]
        processes[1].communicate()
        same([process.returncode for process in processes], [0, 0], "statuses")
        replayed = [json.loads(line)
                    for line in run(READER, "-q", "-j", "-r", trace).splitlines()]
        for lines in (shown, replayed):
            same([(line["event"], line["seq"]) for line in lines],
                 [("snapshot", now)] * 4 + [("syn", now), ("syn", now + 1)], "lines")
            same(sorted(line["dest_port"] for line in lines if line["flow_id"]), sorted(ports),
                 "ports")
            check(lines[3]["complete"], "the end of the snapshot")


@contextlib.contextmanager
def staged():
    with Module(ring_events=RING, log=0, timeout_syn=1000, timeout_synack=1000), Host() as host:
        host.namespace.run("nft", "add rule inet wall input tcp dport 999 drop")
        yield (host,)


if __name__ == "__main__":
    main(staged())
