"""Sessions are resumed by whichever worker gets the connection, and after a reload: 100 %."""
import pytest

from support.paths import LONG

WAYS = {"tickets 1.3": ["--tls", "1.3"], "tickets 1.2": ["--tls", "1.2"], "session ids": ["--session-ids"]}
MEMORY = {"shared": "", "private": "tls_shared_memory=no"}


@pytest.mark.load
@pytest.mark.kahu_only
@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("way", WAYS)
def test_every_session_is_resumed_before_and_after_a_reload(make_kahu, certificates, way, memory):
    server = make_kahu(core=MEMORY[memory], params='modparam("tls", "session_cache", 1)').start()
    server.write_tls(server.tls_text("second"))
    command = f"kamcmd -s {server.address} tls.reload | grep Ok"
    result = server.load("resume", "--total", 20_000 if LONG else 1_000, "--concurrency", 32, "--request",
                         "--at-half", command, *WAYS[way])
    assert result.failed == 0, result.failures
    assert result.resumed_before_percent == 100
    assert result.resumed_after_percent == 100
    assert result.full_handshakes == 32


@pytest.mark.kahu_only
def test_a_session_is_not_resumed_where_another_certificate_was_asked_for(make_kahu, certificates):
    """RFC 6066 section 3: another server name is another session."""
    import ssl
    server = make_kahu(params='modparam("tls", "session_cache", 1)')
    server.write_tls(server.tls_text() + "[server:any]\nserver_name = second.example\nmethod = TLSv1.2\n"
                     f"certificate = {certificates.cert('second')}\nprivate_key = {certificates.key('second')}\n")
    server.start()
    from support.sip import request, tls_context
    context = tls_context("1.2")
    with server.tls(context=context, sni="first.example") as client:
        assert client.ask(request(transport="TLS")).status == 200
        session = client.socket.session
    import socket
    raw = socket.create_connection(("127.0.0.1", server.tls_port), timeout=3)
    try:
        with context.wrap_socket(raw, server_hostname="second.example", session=session) as again:
            assert not again.session_reused
    except ssl.SSLError:
        pass  # refusing is right, too


def test_without_session_cache_tickets_still_work(make_kahu):
    server = make_kahu().start()
    result = server.load("resume", "--total", 200, "--concurrency", 4, "--request", "--tls", "1.3")
    assert result.resumed_percent == 100, result.failures
