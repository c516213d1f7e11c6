"""use_dst_blocklist: what could not be reached is left out for a while; dst_blocklist.* shows and changes the list."""
import pytest

from support.paths import free_port
from support.process import wait_until
from support.rpc import Fault, values
from support.sip import request
from test_forward import MODULES, SCRIPT, with_names

pytestmark = pytest.mark.kahu_only


@pytest.fixture
def proxy(make_kahu):
    def make(core=""):
        return make_kahu(modules=MODULES, script=SCRIPT, workers=2, core="use_dst_blocklist=yes\n" + core).start()

    return make


def blocked(server):
    """{(protocol, ip, port): flags}; five values each."""
    rows = server.rpc("dst_blocklist.debug").split()
    return {tuple(rows[i:i + 3]): int(rows[i + 4]) for i in range(0, len(rows), 5)}


def test_a_server_that_refuses_gives_way_to_the_next(proxy, endpoint, names):
    far, dead = endpoint("tcp"), free_port()
    dns = names({("_sip._tcp.x.example", "SRV"): [(1, 1, dead, "dead.example"), (2, 1, far.port, "far.example")],
                 ("dead.example", "A"): ["127.0.0.1"], ("far.example", "A"): ["127.0.0.1"]})
    server = proxy(with_names(dns))
    with server.udp() as client:
        client.send(request("MESSAGE", "sip:bob@x.example;transport=tcp", "UDP"))
        assert wait_until(lambda: blocked(server)), "nothing was put on the list"
        assert blocked(server) == {("tcp", "127.0.0.1", str(dead)): 4}
        assert far.next(0.1) is None
        assert client.ask(request("MESSAGE", "sip:bob@x.example;transport=tcp", "UDP")).status == 200
    assert far.next() is not None
    server.rpc("dst_blocklist.delete_all")
    assert not blocked(server)


def test_what_an_administrator_puts_there_is_left_out(proxy, endpoint):
    server, far = proxy(), endpoint("udp")
    with server.udp() as client:
        assert client.ask(request("MESSAGE", far.uri, "UDP")).status == 200
        server.rpc("dst_blocklist.add", "127.0.0.1", far.port, 1, 128)
        assert blocked(server) == {("udp", "127.0.0.1", str(far.port)): 64 + 128}
        assert client.ask(request("MESSAGE", far.uri, "UDP")).status == 478
        server.rpc("dst_blocklist.delete_all")
        assert len(blocked(server)) == 1, "permanent entries stay"
    used, size = server.rpc("dst_blocklist.mem_info").split()
    assert 0 < int(used) < int(size)
    assert f"port: {far.port}" in server.rpc("dst_blocklist.view")


@pytest.mark.parametrize("arguments,named", [
    (["x", 5060, 1, 0], "Malformed ip"), (["10.0.0.1", 70000, 1, 0], "70000"), (["10.0.0.1", 5060, 4, 0], "Unknown protocol"),
    (["10.0.0.1", 5060, 1, 256], "256"), (["10.0.0.1"], "parameter 1"),
])
def test_wrong_arguments_are_explained(proxy, arguments, named):
    with pytest.raises(Fault) as fault:
        proxy().rpc("dst_blocklist.add", *arguments)
    assert fault.value.code == 400 and named in fault.value.reason


def test_the_list_is_bounded(proxy):
    server = proxy()
    for port in range(1, 40):  # of one set
        server.rpc("dst_blocklist.add", "10.0.0.1", port * 256, 0, 0)
    assert len(blocked(server)) == 8
    assert values(server.rpc("shm.walk"))["valid"] == "1"
