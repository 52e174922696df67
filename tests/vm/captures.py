#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Captures of real connections, replayed into a mirrored interface.

They are recorded at the router. What is told of the replay is compared with what was told
there live, with what tshark tells of the file, and at one pace with that at another. Then
pieces are taken out: what is left gets a sensible verdict and never a wrong initiator
that is stated as sure.
"""

import collections
import concurrent.futures
import contextlib
import pathlib
import socket
import tempfile
import threading

from lib import capture, net
from lib.cpu import one_cpu
from lib.kernel import Module, stats
from lib.mirror import Mirror, ends_of, flows_of
from lib.net import Lab, abort_on_close
from lib.tap import Failure, check, main, same, test, wait_for
from lib.trace import Trace, line_of, told
from lib.web import curl, nginx

PACES = {"original": (), "top speed": ("--topspeed",), "20 Mbit/s": ("--mbps=20",)}

# Seconds until a timer ends a flow: no replay takes so long, however slow the machine
LONG = dict.fromkeys(("timeout_syn", "timeout_synack", "timeout_fin_wait", "timeout_last_ack",
                      "timeout_time_wait"), 3600)

# Wireshark's bits of completeness
SYN, SYN_ACK, ACK, DATA, FIN, RST = 1, 2, 4, 8, 16, 32


#
# What is recorded: each of these makes connections and returns a port of theirs
#

recorded = []


def record(function):
    recorded.append(function)
    return function


def transfer(sender, receiver, count):
    thread = threading.Thread(target=sender.sendall, args=(b"x" * count,))
    thread.start()
    while count:
        count -= len(receiver.recv(1 << 20))
    thread.join()


def finish(first, second):
    """Both close in order, one after the other."""
    first.shutdown(socket.SHUT_WR)
    same(second.recv(1), b"", "end of data")
    second.close()
    same(first.recv(1), b"", "end of data")
    first.close()


@record
def http(lab):
    return curl(lab, f"http://{net.SERVER}/page")[0]["local_port"]


@record
def http6(lab):
    return curl(lab, f"http://[{net.SERVER6}]/page")[0]["local_port"]


@record
def closed_by_server(lab):
    return curl(lab, "--ignore-content-length", f"http://{net.SERVER}:81/page")[0]["local_port"]


def plain(lab, up, down, address=net.SERVER, patience=10):
    port = net.new_port()
    client, server = lab.connect(port, address, patience=patience)
    transfer(client, server, up)
    transfer(server, client, down)
    finish(client, server)
    return port


@record
def small(lab):
    return plain(lab, 100, 5000)


@record
def large(lab):
    return plain(lab, 1300000, 1300000)


@record
def half_close(lab):
    port = net.new_port()
    client, server = lab.connect(port, net.SERVER6)
    client.shutdown(socket.SHUT_WR)
    same(server.recv(1), b"", "end of data")
    transfer(server, client, 50000)
    finish(server, client)
    return port


def reset(lab, by_client):
    port = net.new_port()
    client, server = lab.connect(port)
    transfer(client, server, 100)
    transfer(server, client, 100)
    first, second = (client, server) if by_client else (server, client)
    abort_on_close(first)
    first.close()
    second.close()
    return port


@record
def reset_by_client(lab):
    return reset(lab, True)


@record
def reset_by_server(lab):
    return reset(lab, False)


def attempt_to(lab, port, seconds):
    with lab.client.socket(net.SERVER) as sock, contextlib.suppress(OSError):
        sock.settimeout(seconds)
        sock.connect((net.SERVER, port))
    return port


@record
def refused(lab):
    return attempt_to(lab, net.new_port(), 10)


@record
def no_answer(lab):
    port = net.new_port()
    lab.router.firewall("swallow", port)
    return attempt_to(lab, port, 0.05)


@record
def reused(lab):
    """The server closes first, and so has the TIME_WAIT that the client's SYN ends."""
    port = net.new_port()
    for _ in range(2):
        client, server = lab.connect(port, source_port=port)
        transfer(client, server, 100)
        finish(server, client)
    return port


@contextlib.contextmanager
def loss(lab):
    """Segments are lost before they are recorded, and behind that."""
    where = [(host, "to-router") for host in (lab.client, lab.server)] + [(lab.router, "to-server")]
    for host, iface in where:
        host.run("tc", "qdisc", "add", "dev", iface, "root", "netem", "loss", "8%")
    yield
    for host, iface in where:
        host.run("tc", "qdisc", "del", "dev", iface, "root")


@record
def lossy(lab):
    with loss(lab):
        return plain(lab, 60000, 60000, patience=40)


#
# What is left of a connection when pieces are taken out, and what is to be told of it
#

