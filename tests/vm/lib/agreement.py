# SPDX-License-Identifier: GPL-2.0
"""Whether the kernel and the module tell the same of an endpoint, state by state.

Where the two mean the same and say it differently, a rule says so. A rule rewrites what
the kernel said, for a reason that it states and a condition that it checks; how often each
was needed is counted. What no rule covers is a disagreement.

Two differences cannot be seen: a flow that the kernel has no socket for may be missing, and
where a socket ended silently, a flow that ended with it says the same word for word.
"""

import collections
import itertools

from lib.device import CONSTANTS
from lib.kernel import SLOW
from lib.stories import KINDS, line_of

# RFC 9293 section 3.3.2 after the handshake: what an endpoint does or learns
SENDS_FIN, GETS_FIN, FIN_ACKED, ENDS = "sends FIN", "gets FIN", "FIN acknowledged", "ends"
STEPS = {
    ("SYN_RECEIVED", SENDS_FIN): "FIN_WAIT_1", ("SYN_RECEIVED", GETS_FIN): "CLOSE_WAIT",
    ("ESTABLISHED", SENDS_FIN): "FIN_WAIT_1", ("ESTABLISHED", GETS_FIN): "CLOSE_WAIT",
    ("FIN_WAIT_1", FIN_ACKED): "FIN_WAIT_2", ("FIN_WAIT_1", GETS_FIN): "CLOSING",
    ("FIN_WAIT_2", GETS_FIN): "TIME_WAIT", ("CLOSING", FIN_ACKED): "TIME_WAIT",
    ("CLOSE_WAIT", SENDS_FIN): "LAST_ACK", ("LAST_ACK", FIN_ACKED): "CLOSED",
}
SYN, RST, ACK = (CONSTANTS["TCP_" + name] for name in ("SYN", "RST", "ACK"))
OUT_OF_WINDOW = CONSTANTS["REASON_OUT_OF_WINDOW"]
TIMER_NS = 1_000_000_000	# no timer of the kernel gives up a socket earlier
ENDING_NS = 50_000_000 * SLOW	# while a CPU ends a socket
LOOK_NS = 500_000_000	# between two looks of ss, on a busy machine
MEANINGS = {(old, new): step for (old, step), new in STEPS.items()}

row_rules, lone_rules, socket_rules, pair_rules = [], [], [], []


