# SPDX-License-Identifier: GPL-2.0
"""The language of tests/vm/scripts, in the spirit of packetdrill.

A script is a title at the start of a line and, indented below it, a line for each segment
or order, then a colon, then all that must be told for it:

	A RST in the window, but not exact: RFC 5961 section 3.2
		real responder
		> S 0			: syn SYN_SENT LISTEN
		< SA 0 ack 1		: syn_ack SYN_SENT SYN_RECEIVED
		> A 1 ack 1		: established ESTABLISHED ESTABLISHED
		> R 2			: invalid/out_of_window ESTABLISHED ESTABLISHED
		< A 1 ack 1
		kernel ESTABLISHED

> is the initiator, < the responder. Flags are letters in the order S F R P A U E C, 0 for
none. Sequence numbers count from the sender's ISN, acknowledgments from its peer's; + adds
payload. What is told is "kind[/cause] initiator_state responder_state", several of them
with ";" between, "end handshake close first_fin" for the verdict; "-" is no state. A line
that begins with ";" goes on with the one before. Without a colon nothing may be told.
# begins a comment.

Who plays: "real responder" is the host's kernel with a listening socket, "real initiator"
its connect(), "real nobody" a port where no one listens. What a real end sends must be
just what the script says of it. Without such a line both ends are played by hand and the
host forwards. Orders to the real end: connect, accept, send N, read N, shutdown, close,
abort; "connect fast N" sends N bytes in the SYN, "real responder fast" takes them. The queue of
its listener is "full" until there is "room".

The numbers of ends that are played by hand are chosen so that each step of a script in turn
crosses the wrap. The ISN of a real end is its kernel's choice.

"kernel STATE" asks the kernel for the state of the real end's socket ("none": there is no
socket); it must be what is told of that end. Where that is a limit of the tracer's, "kernel
STATE told STATE" says what is told instead; it fails as soon as they agree. At the end of a script they must agree, asked for or not.
"is NAME VALUE" asks for a figure of the last event that has it, "flows N" for the number of
connections that were told. "anew" says that the next SYN of the real end has a new ISN.
"flush" ends every flow, "unlisten" the listening socket; "error NAME" is what the socket's
program gets to know. "parameter NAME VALUE" sets one of the module's for the script, "sysctl
NAME VALUE" one of net.ipv4; "wait SECONDS" waits, "await SECONDS" for a timer that ran so long
since the last event.

More words of a segment: ack N|nul, seq nul, win N, urg N; options mss N, ws N, sack ok, ts
VALUE/ECHO, fastopen COOKIE|none, options HEX; and broken ones: sum bad, offset N, cut N
(bytes that are left of the segment). Of the packet: ip HEX (IPv4 options), ext NAME[+NAME]
(IPv6 headers), fragments N (bytes in each), tos N.

"> each FA* 5" sends every byte of flags of a class: those that have just these of S F R A,
and any of P U E C; R* is every one with R. What a real end answers is not looked at.
"vary S*" plays the whole script for every one of the class, which "vary" then names.

"do NAME" plays the lines of a part: a title in brackets. "ip 4" or "ip 6" is for scripts that
make no sense over both. "slow" says that a timer of the kernel's is waited for.
"""

import copy
import dataclasses
import pathlib

from lib.packet import FLAGS
from lib.told import flags_text

CLASS_BITS = sum(FLAGS[letter] for letter in "SFRA")

EXTENSIONS = {
    "hop": (0, bytes([0, 1, 4, 0, 0, 0, 0])),
    "dest": (60, bytes([0, 1, 4, 0, 0, 0, 0])),
    "unknown": (60, bytes([2, 30, 20]) + bytes(20)),
}


class Mistake(Exception):
    """The script itself is wrong."""


def flags_of(letters):
    flags = 0 if letters == "0" else sum(FLAGS[letter] for letter in letters)
    if flags_text(flags) != letters:
        raise Mistake(f"flags {letters}")
    return flags


def class_of(pattern):
    """All bytes of flags of a class, as letters."""
    if pattern[-1] != "*":
        raise Mistake(f"class {pattern}")
    if pattern == "R*":
        return [flags_text(flags) for flags in range(256) if flags & FLAGS["R"]]
    bits = flags_of(pattern[:-1])
    return [flags_text(flags) for flags in range(256) if flags & CLASS_BITS == bits]


def option(kind, data=b""):
    return bytes([kind, 2 + len(data)]) + data


def option_of(word, value):
    """The bytes of an option."""
    match word:
        case "mss":
            return option(2, int(value).to_bytes(2))
        case "ws":
            return option(3, int(value).to_bytes())
        case "sack":
            return option(4)
        case "ts":
            stamps = [int(stamp, 0) for stamp in value.split("/")]
            return option(8, b"".join(stamp.to_bytes(4) for stamp in stamps))
        case "fastopen":
            return option(34, b"" if value == "none" else bytes.fromhex(value))
        case "options":
            return bytes.fromhex(value)
    return None


