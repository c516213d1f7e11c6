"""Where things are, and free ports."""
import itertools
import os
import socket
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
BUILD = SOURCE / os.environ.get("KAHU_BUILD", "build")
KAHU = os.environ.get("KAHU_PROGRAM", str(BUILD / "kahu"))  # another drop-in server, to test the tests
KAHUCMD = str(BUILD / "kahucmd")
KAHU_LOAD = os.environ.get("KAHU_LOAD", str(SOURCE / "build/kahu-load"))
KAHU_CERT = str(SOURCE / "scripts/kahu-cert")
TORTURE = SOURCE / "test/torture"
KAMAILIO = "/usr/sbin/kamailio"
KAMAILIO_MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/"
LONG = os.environ.get("KAHU_LONG", "") not in ("", "0")

# Below the kernel's ephemeral ports, so that no client socket takes one of ours. Each run begins elsewhere: two that look at
# once would both find the same port free.
_candidates = itertools.cycle(range(20100, 25000))
_candidates = itertools.islice(_candidates, os.getpid() * 127 % 4900, None)


def _is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_port():
    return next(port for port in _candidates if _is_free(port))
