"""Digest authentication as phones meet it (RFC 3261 22, RFC 7616, RFC 8760), users in SQLite."""
import itertools
import re
import statistics
import time

import pytest

from support.kahu import MODULES
from support.phone import digest_answer
from support.registrar import ANSWER_OPTIONS
from support.sip import request

pytestmark = pytest.mark.kahu_only
requirement = pytest.mark.requirement
_users = itertools.count(1)

LOADED = MODULES + "\n" + "\n".join(f'loadmodule "{name}.so"' for name in "db_sqlite auth auth_db".split())
REALM = "127.0.0.1"
SCRIPT = "request_route {" + ANSWER_OPTIONS + """
	if (!auth_check("127.0.0.1", "subscriber", "1")) {
		auth_challenge("127.0.0.1", "1");
		exit;
	}
	sl_send_reply("200", "Welcome");
	exit;
}
"""


@pytest.fixture
def server(make_kahu, tmp_path):
    def make(params=""):
        url = f'modparam("auth_db", "db_url", "sqlite://{tmp_path}/users.sqlite")\n'
        server = make_kahu(modules=LOADED, script=SCRIPT, params=url + params).start()
        server.rpc("auth_db.user_add", f"alice@{REALM}", "secret")
        return server
    return make


def ask(client, credentials=None, user="alice", method="REGISTER"):
    name = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
    party = f"<sip:{user}@{REALM}>"
    return client.ask(request(method, f"sip:{REALM}", client.transport, [f"{name}: {credentials}"] if credentials else [],
                              From=f"{party};tag=1", To=party))


def challenges(response):
    return response.all("WWW-Authenticate") or response.all("Proxy-Authenticate")


def answer(challenge, user="alice", password="secret", method="REGISTER"):
    return digest_answer(challenge, user, password, method, f"sip:{REALM}")


@requirement("RG-18")
@pytest.mark.parametrize("method,status", [("REGISTER", 401), ("MESSAGE", 407)])
def test_right_wrong_and_unknown(server, method, status):
    server = server()
    with server.tcp() as client:
        def challenge():
            return challenges(ask(client, method=method))[0]
        wrong = ask(client, answer(challenge(), password="wrong", method=method), method=method)
        nobody = ask(client, answer(challenge(), user="nobody", method=method), user="nobody", method=method)
        assert wrong.status == nobody.status == status
        # Nothing but what is new in every answer tells them apart.
        def shape(response):
            text = re.sub(rb'nonce="\w+"|tag=[\w.-]+|branch=\w+|rport=\d+|z9hG4bK\w+', b"*", response.raw)
            return re.sub(rb"(?m)^(From|To|Call-ID|CSeq|Via):.*$", b"", text)
        assert shape(wrong) == shape(nobody)
        assert "stale" not in challenges(wrong)[0]
        assert ask(client, answer(challenge(), method=method), method=method).status == 200
        # Who knows one password is not another user.
        assert ask(client, answer(challenge(), method=method), user="bob", method=method).status == status


@requirement("RG-18")
@pytest.mark.parametrize("ha1", ["stored", "computed"])
def test_unknown_users_take_as_long_as_wrong_passwords(server, ha1):
    """Medians of 600 turns each, one after the other; a database that is not asked, or no digest, would show."""
    params = 'modparam("auth_db", "calculate_ha1", 1)\nmodparam("auth_db", "password_column", "password")\n'
    server = server(params if ha1 == "computed" else "")
    took = {"alice": [], "nobody": []}
    with server.udp() as client:
        challenge = challenges(ask(client))[0]
        for turn in range(1200):
            user = ("alice", "nobody")[turn % 2]
            credentials = answer(challenge, user=user, password="wrong")
            begin = time.perf_counter()
            assert ask(client, credentials, user).status == 401
            took[user].append(time.perf_counter() - begin)
    known, unknown = (statistics.median(times) for times in took.values())
    assert abs(known - unknown) < 0.15 * known, f"known {known * 1e6:.1f} us, unknown {unknown * 1e6:.1f} us"


@requirement("RG-18")
def test_stale_when_the_nonce_is_old_and_the_password_right(server):
    server = server('modparam("auth", "nonce_expire", 1)\n')
    with server.tcp() as client:
        challenge = challenges(ask(client))[0]
        time.sleep(2.1)
        late = ask(client, answer(challenge))
        assert late.status == 401 and "stale=true" in challenges(late)[0]
        assert "stale" not in challenges(ask(client, answer(challenge, password="wrong")))[0]
        assert ask(client, answer(challenges(late)[0])).status == 200


def changed(credentials, **fields):
    for name, value in fields.items():
        credentials = re.sub(rf'(\b{name}=)("[^"]*"|[^,]*)', lambda m: m[1] + value, credentials)
    return credentials


@requirement("RG-18")
@pytest.mark.parametrize("fields", [
    {"nc": "1"}, {"nc": "00000000"}, {"nc": "0000000g"}, {"nc": "00000002"}, {"cnonce": '""'}, {"cnonce": '"b"'},
    {"qop": "auth-conf"}, {"qop": '""'}, {"uri": '"sip:other"'}, {"uri": '""'}, {"response": '""'}, {"response": '"0"'},
    {"realm": '"127.0.0.1 "'}, {"realm": '"127.0.0"'}, {"nonce": '"00"'}, {"username": '""'}, {"username": '"ALICE"'}])
def test_every_field_counts(server, fields):
    server = server('modparam("auth", "nonce_count", 1)\n')
    with server.tcp() as client:
        good = answer(challenges(ask(client))[0])
        assert ask(client, changed(good, **fields)).status == 401, fields
        assert ask(client, good).status == 200  # the nonce was not used up by it
        assert ask(client, good).status == 401  # now it is


@requirement("RG-19")
def test_sha_256_is_offered_first_and_md5_beside_it(server):
    server = server('modparam("auth", "algorithm", "SHA-256,MD5")\n')
    with server.tls() as client:
        offered = challenges(ask(client))
        assert [re.search("algorithm=([^,]+)", c)[1] for c in offered] == ["SHA-256", "MD5"]
        assert all(f'realm="{REALM}"' in c for c in offered)
        for challenge in offered:
            assert ask(client, answer(challenge)).status == 200
            assert ask(client, answer(challenge, password="wrong")).status == 401
        # An algorithm that was not offered, or the one's nonce with the other's digest, is nothing.
        assert ask(client, answer(offered[0].replace("SHA-256", "SHA-512-256"))).status == 401


def test_authentication_info(server):
    server = server('modparam("auth", "add_authinfo_hdr", 1)\nmodparam("auth", "one_time_nonce", 1)\n')
    with server.tls() as client:
        challenge = challenges(ask(client))[0]
        first = ask(client, answer(challenge))
        info = first.header("Authentication-Info")
        assert first.status == 200 and re.search(r'rspauth="[0-9a-f]{32}", cnonce="abc", nc=00000001$', info)
        following = re.search('nextnonce="([^"]+)"', info)[1]
        assert ask(client, answer(challenge)).status == 401
        assert ask(client, answer(changed(challenge, nonce=f'"{following}"'))).status == 200
        assert ask(client, answer(challenge, password="wrong")).header("Authentication-Info") is None
