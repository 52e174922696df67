# SPDX-License-Identifier: GPL-2.0
"""/dev/tcptrace as its ABI describes it, with no code of ours between."""

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import re
import socket

from lib.kernel import REPOSITORY
from lib import system

PATH = "/dev/tcptrace"
HEADER = REPOSITORY / "module/uapi/linux/tcptrace.h"

# TCPTRACE_EVENT_SYN = 1 and so on, without TCPTRACE_
CONSTANTS = {name: int(value, 0) for name, value in re.findall(
    r"TCPTRACE_(\w+)[ \t]+=?[ \t]*(\w+)", HEADER.read_text()) if value[0].isdigit()}


class Summary(ctypes.Structure):
    _fields_ = [
        ("handshake", ctypes.c_uint8), ("close", ctypes.c_uint8),
        ("first_fin", ctypes.c_uint8), ("teardown", ctypes.c_uint8),
        ("syn_retrans", ctypes.c_uint8), ("synack_retrans", ctypes.c_uint8),
        ("segments", ctypes.c_uint8), ("pad", ctypes.c_uint8),
        ("synack_us", ctypes.c_uint32), ("ack_us", ctypes.c_uint32),
        ("duration_us", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64 * 2), ("pkts", ctypes.c_uint64 * 2),
        ("history", ctypes.c_uint64),
    ]


class Syn(ctypes.Structure):
    _fields_ = [("mss", ctypes.c_uint16), ("wscale", ctypes.c_uint8),
                ("options", ctypes.c_uint8)]


class Part(ctypes.Union):
    _fields_ = [
        ("syn", Syn),
        ("retransmit_count", ctypes.c_uint32),
        ("summary", Summary),
        ("lost_count", ctypes.c_uint64),
        ("part", ctypes.c_uint64 * 8),
    ]


class Event(ctypes.Structure):
    _anonymous_ = ["part"]
    _fields_ = [
        ("size", ctypes.c_uint16), ("kind", ctypes.c_uint8), ("ip_version", ctypes.c_uint8),
        ("sender", ctypes.c_uint8), ("tcp_flags", ctypes.c_uint8),
        ("phase", ctypes.c_uint8), ("hook", ctypes.c_uint8),
        ("seq", ctypes.c_uint64), ("time_ns", ctypes.c_uint64), ("flow_id", ctypes.c_uint64),
        ("initiator_addr", ctypes.c_uint8 * 16), ("responder_addr", ctypes.c_uint8 * 16),
        ("initiator_port", ctypes.c_uint16), ("responder_port", ctypes.c_uint16),
        ("initiator_state", ctypes.c_uint8), ("responder_state", ctypes.c_uint8),
        ("prev_initiator_state", ctypes.c_uint8), ("prev_responder_state", ctypes.c_uint8),
        ("netns", ctypes.c_uint32), ("ifindex", ctypes.c_uint32),
        ("tcp_seq", ctypes.c_uint32), ("tcp_ack", ctypes.c_uint32),
        ("payload_len", ctypes.c_uint32),
        ("initiator_isn", ctypes.c_uint32), ("responder_isn", ctypes.c_uint32),
        ("window", ctypes.c_uint16), ("known", ctypes.c_uint8), ("cause", ctypes.c_uint8),
        ("iface", ctypes.c_char * 16),
        ("part", Part),
    ]


class Info(ctypes.Structure):
    _fields_ = [
        ("abi", ctypes.c_uint32), ("event_size", ctypes.c_uint32),
        ("ring_events", ctypes.c_uint32), ("buckets", ctypes.c_uint32),
        ("first_seq", ctypes.c_uint64), ("next_seq", ctypes.c_uint64),
        ("flows", ctypes.c_uint64),
    ]


class Filter(ctypes.Structure):
    _fields_ = [
        ("kinds", ctypes.c_uint32), ("netns", ctypes.c_uint32),
        ("ip_version", ctypes.c_uint8), ("pad", ctypes.c_uint8), ("port", ctypes.c_uint16),
    ]


class Account(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "next_seq", "read", "lost", "filtered", "skipped", "revisited", "snapshot")]


EVENT_SIZE = ctypes.sizeof(Event)
WRITE, READ = 1, 2


def request(direction, number, argument):
    size = ctypes.sizeof(argument) if argument else 0
    return direction << 30 | size << 16 | 0xB9 << 8 | number


GET_INFO = request(READ, 0, Info)
SET_MODE = request(WRITE, 1, ctypes.c_uint32)
SET_FILTER = request(WRITE, 2, Filter)
GET_READER = request(READ, 3, Account)
FLUSH = request(0, 4, None)
SNAPSHOT = request(0, 5, None)


def kind(name):
    return CONSTANTS[f"EVENT_{name.upper()}"]


def kinds(*names):
    return sum(1 << kind(name) for name in names)


class Device:
    """One reader."""

    def __init__(self, binary=True, block=False):
        self.fd = os.open(PATH, os.O_RDONLY | (0 if block else os.O_NONBLOCK))
        if binary:
            self.set_mode(CONSTANTS["MODE_BINARY"])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        os.close(self.fd)

    def get(self, number, result):
        fcntl.ioctl(self.fd, number, result)
        return result

    def info(self):
        return self.get(GET_INFO, Info())

    def account(self):
        return self.get(GET_READER, Account())

    def set_mode(self, mode):
        fcntl.ioctl(self.fd, SET_MODE, ctypes.c_uint32(mode))

    def set_filter(self, port=0, **fields):
        fcntl.ioctl(self.fd, SET_FILTER, Filter(port=socket.htons(port), **fields))

    def flush(self):
        fcntl.ioctl(self.fd, FLUSH)

    def snapshot(self):
        fcntl.ioctl(self.fd, SNAPSHOT)

    def seek(self, whence):
        return os.lseek(self.fd, 0, whence)

    def read(self, size):
        return os.read(self.fd, size)

    def events(self, size=1 << 16):
        """One read()."""
        data = self.read(size)
        return [Event.from_buffer_copy(data, at) for at in range(0, len(data), EVENT_SIZE)]

    def drain(self, size=1 << 16):
        """All that is there now."""
        found = []
        while True:
            try:
                found += self.events(size)
            except BlockingIOError:
                return found

    def drain_text(self):
        found = b""
        while True:
            try:
                found += self.read(1 << 16)
            except BlockingIOError:
                return found.decode().splitlines()


def live_flows():
    """How many flows there are, in all namespaces."""
    with Device() as reader:
        return reader.info().flows


def errno_of(function, *args):
    """The name of the error that a call ends with, or None."""
    try:
        function(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
    return None


def plain_read(fd, address, size):
    """read() without what Python does about signals; its value, the name of its error."""
    try:
        return system.call("read", fd, ctypes.c_void_p(address), ctypes.c_size_t(size)), None
    except OSError as error:
        return -1, errno.errorcode[error.errno]


@contextlib.contextmanager
def guarded_memory():
    """Two pages, the second of which is not writable: they, and the address between them."""
    with mmap.mmap(-1, 2 * mmap.PAGESIZE) as memory:
        edge = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + mmap.PAGESIZE
        system.call("mprotect", ctypes.c_void_p(edge), mmap.PAGESIZE, mmap.PROT_READ)
        yield memory, edge
