"""A location table of a million phones: what each costs, how fast they are found, listed, written, loaded, expired."""
import random
import re
import socket
import statistics
import time

import pytest

from support.kahu import wait_until
from support.registrar import LOADED, SCRIPT
from support.rpc import Fault
from support.sip import request

pytestmark = [pytest.mark.kahu_only, pytest.mark.load]
CONTACT_BYTES = 450  # of segment, its share of the table included
# Texts as long as those of phones are: AoR 22, URI 67, Call-ID 36, User-Agent 27, instance 47 octets.
REGISTER = (
    "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK%(n)d;rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:user%(n)07d@example.org>;tag=%(n)d\r\nTo: <sip:user%(n)07d@example.org>\r\n"
    "Call-ID: 5f6e7d8c9b0a1f2e3d4c5b6a7988%(n)08d\r\nCSeq: 1 REGISTER\r\nUser-Agent: Some Phone 1.2.3.4 (abcdef)\r\n"
    "Contact: <sip:user%(n)07d@192.0.2.1:54321;transport=tls;line=0123456789abcde>"
    ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-%(n)012d>";expires=%(expires)d\r\nContent-Length: 0\r\n\r\n')
PARAMS = """
modparam("usrloc", "hash_size", 20)
modparam("usrloc", "use_domain", 1)
modparam("usrloc", "timer_interval", 5)
modparam("usrloc", "db_mode", {db_mode})
modparam("usrloc", "db_url", "sqlite://@DIR@/location.sqlite")
modparam("registrar", "min_expires", 1)
alias = "example.org"
"""


@pytest.fixture
def registrar(make_kahu):
    def make(db_mode=0):
        return make_kahu(modules=LOADED + 'loadmodule "db_sqlite.so"\nloadmodule "kex.so"\n', script=SCRIPT, workers=2,
                         params=PARAMS.format(db_mode=db_mode))
    return make


def register_all(server, count, expires=3600, first=0):
    """Over one connection, 64 under way; every answer must be 200.  Registrations per second."""
    started, done = time.monotonic(), 0
    with socket.create_connection(("127.0.0.1", server.plain_port)) as link:
        link.settimeout(30)
        rest = b""
        for at in range(first, first + count, 64):
            numbers = range(at, min(at + 64, first + count))
            link.sendall("".join(REGISTER % {"n": n, "expires": expires} for n in numbers).encode())
            wanted, text = len(numbers), rest
            while text.count(b"\r\n\r\n") < wanted:
                data = link.recv(1 << 18)
                assert data, f"closed after {done} registrations:\n{server.log()[-2000:]}"
                text += data
            assert text.count(b"SIP/2.0 200 ") == wanted, text[:400]
            rest = text[text.rindex(b"\r\n\r\n") + 4:]
            assert not rest
            done += wanted
    return done / (time.monotonic() - started)


def look_up(client, number):
    response = client.ask(request("MESSAGE", f"sip:user{number:07d}@example.org", "TCP"))
    return response.status == 302 and response.reason.startswith(f"sip:user{number:07d}@192.0.2.1")


def lookup_seconds(server, count, tries=500):
    """The median of looking up phones that were chosen at random."""
    rng, took = random.Random(1), []
    with server.tcp() as client:
        for _ in range(tries):
            number = rng.randrange(count)
            started = time.monotonic()
            assert look_up(client, number), number
            took.append(time.monotonic() - started)
    return statistics.median(took)


def contacts_of(server):
    return int(re.search(r"usrloc:location[-_]contacts = (\d+)", server.rpc("stats.get_statistics", "usrloc:"))[1])


def test_what_a_million_contacts_cost(registrar, long_or_short, record_property):
    count = long_or_short(1_000_000, 20_000)
    server = registrar().start()
    register_all(server, 500)  # whatever is made once is there
    few = lookup_seconds(server, 500)
    before = server.heap_used()
    rate = register_all(server, count, first=500)
    each = (server.heap_used() - before) / count
    table = (1 << 20) * 8 / 1_000_000
    assert contacts_of(server) == count + 500
    assert each + table <= CONTACT_BYTES, f"{each:.0f} bytes of heap and {table:.0f} of table per contact"
    many = lookup_seconds(server, count + 500)
    # One bucket holds a handful, whatever the number of phones: that is what makes the time the same.
    slots = int(server.rpc("ul.dump", "brief", 0, 1).rpartition("Max-Slots:")[2].split()[0])
    assert slots <= 16
    assert many < 3 * few + 0.002, f"{few * 1e6:.0f} us with 500 contacts, {many * 1e6:.0f} us with {count}"
    print(f"{count} contacts: {rate:.0f}/s, {each + table:.0f} bytes each, lookup {few * 1e6:.0f} -> {many * 1e6:.0f} us")


def test_lists_are_bounded(registrar, long_or_short):
    count = long_or_short(1_000_000, 20_000)
    server = registrar().start()
    register_all(server, count)
    with pytest.raises(Fault, match="at most 10000"):
        server.rpc("ul.dump")
    if count > 100_000:
        with pytest.raises(Fault, match="at most 100000"):
            server.rpc("ul.dump", "brief")
    seen = set()
    for skip in range(0, 2000, 500):
        page = server.rpc("ul.dump", "brief", skip, 500)
        seen |= {line.split()[-1] for line in page.splitlines() if "AoR: user" in line}
    assert len(seen) == 2000
    assert server.rpc("ul.dump", "full", 100, 10).count("Address: ") == 10


def test_all_expire_at_once_and_nobody_waits(registrar, long_or_short):
    """Requests are answered while the timer process removes what ended in the same second."""
    count = long_or_short(1_000_000, 20_000)
    seconds = long_or_short(120, 6)
    server = registrar().start()
    before = server.heap_used()
    started = time.time()
    rate = register_all(server, count // 2, expires=seconds)
    left = seconds - int(time.time() - started)
    assert left > 0, f"registering took longer than they live: {rate:.0f}/s"
    register_all(server, count // 2, expires=left, first=count // 2)
    slowest, ends = 0.0, started + seconds + long_or_short(40, 15)
    with server.tcp() as client, server.udp() as datagrams:
        while contacts_of(server) > 0:
            assert time.time() < ends, f"{contacts_of(server)} are left"
            for link, transport in ((client, "TCP"), (datagrams, "UDP")):
                asked = time.monotonic()
                assert link.ask(request(transport=transport)).status == 200
                slowest = max(slowest, time.monotonic() - asked)
            time.sleep(0.01)
    assert slowest < 1, f"an answer took {slowest:.2f} s"
    assert wait_until(lambda: server.heap_used() - before < 1_000_000, 10), "memory was not given back"
    print(f"{count} expired; slowest answer meanwhile {slowest * 1000:.1f} ms")


@pytest.mark.parametrize("db_mode", [2])
def test_they_are_loaded_after_a_restart(registrar, long_or_short, db_mode):
    count = long_or_short(1_000_000, 20_000)
    server = registrar(db_mode).start()
    register_all(server, count)
    started = time.monotonic()
    assert wait_until(lambda: int(server.rpc("ul.db_contacts", "location")) == count, long_or_short(180, 20), 0.5)
    print(f"{count} contacts written {time.monotonic() - started:.1f} s after the last one came")
    server.finish()
    started = time.monotonic()
    server.start(seconds=long_or_short(120, 20))
    took = time.monotonic() - started
    assert contacts_of(server) == count
    lookup_seconds(server, count, 100)
    assert took < long_or_short(60, 15)
    print(f"{count} contacts loaded: ready after {took:.1f} s")
