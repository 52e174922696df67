# SPDX-License-Identifier: GPL-2.0
"""One script, played once."""

import itertools
import random
import socket
import time

from lib.ends import SECONDS, End, RealEnd
from lib.kernel import parameter, set_parameter
from lib.packet import FLAGS, fragments, packet, with_headers, with_options, with_tos
from lib.tap import Failure, check, in_time, same, wait_for
from lib.told import (check_flow, flags_text, kind_of, options_of, sender_of, states_of,
                      words_of)

OTHER = {">": "<", "<": ">"}
TIMER = 0.9	# a script that took longer may have met a timer of the kernel

ports = itertools.count(1)


class Late(Failure):
    """The machine was so slow that timers of the kernel may have run."""


class Play:
    """A script with its addresses, its numbers, and what was told so far."""

    def __init__(self, host, reader, script, version, isns):
        self.host = host
        self.reader = reader
        self.script = script
        self.version = version
        self.real = script.real_side()
        number = next(ports)
        chance = random.Random(f"{script.title} {number}")
        self.ends = {
            side: End(wire.far(version), port + number, wire, chance.getrandbits(32), version)
            for side, wire, port in ((">", host.left, 32768), ("<", host.right, 1024))
        }
        for side, isn in isns.items():
            if side != self.real:
                self.ends[side].isn = isn
        self.kernel = None	# the end that it plays
        if self.real:
            self.kernel = RealEnd(self.ends[self.real], self.ends[OTHER[self.real]], script.fast)
            self.ends[self.real] = self.kernel
        self.events = []	# all that were told
        self.fresh = []		# those that no line has accounted for
        self.history = []	# for a person to read
        self.line = None
        self.parameters = {}	# what they were before
        self.sysctls = {}	# the same of the host's network

    def __str__(self):
        numbers = " ".join(f"{side}{end.isn:#x}" for side, end in self.ends.items())
        return f"IPv{self.version}, ISNs {numbers}"

    # The whole

    def run(self, lines):
        start = time.monotonic()
        try:
            if self.script.real == "responder":
                self.kernel.listen()
            for self.line in lines:
                self.play(self.line)
            self.finish()
        except (Failure, OSError) as failure:
            explained = self.explained(failure)
            if not self.script.slow and time.monotonic() - start > TIMER:
                raise Late(*explained) from None
            raise Failure(*explained) from None
        finally:
            self.clean_up()

    def explained(self, failure):
        """What went wrong, where, and all that went before."""
        self.collect()
        where = f"line {self.line.number}: {self.line.text}" if self.line else "at the start"
        return (f"{self}; {where}: {failure}",
                [*getattr(failure, "lines", ()), "all that was told:", *self.history])

    def play(self, line):
        if line.segment and line.segment.side != self.real:
            self.settled()
            self.note(f"line {line.number}: {line.text}")
            self.by_hand(line)
        elif line.segment:
            self.note(f"line {line.number}: {line.text}")
            self.from_kernel(line)
        else:
            name = "order_" + line.verb
            getattr(self if hasattr(self, name) else self.kernel, name)(*line.words)
            self.account(line.told, lambda event: sender_of(event) is None)

    def finish(self):
        self.settled()
        if self.real and self.line.verb != "kernel":
            self.agree(self.kernel.state())
        flows = dict.fromkeys(event.flow_id for event in self.events)
        for flow in flows:
            if flow:
                check_flow([event for event in self.events if event.flow_id == flow])

    def settled(self):
        """Nothing is left that no line has spoken of."""
        seen = self.kernel and self.kernel.receive()
        check(not seen, "not in the script", [self.text(seen)] if seen else [])
        self.collect()
        check(not self.fresh, "told, but not in the script", list(map(words_of, self.fresh)))

    def clean_up(self):
        for name, value in self.parameters.items():
            set_parameter(name, value)
        for name, value in self.sysctls.items():
            self.host.namespace.sysctl(name, value)
        if self.kernel:
            self.kernel.clean_up()
        for wire in (self.host.left, self.host.right):
            while wire.receive():
                pass

    def note(self, text):
        self.history.append(text)

    # What is told

    def collect(self):
        """Fetch the events of this play."""
        mine = {socket.htons(end.port) for end in self.ends.values()} | {0}
        for event in self.reader.drain():
            if {event.initiator_port, event.responder_port} <= mine:
                self.note(f"    #{event.seq} flow {event.flow_id} "
                          f"{flags_text(event.tcp_flags)}: {words_of(event)}")
                self.events.append(event)
                self.fresh.append(event)

    def account(self, wanted, belongs):
        """What was told first and belongs to the line is just what was wanted."""
        self.collect()
        told = [words_of(event) for event in itertools.takewhile(belongs, self.fresh)]
        del self.fresh[:len(told)]
        check(told == wanted, "told otherwise", ["wanted: " + ("; ".join(wanted) or "nothing"),
                                                 "told:   " + ("; ".join(told) or "nothing")])

    @staticmethod
    def told_for(port, flags, seq):
        """What tells the events of a segment from those of others."""
        def belongs(event):
            sender = sender_of(event)
            return sender in (None, 0) or \
                (sender, event.tcp_flags, event.tcp_seq) == (port, flags, seq)
        return belongs

    # By hand

    def number(self, side, relative):
        return 0 if relative is None else (self.ends[side].isn + relative) % 2**32

    def by_hand(self, line):
        segment, source = line.segment, self.ends[line.segment.side]
        dest = self.ends[OTHER[segment.side]]
        seq = self.number(segment.side, segment.seq)
        for letters in segment.flags:
            whole = packet(source.here(), dest.here(), letters.strip("0"), seq,
                           self.number(OTHER[segment.side], segment.ack),
                           window=65535 if segment.window is None else segment.window,
                           urgent=segment.urgent, options=segment.options,
                           payload=b"x" * segment.length, **segment.lie)
            for part in self.packets(segment, whole):
                source.wire.send(part)
            if len(segment.flags) > 1:
                self.drop_answers()
            self.account(line.told, self.told_of_hand(source, dest))

    def told_of_hand(self, source, dest):
        """All until the real end speaks; all, if there is none."""
        if not self.real:
            return lambda event: True
        return lambda event: sender_of(event) != dest.port

    def drop_answers(self):
        """A real end answers with what changes nothing, or not at all."""
        while self.kernel and self.kernel.receive():
            pass

    def packets(self, segment, whole):
        """The packets that a segment makes."""
        if segment.tos:
            whole = with_tos(whole, segment.tos)
        if "ip" in segment.around:
            whole = with_options(whole, segment.around["ip"])
        if "ext" in segment.around:
            whole = with_headers(whole, *segment.around["ext"])
        if "fragments" in segment.around:
            return fragments(whole, segment.around["fragments"], self.ends[segment.side].port)
        return [whole]

    # The real end

    def text(self, seen):
        """A segment as a script says it."""
        peer = OTHER[self.real]
        seq, ack = (str((number - self.ends[side].isn + 2**31) % 2**32 - 2**31)
                    for side, number in ((self.real, seen.seq), (peer, seen.ack)))
        payload = f"+{seen.length}" if seen.length else ""
        ack = f" ack {ack}" if seen.flags & FLAGS["A"] else ""
        return f"{self.real} {flags_text(seen.flags)} {seq}{payload}{ack} win {seen.window}"

    def from_kernel(self, line):
        segment, end = line.segment, self.kernel
        seen = end.receive(SECONDS)
        check(seen, "the real end does not send it")
        if "S" in segment.flags[0] and not end.sure:
            end.isn, end.sure = seen.seq, True
        found = [flags_text(seen.flags), seen.seq, seen.length]
        wanted = [segment.flags[0], self.number(self.real, segment.seq), segment.length]
        if "A" in segment.flags[0]:
            found.append(seen.ack)
            wanted.append(self.number(OTHER[self.real], segment.ack))
        if segment.window is not None:
            found.append(seen.window)
            wanted.append(segment.window)
        check(found == wanted, "the real end sends something else", [self.text(seen)])
        self.account(line.told, self.told_for(end.port, seen.flags, seen.seq))

    def order_anew(self):
        self.kernel.sure = False

    # Questions

    def order_kernel(self, state, _=None, other=None):
        same(self.kernel.state(), state, "the socket's state")
        self.agree(state, other)

    def agree(self, state, other=None):
        """What is told of the real end is what its socket says, or the other."""
        self.collect()
        at = 1 if self.real == "<" else 0
        told = [states_of(event)[at] for event in self.events if event.flow_id][-1:] or ["-"]
        allowed = [other or state] if other or state != "none" else ["CLOSED", "LISTEN", "-"]
        check(told[0] in allowed, f"the socket is in {state}, but told is {told[0]}")

    def order_is(self, name, value):
        same(str(self.figure(name)), value, name)

    def figure(self, name):
        accounted = self.events[:len(self.events) - len(self.fresh)]
        for event in reversed(accounted):
            kind = kind_of(event)
            if name in ("mss", "wscale", "options") and kind in ("syn", "syn_ack"):
                return options_of(event) if name == "options" else getattr(event.syn, name)
            if kind in ("established", "end"):
                summary = event.summary
                if name in ("bytes", "pkts"):
                    return "/".join(map(str, getattr(summary, name)))
                if name == "latency":
                    return {0: "none", 4: "synack", 12: "both"}[event.known & 12]
                if hasattr(summary, name):
                    return getattr(summary, name)
        raise Failure(f"nothing tells {name}")

    def order_flows(self, count):
        """How many connections these were."""
        self.collect()
        flows = {event.flow_id for event in self.events if event.flow_id}
        same(len(flows), int(count), "number of flows")

    def order_parameter(self, name, value):
        """Set one of the module's parameters for the rest of the play."""
        self.parameters.setdefault(name, parameter(name))
        set_parameter(name, value)

    def order_sysctl(self, name, value):
        """Set one of the host's network for the rest of the play."""
        name = "net/ipv4/" + name
        host = self.host.namespace
        self.sysctls.setdefault(name, host.read(f"/proc/sys/{name}"))
        host.sysctl(name, value)

    @staticmethod
    def order_wait(seconds):
        time.sleep(float(seconds))

    def order_await(self, seconds):
        """Wait for a timer; it ran so long from the last event, or little longer."""
        last = self.events[-1]
        wait_for(lambda: self.collect() or self.fresh, "nothing is told", SECONDS)
        waited = (self.fresh[0].time_ns - last.time_ns) / 1e9
        in_time(waited, float(seconds), "what was told")

    def order_flush(self):
        self.reader.flush()