class Case:
    """One socket beside the flow that should tell the same."""

    def __init__(self, sock, story, batch):
        self.sock = sock
        self.story = story
        self.listed = story.endpoint in batch.listed	# in TIME_WAIT, by ss
        self.remains = story.endpoint in batch.remains	# and at the end still
        self.lossy = batch.lossy	# segments may not come, or late
        self.may_be_cookie = batch.may_send_cookies(story.endpoint[1])
        # one side was told to end without a segment
        self.vanished = batch.vanished(story.endpoint)

    def left_time_wait(self):
        """For us it was in TIME_WAIT and is no more, and for ss neither; but a timer of a
        minute may be two seconds late there."""
        return (self.story.states[-2:] == ["TIME_WAIT", "CLOSED"]
                and (bool(self.story.told("TIMEOUT"))
                     or bool(self.story.told("RST")) and not self.remains))

    def reset_met_old_socket(self):
        """A RST came in TIME_WAIT, for us, but before the kernel had changed the sockets."""
        resets = self.story.told("RST", own=False)
        return (self.remains and self.story.states[-2:] == ["TIME_WAIT", "CLOSED"]
                and resets and resets[-1].time_ns < self.sock.times[-1])

    def reset_after_fin(self):
        """The peer sent a FIN, then a RST behind it or, without a socket any more, at it."""
        fins = self.story.told("FIN", own=False)
        resets = self.story.told("RST", own=False)
        return fins and resets and (resets[0].tcp_seq - number_of(fins[0])) % 2**32 < 2

    def refused_at_isn(self):
        """What the peer of a socket that may be of a syncookie sent at its ISN, where for us
        nothing is taken."""
        if not self.may_be_cookie or self.sock.states[0] != "LISTEN":
            return []
        return [event for event in self.story.told("INVALID", own=False)
                if event.cause == OUT_OF_WINDOW and event.tcp_seq == event.initiator_isn]

    def took_fin_late(self):
        """The peer's FIN came, then from behind it the ACK of its own FIN, and its answer last
        or never."""
        came, acked, answered = (self.story.told(kind, own) for kind, own in (
            ("FIN", False), ("FIN_ACKED", False), ("FIN_ACKED", True)))
        return (came and acked and came[0].time_ns < acked[0].time_ns
                and 0 < (acked[0].tcp_seq - number_of(came[0])) % 2**32 < 2**31
                and (not answered or acked[0].time_ns < answered[0].time_ns))

    def reset_at_once(self, when):
        """The first RST, if the socket ended and it left at once after the peer's segment of
        that time, with the number that is acknowledged there."""
        reset = self.story.told("RST", own=True)[0]
        numbers = [event.tcp_ack for event in self.story.events
                   if event.time_ns == when and event.sender != reset.sender]
        if (reset.tcp_seq in numbers and all(0 <= after - when < ENDING_NS
                                             for after in (reset.time_ns, self.sock.times[-1]))):
            return reset
        return None

    def found_no_socket(self, when):
        """Did the peer's segment of that time get a RST without ACK, as it does where there is
        no socket?"""
        reset = self.reset_at_once(when)
        return reset and not reset.tcp_flags & ACK

    def waited_for_close(self, when):
        """Did close() have the socket at that time, ended it, and sent a RST behind that?"""
        reset = self.reset_at_once(when)
        return reset and reset.tcp_flags & ACK and reset.time_ns > self.sock.times[-1]

    def ended_silently(self):
        """No segment ended it, and there is a cause that needs none."""
        refused = [event for event in self.story.told("INVALID")
                   if event.time_ns <= self.sock.times[-1]]	# not what found nobody
        if self.story.told("RST") or refused:
            return False
        # of FIN_WAIT_2 the timer is that of a small socket, which is not traced
        waited = self.sock.times[-1] - self.sock.times[-2]
        return (self.vanished or self.sock.states[-2] in ("SYN_SENT", "FIN_WAIT_2")
                or waited > TIMER_NS)


def number_of(fin):
    """The sequence number of the FIN itself."""
    return fin.tcp_seq + fin.payload_len


def as_steps(row):
    """A row as the part before the first FIN, and what happened then: (when, step)."""
    steps = []
    for (old, _), (new, when) in zip(row, row[1:]):
        # in LAST_ACK a RST leads to the same state as the ACK of the FIN
        steps.append((when, ENDS if new == "CLOSED" else MEANINGS.get((old, new))))
    first = next((at for at, (_, step) in enumerate(steps) if step), len(steps))
    return row[:first + 1], steps[first:]


def as_row(start, steps):
    """The inverse; None if RFC 9293 knows no such step."""
    row = list(start)
    for when, step in steps:
        state = "CLOSED" if step == ENDS else STEPS.get((row[-1][0], step))
        if not state:
            return None
        if state != row[-1][0]:
            row.append((state, when))
    return row


def rule(rules):
    def add(function):
        rules.append(function)
        return function
    return add


def summary(function):
    return " ".join(function.__doc__.split())


# A row is what the kernel said: a list of (state, when it was entered in ns).

def gives_way(row):
    """The socket ends where, after a FIN, a small one takes its place."""
    return row[-1][0] == "CLOSED" and row[-2][0] in ("FIN_WAIT_2", "CLOSING")


@rule(row_rules)
def presumed_listener(row, case):
    """of SYNs that cross, the second sender was presumed to LISTEN until then"""
    if case.story.states[:2] == ["LISTEN", "SYN_SENT"] and row[0][0] == "CLOSED":
        return [("LISTEN", None), *row[1:]]
    return row


@rule(row_rules)
def small_socket(row, case):
    """in TIME_WAIT a small socket takes the place of the socket, told by ss alone"""
    if case.listed and gives_way(row):
        return [*row[:-1], ("TIME_WAIT", row[-1][1])]
    return row


