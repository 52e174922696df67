# SPDX-License-Identifier: GPL-2.0
"""The table of live flows as a reader keeps it, by the rule of the ABI."""

from lib.device import CONSTANTS, kind

SNAPSHOT, EVICT, END, LOST = (kind(name) for name in ("snapshot", "evict", "end", "lost"))
CLOSED, TIME_WAIT = CONSTANTS["PHASE_CLOSED"], CONSTANTS["PHASE_TIME_WAIT"]
STATES = {value: name.removeprefix("STATE_") for name, value in CONSTANTS.items()
          if name.startswith("STATE_")}


def is_over(event):
    """Is the flow of this event gone behind it?"""
    return event.kind == EVICT or event.phase == CLOSED or \
        event.kind == END and event.phase != TIME_WAIT


class Table:
    """Flow numbers and the states of both endpoints, from a snapshot on."""

    def __init__(self):
        self.flows = {}
        self.since = {}	# flow number: that of its record

    def apply(self, event):
        if not event.flow_id or event.kind == LOST:
            return
        if event.kind == SNAPSHOT:
            if event.flow_id not in self.since:
                self.since[event.flow_id] = event.seq
                self.flows[event.flow_id] = event.initiator_state, event.responder_state
        elif event.seq < self.since.get(event.flow_id, 0):
            return
        elif is_over(event):
            self.flows.pop(event.flow_id, None)
        elif event.kind != END or event.flow_id in self.flows:
            self.flows[event.flow_id] = event.initiator_state, event.responder_state

    def states(self):
        """The same with the names of the states."""
        return {flow: (STATES[initiator], STATES[responder])
                for flow, (initiator, responder) in self.flows.items()}


def proc_table(namespace):
    """The live flows of a namespace by /proc/net/tcptrace."""
    rows = [line.split() for line in namespace.read("/proc/thread-self/net/tcptrace").splitlines()]
    return {int(row[0]): (row[3], row[4]) for row in rows[1:] if row[3:5] != ["CLOSED", "CLOSED"]}
