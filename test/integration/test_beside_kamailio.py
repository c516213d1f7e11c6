"""
The same scenarios through Debian's Kamailio and through Kahu, both on Debian's kamailio.cfg:
what the phones saw is the same.

Under KAHU_LONG=1 on each pair of UDP, TCP and TLS and for each set of defines, else on some. Message by message and field by
field, in their order, but for what RFC 3261 leaves free (support/transcript.py) and these, in which Kahu is other on purpose:

- ACK and CANCEL of a hop have Max-Forwards 70, not one less than the INVITE's;
- a REGISTER that is refused gets one final response (the file's Kamailio sends 400, then 500);
- a request that comes again over a stream after its answer is a new one, unless it is an INVITE (RFC 3261 17.2.2, timer J);
- a request that forks has Max-Breadth (RFC 5393);
- what cannot be parsed is answered with 4xx or 505, where Kamailio answers 200 or says nothing (test_torture.py).
"""
import difflib
import itertools
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
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
    """The phones of one scenario on one server; `about_to_send` is called before each of their messages."""

    def __init__(self, server, about_to_send=lambda: None):
        self.server, self.phones, self.about_to_send = server, [], about_to_send
        self.log_start = len(server.log())

    def __call__(self, user, transport, name=None):
        password = {"password": "secret"} if self.server.has_users else {}
        phone = RecordingPhone(self.server, user, transport, **password)
        phone.name, phone.about_to_send = name or user, self.about_to_send
        self.phones.append(phone)
        return phone

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
            phone.about_to_send = lambda: None
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


USERS = ("WITH_AUTH", "WITH_USRLOCDB")
SETS = {"plain": (), "antiflood+debug": ("WITH_ANTIFLOOD", "WITH_DEBUG"), "users": USERS}
if LONG:
    SETS |= {"antiflood": ("WITH_ANTIFLOOD",), "debug": ("WITH_DEBUG",)}


def served_from(kind, directory, certificates, defines, change=lambda text: text):
    """The server, not started yet, with its users where the defines want some."""
    more = [database(directory / "users.db")] if defines == USERS else []
    server = kind(directory, certificates, *defines, *more)
    server.has_users = defines == USERS
    text = server.config_file.read_text()
    text = text.replace('loadmodule "jsonrpcs.so"', 'loadmodule "db_sqlite.so"\nloadmodule "jsonrpcs.so"', 1)
    server.config_file.write_text(change(text))
    return server


@contextmanager
def beside(tmp_path_factory, certificates, defines, change=lambda text: text):
    """Debian's Kamailio and Kahu with the same file, running."""
    made = [served_from(kind, tmp_path_factory.mktemp(kind.__name__), certificates, defines, change)
            for kind in (kamailio, stock)]
    try:
        for server in made:
            server.start()
        yield made
        made[1].finish()
    finally:
        for server in made:
            server.kill()


@pytest.fixture(scope="module", params=SETS.values(), ids=SETS)
def servers(request, tmp_path_factory, certificates):
    with beside(tmp_path_factory, certificates, request.param) as made:
        yield made


def hurry(text):
    """2 s for the first answer, 2.5 s for the final one, instead of 30 and 120 s."""
    for name, stock_value, value in (("fr_timer", 30000, 2000), ("fr_inv_timer", 120000, 2500)):
        line = f'modparam("tm", "{name}", {stock_value})'
        assert line in text
        text = text.replace(line, f'modparam("tm", "{name}", {value})')
    return text


@pytest.fixture(scope="module", params=SETS.values() if LONG else [()], ids=SETS if LONG else ["plain"])
def impatient_servers(request, tmp_path_factory, certificates):
    with beside(tmp_path_factory, certificates, request.param, hurry) as made:
        yield made


ENDED = "--- ended early:"


def play(scenario, world, up, down):
    try:
        scenario(world, up, down)
        return world.transcript()
    except AssertionError as failed:
        return world.transcript() + f"\n{ENDED} {failed}"
    finally:
        world.close()


TRANSPORTS = ("udp", "tcp", "tls")
SHORT = [("udp", "udp"), ("tcp", "udp"), ("tls", "tcp"), ("udp", "tls"), ("tls", "tls")]
SHORTEST = [("udp", "udp"), ("tcp", "tls")]  # of what takes seconds


def cases(those, short):
    for scenario in those:
        if scenario in scenarios.ONE_SIDED:
            pairs = [(up, "-") for up in TRANSPORTS]
        else:
            pairs = itertools.product(TRANSPORTS, TRANSPORTS) if LONG else short
        for up, down in pairs:
            yield pytest.param(scenario, up, down, id=f"{scenario.__name__}-{up}-{down}")


def compare(servers, *scenario):
    """Both at once: their waits are the same."""
    with ThreadPoolExecutor() as pool:
        expected, got = pool.map(lambda server: play(scenario[0], World(server), *scenario[1:]), servers)
    assert ENDED not in expected, f"the scenario does not fit Kamailio, so nothing is compared:\n{expected}"
    difference = list(difflib.unified_diff(expected.split("\n"), got.split("\n"), "Kamailio", "Kahu", lineterm="", n=12))
    assert not difference, "\n".join(difference)


@pytest.mark.parametrize("scenario,up,down", cases(scenarios.ALL, SHORT))
def test_same(servers, scenario, up, down):
    compare(servers, scenario, up, down)


@pytest.mark.parametrize("scenario,up,down", cases(scenarios.SLOW, SHORTEST))
def test_same_when_somebody_is_slow(impatient_servers, scenario, up, down):
    compare(impatient_servers, scenario, up, down)
