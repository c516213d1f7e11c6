"""kahu-load and kahu-cert themselves: a measuring tool that cannot fail measures nothing."""
import json
import socket
import ssl
import stat
import subprocess
import threading

import pytest

from support.load import Load, baseline, load
from support.paths import KAHU_CERT, KAHU_LOAD, free_port


class Answerer:
    """A TLS server of a few lines: `answer(request number)` gives the bytes, or None to say nothing."""

    def __init__(self, certificates, answer):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates.cert(), certificates.key())
        self.answer, self.requests = answer, 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, raw):
        try:
            with self.context.wrap_socket(raw, server_side=True) as client:
                while data := client.recv(65536):
                    for message in data.decode().split("\r\n\r\n")[:-1]:
                        self.requests += 1
                        if (answer := self.answer(self.requests, message)) is not None:
                            client.sendall(answer)
        except OSError:
            pass

    def close(self):
        self.listener.close()


def answer(status, message):
    kept = [line for line in message.split("\r\n") if line.startswith(("Via", "From", "To", "Call-ID", "CSeq"))]
    return "\r\n".join([f"SIP/2.0 {status} X", *kept, "Content-Length: 0", "", ""]).encode()


@pytest.fixture
def answerer(certificates):
    made = []

    def make(function):
        made.append(Answerer(certificates, function))
        return made[-1].port

    yield make
    for each in made:
        each.close()


def test_good_answers(answerer):
    port = answerer(lambda n, message: answer(200, message))
    for mode, options in (("handshake", ["--request"]), ("resume", ["--request", "--tls", "1.3"]), ("handshake", []),
                          ("requests", ["--depth", 3]), ("idle", ["--request"])):
        result = load(mode, port, "--total", 40, "--concurrency", 4, *options)
        assert result.failed == 0, (mode, result.failures)


def test_resumption_is_seen(answerer):
    port = answerer(lambda n, message: answer(200, message))
    result = load("resume", port, "--total", 20, "--concurrency", 2, "--request", "--tls", "1.3")
    assert (result.full_handshakes, result.resumption_attempts, result.resumed_percent) == (2, 18, 100)


def test_wrong_status_is_a_failure(answerer):
    port = answerer(lambda n, message: answer(503 if n % 10 == 0 else 200, message))
    assert load("handshake", port, "--total", 40, "--request").failures == {"answer: 503": 4}
    assert load("requests", port, "--total", 40, "--concurrency", 2).failures == {"answer: 503": 4}


def test_silence_is_a_failure(answerer):
    port = answerer(lambda n, message: None)
    assert load("handshake", port, "--total", 5, "--request", "--timeout", 0.5).failures == {"timeout: no answer": 5}
    assert load("requests", port, "--total", 5, "--concurrency", 1, "--depth", 5, "--timeout", 0.5).failed >= 5


def test_answer_to_another_request_is_a_failure(answerer):
    port = answerer(lambda n, message: answer(200, message.replace("CSeq: 1", "CSeq: 3")))
    assert "answer: to no request of ours" in load("requests", port, "--total", 5, "--concurrency", 1, "--timeout", 0.5).failures


def test_no_server_is_a_failure():
    result = load("handshake", free_port(), "--total", 3)
    assert result.failed == 3 and result.succeeded == 0


def test_unknown_authority_is_a_failure(answerer, certificates):
    port = answerer(lambda n, message: answer(200, message))
    assert load("handshake", port, "--total", 2, "--ca", certificates.ca).failed == 0
    result = load("handshake", port, "--total", 2, "--ca", certificates.cert("selfsigned"))
    assert result.failures == {"handshake: certificate verify failed": 2}


def test_another_certificate_is_a_failure(answerer, certificates):
    port = answerer(lambda n, message: answer(200, message))
    assert load("handshake", port, "--total", 2, "--expect-fingerprint", certificates.fingerprint()).failed == 0
    result = load("handshake", port, "--total", 2, "--expect-fingerprint", certificates.fingerprint("second"))
    assert result.failures == {"certificate: not the expected one": 2}


