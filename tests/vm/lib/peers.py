# SPDX-License-Identifier: GPL-2.0
"""Other tools on the same packets: tcpdump for tshark, and nf_conntrack."""

import collections
import re
import signal
import subprocess
import tempfile

from lib.kernel import run
from lib.tap import check, wait_for

# Any rule that asks for the state makes nf_conntrack look at a namespace.
TRACKED = """\
table inet track {
	chain input { type filter hook input priority 0; ct state invalid counter; }
}
"""

# The state, and both ports of the first packet.
STATE = re.compile(r"\] tcp +6 (?:\d+ )?([A-Z]\w+) src=\S+ dst=\S+ sport=(\d+) dport=(\d+)")


class Tool:
    """A program in a namespace whose output goes to a file, as long as the context lasts."""

    def __init__(self, host, *command):
        self.host = host
        self.command = command

    def __enter__(self):
        self.output = tempfile.NamedTemporaryFile("r", encoding="utf-8")
        with self.host, open(self.output.name, "w", encoding="utf-8") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output)
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()
        self.output.close()

    def said(self):
        self.output.seek(0)
        return self.output.read()


class Capture(Tool):
    """tcpdump at one interface."""

    def __init__(self, host, iface):
        self.file = tempfile.NamedTemporaryFile(suffix=".pcap")
        super().__init__(host, "tcpdump", "-p", "-i", iface, "-U", "--immediate-mode", "-Z", "root",
                         "-w", self.file.name, "tcp")

    def __enter__(self):
        super().__enter__()
        wait_for(lambda: "listening on" in self.said(), "tcpdump")
        return self

    def end(self, last):
        """Stop when a packet with these bytes has been taken."""
        def taken():
            self.file.seek(0)
            return last in self.file.read()
        wait_for(taken, f"the last packet in the capture of {self.host.name}")
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        check("\n0 packets dropped by kernel" in self.said(), "tcpdump lost packets",
              self.said().splitlines())

    def completeness(self):
        """What tshark has for each stream of a port, once the capture has ended."""
        fields = [word for name in ("stream", "srcport", "dstport", "completeness")
                  for word in ("-e", f"tcp.{name}")]
        streams = collections.defaultdict(dict)
        # in the second pass each packet has what all of its stream make up
        for line in run("tshark", "-2", "-n", "-r", self.file.name, "-T", "fields",
                        *fields).splitlines():
            stream, *ports, number = map(int, line.split("\t"))
            for port in ports:
                streams[port][stream] = number
        return {port: list(numbers.values()) for port, numbers in streams.items()}


class Conntrack(Tool):
    """What nf_conntrack tells of one namespace."""

    def __init__(self, host):
        super().__init__(host, "conntrack", "-E", "-p", "tcp")

    def __enter__(self):
        self.host.run("nft", "-f", "-", input=TRACKED)
        super().__enter__()
        # it listens when the socket of its netlink family is there
        wait_for(lambda: re.search(rf"^\S+ +12 +{self.process.pid} ",
                                   self.host.read("/proc/thread-self/net/netlink"), re.M),
                 "conntrack -E")
        return self

    def states(self, port):
        """Every state of the connections of a port, in order."""
        return [state for state, *ports in STATE.findall(self.said()) if str(port) in ports]