# One of its segments. role: syn, syn_ack, ack (the third one), data, down (from the first
# FIN or RST on), last (the last of all); at: how far in what its sender sends
Part = collections.namedtuple("Part", "role by_client at segment")


def parts_of(segments):
    closing = next(at for at, segment in enumerate(segments) if set("FR") & set(segment.flags))
    roles = ["syn", "syn_ack", "ack"][:closing]
    roles += ["data"] * (closing - 3) + ["down"] * (len(segments) - closing - 1) + ["last"]
    for role, segment in zip(roles, segments, strict=True):
        by_client = segment.ports[0] == segments[0].ports[0]
        start = segments[0 if by_client else 1].seq
        yield Part(role, by_client, (segment.seq - start) % 2**32, segment)


class Cut:
    """A way to cut a connection.

    keep: tells of each part whether it stays; guessed: nothing is left that proves who
    initiated it; handshake, close: the outcomes that are right, without who reset. No
    handshake: what is left shows no connection.
    """

    def __init__(self, name, keep, guessed, handshake, close):
        self.name, self.keep, self.guessed = name, keep, guessed
        self.handshake, self.close = handshake, close.split()


def without(*roles):
    return lambda part: part.role not in roles


def only(*roles):
    return lambda part: part.role in roles


def by_client(*roles):
    return lambda part: part.by_client and part.role not in roles


def by_server(*roles):
    return lambda part: not part.by_client and part.role not in roles


HOLE = range(100000, 100000 + (1 << 20))


def hole(*clients):
    """A megabyte of the client's data (True), of the server's (False), or of both."""
    return lambda part: part.by_client not in clients or part.at not in HOLE


PIECES = [
    Cut("nothing is missing", without(), False, "established", "orderly"),
    Cut("no SYN", without("syn"), False, "established", "orderly"),
    Cut("no SYN+ACK", without("syn_ack"), False, "established", "orderly"),
    Cut("no ACK of the SYN+ACK", without("ack"), False, "established", "orderly"),
    Cut("no SYN, no SYN+ACK", without("syn", "syn_ack"), True, "unseen", "orderly"),
    Cut("no SYN, no ACK", without("syn", "ack"), False, "established", "orderly"),
    Cut("no SYN+ACK, no ACK", without("syn_ack", "ack"), False, "established", "orderly"),
    Cut("no handshake", without("syn", "syn_ack", "ack"), True, "unseen", "orderly"),
    Cut("only the teardown", only("down", "last"), True, "unseen", "orderly"),
    Cut("only data", only("data"), True, "unseen", "flushed"),
    Cut("only the SYN", only("syn"), False, "no_answer", "flushed"),
    Cut("only the SYN+ACK", only("syn_ack"), False, "half_open", "flushed"),
    Cut("only SYN and SYN+ACK", only("syn", "syn_ack"), False, "half_open", "flushed"),
    Cut("only the handshake", only("syn", "syn_ack", "ack"), False, "established", "flushed"),
    Cut("no data", without("data"), False, "established", "orderly"),
    Cut("no teardown", without("down", "last"), False, "established", "flushed"),
    Cut("not the last ACK", without("last"), False, "established", "flushed"),
    Cut("only the last ACK", only("last"), True, "unseen", "flushed"),
]

# The other side's FIN may be told from its ACK, or not: both are true.
SIDES = [
    Cut("the client's", by_client(), False, "established", "orderly flushed"),
    Cut("the client's, no SYN", by_client("syn"), True, "unseen", "orderly flushed"),
    Cut("the client's, no data", by_client("data"), False, "established", "orderly flushed"),
    Cut("the server's", by_server(), False, "established", "orderly flushed"),
    Cut("the server's, no SYN+ACK", by_server("syn_ack"), True, "unseen", "orderly flushed"),
]

# The RST is told if it is of this side.
SIDES_OF_RESET = [
    Cut("the client's", by_client(), False, "established", "reset flushed"),
    Cut("the client's, no SYN", by_client("syn"), True, "unseen", "reset flushed"),
    Cut("the server's", by_server(), False, "established", "reset flushed"),
    Cut("the server's, no SYN+ACK", by_server("syn_ack"), True, "unseen", "reset flushed"),
]

SIDES_OF_REFUSED = [
    Cut("the client's", by_client(), False, "no_answer", "flushed"),
    Cut("the server's", by_server(), False, None, ""),
]

HOLES = [
    Cut("the client's data", hole(True), False, "established", "orderly"),
    Cut("the server's data", hole(False), False, "established", "orderly"),
    Cut("data of both", hole(True, False), False, "established", "orderly"),
]


