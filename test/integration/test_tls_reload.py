"""tls.reload: transactional, under load, and never silent about a reason."""
import os
import re

import pytest

from support.load import finish_load, start_load
from support.rpc import Fault
from support.sip import request


def certificate_shown(server, certificates, name):
    result = server.load("handshake", "--total", 12, "--concurrency", 4, "--request", "--expect-fingerprint",
                         certificates.fingerprint(name))
    return result.failed == 0 and result.certificates_checked == 12


def test_swaps_the_certificate(kahu, certificates):
    assert certificate_shown(kahu, certificates, "server")
    kahu.write_tls(kahu.tls_text("second"))
    assert certificate_shown(kahu, certificates, "server"), "changed before the reload"
    assert kahu.rpc("tls.reload") == "Ok. TLS configuration reloaded."
    assert certificate_shown(kahu, certificates, "second")


def test_changed_file_of_the_same_name_is_seen(make_kahu, certificates):
    server = make_kahu()
    crt, key = server.directory / "own.crt", server.directory / "own.key"

    def put(name):
        crt.write_bytes(certificates.cert(name).read_bytes())
        key.write_bytes(certificates.key(name).read_bytes())

    put("server")
    server.write_tls(f"[server:default]\nmethod = TLSv1.2+\ncertificate = {crt}\nprivate_key = {key}\n")
    server.start()
    assert certificate_shown(server, certificates, "server")
    put("rsa")
    server.rpc("tls.reload")
    assert certificate_shown(server, certificates, "rsa")


def test_connections_survive(kahu):
    with kahu.tls() as client:
        assert client.ask(request(transport="TLS")).status == 200
        kahu.write_tls(kahu.tls_text("second"))
        for _ in range(3):
            kahu.rpc("tls.reload")
            assert client.ask(request(transport="TLS")).status == 200


@pytest.mark.load
@pytest.mark.kahu_only
@pytest.mark.parametrize("memory", ["", "tls_shared_memory=no"], ids=["shared", "private"])
def test_under_load_no_handshake_fails(make_kahu, certificates, long_or_short, memory):
    """Reloads one after the other, another certificate each time; what the answer says is true at once."""
    server = make_kahu(core=memory).start()
    for name in ("server", "second"):
        server.write_tls(server.tls_text(name))
        os.replace(server.tls_file, server.directory / f"tls.{name}")
    server.write_tls(server.tls_text("server"))
    script = server.directory / "swap"
    script.write_text(f"""#!/bin/sh
cd {server.directory} || exit 1
if [ -e now-second ]; then rm now-second; name=server; shown={certificates.fingerprint("server")}
else : > now-second; name=second; shown={certificates.fingerprint("second")}; fi
cp tls.$name tls.next && mv tls.next tls.cfg || exit 1
kamcmd -s {server.address} tls.reload > reload.log 2>&1 || exit 1
grep -q "Ok. TLS configuration reloaded." reload.log || {{ cat reload.log; exit 1; }}
echo $shown
""")
    script.chmod(0o755)
    warm = server.load("handshake", "--total", 200, "--request", "--repeat", script, "--repeats", 4)
    assert warm.failed == 0, warm.failures
    used = server.heap_used()
    count = long_or_short(1_000, 20)
    result = server.load("handshake", "--total", 500, "--request", "--repeat", script, "--repeats", count,
                         "--pause", 0.05, timeout=3000)
    assert result.failed == 0, result.failures
    assert result.commands == count
    assert result.certificates_checked > count
    grown = server.heap_used() - used
    assert grown < 64 * 1024, f"the segment grew by {grown} bytes in {count} reloads"


