"""Fixtures of the integration tests: certificates once per run, a server per test or per module."""
import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support.certificates import Certificates  # noqa: E402
from support.dns import NameServer  # noqa: E402
from support.endpoint import Endpoint  # noqa: E402
from support.kahu import IS_KAMAILIO, Kahu  # noqa: E402
from support.paths import LONG  # noqa: E402

_users = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "load: a test of load; `make test-load` runs these at full length")
    config.addinivalue_line("markers", "requirement(id...): shows these rows of requirements.tsv")
    config.addinivalue_line("markers", "kahu_only: what Kamailio does not have (when the tests run against it)")


def pytest_collection_modifyitems(items):
    for item in items:
        if IS_KAMAILIO and item.get_closest_marker("kahu_only"):
            item.add_marker(pytest.mark.skip(reason="not a feature of Kamailio 5.6.3"))


_totals = {}


def pytest_terminal_summary(terminalreporter):
    for kind in ("passed", "failed", "error", "skipped", "rerun"):
        _totals[kind] = len(terminalreporter.stats.get(kind, []))
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_sep("_", f"failed at first: {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """The last line of `make test`."""
    if _totals:
        skipped = f", {_totals['skipped']} skipped" if _totals["skipped"] else ""
        again = f" ({_totals['rerun']} tests run again after a failure)" if _totals["rerun"] else ""
        print(f"{_totals['passed']} passed, {_totals['failed'] + _totals['error']} failed{skipped}{again}")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def make_kahu(tmp_path, certificates):
    """make_kahu(...): a server that is not started yet; those that run at the end are stopped and checked."""
    made = []

    def make(name="server", **options):
        made.append(Kahu(tmp_path / name, certificates, **options))
        return made[-1]

    yield make
    for server in made:
        try:
            if server.process is not None and server.running():
                server.finish()
        finally:
            server.kill()


@pytest.fixture
def kahu(make_kahu):
    """The stateless answerer, running, for one test alone."""
    return make_kahu().start()


@pytest.fixture(scope="module")
def shared_kahu(tmp_path_factory, certificates):
    """The same, for all tests of a file that leave it as they found it."""
    with Kahu(tmp_path_factory.mktemp("shared"), certificates) as server:
        yield server


@pytest.fixture
def client(server):
    """A TCP connection to the server of the test's file."""
    with server.tcp() as one:
        yield one


@pytest.fixture
def user():
    """A name that no other test has."""
    return f"u{next(_users)}"


@pytest.fixture
def long_or_short():
    """long_or_short(100_000, 2_000): the first under KAHU_LONG=1."""
    return lambda long, short: long if LONG else short


@pytest.fixture
def endpoint(certificates):
    """endpoint("tls", status=...): a SIP server that keeps what it gets and answers as told."""
    made = []

    def make(transport="udp", certificate="server", **options):
        if transport == "tls":
            options |= {"certificate": certificates.cert(certificate), "key": certificates.key(certificate)}
        made.append(Endpoint(transport, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def names():
    """names({(name, type): records}): a name server on loopback."""
    made = []

    def make(zone, **options):
        made.append(NameServer(zone, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
