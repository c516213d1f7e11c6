"""A worker that crashes inside OpenSSL on what a peer sent: the crash file has who it was and what came, and no key."""
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

from support.injection import Injection
from support.kahu import wait_until
from support.rpc import Fault
from support.sip import request, tls_context

pytestmark = pytest.mark.kahu_only


def client_hello(spoil):
    """The first flight of a real client, with the end of its extensions spoilt if wished."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        tls_context().wrap_bio(incoming, outgoing, server_hostname="sip.example.org").do_handshake()
    hello = outgoing.read()
    return hello[:-12] + b"\xff" * 12 if spoil else hello


class Victim:
    def __init__(self, make_kahu, tmp_path, core=""):
        self.directory, self.injection = tmp_path, Injection(tmp_path)
        self.server = make_kahu(core=f'crash_dir="{tmp_path}"\ncrash_limit=0\n{core}', workers=1,
                                env=self.injection.env).start()
        self.server.allowed_alarms = (r"process\.died",)

    def worker(self):
        try:
            return self.server.processes_titled("tcp receiver")[0]
        except (Fault, IndexError):
            return None

    def arm(self, what):
        """Returns the steps of the heap that the worker has taken since it was armed last."""
        pid = wait_until(self.worker, 5)
        return self.injection.order([pid], what)[pid]["alloc"]

    def connect(self, hello):
        """Sends it and waits for the end; the client's port."""
        with socket.create_connection(("127.0.0.1", self.server.tls_port), timeout=5) as client:
            port = client.getsockname()[1]
            client.sendall(hello)
            client.settimeout(0.3)
            try:
                while client.recv(65536):
                    pass
            except OSError:
                pass
            return port

    def files(self):
        return set(self.directory.glob("crash-*.txt"))


def private_key_bytes(server):
    """The key's numbers as they lie in memory, in both byte orders."""
    path = server.certificates.key("server")
    text = subprocess.run(["openssl", "pkey", "-in", path, "-noout", "-text"], check=True, capture_output=True,
                          text=True).stdout
    digits = re.search(r"(?:priv|privateExponent):\s*((?:[0-9a-f]{2}:?\s*)+)", text)[1]
    number = bytes.fromhex(re.sub(r"[^0-9a-f]", "", digits)).lstrip(b"\0")
    return [number, number[::-1]]


@pytest.mark.parametrize("number", ["SEGV", "ABRT"])
@pytest.mark.parametrize("spoil", [False, True], ids=["good", "spoilt"])
@pytest.mark.parametrize("first", [False, True], ids=["", "first of its worker"])
def test_crash_file(make_kahu, tmp_path, number, spoil, first):
    """The first handshake of a worker reads its certificate and key, too."""
    victim = Victim(make_kahu, tmp_path)
    server, hello = victim.server, client_hello(spoil)

    def armed(what):
        if not first:
            victim.connect(hello)
        return victim.arm(what)

    armed("count:0:0")
    victim.connect(hello)
    steps = victim.arm("off:0:0")
    assert steps > 50, "nothing was counted"
    os.kill(victim.worker(), signal.SIGKILL)
    assert wait_until(lambda: "process.died" in server.log(), 5)
    inside = 0
    for step in [steps // 64, steps // 16, steps // 4] if first else range(steps // 16, steps, steps // 4):
        before = victim.files()
        armed(f"alloc:{step}:0:{number}")
        port = victim.connect(hello)
        new = wait_until(lambda: victim.files() - before, 5)
        assert new, f"no crash at step {step} of {steps}"
        assert wait_until(lambda: server.log().count("process.died") == len(victim.files()) + 1, 5)
        inside += check(new.pop().read_bytes(), server, port, number, hello, "PEM_|SSL_CTX_" if first else "wire:")
    assert inside >= 1, "no crash was where it should be"
    with server.tls() as client:
        assert client.ask(request(transport="TLS")).status == 200
    assert "crash_file.incomplete" not in server.log()


def check(raw, server, port, number, hello, where):
    """Whether the crash was there; the file must be right in any case."""
    text = raw.decode(errors="replace")
    assert f"transport: tls\npeer: 127.0.0.1 port {port}\n" in text
    assert f"SIG{number}\n" in text and "process: tcp receiver" in text and "backtrace:\n" in text
    assert abs(int(re.search(r"^time: (\d+)$", text, re.M)[1]) - time.time()) < 10
    assert "message:" not in text
    for key in private_key_bytes(server):
        assert key not in raw and key.hex() not in text.replace("\n", "")
    wire = re.search(r"^wire:\n([0-9a-f\n]+)", text, re.M)
    if wire:
        assert bytes.fromhex(wire[1].replace("\n", "")) == hello
    return re.search(where, text) is not None and "libssl" in text
