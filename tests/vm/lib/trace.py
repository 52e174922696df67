# SPDX-License-Identifier: GPL-2.0
"""The JSON lines of tcptracectl, and stories: what a connection went through, as text.

A line of a story is the event, what caused it, and both states after it:

	syn          >S                   SYN_SENT  LISTEN
	retransmit   >S/1                 SYN_SENT  LISTEN
	end          no_answer/none       CLOSED    CLOSED

> is a segment of the initiator, < of the responder; a retransmission has its count,
an invalid segment its reason, an ICMP error its type and code behind the sender of what
it quotes, a timeout its timer, an end both outcomes. Each word is a regular expression. The states before an event are those after the one before.
"""

import contextlib
import json
import re
import subprocess
import threading

from lib import net
from lib.device import Device
from lib.kernel import Module, READER, SLOW
from lib.net import Lab
from lib.tap import Failure, check, same

ARROWS = {"initiator": ">", "responder": "<", None: "-"}
OTHER = {"initiator": "responder", "responder": "initiator"}
INTERFACES = {"to-client": (net.CLIENT, net.CLIENT6), "to-server": (net.SERVER, net.SERVER6)}


def cause(event):
    segment = ARROWS[event["sender"]] + event["flags"]
    match event["event"]:
        case "end":
            return f"{event['handshake']}/{event['close']}"
        case "timeout":
            return event["timer"]
        case "retransmit":
            return f"{segment}/{event['retransmit_count']}"
        case "invalid":
            return f"{segment}/{event['reason']}"
        case "icmp_error":
            return f"{segment}{event['icmp_type']}/{event['icmp_code']}"
        case "evict":
            return "-"
    return segment


def line_of(event):
    return " ".join((event["event"], cause(event), str(event["initiator_state"]),
                     str(event["responder_state"])))


def lines_of(story):
    """The lines of a story with single spaces."""
    return [" ".join(line.split()) for line in story.splitlines() if line]


def told(events):
    """What was seen, for a person to read."""
    return [f"{event['seq']:6} netns {event['netns']} flow {event['flow_id']} {line_of(event)}"
            for event in events]


def phase(event):
    """The phase by the words of design.md, not by the code of the module."""
    states = {event["initiator_state"], event["responder_state"]}
    if None in states:
        return None
    if "TIME_WAIT" in states:
        return "TIME_WAIT"
    if states == {"CLOSED"}:
        return "CLOSED"
    if states == {"ESTABLISHED"}:
        return "ESTABLISHED"
    if states & {"FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK"}:
        return "TEARDOWN"
    return "HANDSHAKE"


def place(event, host):
    """Hook and interface that a segment of this event's sender passes at a host."""
    address = event["src_ip" if event["sender"] == "initiator" else "dest_ip"]
    if event["sender"] is None:
        return None, None
    if host.startswith("mon"):	# a mirrored interface
        return "ingress", host
    if event["src_ip"] == event["dest_ip"]:
        return "out", "lo"
    if host == "router":
        return "forward", next(name for name, ends in INTERFACES.items() if address in ends)
    return "out" if address in INTERFACES[f"to-{host}"] else "in", "to-router"


class Flow:
    """The events of one connection at one host."""

    def __init__(self, events):
        self.events = events

    def all(self, name, sender=None):
        return [event for event in self.events
                if event["event"] == name and sender in (None, event["sender"])]

    def one(self, name, sender=None):
        found = self.all(name, sender)
        same(len(found), 1, f"number of {name} events", told(self.events))
        return found[0]

    def end(self):
        return self.one("end")

    def seconds(self, first, last):
        """The time between two events."""
        return (last["time_ns"] - first["time_ns"]) / 1e9

    def check(self, host):
        """What holds for every connection, whatever happened to it."""
        try:
            self.check_order()
            self.check_place(host)
            self.check_numbers()
            self.check_figures()
        except Failure as failure:
            raise Failure(f"at {host}: {failure}", [*failure.lines, *told(self.events)]) from None

    def check_order(self):
        before = None
        for event in self.events:
            prev = (event["prev_initiator_state"], event["prev_responder_state"])
            state = (event["initiator_state"], event["responder_state"])
            if event["event"] == "end" and before:	# tells the last change once more
                same(state, (before["initiator_state"], before["responder_state"]),
                     "states at the end")
            elif before:
                same(prev, (before["initiator_state"], before["responder_state"]),
                     f"states before event {event['seq']}")
                check(event["seq"] > before["seq"] and event["time_ns"] >= before["time_ns"],
                      f"event {event['seq']} is out of order")
            elif event["event"] != "pickup":
                same(prev, ("CLOSED", "LISTEN"), "first states")
            if event["event"] in ("invalid", "retransmit"):
                same(state, prev, f"states after event {event['seq']}")
            same(event["phase"], phase(event), f"phase of event {event['seq']}")
            before = event
        same({event["flow_id"] for event in self.events}, {self.events[0]["flow_id"]}, "flow")
        check(len(self.all("end")) <= 1, "more than one end")

    def check_place(self, host):
        """Of segments: whoever sends an ICMP error, it may come from anywhere."""
        if (host, self.events[0]["hook"]) == ("router", "out"):
            return	# told from an error about what could not be forwarded
        icmp = False
        for event in self.events:
            icmp = "icmp_type" in event or (icmp and event["event"] == "end")
            if icmp:
                continue
            same((event["hook"], event["iface"]), place(event, host),
                 f"hook and interface of event {event['seq']}")

    def check_numbers(self):
        """RFC 9293 section 3.4: every answer has the number of what it answers."""
        for syn_ack in self.all("syn_ack"):
            for syn in self.all("syn", OTHER[syn_ack["sender"]]):
                same(syn_ack["tcp_ack"], (syn["tcp_seq"] + 1) % 2**32, "ack of the SYN+ACK")
        for established in self.all("established"):
            for syn_ack in self.all("syn_ack", OTHER[established["sender"]]):
                same(established["tcp_ack"], (syn_ack["tcp_seq"] + 1) % 2**32, "ack of the ACK")
        for acked in self.all("fin_acked"):
            for fin in self.all("fin", OTHER[acked["sender"]]):
                same(acked["tcp_ack"], (fin["tcp_seq"] + fin["payload_len"] + 1) % 2**32,
                     "ack of the FIN")

    def check_figures(self):
        first = self.events[0]
        for event in self.all("established") + self.all("end"):
            synack, ack, whole = (event[f"{name}_us"] for name in ("synack", "ack", "handshake"))
            same(whole, None if None in (synack, ack) else synack + ack, "handshake_us")
            if first["event"] not in ("syn", "reuse"):
                continue
            for figure, last in ((synack, "syn_ack"), (whole, "established")):
                if figure is not None:
                    same(figure, (self.all(last)[0]["time_ns"] - first["time_ns"]) // 1000,
                         f"microseconds to {last}")
        for event in self.all("end"):
            if first["event"] in ("syn", "reuse", "pickup"):
                same(event["duration_us"], (event["time_ns"] - first["time_ns"]) // 1000,
                     "duration_us")


