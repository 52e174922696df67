# SPDX-License-Identifier: GPL-2.0
"""One host alone, in a network namespace:

 ┌──────────────┐
 │ lo 127.0.0.1 │  what comes to a port of DEAD is dropped
 └──────────────┘
"""

import itertools
import socket
import threading

from lib.net import Namespace, abort_on_close, new_port
from lib.packet import packet

ADDRESS = "127.0.0.1"
DEAD = (10000, 30000)


class Host:
    """The host as long as the context lasts."""

    name = "host"

    def __enter__(self):
        self.namespace = Namespace.make(self.name)
        self.inode = self.namespace.inode
        self.namespace.run("nft", "add table inet wall; add chain inet wall input "
                           "{ type filter hook input priority 0; }; add rule inet wall input "
                           f"tcp dport {DEAD[0]}-{DEAD[1]} tcp sport 999 drop")
        self.dead = itertools.cycle(range(*DEAD))
        return self

    def __exit__(self, *exception):
        self.namespace.remove()

    def raw_socket(self):
        """What syn() sends with."""
        return self.namespace.socket(ADDRESS, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def syn(self, sock):
        """A SYN without an answer, one event; its port."""
        port = next(self.dead)
        sock.sendto(packet((ADDRESS, 999), (ADDRESS, port), "S", port), (ADDRESS, 0))
        return port

    def syns(self, count):
        """So many of them; their ports."""
        with self.raw_socket() as sock:
            return [self.syn(sock) for _ in range(count)]

    def connect(self, port):
        """An established connection; both sockets."""
        with self.namespace.listen(ADDRESS, port) as listener:
            client = self.namespace.socket(ADDRESS)
            client.connect((ADDRESS, port))
            server, _ = listener.accept()
        return client, server

    def reset(self, port):
        """A connection of four segments: SYN, SYN+ACK, ACK, RST; five events."""
        client, server = self.connect(port)
        abort_on_close(client)
        client.close()
        server.close()

    def refused(self, port):
        """A connection that is refused: three events."""
        with self.namespace.socket(ADDRESS) as sock:
            sock.connect_ex((ADDRESS, port))


class Traffic:
    """Connections one after the other, some left open, as long as the context lasts."""

    def __init__(self, host):
        self.host = host
        self.count = 0
        self.error = None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.done.set()
        self.thread.join()
        if self.error:
            raise self.error

    def work(self):
        held = []
        try:
            port = new_port()
            with self.host.namespace.listen(ADDRESS, port) as listener:
                while not self.done.is_set():
                    held.append(self.connection(listener, port))
                    if len(held) > 20:
                        for sock in held.pop(0):
                            sock.close()
        except OSError as error:
            self.error = error
        for pair in held:
            for sock in pair:
                sock.close()

    def connection(self, listener, port):
        client = self.host.namespace.socket(ADDRESS)
        client.connect((ADDRESS, port))
        server, _ = listener.accept()
        client.sendall(b"x" * 100)
        server.recv(1000)
        self.count += 1
        return client, server
