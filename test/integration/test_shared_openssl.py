"""What sharing OpenSSL rests on: after the fork no process changes a static variable of libcrypto or libssl."""
import re
import signal

import pytest

from support.kahu import wait_until
from support.sip import request

pytestmark = pytest.mark.kahu_only


def test_no_process_changes_openssl_statics(make_kahu):
    server = make_kahu(core="tls_audit=1", params='modparam("tls", "session_cache", 1)').start()
    for options in (["--tls", "1.3"], ["--tls", "1.2"], ["--tls", "1.3", "--groups", "P-384"]):
        assert server.load("handshake", "--total", 300, "--request", *options).failed == 0
    assert server.load("resume", "--total", 300, "--request", "--session-ids").failed == 0
    server.load("handshake", "--total", 50, "--tls", "1.2", "--ciphers", "ECDHE-RSA-AES128-SHA")  # failures, too
    server.write_tls(server.tls_text("rsa"))
    server.rpc("tls.reload")
    assert server.load("handshake", "--total", 300, "--request").failed == 0
    code, _, orphans = server.stop(signal.SIGTERM)
    assert code == 0 and not orphans
    audits = re.findall(r"tls\.audit changed=(\d+) pointers=(\d+) words=(\d+)", server.log())
    assert len(audits) >= server.workers, server.log()[-2000:]
    for changed, pointers, words in audits:
        assert (changed, pointers) == ("0", "0")
        assert int(words) > 1000


def test_private_memory_is_said_and_everything_works(make_kahu):
    server = make_kahu(core="tls_shared_memory=no").start()
    assert server.load("handshake", "--total", 100, "--request").failed == 0
    with server.tls() as client:
        assert client.ask(request(transport="TLS")).status == 200
    server.rpc("tls.reload")
    server.is_well()


def test_failing_tls_does_not_grow_the_segment(make_kahu):
    server = make_kahu().start()

    def misbehave():
        server.load("handshake", "--total", 500, "--tls", "1.2", "--ciphers", "ECDHE-RSA-AES128-SHA")
        server.load("halfopen", "--total", 200, "--kind", "after-hello", "--seconds", 0.5)
        server.load("halfopen", "--total", 200, "--kind", "half-hello", "--seconds", 0.5)
        assert wait_until(lambda: "opened_connections: 0" in server.rpc("core.tcp_info"), 5)

    misbehave()
    used = server.heap_used()
    misbehave()
    assert server.heap_used() - used < 32 * 1024