def check_tuple(flow, here, there):
    """The flow is one from here to there, both (address, port)."""
    first = flow.events[0]
    same(((first["src_ip"], first["src_port"]), (first["dest_ip"], first["dest_port"])),
         (here, there), "tuple", told(flow.events))


@contextlib.contextmanager
def stage(**parameters):
    """The module, the hosts and the trace that most suites want."""
    with Module(**parameters), Lab() as lab, Trace() as trace:
        yield lab, trace


class Trace:
    """A tcptracectl -j that runs as long as the context lasts."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        self.events = []
        self.more = threading.Condition()
        self.device = Device()
        self.process = subprocess.Popen([READER, "-j", "-q", *self.options],
                                        stdout=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self.collect)
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait()
        self.thread.join()
        self.device.__exit__()

    def collect(self):
        with self.process.stdout as lines:
            for line in lines:
                event = json.loads(line)
                with self.more:
                    self.events.append(event)
                    self.more.notify_all()

    def wait(self, condition, what, seconds=10):
        """Wait until condition() of the events is true; its value."""
        with self.more:
            value = self.more.wait_for(condition, seconds * SLOW)
        if not value:
            raise Failure(f"not within {seconds} s: {what}", told(self.events[-40:]))
        return value

    def sync(self):
        """Wait for all that was published before."""
        last = self.device.info().next_seq - 1
        self.wait(lambda: not last or (self.events and self.events[-1]["seq"] >= last),
                  f"event {last}")

    def at(self, host, port):
        """The events of a port at a host so far."""
        return [event for event in self.events if event["netns"] == host.inode and
                port in (event["src_port"], event["dest_port"])]

    def wait_story(self, host, port, story, seconds=10):
        """Wait until a connection has gone so far."""
        count = len(lines_of(story))
        self.wait(lambda: len(self.at(host, port)) >= count, f"{count} events", seconds)

    def wait_event(self, host, port, name, count=1, seconds=10):
        """Wait for the count-th such event; it."""
        def found():
            return [event for event in self.at(host, port) if event["event"] == name][count - 1:]
        try:
            return self.wait(found, f"{name} {count}", seconds)[0]
        except Failure as failure:
            raise Failure(f"at {host.name}: {failure}", told(self.at(host, port))) from None

    def expect(self, host, port, story, seconds=10):
        """A connection goes exactly so; its checked Flow."""
        patterns = lines_of(story)
        try:
            self.wait(lambda: len(self.at(host, port)) >= len(patterns), "all events", seconds)
        except Failure:
            pass	# the comparison tells more
        self.sync()
        events = self.at(host, port)
        lines = [line_of(event) for event in events]
        if len(lines) != len(patterns) or not all(map(re.fullmatch, patterns, lines)):
            raise Failure(f"another story at {host.name}",
                          ["wanted:", *patterns, "seen:", *told(events)])
        return self.checked(host, events)

    @staticmethod
    def checked(host, events):
        flow = Flow(events)
        for flow_id in dict.fromkeys(event["flow_id"] for event in events):
            Flow([event for event in events if event["flow_id"] == flow_id]).check(host.name)
        return flow

    def expect_at(self, hosts, port, story, seconds=10):
        """The same story at all these hosts; a Flow for each."""
        return [self.expect(host, port, story, seconds) for host in hosts]