@dataclasses.dataclass
class Segment:
    """One segment; None for a number that is zero on the wire."""

    side: str
    flags: list
    seq: int = 0
    length: int = 0
    ack: int = None
    window: int = None
    urgent: int = 0
    options: bytes = b""
    tos: int = 0
    lie: dict = dataclasses.field(default_factory=dict)	# for packet()
    around: dict = dataclasses.field(default_factory=dict)	# for the IP layer

    def take(self, word, value):
        """One more word with its value."""
        match word:
            case "ack":
                self.ack = None if value == "nul" else int(value, 0)
            case "seq":
                self.seq = None
            case "win":
                self.window = int(value)
            case "urg":
                self.urgent = int(value)
            case "tos":
                self.tos = int(value)
            case "sum":
                self.lie["good_checksum"] = False
            case "offset" | "cut":
                self.lie[word] = int(value)
            case "ip":
                self.around[word] = bytes.fromhex(value)
            case "ext":
                self.around[word] = [EXTENSIONS[name] for name in value.split("+")]
            case "fragments":
                self.around[word] = int(value)
            case _:
                added = option_of(word, value)
                if added is None:
                    raise Mistake(f"what is {word}?")
                self.options += added

    def numbers(self):
        """Sequence numbers at which it begins and ends, and one between."""
        if self.seq is None:
            return ()
        end = self.seq + self.length + (self.flags[0][0] in "SF")
        return self.seq, (self.seq + end) // 2, end


def segment_of(side, words):
    each = words[0] == "each"
    if each:
        words = words[1:]
    letters = class_of(words[0]) if each else [words[0]]
    flags_of(letters[0])
    seq, _, length = words[1].partition("+")
    segment = Segment(side, letters, int(seq, 0), int(length or 0))
    for word, value in zip(words[2::2], words[3::2], strict=True):
        segment.take(word, value)
    segment.options += bytes(-len(segment.options) % 4)
    return segment


@dataclasses.dataclass
class Line:
    """A segment or an order, and what must be told for it."""

    number: int
    text: str
    verb: str
    words: list
    told: list
    segment: Segment = None

    @classmethod
    def parse(cls, number, text):
        order, _, told = text.partition(":")
        verb, *words = order.split()
        line = cls(number, text, verb, words,
                   [" ".join(item.split()) for item in told.split(";") if item.strip()])
        if verb in "<>" and "vary" not in words:
            line.segment = segment_of(verb, words)
        return line

    def varied(self, flags):
        if "vary" not in self.words:
            return self
        words = [flags if word == "vary" else word for word in self.words]
        line = copy.copy(self)
        line.segment = segment_of(self.verb, words)
        line.text = f"{self.text} [{flags}]"
        return line


class Script:
    """One script: its lines, and how it wants to be played."""

    def __init__(self, title):
        self.title = title
        self.lines = []
        self.real = None
        self.fast = False
        self.slow = False
        self.versions = (4, 6)
        self.vary = None

    def add(self, line, parts):
        match line.verb, *line.words:
            case "real", who, *fast:
                self.real = who
                self.fast = bool(fast)
            case "ip", version:
                self.versions = (int(version),)
            case "slow", :
                self.slow = True
            case "vary", pattern:
                self.vary = class_of(pattern)
            case "do", *name:
                part = parts[" ".join(name)]
                self.real = self.real or part.real
                self.lines += part.lines
            case _:
                self.lines.append(line)

    def real_side(self):
        return {"initiator": ">", "responder": "<", "nobody": "<"}.get(self.real)

    def variants(self):
        """The lines of every play."""
        if not self.vary:
            return [self.lines]
        return [[line.varied(flags) for line in self.lines] for flags in self.vary]

    def wraps(self):
        """ISNs by side, so that every step of a connection in turn crosses the wrap."""
        marks = {}
        for side in "<>":
            own = [line.segment for line in self.lines
                   if line.segment and line.segment.side == side]
            numbers = {number for segment in own for number in segment.numbers()}
            marks[side] = sorted(number for number in numbers if 0 <= number < 1 << 20)
        for at in range(max(map(len, marks.values()))):
            yield {side: -found[at % len(found)] % 2**32
                   for side, found in marks.items() if found}


def logical_lines(path):
    """Lines without comments, continued ones joined, each with its number."""
    lines = []
    for number, text in enumerate(path.read_text().splitlines(), 1):
        text = text.partition("#")[0].rstrip()
        if text.lstrip().startswith(";"):
            lines[-1] = (lines[-1][0], lines[-1][1] + " " + text.strip())
        elif text:
            lines.append((number, text))
    return lines


def read_scripts(path, parts):
    """The scripts of a file in their order; its parts are added to parts."""
    script, scripts = None, []
    for number, text in logical_lines(pathlib.Path(path)):
        try:
            if text[0] == "\t":
                script.add(Line.parse(number, text.strip()), parts)
                continue
            script = Script(text)
            if text[0] == "[":
                parts[text.strip("[]")] = script
            else:
                scripts.append(script)
        except (Mistake, AttributeError, ValueError, LookupError) as error:
            raise Mistake(f"{path}:{number}: {text.strip()}: {error!r}") from None
    return scripts
