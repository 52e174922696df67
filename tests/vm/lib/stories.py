# SPDX-License-Identifier: GPL-2.0
"""What the module told of many connections: its binary events, flow by flow."""

import collections
import ipaddress
import struct

from lib import device
from lib.device import CONSTANTS, EVENT_SIZE

# struct tcptrace_event, its last part undecoded: all of it would take too long
FIELDS = struct.Struct(f"=HBBBBBBQQQ16s16s2s2sBBBBIIIIIIIHBB16s{device.Event.part.size}s")
Event = collections.namedtuple("Event", (
    "size kind ip_version sender tcp_flags phase hook seq time_ns flow_id initiator_addr "
    "responder_addr initiator_port responder_port initiator_state responder_state "
    "prev_initiator_state prev_responder_state netns ifindex tcp_seq tcp_ack payload_len "
    "initiator_isn responder_isn window known cause iface part"))
assert FIELDS.size == EVENT_SIZE


def names(prefix):
    return {value: name[len(prefix):] for name, value in CONSTANTS.items()
            if name.startswith(prefix) and name != "EVENT_SIZE"}


STATES, KINDS = names("STATE_"), names("EVENT_")
SIDES, REASONS = names("SIDE_"), names("REASON_")
FLAGS = "FSRPAUEC"


def decode(data):
    for at in range(0, len(data), EVENT_SIZE):
        yield Event._make(FIELDS.unpack_from(data, at))


def drain(reader):
    """All events that a reader has now."""
    events = []
    while True:
        try:
            events += decode(reader.read(1 << 20))
        except BlockingIOError:
            return events


def name_of(version, address, port):
    address = address[:4] if version == 4 else address
    return str(ipaddress.ip_address(address)), int.from_bytes(port, "big")


def line_of(event):
    """One event for a person, the sequence numbers counted from the SYNs."""
    flags = "".join(letter for bit, letter in enumerate(FLAGS) if event.tcp_flags >> bit & 1)
    isns = (event.initiator_isn, event.responder_isn)
    own, other = isns if event.sender == 1 else isns[::-1]
    reason = f" {REASONS[event.cause]}" if KINDS[event.kind] == "INVALID" else ""
    return (f"{event.time_ns / 1e9:.6f} flow {event.flow_id} {KINDS[event.kind]}{reason} "
            f"{'-><'[event.sender]}{flags} seq={(event.tcp_seq - own) % 2**32} "
            f"ack={(event.tcp_ack - other) % 2**32} len={event.payload_len} "
            f"{STATES[event.initiator_state]} {STATES[event.responder_state]}")


class Story:
    """One flow: its events, and what it tells of one of its endpoints, side 0 or 1."""

    def __init__(self, events, side):
        first = events[0]
        self.events = events
        self.side = side
        ends = (name_of(first.ip_version, first.initiator_addr, first.initiator_port),
                name_of(first.ip_version, first.responder_addr, first.responder_port))
        self.endpoint = ends[side] + ends[1 - side]
        self.states = [STATES[self.before(first)]]
        self.times = [None]	# when each was entered
        for event in events:
            state = STATES[self.after(event)]
            if state != self.states[-1]:
                self.states.append(state)
                self.times.append(event.time_ns)

    def before(self, event):
        return (event.prev_initiator_state, event.prev_responder_state)[self.side]

    def after(self, event):
        return (event.initiator_state, event.responder_state)[self.side]

    def told(self, kind, own=None):
        """Its events of a kind, sent by the endpoint itself or by its peer."""
        return [event for event in self.events if KINDS[event.kind] == kind and
                own in (None, event.sender == self.side + 1)]


def stories(events, addresses):
    """The story of the endpoint with one of these addresses, for each flow."""
    flows = collections.defaultdict(list)
    for event in events:
        if event.flow_id:
            flows[event.flow_id].append(event)
    for flow in flows.values():
        first = flow[0]
        initiator, _ = name_of(first.ip_version, first.initiator_addr, first.initiator_port)
        yield Story(flow, 0 if initiator in addresses else 1)
