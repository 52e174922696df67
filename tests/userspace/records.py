# SPDX-License-Identifier: GPL-2.0
"""Events and recordings as the module and tcptracectl would write them.

The numbers come out of the ABI header, so that they cannot differ from it.
"""
import ipaddress
import os
import re
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
HEADER = os.path.join(HERE, "../../module/uapi/linux/tcptrace.h")

EVENT = struct.Struct("=HBBBBBB QQQ 16s16s 2s2s BBBB IIIIIII HBB 16s 64s")
SUMMARY = struct.Struct("=BBBB BBBx II Q QQ QQ Q")
RECORDING = struct.Struct("=8sIIIIq")

START_NS = 5_000_000_000
OFFSET_NS = 1_760_000_000 * 10**9


def abi_numbers():
    numbers = {}
    with open(HEADER, encoding="ascii") as header:
        text = header.read()
    for name, value in re.findall(r"^(?:#define)?\s*TCPTRACE_(\w+)[\s=]+(0x\w+|\d+)\b", text, re.M):
        numbers[name] = int(value, 0)
    return numbers


ABI = abi_numbers()
assert EVENT.size == ABI["EVENT_SIZE"], (EVENT.size, ABI["EVENT_SIZE"])


def flag_bits(letters):
    names = {"S": "SYN", "F": "FIN", "R": "RST", "P": "PSH", "A": "ACK", "U": "URG",
             "E": "ECE", "C": "CWR"}
    return sum(ABI["TCP_" + names[letter]] for letter in letters)


def address(text):
    return ipaddress.ip_address(text).packed.ljust(16, b"\0") if text else bytes(16)


LETTERS = {"s": "SYN", "h": "SYN_ACK", "a": "ACK", "d": "DATA", "f": "FIN", "r": "RST",
           "c": "CORRUPT", "i": "FIN_RST", "q": "MULTI_FLAG"}


def history(letters):
    """The number of a history: upper case is the initiator, x that there were more."""
    bits = 0
    for place, letter in enumerate(letters.rstrip("x")):
        code = ABI["LETTER_" + LETTERS[letter.lower()]]
        code |= ABI["LETTER_RESPONDER"] if letter.islower() else 0
        bits |= code << place * ABI["LETTER_BITS"]
    return bits | (1 << 63 if letters.endswith("x") else 0)


def summary(handshake="NONE", close="NONE", first="NONE", syn=0, synack=0, synack_us=0,
            ack_us=0, duration=0, size=(0, 0), pkts=(0, 0), letters="", segments=(),
            teardown="NONE"):
    return SUMMARY.pack(ABI["HANDSHAKE_" + handshake], ABI["CLOSE_" + close],
                        ABI["SIDE_" + first], ABI["TEARDOWN_" + teardown], syn, synack,
                        sum(ABI["SEGMENT_" + name] for name in segments), synack_us, ack_us,
                        duration, *size, *pkts, history(letters))


class Flow:
    """One flow; its events follow each other by a millisecond."""

    def __init__(self, number, src="10.0.0.1", sport=43210, dst="10.0.0.2", dport=80, **options):
        self.number = number
        self.tuple = src, sport, dst, dport
        self.isns = options.get("isns", (1000, 900000))
        self.known = options.get("known", 0x03)
        self.netns = options.get("netns", 4026531840)
        self.states = ("CLOSED", "LISTEN")
        self.hook = options.get("hook", "OUT")
        self.iface = options.get("iface", b"eth0")

    def record(self, trace, states, seq=None, **options):
        """Append its record of a snapshot."""
        self.states = states
        part = summary(options.pop("handshake", "ESTABLISHED"), **options)
        self.event(trace, "SNAPSHOT", part=part, phase="ESTABLISHED", at=seq)

    def event(self, trace, kind, flags="", seq=0, ack=0, states=None, sender=None, part=b"",
              known=None, cause=0, phase="HANDSHAKE", hook=None, at=None):
        """Append an event to the trace, or with another number; those of TCP are relative."""
        src, sport, dst, dport = self.tuple
        sides = self.isns if sender != "RESPONDER" else self.isns[::-1]
        before, self.states = self.states, states or self.states
        hook = hook or (self.hook if flags else "NONE")
        version = ipaddress.ip_address(src).version if src else 0
        seq = (seq + sides[0]) % 2**32 if flags or sender else 0
        ack = (ack + sides[1]) % 2**32 if "A" in flags else 0
        trace.append(EVENT.pack(
            EVENT.size, ABI["EVENT_" + kind], version, ABI["SIDE_" + (sender or "NONE")],
            flag_bits(flags), ABI["PHASE_" + phase], ABI["HOOK_" + hook],
            at or trace.next_seq(), trace.next_time(), self.number, address(src), address(dst),
            sport.to_bytes(2, "big"), dport.to_bytes(2, "big"),
            *[ABI["STATE_" + state] for state in self.states + before],
            self.netns, 2, seq, ack, 0, *self.isns, 64240,
            self.known if known is None else known, cause, self.iface, part.ljust(64, b"\0")))