# What is cut, and how, for each of the tests
CUTS = {
    "pieces": {"small": PIECES},
    "sides": {"small": SIDES, "half_close": SIDES, "reset_by_client": SIDES_OF_RESET,
              "reset_by_server": SIDES_OF_RESET, "refused": SIDES_OF_REFUSED},
    "holes": {"large": HOLES},
}


class Piece:
    """What is left of a connection; its client gets a port of its own."""

    def __init__(self, source, cut, segments, port):
        (self.address, old), self.server = segments[0].ends
        self.client = (self.address, port)
        self.name = f"{source}: {cut.name}"
        self.cut = cut
        self.parts = [part for part in parts_of(segments) if cut.keep(part)]
        self.frames = [part.segment.with_port(old, port) for part in self.parts]
        self.ends = frozenset((self.client, self.server))

    def sent(self, end):
        """How many bytes one of the ends sends."""
        return sum(part.segment.payload_len for part in self.parts
                   if part.by_client == (end == self.client))

    def first(self, flag):
        """Who sends the first segment with a flag, if anyone."""
        return next(((self.server, self.client)[part.by_client] for part in self.parts
                     if flag in part.segment.flags), None)

    def check(self, flows):
        if not self.cut.handshake:
            same(flows, [], "flows")
            return
        same(len(flows), 1, "flows", [line for flow in flows for line in told(flow.events)])
        flow, = flows
        flow.check("mon0")
        initiator, responder = ends_of(flow)
        if not self.cut.guessed:
            same(initiator, self.client, "initiator")
        for event in flow.events:
            same(event.get("initiator_guessed", False), self.cut.guessed, "initiator_guessed")
        end = flow.end()
        same(end["handshake"], self.cut.handshake, "handshake", told(flow.events))
        close, _, resetter = end["close"].partition("_by_")
        check(close in self.cut.close, f"close: {end['close']}", told(flow.events))
        same((end["bytes_toserver"], end["bytes_toclient"]),
             (self.sent(initiator), self.sent(responder)), "bytes")
        who = {"initiator": initiator, "responder": responder}
        same(who.get(end["first_fin"]), self.first("F"), "first FIN", told(flow.events))
        same(who.get(resetter), self.first("R"), "who reset", told(flow.events))


def cut_up(frames, port, source, cuts):
    """Each cut twice: with the client's port the higher one, and the lower, so that a guess
    is right, and wrong."""
    segments = capture.of_port(frames, port)
    return [Piece(source, cut, segments, base + net.new_port())
            for cut in cuts for base in (20000, -4000)]


def one_after_the_other(pieces, time):
    for piece in pieces:
        shift = time - piece.frames[0].time
        for frame in piece.frames:
            time = frame.time + shift
            yield frame._replace(time=time)


#
# The tests get what is made once
#

class Stage:
    def __init__(self, trace, mirror, directory):
        self.trace, self.mirror = trace, mirror
        self.path = directory / "capture.pcap"
        self.live, frames = self.record(directory / "recording.pcap")
        self.pieces = {name: [piece for source, cuts in sources.items()
                              for piece in cut_up(frames, self.live[source], source, cuts)]
                       for name, sources in CUTS.items()}
        frames += one_after_the_other(self.all_pieces(), frames[-1].time)
        capture.write(self.path, frames)
        self.count = len(frames)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            streams = pool.submit(capture.analyse, self.path)
            self.flows = {pace: self.replay(*options) for pace, options in PACES.items()}
            self.streams = streams.result()

    def all_pieces(self):
        """Those of all tests."""
        return [piece for some in self.pieces.values() for piece in some]

    def record(self, path):
        """Record what happens in the lab; the ports by their names, and the frames."""
        # an ACK that others overtake would meet no socket any more, and be answered by a RST
        # behind the end of the connection
        with one_cpu(), Lab() as lab, nginx(lab):
            for host in lab.hosts:		# so that the sums are right in the file
                for iface in ("to-client", "to-server") if host is lab.router else ("to-router",):
                    host.run("ethtool", "-K", iface, "tx", "off")
            with capture.Recording(lab.router, "to-client", path) as recording:
                ports = {function.__name__: function(lab) for function in recorded}
                recording.wait_for_port(attempt_to(lab, net.new_port(), 10))
            self.trace.device.flush()
            self.trace.sync()
            self.at_router = [e for e in self.trace.events if e["netns"] == lab.router.inode]
        return ports, capture.read(path)

    def replay(self, *options):
        """The flows of the capture at one pace, by their ends."""
        before, seen = stats()["segments"], len(self.trace.events)
        self.mirror.replay(self.path, *options)
        wait_for(lambda: stats()["segments"] - before == self.count, "all segments",
                 lines=lambda: [f"{stats()['segments'] - before} of {self.count}"])
        self.trace.device.flush()
        self.trace.sync()
        return by_ends(flows_of(self.trace.events[seen:]))

    def check_pieces(self, name):
        """Check all, then tell of all that are wrong."""
        wrong = []
        for piece in self.pieces[name]:
            try:
                piece.check(self.flows["top speed"].get(piece.ends, []))
            except Failure as failure:
                wrong += [f"{piece.name} ({piece.client[1]} to {piece.server[1]}): {failure}",
                          *(f"    {line}" for line in failure.lines)]
        check(not wrong, "some are told wrong", wrong)


