#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Frames of all kinds that come in on a mirrored interface."""

import contextlib
import json
import pathlib
import random

from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import (ICMPv6DestUnreach, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting, PadN, fragment6)
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from lib import net
from lib.frames import CONNECTION, PAYLOAD, STRANGER, WHOLE, connection, ends, expect_whole
from lib.kernel import READER, RELEASE, run, stats
from lib.mirror import Mirror, ends_of, flows_of, mirrored_stage
from lib.net import Namespace
from lib.packet import checksum, with_headers
from lib.tap import Skip, check, main, same, test, wait_for
from lib.trace import line_of, lines_of, told

# an authentication header (RFC 4302), as with_headers() wants it
AUTHENTICATION = (51, bytes([4]) + bytes(22))


def syn(between, lower=STRANGER):
    return lower / between / TCP(sport=net.new_port(), dport=net.new_port(), flags="S", seq=1)


@test
def addresses(mirror, trace):
    """any address is followed: loopback, multicast, unspecified, link-local"""
    for pair in (("127.0.0.1", "10.9.9.9"), ("0.0.0.0", "255.255.255.255"),
                 ("224.0.0.1", "240.0.0.1"), ("192.0.2.1", "192.0.2.1"), ("::", "::1"),
                 ("fe80::1", "ff02::1"), ("::ffff:192.0.2.1", "2001:db8::1")):
        whole = ends(*pair)
        mirror.send(*connection(whole))
        expect_whole(trace, mirror, whole)


@test
def unreachable(mirror, trace):
    """an ICMP error ends the attempt whose SYN it quotes, in the same VLAN alone"""
    for ip, error, router, code in (
            (IP, ICMP(type=3, code=1), "192.0.2.254", "3/1"),
            (IPv6, ICMPv6DestUnreach(code=3), "2001:db8::fe", "1/3")):
        whole = ends() if ip is IP else ends("2001:db8::1", "2001:db8:1::1")
        (src, sport), (dst, dport) = whole
        asked = ip(src=src, dst=dst) / TCP(sport=sport, dport=dport, flags="S", seq=1000)
        answer = ip(src=router, dst=src) / error / ip(bytes(asked))
        before = stats()
        mirror.send(tagged(TAGS["5"]) / asked, tagged(TAGS["6"]) / answer,
                    tagged(TAGS["5"]) / answer)
        flow = trace.expect(mirror, dport, f"""
syn          >S                    SYN_SENT     LISTEN
icmp_error   >{code}               CLOSED       CLOSED
end          unreachable/none      CLOSED       CLOSED
""")
        same((ends_of(flow), flow.one("icmp_error")["icmp_from"]), (whole, router), "tuple, origin")
        same(stats()["icmp_no_flow"] - before["icmp_no_flow"], 1, "errors in the other VLAN")


