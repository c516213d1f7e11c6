"""Every RPC method with arguments that it does not expect: a result or a clear error, and the same server afterwards."""
import json
import re
import socket

import pytest

from support.rpc import values
from test_stock_config import STOCK, stock

pytestmark = [pytest.mark.skipif(not STOCK.exists(), reason="Debian's package kamailio is not installed"),
              pytest.mark.kahu_only]

ENDS_OR_DRAINS = {"core.kill", "core.drain"}
ODD = ["", " ", "a" * 8000, "\u0000\u0001", "%s%n%x", "*", "../../etc/passwd", "sip:a@b", "-1", "\n\r\n", "ÿ",
       0, -1, 2**31, 2**63 - 1, -2**63, 1.5, -1e300, 65536, True]
ARGUMENTS = [[], *[[value] * n for value in ODD for n in (1, 3, 7)], ["all"] * 40, ["location", "a@b", -1, "x", 2**40],
             ["ipban", "k" * 5000, "v" * 5000, -5], ["tm", "fr_timer", "x" * 100], ["core", "debug", 2**40]]


@pytest.fixture(scope="module")
def server(tmp_path_factory, certificates):
    server = stock(tmp_path_factory.mktemp("hostile"), certificates, "WITH_ANTIFLOOD", "WITH_DEBUG")
    text = server.config_file.read_text().replace("#!KAMAILIO\n", '#!KAMAILIO\ndns_servers="127.0.0.1:9"\n', 1)
    server.config_file.write_text(text)
    with server:
        yield server


@pytest.fixture
def ask(server):
    path = server.directory / "hostile.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.bind(str(path))
        client.settimeout(10)

        def ask(method, params):
            document = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
            client.sendto(document, f"{server.run_directory}/kamailio_rpc.sock")
            return json.loads(client.recv(1_000_000), strict=False)

        yield ask


def test_every_method(server, ask):
    methods = set(server.rpc("system.listMethods").split()) - ENDS_OR_DRAINS
    processes = server.processes()
    unclear = []
    for method in sorted(methods):
        for params in ARGUMENTS:
            answer = ask(method, params)
            if "error" in answer:
                error = answer["error"]
                if not (-32700 <= error["code"] < 0 or 400 <= error["code"] < 700) or len(error["message"]) < 5:
                    unclear.append((method, str(params)[:60], error))
            elif "result" not in answer:
                unclear.append((method, str(params)[:60], answer))
    assert not unclear, unclear[:20]
    assert server.processes() == processes, "a process died"
    walk = values(server.rpc("shm.walk"))
    assert walk["valid"] == "1", walk


def test_too_long_numbers_and_names_are_named(server, ask):
    for method, params, named in (
            ("dns.add_a", ["x" * 300, 1, "1.2.3.4", 0], "255"),
            ("dns.add_a", ["x", 2**40, "1.2.3.4", 0], "2147483647"),
            ("dns.add_a", ["x", 1, "1.2.3.4", 4], "flags"),
            ("dns.add_srv", ["x", 1, 70000, 1, 1, "y", 0], "priority"),
            ("dns.add_srv", ["x", 1, 1, 1, -1, "y", 0], "port"),
            ("dns.lookup", ["MX", "x"], "Invalid type")):
        error = ask(method, params)["error"]
        assert error["code"] == 400 and re.search(named, error["message"]), error
