# SPDX-License-Identifier: GPL-2.0
"""Real programs: curl at the client, nginx at the server."""

import contextlib
import json
import pathlib
import subprocess
import tempfile

from lib.tap import wait_for

NGINX = """\
daemon off;
worker_processes 1;
error_log stderr;
pid {directory}/pid;
events {{ }}
http {{
	access_log off;
	server {{
		listen 0.0.0.0:80;
		listen [::]:80;
		root {directory};
	}}
	server {{
		listen 0.0.0.0:81;
		keepalive_timeout 0;
		root {directory};
	}}
}}
"""

PAGE = b"tcptrace\n" * 20000


@contextlib.contextmanager
def nginx(lab):
    """nginx at the server as long as the context lasts."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory)
        path.chmod(0o755)
        (path / "page").write_bytes(PAGE)
        (path / "conf").write_text(NGINX.format(directory=directory))
        with lab.server:
            process = subprocess.Popen(["nginx", "-p", directory, "-c", path / "conf"],
                                       stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: ":0050 " in lab.server.read("/proc/thread-self/net/tcp6"), "nginx")
            yield
        finally:
            process.terminate()
            process.wait()


def curl(lab, *words):
    """Run curl at the client; what it says of each transfer."""
    output = lab.client.run("curl", "-sS", "-o", "/dev/null", "-o", "/dev/null",
                            "-o", "/dev/null", "-w", "%{json}\\n", *words)
    return [json.loads(line) for line in output.splitlines()]
