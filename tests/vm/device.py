#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""/dev/tcptrace: what its ABI promises, call by call.

All segments are raw SYNs to nowhere: each is one event, and its port says which.
"""

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import socket
import subprocess
import threading
import time

from lib import device
from lib.device import (CONSTANTS, Device, EVENT_SIZE, Event, errno_of, guarded_memory,
                        plain_read)
from lib.host import Host
from lib.kernel import Module, READER, SLOW, attempt, run, stats
from lib.packet import packet
from lib.tap import check, main, same, test

RING = 64


def ports(events):
    return [socket.ntohs(event.responder_port) for event in events]


def check_account(account, start):
    """Every event since the reader's start is accounted for, exactly."""
    same(account.next_seq - start,
         account.read + account.lost + account.filtered + account.skipped - account.revisited,
         "next_seq is not read + lost + filtered + skipped - revisited")


@contextlib.contextmanager
def staged():
    with Module(ring_events=RING, log=0, timeout_syn=1000), Host() as host:
        yield (host,)


@test
def records(host):
    """the records have the size and the layout of the header"""
    same(EVENT_SIZE, CONSTANTS["EVENT_SIZE"], "size of an event")
    with Device() as reader:
        info = reader.info()
        same((info.abi, info.event_size, info.ring_events, info.buckets & (info.buckets - 1)),
             (CONSTANTS["ABI"], EVENT_SIZE, RING, 0), "info")
        reader.seek(os.SEEK_END)
        wanted = host.syns(3)
        events = reader.drain()
        same(ports(events), wanted, "ports")
        for event in events:
            same((event.size, event.kind, event.ip_version), (EVENT_SIZE, device.kind("syn"), 4),
                 "head")
            same((event.netns, event.iface, event.hook),
                 (host.inode, b"lo", CONSTANTS["HOOK_OUT"]), "place")
            same((event.tcp_flags, event.tcp_seq, event.window),
                 (CONSTANTS["TCP_SYN"], socket.ntohs(event.responder_port), 8192), "segment")
            same((event.initiator_state, event.responder_state, event.phase),
                 (CONSTANTS["STATE_SYN_SENT"], CONSTANTS["STATE_LISTEN"],
                  CONSTANTS["PHASE_HANDSHAKE"]), "states")
            same(bytes(event.initiator_addr), bytes([127, 0, 0, 1]) + bytes(12), "address")


@test
def text(host):
    """cat reads text: one line an event, whole"""
    last = host.syns(5)[-1]
    with subprocess.Popen(["timeout", "2", "cat", device.PATH], stdout=subprocess.PIPE) as cat:
        lines = cat.stdout.read().decode().splitlines()
    with Device() as reader:
        events = reader.drain()
    same([int(line.split("#")[1].split()[0]) for line in lines], [event.seq for event in events],
         "numbers of the lines")
    check(lines[-1].endswith("SYN_SENT/LISTEN") and f"> 127.0.0.1:{last} " in lines[-1],
          "the last line", lines[-1:])