class Trace(list):
    """Events, to be written as a recording or to be read from a fake device."""

    def __init__(self):
        super().__init__()
        self.seq = 0
        self.time = START_NS

    def next_seq(self):
        self.seq += 1
        return self.seq

    def next_time(self):
        self.time += 1_000_000
        return self.time

    def lost(self, count):
        self.append(EVENT.pack(
            EVENT.size, ABI["EVENT_LOST"], 0, 0, 0, 0, 0, self.seq + 1, self.next_time(), 0,
            bytes(16), bytes(16), b"\0\0", b"\0\0", *[0] * 4, *[0] * 7, 0, 0, 0, bytes(16),
            count.to_bytes(8, "little").ljust(64, b"\0")))
        self.seq += count

    def complete(self, seq):
        """The last record of a snapshot."""
        self.append(EVENT.pack(
            EVENT.size, ABI["EVENT_SNAPSHOT"], 0, 0, 0, 0, 0, seq, self.next_time(), 0,
            bytes(16), bytes(16), b"\0\0", b"\0\0", *[0] * 4, *[0] * 7, 0, 0, 0, bytes(16),
            bytes(56)))

    def records(self):
        return b"".join(self)

    def recording(self):
        return header() + self.records()


def header(magic=b"tcptrace", version=1, abi=None, size=None):
    return RECORDING.pack(magic, version, ABI["ABI"] if abi is None else abi,
                          EVENT.size if size is None else size, 0, OFFSET_NS)


def handshake(trace, flow):
    options = struct.pack("=HBB", 1460, 7, 0x0f)
    flow.event(trace, "SYN", "S", 0, 0, ("SYN_SENT", "LISTEN"), "INITIATOR", options, 0x01)
    flow.event(trace, "SYN_ACK", "SA", 0, 1, ("SYN_SENT", "SYN_RECEIVED"), "RESPONDER", options)
    flow.known |= 0x0c
    flow.event(trace, "ESTABLISHED", "A", 1, 1, ("ESTABLISHED", "ESTABLISHED"), "INITIATOR",
               summary("ESTABLISHED", syn=1, synack_us=120, ack_us=45, duration=165),
               phase="ESTABLISHED")


def teardown(trace, flow):
    flow.event(trace, "FIN", "FPA", 78, 616, ("FIN_WAIT_1", "ESTABLISHED"), "INITIATOR",
               phase="TEARDOWN")
    flow.event(trace, "FIN_ACKED", "A", 616, 79, ("FIN_WAIT_2", "CLOSE_WAIT"), "RESPONDER",
               phase="TEARDOWN")
    flow.event(trace, "FIN", "FA", 616, 79, ("FIN_WAIT_2", "LAST_ACK"), "RESPONDER",
               phase="TEARDOWN")
    flow.event(trace, "FIN_ACKED", "A", 79, 617, ("TIME_WAIT", "CLOSED"), "INITIATOR",
               phase="TIME_WAIT")
    end = summary("ESTABLISHED", "ORDERLY", "INITIATOR", 1, 0, 120, 45, 1234567, (77, 615), (6, 4),
                  "ShADdFaf", ("SYN", "SYN_ACK", "ACK", "DATA", "FIN"), "LAST_ACK")
    flow.event(trace, "END", "A", 79, 617, None, "INITIATOR", end, phase="TIME_WAIT")
    flow.event(trace, "TIMEOUT", "", 0, 0, ("CLOSED", "CLOSED"), cause=ABI["TIMER_TIME_WAIT"],
               phase="CLOSED")


def refused(trace, flow):
    flow.event(trace, "SYN", "S", 0, 0, ("SYN_SENT", "LISTEN"), "INITIATOR", known=0x01)
    flow.event(trace, "RST", "RA", 0, 1, ("CLOSED", "CLOSED"), "RESPONDER", known=0x01,
               phase="CLOSED")
    flow.event(trace, "END", "RA", 0, 1, None, "RESPONDER",
               summary("REFUSED", duration=80, pkts=(1, 1)), 0x01, phase="CLOSED")