@rule(row_rules)
def time_wait_over(row, case):
    """a RST ended the small socket in TIME_WAIT, or its time: ss shows it no more"""
    if not case.left_time_wait():
        return row
    if gives_way(row):
        row = [*row[:-1], ("TIME_WAIT", row[-1][1])]
    state, when = row[-1]
    return [*row, ("CLOSED", when + 1)] if state == "TIME_WAIT" else row


@rule(row_rules)
def reset_in_between(row, case):
    """a RST came while the socket gave way to the small one in TIME_WAIT, which did not get
    it and lives on"""
    if row[-1][0] == "TIME_WAIT" and case.reset_met_old_socket():
        return [*row, ("CLOSED", row[-1][1] + 1)]
    return row


@rule(row_rules)
def queued_fin(row, case):
    """Linux enters FIN_WAIT_1 or LAST_ACK when it queues the FIN, behind data that waits,
    which tcp_close() itself says is not the RFC's state; we when the FIN leaves"""
    start, steps = as_steps(row)
    if SENDS_FIN not in [step for _, step in steps]:
        return row
    left = [event.time_ns for event in case.story.told("FIN", own=True)][:1]
    # with fast open there may be data before the handshake has ended
    established = [event.time_ns for event in case.story.told("ESTABLISHED")][:1]
    if start[-1][0] == "SYN_RECEIVED" and established and left and established < left:
        start = [*start, ("ESTABLISHED", established[0])]
    steps = [(when, step) for when, step in steps if step != SENDS_FIN]
    steps = sorted(steps + [(when, SENDS_FIN) for when in left])
    return as_row(start, steps) or row


@rule(row_rules)
def fin_too_early(row, case):
    """the peer's FIN came here before data that was lost or late, or another CPU was faster, so
    the socket took it only after the ACK of its own FIN; for us the FINs crossed, as its answer
    had not passed"""
    if "CLOSING" not in case.story.states or not case.took_fin_late():
        return row
    return [("CLOSING" if state == "FIN_WAIT_2" else state, when) for state, when in row]


@rule(row_rules)
def unanswered_fin(row, case):
    """the peer sent a FIN and then a RST, before the delayed ACK of the FIN: that it
    arrived shows in no segment"""
    if (row[-1][0] == "CLOSED" and row[-2][0] in ("CLOSE_WAIT", "CLOSING")
            and case.reset_after_fin() and not case.story.told("FIN_ACKED", own=True)):
        return [*row[:-2], row[-1]]
    return row


# what is told of the peer where it causes a change of state
CAUSES = {"ESTABLISHED": "ESTABLISHED", GETS_FIN: "FIN", FIN_ACKED: "FIN_ACKED"}


def peer_caused(old, new, story):
    """Is the change one that a segment of the peer causes, and was there one?"""
    if (old, new) == ("SYN_RECEIVED", "ESTABLISHED"):
        cause = CAUSES[new]
    else:
        cause = CAUSES.get(MEANINGS.get((old, new)))
    return cause is not None and bool(story.told(cause, own=False))


def with_more(row, case, allowed):
    """The row with our states behind its last but one, where the peer's segments cause them, a
    RST ends both, and each of their times is allowed."""
    known, ours = len(row) - 1, case.story.states
    ended = row[-1][1]
    if (row[-1][0] != "CLOSED" or ours[:known] != [state for state, _ in row[:-1]]
            or ours[-1] != "CLOSED" or not case.story.told("RST", own=True)
            or not all(map(allowed, case.story.times[known:-1]))
            or not all(peer_caused(*change, case.story)
                       for change in zip(ours[known - 1:-2], ours[known:-1]))):
        return row
    return [*row[:-1], *((state, ended) for state in ours[known:-1]), row[-1]]


@rule(row_rules)
def late_reset(row, case):
    """a segment came when the socket had ended already, but its RST had not left yet"""
    return with_more(row, case, lambda when: when > row[-1][1])


@rule(row_rules)
def unhashed(row, case):
    """a segment came when the socket was on its end: tcp_set_state() takes it out of the table
    before it changes its state, so that nobody was found and a RST without ACK answered"""
    if row[-2][0] == "SYN_RECEIVED":	# it answers so itself
        return row
    return with_more(row, case, case.found_no_socket)