@test
def hardware_addresses(mirror, trace):
    """a frame for any MAC is followed: another host's, a group's, its own"""
    own = pathlib.Path(f"/sys/class/net/{mirror.name}/address").read_text().strip()
    for mac in ("02:99:99:99:99:99", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", own):
        whole = ends()
        mirror.send(*connection(whole, Ether(src="06:00:00:00:00:01", dst=mac)))
        expect_whole(trace, mirror, whole)


TAGS = {
    "5": [Dot1Q(vlan=5)], "6": [Dot1Q(vlan=6)], "4095": [Dot1Q(vlan=4095)],
    "5.7": [Dot1AD(vlan=5), Dot1Q(vlan=7)], "7.5": [Dot1AD(vlan=7), Dot1Q(vlan=5)],
    "6.7": [Dot1Q(vlan=6), Dot1Q(vlan=7)],
    "8": [Dot1Q(vlan=0, prio=5), Dot1Q(vlan=8)],
    "5.9": [Dot1AD(vlan=5), Dot1Q(vlan=0, prio=7), Dot1Q(vlan=9)],
}


def places(port):
    """Where /proc/net/tcptrace says that flows of this port are seen."""
    heading, *lines = pathlib.Path("/proc/net/tcptrace").read_text().splitlines()
    column = heading.split().index("mirror")
    return sorted(line.split()[column] for line in lines if f":{port} " in line)


def tagged(tags):
    frame = STRANGER
    for tag in tags:
        frame /= tag
    return frame


@test
def vlans(mirror, trace):
    """the same tuple in several VLANs, in one another too, is as many connections"""
    whole = ends()
    rounds = [list(connection(whole, lower)) for lower in
              (STRANGER, *(tagged(tags) for tags in TAGS.values()))]
    for frames in zip(*(frames[:-3] for frames in rounds), strict=True):
        mirror.send(*frames)
    trace.wait(lambda: len(trace.at(mirror, whole[0][1])) >= 3 * len(rounds), "all events")
    same(places(whole[1][1]), sorted(["mon0", *(f"mon0.{name}" for name in TAGS)]), "places")
    for frames in zip(*(frames[-3:] for frames in rounds), strict=True):
        mirror.send(*frames)
    trace.wait(lambda: len(trace.at(mirror, whole[0][1])) >= 8 * len(rounds), "all events")
    flows = flows_of(trace.at(mirror, whole[0][1]))
    same(len(flows), len(rounds), "flows")
    for flow in flows:
        same([line_of(event) for event in flow.events], lines_of(WHOLE), "story")
        flow.check("mon0")


@test
def priority_tag(mirror, trace):
    """a tag of VLAN 0 gives a priority, and no VLAN"""
    whole = ends()
    plain, prior = (connection(whole, lower) for lower in (STRANGER, tagged([Dot1Q(vlan=0)])))
    for turn, pair in enumerate(zip(plain, prior, strict=True)):
        mirror.send(pair[turn % 2])
    expect_whole(trace, mirror, whole)


@test
def priority_tags(mirror, _trace):
    """a frame with no end of them is counted, and not followed"""
    frame = bytes(syn(IP()))
    for count, unreadable in ((4, 0), (5, 1), (300, 1)):
        before = stats()
        mirror.send(frame[:12] + b"\x81\0\0\0" * count + frame[12:])
        wait_for(lambda: stats()["unreadable"] + stats()["segments"] -
                 before["unreadable"] - before["segments"] == 1, "the frame")
        same(stats()["unreadable"] - before["unreadable"], unreadable, f"{count} tags")


@test
def third_vlan(mirror, trace):
    """a frame with a third VLAN is counted, and not followed"""
    before, seen = stats(), len(trace.events)
    mirror.send(*connection(ends(), tagged([Dot1Q(vlan=1), Dot1Q(vlan=2), Dot1Q(vlan=3)])))
    wait_for(lambda: stats()["unreadable"] - before["unreadable"] == len(CONNECTION), "counter")
    same(stats()["segments"], before["segments"], "segments")
    trace.sync()
    same(told(trace.events[seen:]), [], "events")


@test
def padding(mirror, trace):
    """what fills a frame up behind its packet counts as nothing"""
    for pair in (("192.0.2.1", "198.51.100.1"), ("fd01::1", "fd01::2")):
        for lower in (STRANGER, tagged([Dot1Q(vlan=5)])):
            whole = ends(*pair)
            mirror.send(*(bytes(frame) + b"\xff" * 46 for frame in connection(whole, lower)))
            expect_whole(trace, mirror, whole)


@test
def snap_length(mirror, trace):
    """frames that a capture has cut off have the length that their IP header tells"""
    for pair, size in ((("192.0.2.1", "198.51.100.1"), 54), (("fd01::1", "fd01::2"), 74)):
        whole = ends(*pair)
        mirror.send(*(bytes(frame)[:size] for frame in connection(whole)))
        expect_whole(trace, mirror, whole)


@test
def cut_error(mirror, trace):
    """an ICMP error that a capture has cut off in its quote is read all the same"""
    for pair, error, size in ((("192.0.2.1", "198.51.100.1"), IP() / ICMP(type=3, code=1), 28),
                              (("fd01::1", "fd01::2"), IPv6() / ICMPv6DestUnreach(code=3), 48)):
        whole = ends(*pair)
        asked = next(connection(whole))
        answer = STRANGER / error / Raw(bytes(asked.payload) + bytes(100))
        answer[1].src, answer[1].dst = pair[1], pair[0]
        mirror.send(asked, bytes(answer)[:14 + size + len(asked.payload)])
        end = trace.wait_event(mirror, whole[1][1], "end")
        same((end["handshake"], end["close"]), ("unreachable", "none"), "outcome")


@test
def cut_header(mirror, trace):
    """a TCP header that is cut off, by a capture or by its own packet, is reported"""
    seen = len(trace.events)
    whole = bytes(syn(IP(src="192.0.2.1", dst="198.51.100.1")))
    short = STRANGER / IP(src="192.0.2.1", dst="198.51.100.1", proto=6) / whole[34:34 + 12]
    mirror.send(whole[:34 + 19], whole[:34], bytes(short), bytes(short) + bytes(100))
    trace.wait(lambda: len(trace.events) >= seen + 4, "four events")
    for event in trace.events[seen:]:
        same((event["event"], event["reason"], event["src_ip"], event["src_port"], event["hook"],
              event["iface"], event["flow_id"]),
             ("invalid", "truncated", "192.0.2.1", 0, "ingress", "mon0", None), "event")


@test
def options(mirror, trace):
    """IPv4 options, and IPv6 extension headers in any order"""
    padding_option = IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)])
    long_option = IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 60)])
    done = IPv6ExtHdrRouting(addresses=["fd01::9"], segleft=0)
    for between in (padding_option, long_option, done, padding_option / long_option,
                    padding_option / done / long_option,
                    IPv6ExtHdrFragment(id=7)):	# a fragment that is whole, RFC 6946
        whole = ends("fd01::1", "fd01::2")
        mirror.send(*connection(whole, between=between))
        expect_whole(trace, mirror, whole)
    whole = ends("fd01::1", "fd01::2")
    for frame in map(bytes, connection(whole)):
        mirror.send(frame[:14] + with_headers(frame[14:], AUTHENTICATION))
    expect_whole(trace, mirror, whole)
    whole = ends()
    for frame in connection(whole):
        frame[IP].options = b"\x01" * 40
        mirror.send(frame)
    expect_whole(trace, mirror, whole)