# name, what tls.cfg says instead, what the reason must name
REFUSED = {
    "missing certificate": ("certificate = @CERTS@/nosuch.crt\nprivate_key = @CERTS@/server.key", "nosuch.crt"),
    "missing key": ("certificate = @CERTS@/server.crt\nprivate_key = @CERTS@/nosuch.key", "nosuch.key"),
    "broken certificate": ("certificate = @CERTS@/broken.crt\nprivate_key = @CERTS@/server.key", "broken.crt"),
    "broken key": ("certificate = @CERTS@/server.crt\nprivate_key = @CERTS@/broken.key", "broken.key"),
    "empty certificate": ("certificate = @CERTS@/empty.pem\nprivate_key = @CERTS@/server.key", "empty.pem"),
    "mismatched": ("certificate = @CERTS@/mismatched.crt\nprivate_key = @CERTS@/mismatched.key", "mismatched"),
    "1024 bit": ("certificate = @CERTS@/weak.crt\nprivate_key = @CERTS@/weak.key", "1024"),
    "missing CA": ("@GOOD@\nca_list = @CERTS@/nosuch.pem", "nosuch.pem"),
    "empty CA": ("@GOOD@\nca_list = @CERTS@/empty.pem", "empty.pem"),
    "broken CA": ("@GOOD@\nca_list = @CERTS@/broken.crt", "broken.crt"),
    "missing CRL": ("@GOOD@\nca_list = @CERTS@/ca.crt\ncrl = @CERTS@/nosuch.pem", "nosuch.pem"),
    "empty CRL": ("@GOOD@\nca_list = @CERTS@/ca.crt\ncrl = @CERTS@/empty.pem", "empty.pem"),
    "directory for a file": ("certificate = @CERTS@\nprivate_key = @CERTS@/server.key", ""),
    "bad cipher": ("@GOOD@\ncipher_list = NO-SUCH-CIPHER", "NO-SUCH-CIPHER"),
    "unknown attribute": ("@GOOD@\nno_such_attribute = 1", "no_such_attribute"),
    "bad method": ("@GOOD@\nmethod = TLSv1.7", "TLSv1.7"),
    "bad verify_depth": ("@GOOD@\nverify_depth = deep", "deep"),
    "profile without listener": ("@GOOD@\n[server:127.0.0.9:5999]\n@GOOD@", "127.0.0.9:5999"),
    "not closed section": ("@GOOD@\n[server:any", "tls.cfg"),
}
GOOD = "certificate = @CERTS@/server.crt\nprivate_key = @CERTS@/server.key"


def wrong_tls(body):
    return "[server:default]\nmethod = TLSv1.2+\n" + body.replace("@GOOD@", GOOD) + "\n"


def reason_of(text, named):
    """The part of a message that must be the same everywhere: from what is named to the end of the line."""
    line = next(line for line in text.splitlines() if named in line)
    return plain(line[line.index(named):]).strip(' ".')


def plain(text):
    """Without line ends, without the port that each server of a test has for itself, and with the remedy in brackets not
    closed: RPC puts it in brackets, diagnostics of the configuration behind a dash."""
    text = text.replace(" — ", " (").replace(")", "")
    return re.sub(r"127\.0\.0\.1:\d+", "LISTENER", re.sub(r"\s+", " ", text))


@pytest.mark.kahu_only
@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_reason_and_the_old_one_serves(make_kahu, certificates, name):
    body, named = REFUSED[name]
    server = make_kahu().start()
    server.write_tls(wrong_tls(body))
    with pytest.raises(Fault) as refused:
        server.rpc("tls.reload")
    reason = refused.value.reason
    assert named in reason, reason
    assert "default" in reason or "127.0.0.9" in reason or "tls.cfg" in reason, f"no profile or file in: {reason}"
    assert certificate_shown(server, certificates, "server")
    with pytest.raises(Fault) as checked:
        server.rpc("tls.check")
    assert checked.value.reason == reason

    cold = make_kahu("cold", tls=wrong_tls(body))
    code, output = cold.check()
    assert code != 0, "-c accepts what a reload refuses"
    code, started = cold.try_start()
    assert code != 0, "a start accepts what a reload refuses"
    if named:
        words = reason_of(reason, named)
        for text in (output, started):
            assert words in plain(text), f"{words!r} is not in {text}"
    assert not cold.pid_file.exists()


@pytest.mark.kahu_only
def test_check_publishes_nothing(kahu, certificates):
    kahu.write_tls(kahu.tls_text("second"))
    kahu.rpc("tls.check")
    assert certificate_shown(kahu, certificates, "server")


@pytest.mark.kahu_only
@pytest.mark.parametrize("name", ["expired", "future"])
def test_bad_dates_of_our_own_are_a_warning(make_kahu, certificates, name):
    """Refusing would take the server down at the worst moment; the peers decide."""
    server = make_kahu().start()
    server.write_tls(server.tls_text(name))
    answer = server.rpc("tls.reload")
    assert re.search("expired|not yet valid|not valid before", answer), answer
    assert certificate_shown(server, certificates, name)
    assert re.search(r"WARNING.*(expired|not yet valid|not valid before)", server.log())
    code, output = server.check()
    assert code == 0 and re.search("expired|not yet valid|not valid before", output), output


@pytest.mark.kahu_only
def test_certs_tells_the_days_left(kahu):
    answer = kahu.rpc("tls.certs")
    assert re.search(r"days_left:\s*36[45]", answer), answer
    assert "localhost" in answer


@pytest.mark.load
@pytest.mark.kahu_only
def test_failed_reloads_under_load_cost_nothing(make_kahu, certificates):
    server = make_kahu().start()
    load = start_load("handshake", server.tls_port, "--seconds", 4, "--request", "--concurrency", 20)
    server.write_tls(wrong_tls(REFUSED["mismatched"][0]))
    for _ in range(20):
        with pytest.raises(Fault):
            server.rpc("tls.reload")
    result = finish_load(load)
    assert result.failed == 0, result.failures
