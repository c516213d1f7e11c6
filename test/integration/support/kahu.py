"""Kahu under test: its configuration in a directory of its own, its start and its end."""
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

from . import load as load_tool
from .paths import KAHU, KAMAILIO, KAMAILIO_MODULES, SOURCE, free_port
from .process import Server, descendants, wait_until
from .rpc import Fault, kamcmd, structs, values
from .sip import StreamClient, UdpClient, request, tls_context

IS_KAMAILIO = Path(KAHU).name == "kamailio"

# The core of most tests: everything on loopback, answers OPTIONS and REGISTER.
BASE = """#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=@UDP_WORKERS@
tcp_children=@WORKERS@
auto_aliases=no
dns=no
rev_dns=no
enable_tls=yes
tcp_max_connections=@CONNECTIONS@
tls_max_connections=@CONNECTIONS@
tcp_connection_lifetime=600
@CORE@
listen=udp:127.0.0.1:@PLAIN@
listen=tcp:127.0.0.1:@PLAIN@
listen=tls:127.0.0.1:@TLS@
@MPATH@
@MODULES@
modparam("ctl", "binrpc", "unix:@DIR@/ctl.sock")
modparam("tls", "config", "@DIR@/tls.cfg")
@PARAMS@
@SCRIPT@
"""
MODULES = "\n".join(f'loadmodule "{name}.so"' for name in "ctl pv sl maxfwd siputils textops tls".split())
SCRIPT = """
request_route {
	if (is_method("OPTIONS|REGISTER")) {
		sl_send_reply("200", "OK");
		exit;
	}
	if (is_method("ACK")) exit;
	sl_send_reply("405", "Method Not Allowed");
	exit;
}
"""
# What no run may log unless a test says so.
ALARM = re.compile(r"^.*\b(?:CRITICAL|BUG|ALERT)\b.*$|^.*(?:runtime error|AddressSanitizer).*$", re.M)


def fill(text, words):
    """Replaces @NAME@; an unknown name is an error, so that a template cannot half work."""
    return re.sub(r"@([A-Z_]+)@", lambda m: str(words[m[1]]), text)