def by_ends(flows):
    found = {}
    for flow in flows:
        found.setdefault(frozenset(ends_of(flow)), []).append(flow)
    return found


FIGURES = ("handshake", "close", "first_fin", "syn_retrans", "synack_retrans", "bytes_toserver",
           "bytes_toclient", "pkts_toserver", "pkts_toclient")


def story(flow):
    """All that a flow tells but times and numbers of events."""
    lines = [f"{line_of(event)} {event.get('initiator_guessed', '')}" for event in flow.events]
    return [*map(str, ends_of(flow)), *lines,
            *(f"{name} {end[name]}" for end in flow.all("end") for name in FIGURES)]


@test
def live(stage):
    """a replay is told as the connections were told live, where they were recorded"""
    for name, port in stage.live.items():
        if name == "lossy":	# what it loses behind the recorder, it sees in another order
            continue
        then = flows_of([e for e in stage.at_router if port in (e["src_port"], e["dest_port"])])
        now = stage.flows["top speed"][frozenset(ends_of(then[0]))]
        same([story(flow) for flow in now], [story(flow) for flow in then], name,
             [line for flow in (*then, *now) for line in told(flow.events)])
        for flow in now:
            flow.check("mon0")


def completeness(flow):
    """What Wireshark would call what the tracer tells."""
    end = flow.end()
    bits = {"established": SYN | SYN_ACK | ACK, "half_open": SYN | SYN_ACK}
    return (bits.get(end["handshake"], SYN) | DATA * bool(end["bytes_toserver"] or
            end["bytes_toclient"]) | FIN * bool(flow.all("fin")) | RST * bool(flow.all("rst")))


def check_stream(flow, stream, whole):
    end = flow.end()
    initiator, responder = ends_of(flow)
    lines = told(flow.events)
    fins = [e for e in flow.events if e["event"] in ("fin", "retransmit") and "F" in e["flags"]]
    same((len(fins), len(flow.all("rst"))), (stream.fins, stream.rsts), "FINs and RSTs", lines)
    same((end["bytes_toserver"], end["bytes_toclient"]),
         (stream.bytes[initiator], stream.bytes[responder]), "bytes", lines)
    if stream.initiator:
        same(initiator, stream.initiator, "initiator", lines)
    if whole:	# an ACK beside a RST is one to Wireshark, but completes nothing
        mask = ~ACK if end["handshake"] == "refused" else ~0
        same(completeness(flow) & mask, stream.completeness & mask, "completeness", lines)


@test
def tshark(stage):
    """tshark finds the same connections, initiators, FINs, RSTs, bytes and completeness"""
    flows = stage.flows["original"]
    pieces = {piece.ends for piece in stage.all_pieces()}
    unshown = {piece.ends for piece in stage.all_pieces() if not piece.cut.handshake}
    same(set(flows), set(stage.streams) - unshown, "connections")
    for ends, found in flows.items():
        same(len(found), len(stage.streams[ends]), f"connections of {ends}")
        for flow, stream in zip(found, stage.streams[ends], strict=True):
            check_stream(flow, stream, ends not in pieces)


@test
def paces(stage):
    """the same is told at the original pace, at a limited one, and at top speed"""
    original = stage.flows["original"]
    for flows in stage.flows.values():
        same(set(flows), set(original), "connections")
        for ends, found in flows.items():
            same([story(flow) for flow in found], [story(flow) for flow in original[ends]],
                 "stories")


@test
def one_side(stage):
    """one direction only: established, and who initiated is right or said to be a guess"""
    stage.check_pieces("sides")


@test
def pieces(stage):
    """without its SYN, its SYN+ACK, its handshake, or more: sensible, and no wrong initiator"""
    stage.check_pieces("pieces")


@test
def holes(stage):
    """a megabyte is missing, of one side or of both: an orderly close nevertheless"""
    stage.check_pieces("holes")


@contextlib.contextmanager
def staged():
    with tempfile.TemporaryDirectory() as directory, Mirror() as mirror, \
         Module(ingress=mirror.name, **LONG), Trace() as trace:
        yield (Stage(trace, mirror, pathlib.Path(directory)),)


if __name__ == "__main__":
    main(staged())