def test_commands(answerer, certificates):
    port = answerer(lambda n, message: answer(200, message))
    right, wrong = certificates.fingerprint(), certificates.fingerprint("second")
    options = ["--total", 50, "--concurrency", 2, "--request"]
    assert load("handshake", port, *options, "--repeat", f"echo {right}", "--repeats", 3).commands == 3
    assert load("handshake", port, *options, "--at-half", f"echo {wrong}").failed > 0
    assert load("handshake", port, *options, "--at-half", "exit 4").failures == {"command: status 4: ": 1}


def test_half_open_ends_are_seen():
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        port = listener.getsockname()[1]
        result = load("halfopen", port, "--total", 5, "--seconds", 0.5)
        assert (result.opened, result.still_open, result.failed) == (5, 5, 0)
        assert load("halfopen", port, "--total", 5, "--seconds", 0.5, "--expect-closed").failed == 5


def test_baseline_is_plausible():
    result = baseline("--total", 200)
    assert result.failed == 0
    assert 20 < result.server_cpu_us_each < 5000


@pytest.mark.parametrize("arguments,named", [
    (["nosuch"], "nosuch"), (["handshake"], "target"), (["handshake", "host:1"], "host"), (["handshake", "1.2.3.4:x"], "1.2.3.4:x"),
    (["handshake", "1.2.3.4:5061", "--totl", "3"], "--total"), (["handshake", "1.2.3.4:5061", "--total", "x"], "--total"),
    (["requests", "1.2.3.4:5061"], "--seconds"), (["handshake", "1.2.3.4:5061", "--total"], "--total"),
])
def test_wrong_arguments_are_explained(arguments, named):
    done = subprocess.run([KAHU_LOAD, *arguments], capture_output=True, text=True, timeout=5)
    assert done.returncode == 2 and named in done.stderr


def test_json_on_file_and_stdout(tmp_path):
    arguments = [KAHU_LOAD, "baseline", "--total", "10"]
    subprocess.run([*arguments, "--json", str(tmp_path / "out")], check=True, capture_output=True)
    assert Load(json.loads((tmp_path / "out").read_text())).connections == 10
    out = subprocess.run([*arguments, "--json", "-"], check=True, capture_output=True, text=True).stdout
    assert json.loads(out)["connections"] == 10


# --- kahu-cert ------------------------------------------------------------------------------------

def verify(directory, name, *options):
    done = subprocess.run(["openssl", "verify", "-CAfile", directory / "ca.crt", *options, directory / f"{name}.crt"],
                          capture_output=True, text=True)
    return done.stdout + done.stderr


def test_certificates_verify(certificates):
    directory = certificates.directory
    crl = ["-crl_check", "-CRLfile", directory / "crl.pem"]
    assert "OK" in verify(directory, "server", "-purpose", "sslserver", "-verify_ip", "127.0.0.1", *crl)
    assert "OK" in verify(directory, "client", "-purpose", "sslclient", *crl)
    assert "revoked" in verify(directory, "revoked", *crl)
    assert "expired" in verify(directory, "expired")
    assert "not yet valid" in verify(directory, "future")
    assert "OK" in verify(directory, "weak", "-auth_level", "1") or "too weak" in verify(directory, "weak")


def test_keys_are_private(certificates):
    for path in certificates.directory.glob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_exists_is_kept_unless_forced(tmp_path):
    def make(*options):
        subprocess.run([KAHU_CERT, "all", tmp_path, "--quiet", *options], check=True)
        return (tmp_path / "server.crt").read_bytes()
    first = make()
    assert make() == first
    assert make("--force") != first


@pytest.mark.parametrize("arguments,named", [
    (["nosuch"], "nosuch"), (["server", "/tmp/no-ca-here-ever"], "no CA"), (["all"], "directory"),
    (["all", "/tmp/x", "--days", "many"], "many"), (["all", "/tmp/x", "--what"], "--what"), (["all", "/tmp/x", "--name"], "--name"),
])
def test_kahu_cert_explains(arguments, named):
    done = subprocess.run([KAHU_CERT, *arguments], capture_output=True, text=True, timeout=10)
    assert done.returncode != 0 and named in done.stderr