class Kahu(Server):
    """
    Kahu(directory, certificates)             the stateless answerer above
    Kahu(..., config="text")                  another configuration; @PLAIN@ @TLS@ @DIR@ ... are filled in
    Kahu(..., core=, params=, script=, tls=)  additions to the core parameters, modparams; another script, tls.cfg
    """

    def __init__(self, directory, certificates, *, config=BASE, core="", params="", script=SCRIPT, modules=MODULES,
                 tls=None, workers=4, udp_workers=1, connections=4096, certificate="server", options=(), env=None):
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.certificates = certificates
        self.plain_port, self.tls_port = free_port(), free_port()
        self.config_file, self.tls_file = directory / "kahu.cfg", directory / "tls.cfg"
        self.pid_file, self.run_directory = directory / "kahu.pid", directory / "run"
        self.run_directory.mkdir(exist_ok=True)
        self.address = f"unix:{directory}/ctl.sock"
        self.allowed_alarms = ()
        self.workers = 1 if IS_KAMAILIO else workers  # two of Kamailio 5.6.3 corrupt their memory
        self.template = {
            "DIR": directory, "PLAIN": self.plain_port, "TLS": self.tls_port, "CORE": core, "PARAMS": params,
            "SCRIPT": script, "MODULES": modules, "WORKERS": self.workers, "UDP_WORKERS": udp_workers,
            "CONNECTIONS": connections, "CERTS": certificates.directory if certificates else "",
            "NAME": "@NAME@", "MPATH": f'mpath="{KAMAILIO_MODULES}"' if IS_KAMAILIO else "",
        }
        self.write_config(config)
        if certificates:
            self.write_tls(tls if tls is not None else self.tls_text(certificate))
        memory = ["-m", "256", "-M", "32"] if IS_KAMAILIO else []
        argv = [KAHU, "-f", self.config_file, "-DD", "-E", "-P", self.pid_file, "-Y", self.run_directory, "-w", directory,
                *memory, *options]
        super().__init__(argv, directory, env=env)

    def be(self, kind):
        """Runs the same files with Debian's Kamailio if kind is "kamailio"; before start().  It is to be killed."""
        if kind == "kamailio":
            text = self.config_file.read_text()
            self.config_file.write_text(text.replace("loadmodule", f'mpath="{KAMAILIO_MODULES}"\nloadmodule', 1))
            self.argv = [KAMAILIO, *self.argv[1:], "-m", "64", "-M", "16"]
        self.kind = kind
        return self

    def write_config(self, text):
        self.config_file.write_text(fill(text, self.template))

    def write_tls(self, text):
        """Replaces tls.cfg at once, as a careful administrator does."""
        new = self.tls_file.with_suffix(".new")
        new.write_text(fill(text, self.template))
        os.replace(new, self.tls_file)

    def tls_text(self, certificate="server", extra=""):
        return (f"[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\n"
                f"certificate = {self.certificates.cert(certificate)}\n"
                f"private_key = {self.certificates.key(certificate)}\n{extra}\n"
                "[client:default]\nverify_certificate = no\nrequire_certificate = no\n")

    def start(self, ready=None, seconds=20):
        super().start(ready or self.answers, seconds)
        return self

    def answers(self):
        """Ready: the RPC socket and every TCP worker's port answer."""
        try:
            self.rpc("core.version")
            with socket.create_connection(("127.0.0.1", self.plain_port), timeout=1):
                return True
        except (Fault, OSError, subprocess.TimeoutExpired):
            return False

    def rpc(self, method, *arguments):
        return kamcmd(self.address, method, *arguments)

    def check(self, *more):
        """`kahu -c`: (exit code, everything it printed)."""
        done = subprocess.run([KAHU, "-c", "-f", self.config_file, "-E", "-w", self.directory, *more], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, cwd=self.directory)
        return done.returncode, done.stdout

    def try_start(self):
        """A start that is expected to fail: (exit code, everything it printed)."""
        done = subprocess.run(self.argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30,
                              cwd=self.directory, env=self.env)
        return done.returncode, done.stdout

    def alarms(self):
        return [line for line in ALARM.findall(self.log()) if not any(re.search(p, line) for p in self.allowed_alarms)]

    def finish(self):
        """The end of every test: SIGTERM, exit 0 in time, nothing left, nothing alarming in the log."""
        assert self.running(), f"ended by itself with {self.process.poll()}:\n{self.log()[-4000:]}"
        self.heap_used()
        code, took, orphans = self.stop(signal.SIGTERM)
        assert code == 0, f"exit code {code}:\n{self.log()[-4000:]}"
        assert not orphans, f"processes left: {orphans}"
        assert took < 2 or IS_KAMAILIO, f"took {took:.1f} s to stop"
        left = [path for path in (self.pid_file, self.directory / "ctl.sock") if path.exists()]
        # A crash file stays: it is there for somebody to read.
        left += [path for path in self.run_directory.iterdir() if not path.name.startswith("crash-")]
        assert not left or IS_KAMAILIO, f"files left: {left}"
        assert not self.alarms(), self.alarms()

    # --- clients ----------------------------------------------------------------------------------
    def udp(self, **more):
        return UdpClient(self.plain_port, **more)

    def tcp(self, **more):
        return StreamClient(self.plain_port, **more)

    def tls(self, context=None, **more):
        return StreamClient(self.tls_port, context=context or tls_context(), **more)

    def client(self, transport):
        return {"udp": self.udp, "tcp": self.tcp, "tls": self.tls}[transport]()

    def is_well(self):
        """One OPTIONS over each transport."""
        for transport in ("udp", "tcp", "tls"):
            with self.client(transport) as client:
                response = client.ask(request(transport=transport.upper()))
                assert response is not None and response.status == 200, f"{transport}: {response}"

    def load(self, mode, *options, timeout=600):
        port = self.plain_port if {"--tcp", "--udp"} & set(options) else self.tls_port
        return load_tool.load(mode, port, *options, timeout=timeout)

    def warm_up(self):
        """Each worker makes its TLS contexts with its first connection: what is allocated once is not what a client costs."""
        for client in [self.tls() for _ in range(8 * self.workers)]:
            client.close()

    def heap_used(self):
        """Bytes of the segment in use, by a walk of it; the walk must find everything in order."""
        if IS_KAMAILIO:
            return int(values(self.rpc("core.shmmem"))["used"])
        walk = values(self.rpc("shm.walk"))
        assert walk["valid"] == "1", walk
        return int(float(walk["used"]))

    def processes(self):
        return [self.pid, *descendants(self.pid)]

    def processes_titled(self, word):
        """Process ids whose description in core.psx contains `word`."""
        return [int(row["PID"]) for row in structs(self.rpc("core.psx")) if word in row["DSC"]]


COMPARE = (SOURCE / "test/bench/compare.cfg.in").read_text()
__all__ = ["Kahu", "COMPARE", "IS_KAMAILIO", "fill", "wait_until"]