def unanswered(trace, flow):
    flow.event(trace, "SYN", "S", 0, 0, ("SYN_SENT", "LISTEN"), "INITIATOR", known=0x01)
    flow.event(trace, "RETRANSMIT", "S", 0, 0, None, "INITIATOR", struct.pack("=I", 1), 0x01)
    flow.event(trace, "TIMEOUT", "", 0, 0, ("CLOSED", "CLOSED"), cause=ABI["TIMER_SYN"],
               known=0x01, phase="CLOSED")
    flow.event(trace, "END", "", 0, 0, None, None,
               summary("NO_ANSWER", syn=1, duration=121_000_000, pkts=(2, 0)), 0x01, phase="CLOSED")


def unreachable(trace, flow):
    flow.event(trace, "SYN", "S", 0, 0, ("SYN_SENT", "LISTEN"), "INITIATOR", known=0x01)
    icmp = bytes([3, 1, 0, 0]) + address("10.0.0.254")
    flow.event(trace, "ICMP_ERROR", "", 0, 0, ("CLOSED", "CLOSED"), "INITIATOR", icmp, 0x01,
               phase="CLOSED", hook="IN")
    flow.event(trace, "END", "", 0, 0, None, "INITIATOR", summary("UNREACHABLE", duration=300),
               0x01, phase="CLOSED", hook="IN")


def icmp_errors(*errors, src="10.0.0.1", dst="10.0.0.2", says="10.0.0.254", cause=0):
    """ICMP errors about a flow: of each (type, code); with a cause they are invalid."""
    trace, flow = Trace(), Flow(1, src, dst=dst)
    flow.states = ("SYN_SENT", "LISTEN")
    for error in errors:
        flow.event(trace, "INVALID" if cause else "ICMP_ERROR", "", 700, 0, None, "INITIATOR",
                   bytes([*error, 0, 0]) + address(says), cause=cause, hook="IN")
    return trace


def reset_midway(trace, flow):
    """Met midway, then the largest numbers, then reset by the responder."""
    flow.known = 0x80
    flow.isns = (0, 0)
    flow.states = ("ESTABLISHED", "ESTABLISHED")
    flow.event(trace, "PICKUP", "PA", 4294967295, 4294967294, None, "INITIATOR",
               phase="ESTABLISHED")
    flow.event(trace, "INVALID", "SFRPAUEC", 4294967295, 4294967294, None, "INITIATOR",
               cause=ABI["REASON_BAD_FLAGS"], phase="ESTABLISHED")
    flow.event(trace, "RST", "R", 4294967295, 0, ("CLOSED", "CLOSED"), "RESPONDER",
               phase="CLOSED")
    flow.event(trace, "END", "R", 4294967295, 0, None, "RESPONDER",
               summary("UNSEEN", "RESET_BY_RESPONDER", duration=10, size=(10**15, 10**15),
                       pkts=(10**12, 10**12)), phase="CLOSED")


def tour():
    """Everything that may happen, once."""
    trace = Trace()
    orderly = Flow(1)
    handshake(trace, orderly)
    teardown(trace, orderly)
    refused(trace, Flow(2, dport=81))
    unanswered(trace, Flow(3, dst="192.168.7.9", dport=443))
    unreachable(trace, Flow(4, dst="172.16.0.1", dport=22))
    reset_midway(trace, Flow(12345678, "203.100.113.255", 65535, "198.151.100.199", 65535))
    stray = Flow(0, "10.9.9.9", 1, "10.0.0.2", 2, known=0, isns=(0, 0))
    stray.states = ("NONE", "NONE")
    stray.event(trace, "INVALID", "RA", 1, 1, None, None, cause=ABI["REASON_NO_FLOW"], phase="NONE")
    trace.lost(1234)
    six = Flow(6, "2001:db8::1", 5000, "2001:db8::2", 443, netns=4026532000, hook="FORWARD")
    handshake(trace, six)
    six.event(trace, "SNAPSHOT", "", 0, 0, None, None,
              summary("ESTABLISHED", synack_us=1, ack_us=2, duration=5), phase="ESTABLISHED")
    six.event(trace, "EVICT", "", 0, 0, ("CLOSED", "CLOSED"), phase="CLOSED")
    six.event(trace, "END", "", 0, 0, None, None,
              summary("ESTABLISHED", "EVICTED", duration=9), phase="CLOSED")
    return trace
