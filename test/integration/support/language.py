"""The same script run by Kahu and by Debian's Kamailio: what each makes of a list of probes.

A probe is a text with variables in it ("$rU is $(rU{s.len})") or statements that leave their result in $var(r).
"@SIDE@" in it or in `core` is 1 for Kamailio, 2 for Kahu: addresses that are not shared.  Each becomes a route of its own; a message is sent, and the lines that the probes wrote to the log are collected.
"""
import re
import socket
import subprocess
import time

from .kahu import KAHU, Server
from .paths import KAMAILIO_MODULES, free_port
from .process import wait_until

KAMAILIO = "/usr/sbin/kamailio"
MODULES = "kex corex tm tmx sl rr pv maxfwd textops textopsx siputils xlog sanity".split()
HEAD = """#!KAMAILIO
debug=0
log_stderror=yes
children=1
auto_aliases=no
dns=no
rev_dns=no
disable_tcp=@NO_TCP@
udp_mtu=0
alias="alias.example.org:5060"
listen=udp:127.0.0.1:@PORT@
mpath="@MPATH@"
@MODULES@
@CORE@
"""


def script(probes, before=""):
    """The text of a configuration for [(kind, text)]; kind is "format" or "code"."""
    lines, calls = [before], []
    for number, (kind, text) in enumerate(probes):
        body = f'\txlog("L_ERR", "<<{number}|{text}|>>\\n");\n'
        if kind == "code":
            body = f'\t$var(r) = "unset";\n\t{text}\n\txlog("L_ERR", "<<{number}|$var(r)|>>\\n");\n'
        lines.append(f"route[P{number}] {{\n{body}\treturn 1;\n}}\n")
        calls.append(f"\troute(P{number});\n")
    routes = [calls[i:i + 60] for i in range(0, len(calls), 60)]
    for number, part in enumerate(routes):
        lines.append(f"route[PART{number}] {{\n{''.join(part)}\treturn 1;\n}}\n")
    all_parts = "".join(f"\troute(PART{number});\n" for number in range(len(routes)))
    lines.append(f'route[ALL] {{\n{all_parts}\txlog("L_ERR", "<<done|$rm $ci|>>\\n");\n}}\n')
    lines.append("request_route {\n\troute(ALL);\n\texit;\n}\nreply_route {\n\troute(ALL);\n\tdrop;\n}\n")
    return "".join(lines)


class Interpreter(Server):
    """One of the two servers with such a script."""

    def __init__(self, program, directory, text, core="", modules=MODULES):
        directory.mkdir(parents=True, exist_ok=True)
        self.is_kamailio = program == KAMAILIO
        self.port = free_port()
        words = {"PORT": self.port, "CORE": core, "NO_TCP": "yes", "MPATH": KAMAILIO_MODULES,
                 "MODULES": "\n".join(f'loadmodule "{name}.so"' for name in modules)}
        self.config_file = directory / "probe.cfg"
        text = re.sub(r"@([A-Z_]+)@", lambda m: str(words[m[1]]), HEAD) + text
        self.config_file.write_text(text.replace("@SIDE@", "1" if self.is_kamailio else "2"))
        memory = ["-m", "64", "-M", "16"] if self.is_kamailio else []
        super().__init__([program, "-f", self.config_file, "-DD", "-E", "-Y", directory, "-w", directory, *memory],
                         directory)

    def start(self, ready=None, seconds=20):
        return super().start(ready or self.is_bound, seconds)

    def is_bound(self):
        inodes = open("/proc/net/udp").read()
        return f"0100007F:{self.port:04X}" in inodes

    def answers(self, client, message):
        """{probe's number: text} after one message."""
        before = len(self.log())
        client.sendto(message.replace(b"@PORT@", str(self.port).encode()), ("127.0.0.1", self.port))
        # A copy that came before the workers did waits in the socket.
        assert wait_until(lambda: "<<done|" in self.log()[before:], 5), f"no answer:\n{self.log()[-3000:]}"
        text = self.log()[before:].replace(str(self.port), "PORT")
        return {number: value for number, value in re.findall(r"<<(\d+)\|(.*?)\|>>", text, re.S)}


def beside(directory, probes, messages, **how):
    """[(probe, message's number, Kamailio's answer, Kahu's answer)] of all that differ."""
    text = script(probes, how.pop("before", ""))
    servers = [Interpreter(program, directory / name, text, **how)
               for program, name in ((KAMAILIO, "kamailio"), (KAHU, "kahu"))]
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        try:
            for server in servers:
                server.start()
            for index, message in enumerate(messages):
                kamailio, kahu = (server.answers(client, message) for server in servers)
                silent = [probes[n][1] for n in range(len(probes)) if str(n) not in kamailio]
                found += [(probes[int(n)][1], index, kamailio[n], kahu.get(n)) for n in kamailio
                          if kamailio[n] != kahu.get(n)]
        finally:
            for server in servers:
                server.kill()
    return found
