"""Two of Debian's baresip over TLS with SRTP: register with digest, call both ways, hang up; the tones arrive."""
import shutil
import subprocess
import time

import pytest

from support.baresip import Baresip
from support.kahu import Kahu
from support.paths import KAHUCMD, SOURCE
from test_stock_config import stock

pytestmark = [pytest.mark.skipif(not shutil.which("baresip"), reason="Debian's baresip-core is not installed"),
              pytest.mark.kahu_only]
DOMAIN = "127.0.0.1"


def from_stock_file(directory, certificates):
    return stock(directory, certificates, "WITH_AUTH", "WITH_USRLOCDB", f'DBURL="sqlite://{directory}/kamailio.db"')


def from_our_file(directory, certificates):
    server = Kahu(directory, None, config=(SOURCE / "etc/kahu.cfg").read_text())
    for define in (f'CERTIFICATE="{certificates.cert()}"', f'PRIVATE_KEY="{certificates.key()}"',
                   f'DBURL="sqlite://{directory}/state/kahu.db"'):
        server.argv += ["-A", define]
    for transport, port in (("udp", server.plain_port), ("tcp", server.plain_port), ("tls", server.tls_port)):
        server.argv += ["-l", f"{transport}:{DOMAIN}:{port}"]
    server.address = f"unix:{server.run_directory}/kahu_ctl"
    return server


@pytest.fixture(params=[from_stock_file, from_our_file], scope="module")
def server(request, tmp_path_factory, certificates):
    with request.param(tmp_path_factory.mktemp("baresip"), certificates) as server:
        for user in ("alice", "bob", "mallory"):
            add = [KAHUCMD, "-s", server.address, "auth_db.user_add", f"{user}@{DOMAIN}", "secret"]
            subprocess.run(add, check=True, timeout=10)
        yield server


@pytest.mark.parametrize("encryption", ["srtp-mand", "dtls_srtp"])
def test_two_phones_talk(server, tmp_path, certificates, encryption):
    make = lambda user, tone: Baresip(tmp_path / user, user, f"{DOMAIN}:{server.tls_port}", "secret",  # noqa: E731
                                      certificates, tone, encryption=encryption)
    with make("alice", 440) as alice, make("bob", 1000) as bob:
        for phone in (alice, bob):
            phone.says("200 OK")
        for count, (caller, callee, ends) in enumerate(((alice, bob, alice), (bob, alice, alice)), 1):
            caller.command("dial", callee.uri)
            for phone in (caller, callee):
                phone.says("incoming rtp for 'audio' established", count)
            time.sleep(1.5)
            ends.command("hangup")
            for phone in (caller, callee):
                phone.says("terminated (duration", count)
            assert caller.heard(callee.tone) > 0.5 and callee.heard(caller.tone) > 0.5


def test_a_wrong_password_is_refused(server, tmp_path, certificates):
    """What the others do is digest, then: this one is challenged, answers, and is challenged again."""
    phone = Baresip(tmp_path / "mallory", "mallory", f"{DOMAIN}:{server.tls_port}", "wrong", certificates, 440)
    with phone:
        phone.says("401 Unauthorized")
        assert "200 OK" not in phone.process.log()
        assert "AoR: mallory" not in server.rpc("ul.dump")