@test
def fragments(mirror, trace):
    """of a segment in fragments the first is followed, the others are counted"""
    for pair, cut in ((("192.0.2.1", "198.51.100.1"), lambda f: fragment(f, 48)),
                      (("fd01::1", "fd01::2"), lambda f: fragment6(f, 110))):
        whole = ends(*pair)
        between = IPv6ExtHdrFragment(id=whole[0][1]) if ":" in pair[0] else None
        frames = []
        for frame in connection(whole, between=between):
            frames += cut(frame) if PAYLOAD in bytes(frame) else [frame]
        before = stats()
        mirror.send(*frames)
        wait_for(lambda: stats()["segments"] - before["segments"] == len(CONNECTION), "segments")
        flow = trace.expect(mirror, whole[1][1], WHOLE)
        same(stats()["fragments"] - before["fragments"], len(frames) - len(CONNECTION), "fragments")
        end = flow.end()
        check(0 < end["bytes_toserver"] < 100 and 0 < end["bytes_toclient"] < 100, "bytes")


BROKEN = {
    "version 5": IP(version=5), "version 4 in IPv6": IPv6(version=4),
    "a header of 16 bytes": IP(ihl=4), "none at all": IP(ihl=0),
    "shorter than its header": IP(len=19), "no length": IP(len=0),
    "options longer than all": IP(ihl=15, len=40),
    "extension headers longer than all": IPv6(plen=20) / IPv6ExtHdrDestOpt(
        options=[PadN(optdata=b"\0" * 60)]),
    "an extension header that ends nowhere": IPv6(nh=60) / IPv6ExtHdrDestOpt(len=255),
}


@test
def broken(mirror, trace):
    """IP headers that are none are counted, and nothing is read behind them"""
    for name, header in BROKEN.items():
        before, seen = stats(), len(trace.events)
        mirror.send(syn(header))
        wait_for(lambda then=before: stats()["unreadable"] == then["unreadable"] + 1, name)
        trace.sync()
        same(told(trace.events[seen:]), [], f"events of {name}")
    before = stats()
    for size in range(14, 34):
        mirror.send(bytes(syn(IP()))[:size])
    for size in range(54, 62):
        mirror.send(bytes(syn(IPv6() / IPv6ExtHdrDestOpt()))[:size])
    wait_for(lambda: stats()["unreadable"] - before["unreadable"] == 28, "all counted")
    same(stats()["segments"], before["segments"], "segments")


@test
def other_protocols(mirror, trace):
    """what is not TCP is none of our business"""
    before, whole = stats(), ends()
    discovery = Ether(src=STRANGER.src, dst="01:80:c2:00:00:0e", type=0x88cc)
    frames = [STRANGER / IP() / UDP(), STRANGER / IPv6() / UDP(), STRANGER / Dot1Q(vlan=1) / b"x",
              discovery / PAYLOAD, STRANGER / IP(proto=89) / PAYLOAD,
              STRANGER / IPv6(nh=59) / PAYLOAD]
    mirror.send(*frames, *connection(whole))
    expect_whole(trace, mirror, whole)
    same({name: stats()[name] - before[name] for name in ("segments", "unreadable", "events")},
         {"segments": 8, "unreadable": 0, "events": 8}, "counters")


