# SPDX-License-Identifier: GPL-2.0
"""Which of the cases that the traffic is made for came about, by the kernel's own word."""

import collections

# Changes of state, and the kernel's counters, that a few hundred connections have for sure...
CHANGES = (("SYN_SENT", "SYN_RECEIVED"), ("FIN_WAIT_1", "CLOSING"), ("CLOSING", "CLOSED"))
COUNTERS = ("SyncookiesSent", "SyncookiesRecv", "TCPFastOpenPassive", "TCPAbortOnData",
            "TCPAbortOnClose", "TCPKeepAlive", "TCPDeferAcceptDrop")
BEHAVIOURS = ("plain", "crossed", "fast", "deferring", "narrow", "closed", "refused",
              "rejected", "unreachable", "orderly", "half", "at_once", "queued", "reset",
              "unread", "unheard", "idle", "vanished")
# ...and those that it takes some thousands for
RARE_CHANGES = (("SYN_RECEIVED", "FIN_WAIT_1"),)
RARE_COUNTERS = ("ListenOverflows", "TCPAbortOnTimeout")
RARE_BEHAVIOURS = ("filtered", "stuck", "deaf")


class Cases:
    """Counts of all that is listed above."""

    def __init__(self):
        self.changes = collections.Counter()
        self.counters = collections.Counter()
        self.behaviours = collections.Counter()

    def add(self, batch):
        for sock in (sock for socks in batch.socks.values() for sock in socks):
            self.changes.update(zip(sock.states, sock.states[1:]))
        self.counters += batch.counters
        for opening, closing in batch.behaviours.values():
            self.behaviours.update((opening, closing))

    def lines(self):
        for counter, wanted in (
                (self.behaviours, BEHAVIOURS + RARE_BEHAVIOURS),
                (self.counters, COUNTERS + RARE_COUNTERS),
                (self.changes, CHANGES + RARE_CHANGES)):
            yield ", ".join(f"{counter[one]} {name(one)}" for one in wanted)

    def missing(self, rare):
        """What never happened, the rare ones too if there were enough connections."""
        for counter, wanted, seldom in (
                (self.behaviours, BEHAVIOURS, RARE_BEHAVIOURS),
                (self.counters, COUNTERS, RARE_COUNTERS),
                (self.changes, CHANGES, RARE_CHANGES)):
            yield from (name(one) for one in wanted + seldom * rare if not counter[one])


def name(one):
    return one if isinstance(one, str) else " to ".join(one)


def counters(namespace):
    """What the kernel counts there: TcpExt of /proc/net/netstat."""
    lines = namespace.read("/proc/thread-self/net/netstat").splitlines()
    words, values = (line.split()[1:] for line in lines if line.startswith("TcpExt:"))
    return collections.Counter(dict(zip(words, map(int, values))))
