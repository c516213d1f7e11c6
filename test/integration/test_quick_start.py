"""The quick start of the TLS module's manual, its elided parts filled in as the manual's text says."""
import pytest

from support.sip import request

QUICK_START = """
log_stderror=yes
@MPATH@
loadmodule "ctl.so"
loadmodule "sl.so"
loadmodule "tls.so"

modparam("ctl", "binrpc", "unix:@DIR@/ctl.sock")
modparam("tls", "private_key", "./server-test.pem")
modparam("tls", "certificate", "./server-test.pem")
modparam("tls", "ca_list", "./calist.pem")

enable_tls=yes
listen=udp:127.0.0.1:@PLAIN@
listen=tcp:127.0.0.1:@PLAIN@
listen=tls:127.0.0.1:@TLS@

request_route {
	if(proto != TLS) {
		sl_send_reply("403", "Accepting TLS Only");
		exit;
	}
	sl_send_reply("200", "OK");
}
"""


@pytest.fixture
def server(make_kahu, certificates):
    server = make_kahu(config=QUICK_START)
    # Certificate and key in one file, as the manual proposes.
    (server.directory / "server-test.pem").write_text(certificates.cert().read_text() + certificates.key().read_text())
    (server.directory / "calist.pem").write_text(certificates.ca.read_text())
    return server.start()


def test_accepts_tls_only(server):
    for transport, status in (("udp", 403), ("tcp", 403), ("tls", 200)):
        with server.client(transport) as client:
            assert client.ask(request(transport=transport.upper())).status == status
    with server.udp() as client:
        assert client.ask(request()).reason == "Accepting TLS Only"


@pytest.mark.kahu_only
def test_same_with_the_files_in_another_working_directory(make_kahu, certificates):
    """A relative path is looked for beside the configuration; the error names the full path."""
    server = make_kahu(config=QUICK_START)
    code, output = server.check()
    assert code != 0
    assert "server-test.pem" in output
