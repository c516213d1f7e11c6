"""Debian's kamctl and kamcli and our kahucmd, without options that say where the server is: its default directories."""
import os
import subprocess

import pytest

from support.kahu import KAHU
from support.paths import KAHUCMD, SOURCE, free_port
from support.process import descendants, is_alive, wait_until

pytestmark = pytest.mark.kahu_only
# Of the configuration that Debian's kamcli comes with as an example; it does nothing without one.
KAMCLI_INI = """[main]
domain=test.com
[ctl]
type=jsonrpc
kamgroup=kamailio
[jsonrpc]
transport=socket
path=/var/run/kamailio/kamailio_rpc.fifo
rplnamebase=kamailio_rpc_reply.fifo
rpldir=/tmp
srvaddr=/var/run/kamailio/kamailio_rpc.sock
rcvaddr=/var/run/kamailio/kamailio_rpc_reply.sock
outformat=yaml
"""
# Debian's file, on a port of its own.
STOCK = "/etc/kamailio/kamailio.cfg"


class Alone:
    """A server and commands that have /run and /var/lib for themselves."""

    def __init__(self, directory, *options):
        self.script = directory / "alone"
        self.script.write_text("#!/bin/sh\nset -e\nmount -t tmpfs tmpfs /run\nmount -t tmpfs tmpfs /var/lib\n"
                               'echo $$ > "$1"\nshift\nexec "$@"\n')
        self.script.chmod(0o755)
        self.pid_file, self.log_file = directory / "pid", directory / "log"
        with open(self.log_file, "w") as log:
            self.process = subprocess.Popen(["unshare", "--mount", self.script, self.pid_file, KAHU, "-DD", "-E", *options],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory)

    def ready(self):
        return wait_until(lambda: self.process.poll() is not None or "server.ready" in self.log_file.read_text(), 15) and (
            self.process.poll() is None)

    def run(self, *words):
        done = subprocess.run(["nsenter", "--mount", "--target", str(self.process.pid), *map(str, words)], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
        return done.returncode, done.stdout

    def says(self, wanted, *words):
        code, said = self.run(*words)
        assert code == 0 and wanted in said, f"{' '.join(map(str, words))}: {code}\n{said}"

    def close(self):
        if self.process.poll() is None:
            family = descendants(self.process.pid)
            self.process.terminate()
            assert self.process.wait(10) == 0, self.log_file.read_text()[-2000:]
            assert not any(map(is_alive, family))


@pytest.fixture
def alone(tmp_path):
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        pytest.skip("needs a mount namespace: root with CAP_SYS_ADMIN")
    made = []

    def make(*options):
        made.append(Alone(tmp_path, *options))
        assert made[-1].ready(), made[-1].log_file.read_text()[-2000:]
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def stock(alone, tmp_path):
    port = free_port()
    listen = f"listen=udp:127.0.0.1:{port}\nlisten=tcp:127.0.0.1:{port}\n"
    with open(STOCK) as file:
        head, rest = file.read().split("\n", 1)
    (tmp_path / "kamailio.cfg").write_text(f"{head}\n{listen}{rest}")
    return alone("-f", tmp_path / "kamailio.cfg")


def test_kamctl_finds_it(stock):
    stock.says("up_since", "kamctl", "uptime")
    stock.says("usrloc:registered_users = 0", "kamctl", "stats")
    stock.says("tcp main process", "kamctl", "ps")
    stock.says('"result"', "kamctl", "ul", "add", "alice@example.org", "sip:alice@127.0.0.1:5077")
    stock.says("sip:alice@127.0.0.1:5077", "kamctl", "ul", "show", "alice@example.org")
    stock.says("sip:alice@127.0.0.1:5077", "kamctl", "ul", "show")
    stock.says("alice", "kamctl", "online")
    stock.says('"result"', "kamctl", "ul", "rm", "alice@example.org")
    assert "alice" not in stock.run("kamctl", "online")[1]
    stock.says("kahu", "kamctl", "rpc", "core.version")
    assert "core:rcv_requests = " in subprocess.run(
        ["nsenter", "--mount", "--target", str(stock.process.pid), "timeout", "5", "kamctl", "monitor", "1"], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=20, env={**os.environ, "TERM": "xterm"}).stdout


def test_kamcli_finds_it(stock, tmp_path):
    (tmp_path / "kamcli.ini").write_text(KAMCLI_INI)
    kamcli = ("kamcli", "--no-default-configs", "-c", tmp_path / "kamcli.ini")
    stock.says("up_since", *kamcli, "uptime")
    stock.says("tcp main process", *kamcli, "ps")
    stock.says("usrloc:registered_users = 0", *kamcli, "stats")
    stock.says("result: {}", *kamcli, "ul", "add", "bob", "sip:bob@127.0.0.1:5099")
    stock.says("sip:bob@127.0.0.1:5099", *kamcli, "ul", "show", "bob")
    stock.says("sip:bob@127.0.0.1:5099", *kamcli, "ul", "show")
    stock.says("result: {}", *kamcli, "ul", "rm", "bob")
    stock.says("AOR not found", *kamcli, "ul", "show", "bob")
    stock.says("kahu", *kamcli, "rpc", "core.version")
    stock.says("ul.dump", *kamcli, "rpcmethods")
    stock.says("udp", *kamcli, "srv", "sockets")


def test_kamcmd_finds_it(stock):
    stock.says("kahu", "kamcmd", "core.version")
    stock.says("registered_users = 0", "kamcmd", "stats.get_statistics", "usrloc:")


def test_kahucmd_finds_the_server_of_our_own_configuration(alone, tmp_path, certificates):
    port, tls_port = free_port(), free_port()
    text = (SOURCE / "etc/kahu.cfg").read_text()
    listen = "".join(f"listen={kind}:127.0.0.1:{at}\n" for kind, at in (("udp", port), ("tcp", port), ("tls", tls_port)))
    (tmp_path / "kahu.cfg").write_text(text.replace("\nenable_tls = yes\n", f"\n{listen}enable_tls = yes\n", 1))
    server = alone("-f", tmp_path / "kahu.cfg", "-A", f'CERTIFICATE="{certificates.cert("server")}"',
                   "-A", f'PRIVATE_KEY="{certificates.key("server")}"')
    server.says("", KAHUCMD, "user", "add", "alice@example.org", "secret")
    server.says("alice@example.org", KAHUCMD, "user", "list")
    assert server.run(KAHUCMD, "user", "add", "alice@example.org", "other")[0] in (0, 1)
    server.says("", KAHUCMD, "user", "remove", "alice@example.org")
    assert "alice" not in server.run(KAHUCMD, "user", "list")[1]
    assert server.run(KAHUCMD, "user", "remove", "alice@example.org")[0] == 1
    server.says("kahu", KAHUCMD, "core.version")