@test
def checksums(mirror, trace):
    """a control segment with a wrong checksum changes nothing, wherever its header is"""
    for between, pair in ((None, ("192.0.2.1", "198.51.100.1")), (None, ("fd01::1", "fd01::2")),
                          (IPv6ExtHdrHopByHop(), ("fd01::1", "fd01::2"))):
        whole = ends(*pair)
        frames = [bytes(frame) for frame in connection(whole, between=between)]
        rst = list(connection(whole, between=between))[2]
        rst[TCP].flags = "RA"
        forged = bytearray(bytes(rst))
        forged[-4] ^= 0x55	# the high byte of the sum
        mirror.send(*frames[:3], bytes(forged) + bytes(20), *frames[3:])
        story = WHOLE.strip().splitlines()
        story.insert(3, "invalid >RA/bad_checksum ESTABLISHED ESTABLISHED")
        flow = trace.expect(mirror, whole[1][1], "\n".join(story))
        same(flow.end()["close"], "orderly", "close")


@test
def left_checksum(mirror, trace):
    """a capture of the sending host, whose interface was to fill in the checksum"""
    for pair in (("192.0.2.1", "198.51.100.1"), ("fd01::1", "fd01::2")):
        whole = ends(*pair)
        frames = []
        for frame in connection(whole):
            segment = bytes(frame[TCP])
            addresses = bytes(frame)[26:34] if IP in frame else bytes(frame)[22:54]
            pseudo = addresses + len(segment).to_bytes(4, "big") + (6).to_bytes(4, "big")
            frame[TCP].chksum = 0xffff ^ checksum(pseudo)
            frames.append(frame)
        mirror.send(*frames)
        expect_whole(trace, mirror, whole)


@contextlib.contextmanager
def joining(mirror):
    """The interface waits for segments that belong together, and joins them (GRO)."""
    patience = pathlib.Path(f"/sys/class/net/{mirror.name}/gro_flush_timeout")
    # a veth thinks that its peer has joined them already, if that could
    run("ethtool", "-K", mirror.feed, "tso", "off")
    run("ethtool", "-K", mirror.name, "gro", "on")
    patience.write_text("100000000")	# ns
    try:
        yield
    finally:
        patience.write_text("0")
        run("ethtool", "-K", mirror.name, "gro", "off")
        run("ethtool", "-K", mirror.feed, "tso", "on")


@test
def joined(mirror, trace):
    """segments that GRO joins count with all their bytes"""
    for pair in (("192.0.2.1", "198.51.100.1"), ("fd01::1", "fd01::2")):
        whole = ends(*pair)
        frames = list(connection(whole))
        data = []
        for at in range(7):	# what the window takes
            frame = frames[3].copy()
            frame[TCP].seq = 1001 + at * 1000
            frame[TCP].flags = "A"
            frame[TCP].payload = Raw(b"x" * 1000)
            if IP in frame:
                frame[IP].flags = "DF"
            data.append(frame)
        for frame in frames[4:]:
            sent_by_client = frame[TCP].sport == whole[0][1]
            frame[TCP].seq += 6900 if sent_by_client else 0
            frame[TCP].ack += 0 if sent_by_client else 6900
        with joining(mirror):
            mirror.send(*map(bytes, frames[:3] + data + frames[4:]))
            end = trace.expect(mirror, whole[1][1], WHOLE).end()
        same((end["bytes_toserver"], end["bytes_toclient"]), (7000, 100), "bytes")
        if RELEASE < (5, 12):
            raise Skip("this kernel joins nothing at a veth")
        check(end["pkts_toserver"] < 7 + 4, f"nothing was joined: {end['pkts_toserver']} packets")


@test
def stray_reset(mirror, trace):
    """a RST, or a last segment, of a connection that is not in the capture opens no flow"""
    whole = ends()
    frame = list(connection(whole))[-1]
    frame[TCP].flags = "R"
    mirror.send(frame)
    event = trace.wait_event(mirror, whole[1][1], "invalid")
    same((event["reason"], event["flow_id"]), ("no_flow", None), "event")


@test
def two_places(mirror, trace):
    """the same frames at two mirrored interfaces are two connections"""
    whole = ends()
    with Mirror(1) as second:
        for place in (mirror, second):
            place.send(*connection(whole))
        trace.wait(lambda: len(trace.at(mirror, whole[1][1])) >= 16, "all events")
        flows = flows_of(trace.at(mirror, whole[1][1]))
        same([flow.events[0]["iface"] for flow in flows], ["mon0", "mon1"], "interfaces")
        for flow in flows:
            same([line_of(event) for event in flow.events], lines_of(WHOLE), "story")
            flow.check(flow.events[0]["iface"])


