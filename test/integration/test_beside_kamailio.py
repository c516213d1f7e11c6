"""
The same scenarios through Debian's Kamailio and through Kahu, both on Debian's kamailio.cfg:
what the phones saw is the same.

Message by message, but for what RFC 3261 leaves free (support/transcript.py) and these, in which Kahu is other on purpose:

- ACK and CANCEL of a hop have Max-Forwards 70, not one less than the INVITE's;
- a REGISTER that is refused gets one final response (the file's Kamailio sends 400, then 500);
- a request that forks has Max-Breadth (RFC 5393);
- what cannot be parsed is answered with 4xx or 505, where Kamailio answers 200 or says nothing (test_torture.py).
"""
import difflib
import itertools
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from support import scenarios
from support.kahu import IS_KAMAILIO
from support.paths import KAMAILIO_MODULES, LONG
from support.transcript import RecordingPhone, Transcript
from test_stock_config import STOCK, stock

KAMAILIO, SCHEMA = Path("/usr/sbin/kamailio"), Path("/usr/share/kamailio/db_sqlite")
pytestmark = [pytest.mark.skipif(not (STOCK.exists() and KAMAILIO.exists() and Path(KAMAILIO_MODULES, "tls.so").exists()
                                      and SCHEMA.exists()),
                                 reason="Debian's packages kamailio, -tls-modules and -sqlite-modules are not installed"),
              pytest.mark.skipif(IS_KAMAILIO, reason="would compare Kamailio with itself"), pytest.mark.kahu_only]


def kamailio(directory, certificates, *defines):
    server = stock(directory, certificates, *defines)
    server.argv = [str(KAMAILIO), *server.argv[1:], "-m", "64", "-M", "16"]
    # Two workers of 5.6.3 that do TLS corrupt their memory.
    text = server.config_file.read_text().replace("#!KAMAILIO\n", "#!KAMAILIO\ntcp_children=1\nlog_stderror=yes\n", 1)
    server.config_file.write_text(text)
    return server


class World:
    """The phones of one scenario on one server."""

    def __init__(self, server):
        self.server, self.phones = server, []
        self.log_start = len(server.log())

    def __call__(self, user, transport, name=None):
        password = {"password": "secret"} if self.server.has_users else {}
        phone = RecordingPhone(self.server, user, transport, **password)
        phone.name = name or user
        self.phones.append(phone)
        return phone

    def set_timer(self, name, milliseconds):
        self.server.rpc("cfg.set_now_int", "tm", name, milliseconds)

    def transcript(self):
        ports = {"PLAIN": self.server.plain_port, "TLS": self.server.tls_port}
        ports |= {phone.name.upper(): phone.link.local_port for phone in self.phones}
        notes = Transcript(ports)
        seen = "\n".join(notes.of(phone) for phone in self.phones)
        time.sleep(0.03)  # a line is written after the message that it is about
        accounts = re.findall(r"ACC: .*", self.server.log()[self.log_start:])
        return "\n".join([seen, "--- accounts", *(notes.account(line) for line in accounts)])

    def close(self):
        for phone in self.phones:
            phone.ask("REGISTER", f"sip:{phone.domain}", cseq=90, to=f"<{phone.uri}>",
                      headers=["Contact: *", "Expires: 0"], call_id=f"away-{phone.name}")
            phone.close()


def database(path):
    """As kamdbctl makes it, with two users."""
    with closing(sqlite3.connect(path)) as file:
        for name in ("standard", "auth_db", "usrloc"):
            file.executescript((SCHEMA / f"{name}-create.sql").read_text())
        users = [(user, "127.0.0.1", "secret", "", "") for user in ("alice", "bob")]
        file.executemany("INSERT INTO subscriber (username, domain, password, ha1, ha1b) VALUES (?, ?, ?, ?, ?)", users)
        file.commit()
    return f'DBURL="sqlite:///{path}"'


PLAIN, USERS = ("WITH_ANTIFLOOD", "WITH_DEBUG"), ("WITH_AUTH", "WITH_USRLOCDB")


@pytest.fixture(scope="module", params=[(), PLAIN, USERS], ids=["plain", "antiflood+debug", "users"])
def servers(request, tmp_path_factory, certificates):
    made = []
    for kind in (kamailio, stock):
        directory = tmp_path_factory.mktemp(kind.__name__)
        defines = list(request.param)
        if request.param == USERS:
            defines.append(database(directory / "users.db"))
        server = kind(directory, certificates, *defines)
        server.has_users = request.param == USERS
        text = server.config_file.read_text()
        server.config_file.write_text(text.replace('loadmodule "jsonrpcs.so"', 'loadmodule "db_sqlite.so"\nloadmodule "jsonrpcs.so"', 1))
        made.append(server)
    try:
        for server in made:
            server.start()
        yield made
        made[1].finish()
    finally:
        for server in made:
            server.kill()


def play(scenario, server, up, down):
    world = World(server)
    try:
        scenario(world, up, down)
        return world.transcript()
    except AssertionError as failed:
        return world.transcript() + f"\nended by: {failed}"
    finally:
        world.close()


TRANSPORTS = ("udp", "tcp", "tls")
SHORT = [("udp", "udp"), ("tcp", "udp"), ("tls", "tcp"), ("udp", "tls"), ("tls", "tls")]


def cases():
    for scenario in scenarios.ALL:
        if scenario in scenarios.ONE_SIDED:
            pairs = [(up, "-") for up in TRANSPORTS]
        else:
            pairs = itertools.product(TRANSPORTS, TRANSPORTS) if LONG else SHORT
        if scenario in scenarios.UDP_BELOW:
            pairs = [(up, down) for up, down in pairs if down == "udp"]
        for up, down in pairs:
            yield pytest.param(scenario, up, down, id=f"{scenario.__name__}-{up}-{down}")


@pytest.mark.parametrize("scenario,up,down", cases())
def test_same(servers, scenario, up, down):
    expected, got = (play(scenario, server, up, down) for server in servers)
    difference = list(difflib.unified_diff(expected.split("\n"), got.split("\n"), "Kamailio", "Kahu", lineterm="", n=12))
    assert not difference, "\n".join(difference)
