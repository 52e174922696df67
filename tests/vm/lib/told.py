# SPDX-License-Identifier: GPL-2.0
"""Records of the device in the words of a script, and what holds for all of them."""

from lib.device import CONSTANTS
from lib.packet import FLAGS
from lib.tap import check, same


def names(prefix):
    return {value: name.removeprefix(prefix).lower() for name, value in CONSTANTS.items()
            if name.startswith(prefix) and name != "EVENT_SIZE"}


KINDS, REASONS, TIMERS = names("EVENT_"), names("REASON_"), names("TIMER_")
HANDSHAKES, CLOSES, SIDES = names("HANDSHAKE_"), names("CLOSE_"), names("SIDE_")
STATES = {value: name.upper() for value, name in names("STATE_").items()} | {0: "-"}
OPTIONS = {value: name for value, name in names("OPT_").items()}
LETTERS = {bit: letter for letter, bit in FLAGS.items()}


def flags_text(flags):
    return "".join(letter for letter in "SFRPAUEC" if flags & FLAGS[letter]) or "0"


def kind_of(event):
    return KINDS[event.kind]


def states_of(event):
    return STATES[event.initiator_state], STATES[event.responder_state]


def states_before(event):
    return STATES[event.prev_initiator_state], STATES[event.prev_responder_state]


def words_of(event):
    """What was told, as a script says it."""
    kind = kind_of(event)
    match kind:
        case "end":
            summary = event.summary
            return " ".join((kind, HANDSHAKES[summary.handshake], CLOSES[summary.close],
                             SIDES[summary.first_fin]))
        case "invalid":
            kind += "/" + REASONS[event.cause]
        case "timeout":
            kind += "/" + TIMERS[event.cause]
        case "retransmit":
            kind += f"/{event.retransmit_count}"
    return " ".join((kind, *states_of(event)))


def sender_of(event):
    """The port of who sent the segment; None if there was no segment."""
    side = SIDES[event.sender]
    port = {"initiator": event.initiator_port, "responder": event.responder_port}.get(side)
    return None if port is None else (port & 0xff) << 8 | port >> 8


def options_of(event):
    return "+".join(name for bit, name in OPTIONS.items() if event.syn.options & bit) or "none"


def check_flow(events):
    """What holds for one connection, whatever happened to it."""
    check_order(events)
    check_figures(events)


def check_order(events):
    before = None
    for event in events:
        kind, prev, state = kind_of(event), states_before(event), states_of(event)
        if kind == "end" and before:	# tells the last change once more
            same(state, states_of(before), "states at the end")
        else:
            same(prev, must_begin(kind, before), f"states before {words_of(event)}")
        if kind in ("invalid", "retransmit", "reuse"):
            same(state, prev, f"states after {words_of(event)}")
        check(not before or event.time_ns >= before.time_ns, "time runs backwards")
        before = event
    ends = [words_of(event) for event in events if kind_of(event) == "end"]
    check(len(ends) <= 1, "more than one END", ends)


def must_begin(kind, before):
    """The states before an event, from the event before it."""
    if kind == "pickup":
        return "-", "-"
    return states_of(before) if before else ("CLOSED", "LISTEN")


def first(events, kind):
    return next((event for event in events if kind_of(event) == kind), None)


def microseconds(start, event):
    return (event.time_ns - start.time_ns) // 1000


def check_figures(events):
    """Each clock runs from the first SYN, SYN+ACK and segment, however many followed."""
    syn, syn_ack, established = (first(events, kind) for kind in
                                 ("syn", "syn_ack", "established"))
    for event in events:
        if kind_of(event) not in ("established", "end"):
            continue
        summary, known = event.summary, event.known
        same(summary.duration_us, microseconds(events[0], event), "duration_us")
        if known & CONSTANTS["KNOWN_SYNACK_US"]:
            same(summary.synack_us, microseconds(syn, syn_ack), "synack_us")
        if known & CONSTANTS["KNOWN_ACK_US"]:
            same(summary.synack_us + summary.ack_us, microseconds(syn, established),
                 "synack_us + ack_us")