@rule(row_rules)
def backlogged(row, case):
    """a segment came when close() had the socket, which it ended, as there was unread data, and
    reset: the segment waited for that in the backlog"""
    return with_more(row, case, case.waited_for_close)


@rule(row_rules)
def probe_for_ack(row, case):
    """the ACK of a syncookie was lost, and the listener takes the keepalive probe, one number
    before it, for the same; for us the handshake goes on"""
    if ("ESTABLISHED" not in case.story.states
            and any(not event.tcp_flags & RST for event in case.refused_at_isn())):
        return [entry for entry in row if entry[0] != "ESTABLISHED"]
    return row


@rule(row_rules)
def reset_at_isn(row, case):
    """a keepalive probe brought the syncookie back: the socket's window begins at the peer's
    ISN, and a RST there ended it"""
    if (row[-1][0] == "CLOSED" and case.story.states == [state for state, _ in row[:-1]]
            and any(event.tcp_flags & RST and 0 <= row[-1][1] - event.time_ns < TIMER_NS
                    for event in case.refused_at_isn())):
        return row[:-1]
    return row


@rule(row_rules)
def silent_end(row, case):
    """a timer ended it, an ICMP error, close() without an answer to its SYN, or a loss of
    power, which no segment tells: for us it lives on until our own timer"""
    if row[-1][0] == "CLOSED" and case.story.states[-1] != "CLOSED" and case.ended_silently():
        return row[:-1]
    return row


# A flow without a socket of the kernel; each rule is for one flow of an endpoint.

def went(story, *states):
    """Did it go so far, and to CLOSED just if something told that it ended?"""
    ended = any(story.told(kind) for kind in ("RST", "TIMEOUT", "ICMP_ERROR"))
    return (story.states == [*states, *["CLOSED"] * ended]
            and bool(story.told("ESTABLISHED")) == ("ESTABLISHED" in states))


@rule(lone_rules)
def nobody_there(story, _socks, _batch):
    """nobody listened, or the listener did not take the SYN"""
    return went(story, "LISTEN")


@rule(lone_rules)
def request(story, socks, batch):
    """until the ACK of its SYN+ACK there is a request alone, told by ss"""
    return (not socks and story.endpoint in batch.requests
            and went(story, "LISTEN", "SYN_RECEIVED") and not story.told("RST", own=True))


@rule(lone_rules)
def brief_request(story, socks, _batch):
    """the peer's RST ended the request before ss looked again"""
    offers, resets = story.told("SYN_ACK", own=True), story.told("RST", own=False)
    return (not socks and went(story, "LISTEN", "SYN_RECEIVED") and bool(offers and resets)
            and resets[0].time_ns - offers[0].time_ns < LOOK_NS)


@rule(lone_rules)
def cookie(story, socks, batch):
    """with a syncookie a SYN leaves nothing behind until the ACK"""
    return (not socks and batch.may_send_cookies(story.endpoint[1])
            and went(story, "LISTEN", "SYN_RECEIVED"))


@rule(lone_rules)
def ack_discarded(story, socks, batch):
    """the listener discarded the ACK, as its queue was full or it waits for data: the request
    stays as it was, and no segment tells"""
    return (not socks and story.endpoint[1] in batch.choosy_ports
            and went(story, "LISTEN", "SYN_RECEIVED", "ESTABLISHED"))


@rule(lone_rules)
def request_given_up(story, socks, batch):
    """the ACKs of its SYN+ACK were lost, and when one came the request had been given up: a
    RST without ACK answers, as it does where there is no socket"""
    resets = story.told("RST", own=True)
    offers = story.told("SYN_ACK", own=True) + story.told("RETRANSMIT", own=True)
    return (not socks and batch.lossy and story.endpoint in batch.requests
            and went(story, "LISTEN", "SYN_RECEIVED", "ESTABLISHED")
            and bool(resets) and not resets[0].tcp_flags & ACK
            and resets[0].time_ns - offers[-1].time_ns > TIMER_NS)


