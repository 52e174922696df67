# SPDX-License-Identifier: GPL-2.0
"""Whether the END of a flow tells what the flow's own events and its behaviour say."""

from lib.device import CONSTANTS, Summary
from lib.stories import KINDS, line_of, names

SYN, ACK = CONSTANTS["TCP_SYN"], CONSTANTS["TCP_ACK"]
HANDSHAKES, CLOSES = names("HANDSHAKE_"), names("CLOSE_")

# By the behaviour, the verdict on an attempt that fails: for the client, for the server. What
# never ends is ended by our timer or by the flush.
FAILURES = {
    "closed": ({"REFUSED NONE"}, {"REFUSED NONE"}),
    "refused": ({"REFUSED NONE"}, None),
    "rejected": ({"UNREACHABLE NONE"}, None),
    "unreachable": ({"UNREACHABLE NONE"}, None),
    "filtered": ({"NO_ANSWER NONE", "NO_ANSWER FLUSHED"}, None),
    "deaf": ({"ESTABLISHED RESET_BY_INITIATOR", "ESTABLISHED FLUSHED"},
             {"HALF_OPEN NONE", "HALF_OPEN FLUSHED"}),
}

# By the behaviour, the verdict on a connection. Where a host vanishes, that depends on what
# follows.
ORDERLY = {"ESTABLISHED ORDERLY"}
RESET = {"ESTABLISHED RESET_BY_INITIATOR", "ESTABLISHED RESET_BY_RESPONDER"}
CLOSINGS = (dict.fromkeys(("orderly", "half", "at_once", "queued", "idle"), ORDERLY)
            | dict.fromkeys(("reset", "unread", "unheard"), RESET))

# Neither side waits for the other: the client may be gone when the SYN+ACK comes. What the
# SYN brought may stay unread; then the server's close() resets, before the handshake is over
# or later.
FAST = {"ABORTED NONE", "ESTABLISHED RESET_BY_RESPONDER", "RESET NONE"}


def summary_of(end):
    return Summary.from_buffer_copy(end.part)


def micros(start_ns, end_ns):
    return (end_ns - start_ns) // 1000


def times(story):
    """The times that its END should tell, from its events; None for what is not known."""
    first = story.events[0].time_ns
    opened = any(syn.time_ns == first for syn in story.told("SYN"))
    answers = story.told("SYN_ACK") if opened else []
    done = story.told("ESTABLISHED") if answers else []
    synack = micros(first, answers[0].time_ns) if answers else None
    # together they are the whole handshake
    ack = micros(first, done[0].time_ns) - synack if done else None
    return {"synack_us": synack, "ack_us": ack,
            "duration_us": micros(first, story.told("END")[0].time_ns)}


def told_times(end):
    part = summary_of(end)

    def if_known(flag, value):
        return value if end.known & CONSTANTS[flag] else None

    return {"synack_us": if_known("KNOWN_SYNACK_US", part.synack_us),
            "ack_us": if_known("KNOWN_ACK_US", part.ack_us),
            "duration_us": part.duration_us}


def verdict(end):
    part = summary_of(end)
    return f"{HANDSHAKES[part.handshake]} {CLOSES[part.close]}"


def overtaken(story):
    """Did its RST come before the SYN+ACK that the peer had sent before, by another CPU?"""
    resets = story.told("RST", own=False)
    return bool(resets) and any(
        event.tcp_flags == SYN | ACK and (resets[0].tcp_seq - event.tcp_seq) % 2**32 == 1
        for event in story.told("INVALID", own=False))


def fitting(behaviour, of_server):
    """The verdicts that fit how the connection was told to go; None if any may. A listener
    that does not take every ACK decides itself, and SYNs that should cross may not."""
    opening, closing = behaviour
    if opening in FAILURES:
        return FAILURES[opening][of_server]
    if opening not in ("plain", "fast") or closing not in CLOSINGS:
        return None
    return CLOSINGS[closing] | (FAST if opening == "fast" else set())


class Outcomes:
    """The ENDs of many flows."""

    def __init__(self):
        self.flows = 0
        self.judged = 0		# flows whose verdict has to fit
        self.violations = 0
        self.wrong = []

    def check(self, story, behaviour=None, of_server=False):
        """One flow; @behaviour if nothing on the way changes how that ends."""
        self.flows += 1
        ends = story.told("END")
        if len(ends) != 1:
            self.note(story, f"{len(ends)} times END")
            return
        if told_times(ends[0]) != times(story):
            self.note(story, f"{told_times(ends[0])}, by its events {times(story)}")
        # what was met midway is the rest of a connection
        if behaviour and KINDS[story.events[0].kind] != "PICKUP":
            self.check_verdict(story, ends[0], behaviour, of_server)

    def check_verdict(self, story, end, behaviour, of_server):
        fit = fitting(behaviour, of_server)
        self.judged += fit is not None
        if fit and behaviour[0] == "fast" and overtaken(story):
            fit = fit | {"REFUSED NONE"}
        if fit and verdict(end) not in fit:
            self.note(story, f"{verdict(end)}, and it was {' '.join(behaviour)}")

    def note(self, story, what):
        self.violations += 1
        self.wrong += [f"{story.endpoint}: {what}", *("  " + line_of(event)
                                                       for event in story.events)]

    def figure(self):
        return (f"{self.flows} flows: one END with the times of its events; {self.judged} verdicts "
                f"beside the behaviour; {self.violations} violations")
