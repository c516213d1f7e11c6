"""Full handshakes by four workers: none may fail.  (Kamailio 5.6.3 breaks with two.)"""
import os
import re
import subprocess

import pytest

from support.kahu import wait_until
from support.sip import request, tls_context

SHARED = {"shared": "", "private": "tls_shared_memory=no"}


@pytest.mark.load
@pytest.mark.parametrize("memory", SHARED)
@pytest.mark.parametrize("certificate", ["server", "rsa"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_none_fails(make_kahu, certificates, long_or_short, version, certificate, memory):
    server = make_kahu(core=SHARED[memory], certificate=certificate).start()
    result = server.load("handshake", "--total", long_or_short(100_000, 1_000), "--concurrency", 50, "--request",
                         "--tls", version, "--ca", certificates.ca, "--expect-fingerprint",
                         certificates.fingerprint(certificate), timeout=3000)
    assert result.failed == 0, result.failures
    assert result.full_handshakes == result.succeeded == result.certificates_checked
    server.is_well()


@pytest.mark.parametrize("groups", ["X25519", "P-256", "P-384", "X448"])
def test_groups(shared_kahu, groups):
    result = shared_kahu.load("handshake", "--total", 20, "--concurrency", 4, "--request", "--groups", groups, "--tls", "1.3")
    assert result.failed == 0, result.failures


@pytest.mark.parametrize("cipher,version", [
    ("TLS_AES_128_GCM_SHA256", "1.3"), ("TLS_AES_256_GCM_SHA384", "1.3"), ("TLS_CHACHA20_POLY1305_SHA256", "1.3"),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", "1.2"), ("ECDHE-ECDSA-CHACHA20-POLY1305", "1.2")])
def test_ciphers(shared_kahu, cipher, version):
    result = shared_kahu.load("handshake", "--total", 20, "--concurrency", 4, "--request", "--ciphers", cipher, "--tls", version)
    assert result.failed == 0, result.failures


class OpensslClient:
    """`openssl s_client` as a person uses it: what it prints is gathered, never waited for without end."""

    def __init__(self, port, *options):
        self.process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.output = b""

    def type(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def shows(self, pattern, seconds=5):
        def look():
            self.output += self.process.stdout.read() or b""
            return re.search(pattern, self.output)
        return wait_until(look, seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def test_openssl_s_client_speaks_sip(shared_kahu):
    """What the README shows."""
    with OpensslClient(shared_kahu.tls_port, "-quiet") as client:
        client.type(request(transport="TLS"))
        assert client.shows(rb"SIP/2.0 200 OK"), client.output


@pytest.mark.kahu_only
@pytest.mark.parametrize("option", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(shared_kahu, option):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{shared_kahu.tls_port}", option,
                           "-cipher", "ALL:@SECLEVEL=0"], input=b"", capture_output=True, timeout=10)
    assert b"alert protocol version" in done.stderr, done.stderr


def test_key_update_in_mid_connection(shared_kahu):
    """TLS 1.3 KeyUpdate, asked of us too ("K"), then SIP goes on."""
    with OpensslClient(shared_kahu.tls_port, "-tls1_3") as client:
        assert client.shows(rb"Verify return code")
        client.type(b"K\n")
        assert client.shows(rb"KEYUPDATE"), client.output
        client.type(request(transport="TLS"))
        assert client.shows(rb"SIP/2.0 200 OK"), client.output


@pytest.mark.kahu_only
def test_failed_handshake_is_logged_once_with_its_cause(make_kahu):
    server = make_kahu().start()
    result = server.load("handshake", "--total", 1, "--concurrency", 1, "--tls", "1.2", "--ciphers", "ECDHE-RSA-AES128-SHA",
                         "--sni", "phone.example")
    assert result.failed == 1
    assert wait_until(lambda: re.search("handshake", server.log()), 3)
    lines = [line for line in server.log().splitlines() if "handshake" in line and "127.0.0.1" in line]
    assert len(lines) == 1, server.log()
    assert "phone.example" in lines[0] and re.search("cipher", lines[0])


@pytest.mark.kahu_only
def test_flood_of_failed_handshakes_is_logged_in_bounds(make_kahu):
    server = make_kahu().start()
    server.load("handshake", "--total", 2000, "--concurrency", 20, "--tls", "1.2", "--ciphers", "ECDHE-RSA-AES128-SHA")
    lines = [line for line in server.log().splitlines() if "handshake" in line]
    assert 1 <= len(lines) < 1000
    server.is_well()


def test_client_certificates(make_kahu, certificates):
    """require_certificate: none, ours, a stranger's, an expired and a revoked one."""
    extra = f"ca_list = {certificates.ca}\ncrl = {certificates.crl}\n"
    server = make_kahu()
    server.write_tls(server.tls_text(extra=extra).replace("= no", "= yes", 2))
    server.start()

    def answered(name):
        context = tls_context()
        if name:
            context.load_cert_chain(certificates.cert(name), certificates.key(name))
        try:
            with server.tls(context=context) as client:
                return client.ask(request(transport="TLS")) is not None
        except OSError:
            return False

    assert answered("client")
    assert not answered(None)
    assert not answered("selfsigned")
    assert not answered("expired")
    assert not answered("revoked")
    assert answered("client")


def test_server_name_selects_the_certificate(make_kahu, certificates):
    server = make_kahu()
    profile = (f"[server:any]\nserver_name = second.example\nmethod = TLSv1.2+\ncertificate = {certificates.cert('second')}\n"
               f"private_key = {certificates.key('second')}\n")
    server.write_tls(server.tls_text() + profile)
    server.start()
    for sni, name in (("second.example", "second"), ("SECOND.example", "second"), ("other.example", "server"), (None, "server")):
        options = ["--sni", sni] if sni else []
        result = server.load("handshake", "--total", 8, "--concurrency", 2, "--expect-fingerprint",
                             certificates.fingerprint(name), *options)
        assert result.failed == 0, (sni, result.failures)
        assert result.certificates_checked == 8