@rule(lone_rules)
def cookie_behind(story, socks, batch):
    """a cookie holds the number of the first segment behind the SYN; that one was lost, and a
    RST without ACK answers the next"""
    resets = story.told("RST", own=True)
    return (not socks and batch.lossy and batch.may_send_cookies(story.endpoint[1])
            and went(story, "LISTEN", "SYN_RECEIVED", "ESTABLISHED")
            and bool(resets) and not resets[0].tcp_flags & ACK
            and all(event.tcp_seq != (event.initiator_isn + 1) % 2**32
                    for event in story.told("ESTABLISHED")))


def met_midway(story):
    return KINDS[story.events[0].kind] == "PICKUP"


@rule(lone_rules)
def peer_lives_on(story, socks, _batch):
    """met midway: the peer goes on, as it did not get the RST of a socket that is gone"""
    return (met_midway(story) and bool(socks)
            and socks[-1].states[-1] == "CLOSED"
            and story.events[0].time_ns > socks[-1].times[-1])


# A socket of the kernel without a flow of its own: which of two that is, or None.

@rule(socket_rules)
def second_cookie(sock, before, batch):
    """after a syncookie, a segment of a connection that was reset or whose host had lost its
    power makes a second socket, as its ACK holds the cookie still; for us a reset ended the
    connection, and after a loss of power, which comes to the first alone, it goes on"""
    if (before is None or not batch.may_send_cookies(sock.endpoint[1])
            or before.states[-1] != "CLOSED" or not before.states[0] == sock.states[0] == "LISTEN"):
        return None
    vanished = batch.vanished(sock.endpoint) and before is batch.socks[sock.endpoint][0]
    return before if vanished else sock


@rule(socket_rules)
def twin(sock, before, _batch):
    """two segments that end the handshake came at once, on two CPUs: each makes a socket, and
    the one that finds the other in its place is undone"""
    if before is None or sock.times[1] > before.times[-1]:
        return None
    undone = [one for one in (before, sock) if one.states == ["LISTEN", "SYN_RECEIVED", "CLOSED"]]
    return undone[0] if undone else None


@rule(socket_rules)
def cookie_beside_request(sock, _before, batch):
    """the ACK of a syncookie came while a later SYN had its request, with another number, in
    the same place: the socket that it makes is undone, in inet_ehash_nolisten()"""
    offers = [{event.tcp_seq for event in story.told("SYN_ACK", own=True) +
               story.told("RETRANSMIT", own=True) if event.tcp_flags & SYN}
              for story in batch.stories.get(sock.endpoint, [])]
    if (sock.states == ["LISTEN", "SYN_RECEIVED", "CLOSED"]
            and batch.may_send_cookies(sock.endpoint[1]) and max(map(len, offers), default=0) > 1):
        return sock
    return None


# A socket and a flow that are of one connection, and neither tells it whole.

@rule(pair_rules)
def second_cookie_midway(sock, before, story, batch):
    """such a second socket began as a part of the connection that had ended for us, and when
    that was forgotten it was met midway"""
    return (second_cookie(sock, before, batch) is sock and met_midway(story)
            and sock.times[1] < story.events[0].time_ns)


# What the kernel counts at least once for each socket or flow that such a rule is for.
BOUNDS = {
    cookie: ("SyncookiesSent",),
    cookie_behind: ("SyncookiesSent",),
    second_cookie: ("SyncookiesRecv",),
    second_cookie_midway: ("SyncookiesRecv",),
    cookie_beside_request: ("SyncookiesRecv",),
    probe_for_ack: ("SyncookiesRecv",),
    reset_at_isn: ("SyncookiesRecv",),
    ack_discarded: ("ListenOverflows", "TCPDeferAcceptDrop"),
}


def rewritten(case, counts):
    """The kernel's states in our words; counts the rules that this took."""
    row = list(zip(case.sock.states, case.sock.times))
    for function in row_rules:
        if [state for state, _ in row] == case.story.states:
            break
        changed = function(row, case)
        counts[function] += changed != row
        row = changed
    return [state for state, _ in row]


def one_by_one(told):
    """Does each flow end before the next of the same tuple begins?"""
    return all(before.events[-1].time_ns <= after.events[0].time_ns
               for before, after in zip(told, told[1:]))


