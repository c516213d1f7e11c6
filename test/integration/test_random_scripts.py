"""Scripts of random statements over messages that are damaged at random: no process dies, nothing is overwritten.

`make hostile` runs it under AddressSanitizer; KAHU_LONG=1 runs more scripts, each for longer.
"""
import re
import socket
import time

import pytest

from support.hostile import Hostile
from support.paths import LONG, TORTURE
from support.random_script import script, without

pytestmark = pytest.mark.kahu_only
SAMPLES = [path.read_bytes() for path in sorted(TORTURE.glob("rfc*/*.dat"))]
SECONDS = 45 if LONG else 5


def configure(server, text):
    """With what `-c` takes of the script: it names the place of everything that a route does not allow."""
    server.write_config(text)
    code, said = server.check()
    if code != 0:
        found = re.findall(rf"{server.config_file.name}:(\d+):\d+: (?!warning)", said)
        assert found, f"refused without a place: {said[-2000:]}"
        server.write_config(without(text, {int(number) for number in found}))
        code, said = server.check()
    assert code == 0, said[-2000:]


class Stream:
    """A TCP connection that is opened anew when the server has had enough."""

    def __init__(self, port):
        self.port, self.socket = port, None

    def send(self, message):
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=2)
            self.socket.sendall(message)
        except OSError:
            self.close()

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None


def attack(hostile, port, callee, seconds):
    """Returns how many messages were sent, and how many came out of the server."""
    caller = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    caller.connect(("127.0.0.1", port))
    caller.setblocking(False)
    stream = Stream(port)
    sent = came = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        message = hostile.message()
        if sent % 7 == 0:
            stream.send(message)
        else:
            try:
                caller.send(message)
            except OSError:
                pass  # the socket's buffer is full: as lost as any datagram
        if sent % 100 == 0:
            stream.close()
            time.sleep(0.01)
        sent += 1
        for end_point in (caller, callee):
            try:
                while True:
                    received, source = end_point.recvfrom(65536)
                    came += 1
                    if end_point is callee and (answer := hostile.reply(received)) is not None:
                        callee.sendto(answer, source)
            except OSError:
                pass
    stream.close()
    caller.close()
    return sent, came


@pytest.mark.parametrize("seed", range(1, 21 if LONG else 3))
def test_whatever_a_script_does_with_whatever_comes(make_kahu, seed):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as callee:
        callee.bind(("127.0.0.9", 0))
        callee.setblocking(False)
        address = f"127.0.0.9:{callee.getsockname()[1]}"
        server = make_kahu(config="")
        configure(server, script(seed, address))
        server.start()
        # The script complains in the log as it should; what may not be there is named.
        server.allowed_alarms = (r".",)
        processes = server.processes()
        sent, came = attack(Hostile(seed, f"127.0.0.1:{server.plain_port}", address, SAMPLES), server.plain_port, callee, SECONDS)
    assert sent > 1000 and came > sent / 20, (sent, came)
    assert server.processes() == processes, "a process died"
    wrong = [line for line in server.log().splitlines() if re.search(r"Sanitizer|runtime error|process\.died|damaged|poisoned", line)]
    assert not wrong, wrong[:5]