@contextlib.contextmanager
def peer_at(mirror):
    """A host behind the mirrored interface, which has an address of its own."""
    peer = Namespace.make("peer")
    run("ip", "link", "set", mirror.feed, "netns", "peer")
    run("ip", "addr", "add", "10.8.0.1/24", "dev", mirror.name)
    peer.run("ip", "addr", "add", "10.8.0.2/24", "dev", mirror.feed)
    peer.run("ip", "link", "set", mirror.feed, "up")
    try:
        yield peer
    finally:
        run("ip", "addr", "del", "10.8.0.1/24", "dev", mirror.name)
        peer.run("ip", "link", "set", mirror.feed, "netns", "1")
        run("ip", "link", "set", mirror.feed, "up")
        peer.remove()


@test
def stack_and_mirror(mirror, trace):
    """a connection of this host over a mirrored interface is two: the mirror sees what comes"""
    port = net.new_port()
    with peer_at(mirror) as peer:
        with peer.listen("10.8.0.2", port) as listener:
            client = net.socket.create_connection(("10.8.0.2", port), timeout=10)
            server, _ = listener.accept()
        client.sendall(b"x" * 10)
        same(len(server.recv(100)), 10, "bytes")
        same(places(port), ["-", "mon0"], "places")
        listed = run(READER, "flows", "-jq", "--port", port, "--netns", mirror.inode).splitlines()
        same({json.loads(line)["hook"] for line in listed}, {None, "ingress"},
             "hooks in tcptracectl flows")
        client.shutdown(net.socket.SHUT_WR)
        same(server.recv(1), b"", "end")
        server.close()
        trace.wait_event(mirror, port, "end")
        trace.wait_event(peer, port, "end")
    trace.device.flush()
    trace.sync()
    flows = flows_of(trace.at(mirror, port))
    same(len(flows), 2, "flows", [line for flow in flows for line in told(flow.events)])
    hooks = [{event["hook"] for event in flow.events if event["sender"]} for flow in flows]
    check({"ingress"} in hooks and {"in", "out"} in hooks, f"hooks: {hooks}")
    for flow in flows:
        same([ends_of(flow)[1], flow.end()["handshake"]], [("10.8.0.2", port), "established"],
             "server and handshake", told(flow.events))
        check(not flow.events[0].get("initiator_guessed"), "guessed")
    client.close()


def spoiled(source, frame):
    """A frame with some bytes changed, perhaps cut off."""
    spoilt = bytearray(frame)
    for _ in range(source.choice((1, 1, 2, 5))):
        at = source.randrange(12, min(len(frame), 120))
        spoilt[at] = source.choice((0, 255, source.randrange(256)))
    return spoilt[:source.choice((len(frame), source.randrange(14, len(frame) + 1)))]


@test
def random_frames(mirror, trace):
    """10,000 frames with random bytes in their headers: nothing but events and counts"""
    seed = random.randrange(2**32)
    print(f"# seed {seed}")
    source = random.Random(seed)
    models = [bytes(frame) for pair in (("192.0.2.1", "198.51.100.1"), ("fd01::1", "fd01::2"))
              for lower in (STRANGER, tagged(TAGS["5.7"]))
              for frame in connection(ends(*pair), lower)]
    models += [bytes(frame) for frame in connection(
        ends("fd01::1", "fd01::2"), between=IPv6ExtHdrHopByHop() / IPv6ExtHdrFragment() /
        IPv6ExtHdrRouting(addresses=["fd01::9"], segleft=1))]
    trace.device.flush()
    before = stats()
    mirror.send(*(spoiled(source, model) for model in source.choices(models, k=10000)))
    whole = ends("192.0.2.77")

    def events_of_whole():
        return [event for event in trace.events if event["src_ip"] == whole[0][0]]

    mirror.send(*connection(whole))
    trace.wait(lambda: len(events_of_whole()) >= len(lines_of(WHOLE)),
               "a connection after all that")
    flow, = flows_of(events_of_whole())
    same(([line_of(event) for event in flow.events], ends_of(flow)), (lines_of(WHOLE), whole),
         "the connection")
    after = stats()
    grown = {name: after[name] - before[name] for name in ("segments", "unreadable")}
    check(min(grown.values()) > 500 and sum(grown.values()) <= 10000 + len(CONNECTION),
          f"counters: {grown}")
    trace.device.flush()


if __name__ == "__main__":
    main(mirrored_stage())