@test
def loss(host):
    """two readers, one slow: each has read + lost = produced, LOST in band and exact"""
    with Device() as fast, Device() as slow:
        start = fast.account().next_seq
        same(slow.account().next_seq, start, "both begin at the oldest event")
        taken, slowly = [], []
        for _ in range(20):
            host.syns(RING // 2)
            taken += fast.drain()
        slowly += slow.events(3 * EVENT_SIZE)
        host.syns(RING * 2)
        slowly += slow.drain()
        taken += fast.drain()
        produced = fast.info().next_seq - start
        for reader, events in ((fast, taken), (slow, slowly)):
            account = reader.account()
            lost = [event for event in events if event.kind == device.kind("lost")]
            same(sum(event.lost_count for event in lost), account.lost, "LOST records")
            same(len(events) - len(lost), account.read, "records read")
            same(account.read + account.lost, produced, "read + lost")
            check_account(account, start)
            expected = start
            for event in events:
                same(event.seq, expected, "next number")
                expected += event.lost_count if event.kind == device.kind("lost") else 1
        same(sum(event.kind == device.kind("lost") for event in taken), 1,
             "LOST of the fast reader, at the last burst")
        same(sum(event.kind == device.kind("lost") for event in slowly), 2,
             "LOST of the slow reader")


@test
def storm(host):
    """readers of all modes beside a storm of events: their accounts are exact"""
    done = threading.Event()

    def produce():
        while not done.is_set():
            host.syns(50)

    readers = [Device(), Device(), Device(binary=False)]
    start = [reader.account().next_seq for reader in readers]
    readers[1].set_filter(kinds=device.kinds("end"))
    producer = threading.Thread(target=produce)
    producer.start()
    found = [[], [], []]
    try:
        for turn in range(60):
            for reader, events in zip(readers[:2], found):
                events += reader.drain(EVENT_SIZE * 20)
            if turn % 20 == 0:
                found[2] += readers[2].drain_text()
            for reader, first in zip(readers, start):
                check_account(reader.account(), first)
    finally:
        done.set()
        producer.join()
    found[0] += readers[0].drain()
    found[1] += readers[1].drain()
    found[2] += readers[2].drain_text()
    for reader, events, first in zip(readers, found, start):
        account, info = reader.account(), reader.info()
        check_account(account, first)
        same(account.next_seq, info.next_seq, "pending after all was read")
        lost = [event for event in events if isinstance(event, Event) and
                event.kind == device.kind("lost") or " lost " in str(event)]
        same(len(events) - len(lost), account.read, "records or lines read")
        reader.__exit__()
    same(len([e for e in found[1] if e.kind not in (device.kind("lost"), device.kind("end"))]), 0,
         "events that the filter lets through")


@test
def short_buffer(host):
    """EINVAL for a buffer that is too small, and nothing is consumed"""
    host.syns(3)
    for binary in (True, False):
        with Device(binary) as reader:
            before = bytes(reader.account())
            for size in (0, 1, 40, EVENT_SIZE - 1 if binary else 50):
                same(errno_of(reader.read, size), "EINVAL", f"read of {size} bytes")
            same(bytes(reader.account()), before, "the account")
            same(reader.account().read, 0, "read")
            data = reader.read(2 * EVENT_SIZE - 1 if binary else 300)
            same(reader.account().read, 1 if binary else data.count(b"\n"), "read then")
            check(binary or data.endswith(b"\n"), "half a line")


@test
def nonblocking(host):
    """EAGAIN when there is nothing, also to a buffer that is too small"""
    with Device() as reader:
        reader.drain()
        same(errno_of(reader.read, 65536), "EAGAIN", "read()")
        same(errno_of(reader.read, 1), "EAGAIN", "a small read()")
        host.syns(1)
        same(len(reader.events()), 1, "events then")


@test
def interrupted(_host):
    """EINTR when a signal comes before anything was read"""
    with Device(block=True) as reader:
        reader.seek(os.SEEK_END)
        buffer = ctypes.create_string_buffer(EVENT_SIZE)
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        same(plain_read(reader.fd, ctypes.addressof(buffer), EVENT_SIZE), (-1, "EINTR"), "read()")


@test
def waits(host):
    """a blocking read and a poll wake for an event, within milliseconds"""
    with Device(block=True) as reader, Device() as polled:
        reader.seek(os.SEEK_END)
        polled.seek(os.SEEK_END)
        poll = select.poll()
        poll.register(polled.fd, select.POLLIN)
        same(poll.poll(0), [], "poll() without events")
        same(poll.poll(50), [], "poll() without events, waiting")
        for wait in (lambda: reader.events(EVENT_SIZE), lambda: poll.poll(5000)):
            polled.drain()
            timer = threading.Timer(0.2, host.syns, [1])
            start = time.monotonic()
            timer.start()
            same(len(wait()), 1, "what came")
            check(0.2 <= time.monotonic() - start < SLOW, "not in time")
            timer.join()
        same(poll.poll(0), [(polled.fd, select.POLLIN)], "poll() with events")
        polled.drain()
        same(poll.poll(0), [], "poll() after all was read")
        polled.set_filter(port=1)
        host.syns(1)
        same(poll.poll(50), [], "poll() for what the filter leaves out")


@test
def seeks(host):
    """lseek as on /dev/kmsg"""
    host.syns(RING * 2)
    with Device() as reader:
        reader.seek(os.SEEK_END)
        same(reader.drain(), [], "events at the end")
        reader.seek(os.SEEK_SET)
        same(len(reader.drain()), RING, "events from the oldest on")
        reader.flush()
        flushed = reader.info().next_seq
        host.syns(2)
        reader.seek(os.SEEK_DATA)
        same([event.seq for event in reader.drain()], [flushed, flushed + 1],
             "events after the flush")
        host.syns(RING + 5)
        reader.seek(os.SEEK_DATA)
        same(len(reader.drain()), RING, "events after the flush, some overwritten")
        account = bytes(reader.account())
        for whence, wanted in ((os.SEEK_CUR, "EINVAL"), (os.SEEK_HOLE, "EINVAL"), (9, "EINVAL")):
            same(errno_of(os.lseek, reader.fd, 0, whence), wanted, f"lseek(0, {whence})")
        for whence in (os.SEEK_SET, os.SEEK_END, os.SEEK_DATA):
            for offset in (1, -1):
                same(errno_of(os.lseek, reader.fd, offset, whence), "ESPIPE",
                     f"lseek({offset}, {whence})")
        same(bytes(reader.account()), account, "the account after seeks that failed")


@test
def bad_memory(host):
    """EFAULT: the cursor stands where it stood"""
    host.syns(5)
    with Device() as reader, guarded_memory() as (_, edge):
        before = bytes(reader.account())
        same(plain_read(reader.fd, 1, 65536), (-1, "EFAULT"), "read() to nowhere")
        same(bytes(reader.account()), before, "the account")
        same(plain_read(reader.fd, edge - EVENT_SIZE * 2 - 50, 65536), (-1, "EFAULT"),
             "read() over the edge, with room for two before it")
        same(bytes(reader.account()), before, "the account")
        same(plain_read(reader.fd, edge - EVENT_SIZE * 2, EVENT_SIZE * 2), (EVENT_SIZE * 2, None),
             "read() up to the edge")
        same(reader.account().read, 2, "read")
        first = reader.events(EVENT_SIZE)[0]
        same(first.seq, reader.info().first_seq + 2, "next event")


@test
def bad_ioctls(_host):
    """ENOTTY, EINVAL and EFAULT of ioctl"""
    with Device() as reader:
        nowhere = 1
        for number in (device.request(0, 99, None), device.request(0, 0, None), 0x5401):
            same(errno_of(fcntl.ioctl, reader.fd, number, 0), "ENOTTY", f"ioctl {number:#x}")
        for number in (device.GET_INFO, device.SET_MODE, device.SET_FILTER, device.GET_READER):
            same(errno_of(fcntl.ioctl, reader.fd, number, nowhere), "EFAULT", f"ioctl {number:#x}")
        for mode in (2, 0xffffffff):
            same(errno_of(reader.set_mode, mode), "EINVAL", f"mode {mode}")
        for fields in ({"ip_version": 5}, {"pad": 1}):
            same(errno_of(lambda: reader.set_filter(**fields)), "EINVAL", f"filter {fields}")
        same(errno_of(os.write, reader.fd, b"x"), "EBADF", "write()")


@test
def filters(host):
    """the kernel filters by kind, port, IP version and namespace"""
    with Device() as reader:
        reader.seek(os.SEEK_END)
        sent = host.syns(10)
        for fields, wanted in (
                ({"kinds": device.kinds("syn")}, 10), ({"kinds": device.kinds("rst", "end")}, 0),
                ({"port": sent[3]}, 1), ({"port": 999}, 10), ({"port": 1}, 0),
                ({"ip_version": 4}, 10), ({"ip_version": 6}, 0),
                ({"netns": host.inode}, 10), ({"netns": host.inode + 1}, 0), ({}, 10)):
            reader.set_filter(**fields)
            reader.seek(os.SEEK_SET)
            before = reader.account()
            found = [event for event in reader.drain()
                     if socket.ntohs(event.responder_port) in sent]
            same(len(found), wanted, f"events for {fields}")
            after = reader.account()
            same(after.read - before.read + after.filtered - before.filtered,
                 after.next_seq - before.next_seq, "read and filtered")


@test
def flush(host):
    """a flush ends every flow with its verdict; it needs CAP_NET_ADMIN"""
    with Device() as reader:
        reader.flush()
        same(reader.info().flows, 0, "flows")
        host.syns(10)
        same(reader.info().flows, 10, "flows")
        refused = attempt("setpriv", "--bounding-set=-net_admin", READER, "flush")
        check(refused.returncode == 1 and "CAP_NET_ADMIN" in refused.stderr, "without capability",
              refused.stderr.splitlines())
        # root of its own user namespace only
        refused = attempt("unshare", "-Ur", READER, "flush")
        check(refused.returncode == 1, "in a user namespace", refused.stderr.splitlines())
        same(reader.info().flows, 10, "flows after what was refused")
        reader.seek(os.SEEK_END)
        run(READER, "flush")
        same(reader.info().flows, 0, "flows")
        same([(event.kind, event.summary.handshake, event.summary.close)
              for event in reader.drain()],
             [(device.kind("end"), CONSTANTS["HANDSHAKE_NO_ANSWER"],
               CONSTANTS["CLOSE_FLUSHED"])] * 10, "events")


@test
def private(_host):
    """only root may open it"""
    same(os.stat(device.PATH).st_mode & 0o7777, 0o600, "mode")
    done = attempt("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat",
                   device.PATH)
    check(done.returncode == 1 and "Permission denied" in done.stderr, "cat by nobody",
          done.stderr.splitlines())


@test
def shared(host):
    """two processes share one reader, with its mode"""
    with Device() as reader:
        reader.seek(os.SEEK_END)
        host.syns(3)
        seen = len(reader.events(EVENT_SIZE))
        output = subprocess.run(["dd", f"bs={EVENT_SIZE}", "count=1", "status=none"],
                                stdin=reader.fd, capture_output=True, check=True).stdout
        same((seen, Event.from_buffer_copy(output).seq + 1),
             (1, reader.account().next_seq), "what both read")
        same(len(reader.drain()), 1, "what is left")


@test
def strays(_host):
    """a flood of RSTs of no flow: so many a second are told, all are counted"""
    count = 4000
    before, start = stats(), time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for port in range(count):
            raw.sendto(packet(("127.0.0.1", 5), ("127.0.0.1", 6000 + port), "R", 1),
                       ("127.0.0.1", 0))
    seconds = time.monotonic() - start
    after = stats()
    told, kept, met = (after[name] - before[name]
                       for name in ("invalid", "strays_suppressed", "no_flow"))
    same((told + kept, met), (count, count), "told and not told, counted")
    check(1000 <= told <= 1000 * (seconds + 1), f"{told} told in {seconds:.1f} s")


if __name__ == "__main__":
    main(staged())