class Verdict:
    """The comparison of many endpoints."""

    def __init__(self):
        self.compared = 0
        self.literal = 0	# endpoints that needed no rule
        self.counts = collections.Counter()
        self.example = {}	# by the rule, stories that it was applied to
        self.different = collections.defaultdict(list)	# by what each said

    def compare(self, endpoint, batch):
        """The sockets of an endpoint beside its stories; which rules it took, how often."""
        return self.compare_with(endpoint, batch.stories.get(endpoint, []), batch)

    def compare_with(self, endpoint, told, batch):
        """The same with other stories; sockets and stories are in the order of time."""
        socks = batch.socks.get(endpoint, [])
        counts = collections.Counter()
        sockets, flows = self.partners(socks, told, batch, counts)
        equal = len(sockets) == len(flows) and one_by_one(told)
        # what ss showed as a request was in SYN_RECEIVED for us, too
        equal = equal and (endpoint not in batch.requests or any(
            "SYN_RECEIVED" in story.states for story in told))
        for sock, story in zip(sockets, flows):
            equal = rewritten(Case(sock, story, batch), counts) == story.states and equal
        self.compared += 1
        if equal:
            self.counts += counts
            self.literal += not counts.total()
            self.example.update(dict.fromkeys(+counts, told))
        else:
            said = (tuple(tuple(sock.states) for sock in socks),
                    tuple(tuple(story.states) for story in told))
            self.different[said].append((endpoint, batch.behaviour(endpoint), socks, told))
        return counts

    @staticmethod
    def partners(socks, told, batch, counts):
        """Leave out, by the rules, what has no partner on the other side."""
        sockets, flows = list(socks), list(told)
        for before, sock in zip([None, *socks], socks):
            for function, story in itertools.product(pair_rules, flows):
                if function(sock, before, story, batch):
                    sockets.remove(sock)
                    flows.remove(story)
                    counts[function] += 1
                    break
        for story in list(flows):
            for function in lone_rules:
                if (len(flows) > len(sockets) and not counts[function]
                        and function(story, socks, batch)):
                    flows.remove(story)
                    counts[function] += 1
                    break
        for before, sock in zip([None, *socks], socks):
            for function in socket_rules:
                spare = function(sock, before, batch)
                if spare in sockets and len(sockets) > len(flows):
                    sockets.remove(spare)
                    counts[function] += 1
                    break
        return sockets, flows

    def add(self, other):
        self.compared += other.compared
        self.literal += other.literal
        self.counts += other.counts
        for said, cases in other.different.items():
            self.different[said] += cases

    def beyond_bounds(self, counters):
        """The rules applied more often than the kernel's own counters allow."""
        for function, names in BOUNDS.items():
            bound = sum(counters[name] for name in names)
            if self.counts[function] > bound:
                yield (f"{self.counts[function]} times: {summary(function)}; "
                       f"{' + '.join(names)}: {bound}")
                for story in self.example[function]:
                    yield from (f"  {story.endpoint} {line_of(event)}" for event in story.events)

    def disagreements(self):
        """One of each kind of disagreement, with all that was said, the most frequent first."""
        lines = []
        for cases in sorted(self.different.values(), key=len, reverse=True):
            endpoint, behaviour, socks, told = cases[0]
            lines.append(f"{len(cases)} endpoints such as {endpoint}, {' '.join(behaviour)}")
            for sock in socks:
                lines.append("  kernel: " + ", ".join(
                    f"{state} {when / 1e9:.6f}" if when else state
                    for state, when in zip(sock.states, sock.times)))
            for story in told:
                lines.append("  ours:   " + ", ".join(story.states))
                lines += ["    " + line_of(event) for event in story.events]
        return lines

    @property
    def disagreeing(self):
        return sum(map(len, self.different.values()))

    def figure(self):
        # rounded down: 100.00 means all
        equal = 10000 * (self.compared - self.disagreeing) // max(self.compared, 1)
        used = sum(count > 0 for count in self.counts.values())
        return (f"{self.compared} endpoints compared, {equal / 100:.2f} % equal: {self.literal} "
                f"word for word, {self.compared - self.disagreeing - self.literal} by {used} rules")

    def rules(self):
        return [f"rule applied {self.counts[function]} times: {summary(function)}"
                for function in lone_rules + socket_rules + pair_rules + row_rules
                if self.counts[function]]
