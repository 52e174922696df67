#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""tcptracectl: what its help promises."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile

from lib import net
from lib.device import PATH, Device
from lib.host import Host
from lib.kernel import Module, READER, attempt, run, stats
from lib.tap import check, main, same, test, wait_for

RING = 1024


def reader(*words):
    return attempt(READER, *words)


def events(*words):
    """The JSON lines of a run that ends well."""
    return [json.loads(line) for line in run(READER, "-j", *words).splitlines()]


def dump(*words):
    return events("-d", *words)


def waits(pid):
    """It has opened the device, and sleeps."""
    with contextlib.suppress(FileNotFoundError):	# a file that was just closed
        files = [os.readlink(file) for file in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return PATH in files and state == "S"
    return False


@contextlib.contextmanager
def following(*words):
    """A reader that waits for what comes from now on."""
    process = subprocess.Popen([READER, "-N", *words], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: waits(process.pid), "a reader that waits")
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


class Scenery:
    """A host with one connection of each kind behind it."""

    def __init__(self, host):
        self.host = host
        self.reset, self.refused = net.new_port(), net.new_port()
        host.reset(self.reset)
        host.refused(self.refused)
        self.swallowed = host.syns(1)[0]
        with host.namespace.socket("::1") as sock:
            sock.connect_ex(("::1", self.refused))


@test
def counted(scenery):
    """-c ends after so many events"""
    same([event["seq"] for event in events("-c", "3")], [1, 2, 3], "events")
    same(reader("-c", "1", "-H", "-w").stdout.count("\n"), 1, "lines of wide text")
    same(len(events("-c", "2", "--port", str(scenery.refused))), 2, "events of a port")


@test
def binary(scenery):
    """JSON and the binary records tell the same"""
    del scenery
    with Device() as device:
        records = device.drain()
    found = dump()
    same([(e["seq"], e["flow_id"], e["time_ns"], e["src_port"], e["dest_port"], e["tcp_seq"],
           e["tcp_ack"], e["netns"], e["payload_len"], e["window"], e["iface"]) for e in found],
         [(r.seq, r.flow_id, r.time_ns, socket.ntohs(r.initiator_port),
           socket.ntohs(r.responder_port), r.tcp_seq, r.tcp_ack, r.netns, r.payload_len, r.window,
           r.iface.decode()) for r in records], "events")
    rfc3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d)"
    check(all(re.fullmatch(rfc3339, event["timestamp"]) for event in found), "timestamps")


@test
def filters(scenery):
    """filters, as options and as words"""
    every = dump()
    for words, wanted in (
            (["-4"], lambda e: e["ip_version"] == 4),
            (["-6"], lambda e: e["ip_version"] == 6),
            (["--port", str(scenery.reset)], lambda e: e["dest_port"] == scenery.reset),
            (["--event", "syn"], lambda e: e["event"] == "syn"),
            (["--event", "syn,rst"], lambda e: e["event"] in ("syn", "rst")),
            (["--host", "::1"], lambda e: e["src_ip"] == "::1"),
            (["--net", "127.0.0.0/8"], lambda e: e["ip_version"] == 4),
            (["--netns", str(scenery.host.inode)], lambda e: True),
            (["--netns", "1"], lambda e: False),
            (["--flow", str(every[0]["flow_id"])], lambda e: e["flow_id"] == every[0]["flow_id"]),
            (["--state", "closed"],
             lambda e: "CLOSED" in (e["initiator_state"], e["responder_state"])),
            (["handshake", "refused"], lambda e: e.get("handshake") == "refused"),
            (["not", "port", str(scenery.reset), "and", "event", "end"],
             lambda e: e["dest_port"] != scenery.reset and e["event"] == "end"),
            (["src", "port", "999"], lambda e: e["src_port"] == 999)):
        same([e["seq"] for e in dump(*words)], [e["seq"] for e in every if wanted(e)],
             " ".join(words))


@test
def failed(scenery):
    """--failed shows what was refused, not answered or reset"""
    found = dump("--failed")
    same({(e["event"], e["dest_port"]) for e in found} >=
         {("end", scenery.reset), ("end", scenery.refused)}, True, "events")
    same({e["event"] for e in found}, {"end"}, "kinds")


@test
def statuses(_scenery):
    """exit statuses: 0 fine, 1 error, 2 wrong usage"""
    for words, status in ((["--help"], 0), (["--version"], 0), (["-d"], 0), (["--none"], 2),
                          (["-c", "x"], 2), (["port"], 2), (["--event", "nonsense"], 2),
                          (["-r", "/nowhere"], 1), (["-r", "/dev/null"], 1),
                          (["--device", "/dev/null"], 1), (["stats", "more"], 2)):
        done = reader(*words)
        same(done.returncode, status, " ".join(words), done.stderr.splitlines())
        check(bool(done.stderr) == bool(status) or words == ["-d"], f"message of {words}")


@test
def narrow(_scenery):
    """IPv4 lines fit 80 columns"""
    long = [line for line in run(READER, "-d", "-4", "-q").splitlines() if len(line) > 80]
    check(not long, "lines", long)


@test
def flush_and_stats(scenery):
    """flush and stats"""
    same(run(READER, "flush"), "", "output of flush")
    told = json.loads(run(READER, "stats", "-j"))
    same(told["flows"], 0, "flows")
    with Device() as device:
        same(told["produced"], device.info().next_seq - 1, "produced")
    same(told["counters"]["segments"], stats()["segments"], "segments")
    check(told["counters"]["flows_flushed"] >= 1, "flows_flushed")
    last = dump("--port", str(scenery.swallowed))[-1]
    same((last["event"], last["handshake"], last["close"]), ("end", "no_answer", "flushed"),
         "the flow without an answer")
    check("segments" in run(READER, "stats"), "text")


@test
def recorded(scenery):
    """a recording, replayed, gives the same as live"""
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/trace"
        live = run(READER, "-j", "-d")
        run(READER, "record", path, "-d")
        same(os.stat(path).st_mode & 0o777, 0o600, "mode of the file")
        replayed = run(READER, "-j", "-r", path)
        strip = re.compile(r'"timestamp":"[^"]*"')
        same(strip.sub("", replayed), strip.sub("", live), "JSON lines")
        for words in (["handshake", "refused"], ["--port", str(scenery.reset)], ["--failed"]):
            same([e["seq"] for e in events("-r", path, *words)],
                 [e["seq"] for e in dump(*words)], " ".join(words))
        same(run(READER, "-r", path, "-t", "none"), run(READER, "-d", "-t", "none"), "text")
        with open(path, "rb") as file:
            cut = file.read()[:-10]
        with open(path, "wb") as file:
            file.write(cut)
        done = reader("-j", "-r", path)
        same((done.returncode, done.stdout.count("\n")), (1, live.count("\n") - 1),
             "a recording that was cut", done.stderr.splitlines())


@test
def interrupted(scenery):
    """SIGINT ends with a summary and 130; SIGTERM with 0; what was there is shown"""
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 0)):
        port = net.new_port()
        with following("-j") as process:
            scenery.host.refused(port)
            line = json.loads(process.stdout.readline())
            same((line["event"], line["dest_port"]), ("syn", port), "first event")
            process.send_signal(number)
            out, err = process.stdout.read(), process.stderr.read()
            same(process.wait(), status, f"status after {number.name}")
            same(out.count("\n"), 2, "the other events")
            check("3 events shown, 3 read, 0 lost" in err, "summary", err.splitlines())


@test
def closed_pipe(scenery):
    """whoever reads the output may go"""
    done = attempt("bash", "-c", f"{READER} -d | head -1; exit ${{PIPESTATUS[0]}}")
    same(done.returncode, 0, "status", done.stderr.splitlines())
    for word in ("stats", "--help"):
        readable, writable = os.pipe()
        os.close(readable)
        done = subprocess.run([READER, word], stdout=writable, stderr=subprocess.PIPE,
                              check=False)
        os.close(writable)
        same((done.returncode, done.stderr), (0, b""), f"status and message of {word}")
    with following() as process:
        process.stdout.close()
        scenery.host.refused(net.new_port())
        wait_for(lambda: process.poll() is not None, "end of the reader")


@test
def lost(scenery):
    """a reader that was stopped tells exactly what it lost"""
    with following("-j") as process:
        with Device() as other:
            start = other.info().next_seq
            process.send_signal(signal.SIGSTOP)
            for _ in range(3):
                scenery.host.syns(RING // 2)
            produced = other.info().next_seq - start
        process.send_signal(signal.SIGCONT)
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        out, err = process.stdout.read(), process.stderr.read()
    same((first["event"], first["seq"]), ("lost", start), "first line")
    same(first["count"] + out.count("\n"), produced, "lost and read")
    check(f"{first['count']} lost" in err, "summary", err.splitlines())


@test
def full_disk(scenery):
    """a disk that fills up: an error that says so, and what was written before is a recording"""
    with tempfile.TemporaryDirectory() as folder:
        run("mount", "-t", "tmpfs", "-o", "size=64k", "small", folder)
        try:
            scenery.host.syns(RING)
            path = f"{folder}/trace"
            done = reader("record", path, "-d")
            same(done.returncode, 1, "status")
            check("No space left on device" in done.stderr, "message", done.stderr.splitlines())
            kept = os.stat(path).st_size
            shown = reader("-j", "-r", path)
            same(len(shown.stdout.splitlines()), (kept - 32) // 184, "whole records")
            check(shown.returncode == 0 or "records before are whole" in shown.stderr, "message",
                  shown.stderr.splitlines())
            check(kept > 32000, f"only {kept} bytes were kept")
        finally:
            run("umount", folder)


@test
def second(scenery):
    """two readers of the device see the same, and neither takes anything from the other"""
    with following("-j") as one, following("-j") as two:
        scenery.host.refused(net.new_port())
        scenery.host.reset(net.new_port())
        for process in (one, two):
            process.send_signal(signal.SIGINT)
        seen = [[json.loads(line) for line in process.communicate()[0].splitlines()]
                for process in (one, two)]
    for event in sum(seen, []):
        # each took the difference of the clocks for itself
        del event["timestamp"]
    check(seen[0] == seen[1], "the other saw something else")
    same(len(seen[0]), 8, "events")


@test
def kept(scenery):
    """the module is not taken away under a reader"""
    with following("-j") as process:
        done = attempt("rmmod", "tcptrace")
        check(done.returncode and "in use" in done.stderr, "rmmod", done.stderr.splitlines())
        scenery.host.refused(net.new_port())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    same(len(out.splitlines()), 3, "events", err.splitlines())


@test
def not_permitted(_scenery):
    """nobody is told that root may"""
    done = attempt("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", READER)
    same(done.returncode, 1, "status")
    check("permission denied" in done.stderr, "message", done.stderr.splitlines())


@contextlib.contextmanager
def staged():
    with Module(ring_events=RING, log=0, timeout_syn=1000), Host() as host:
        yield (Scenery(host),)


if __name__ == "__main__":
    main(staged())
