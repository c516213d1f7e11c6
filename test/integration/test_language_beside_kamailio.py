"""The same script run by Debian's Kamailio and by Kahu: every probe of language/*.txt must come out the same.

A line of those files is a text with variables in it, or, behind "> ", statements that leave their result in $var(r).
What differs on purpose is not in them: core/config/README.md and core/script/README.md say what and why.
"""
from pathlib import Path

import pytest

from support.language import KAMAILIO, beside

pytestmark = pytest.mark.skipif(not Path(KAMAILIO).exists(), reason="Debian's package kamailio is not installed")

HERE = Path(__file__).parent / "language"
BEFORE = """
#!define DEFX "defval"
route[RET5] { return 5; }
route[RETM] { return -3; }
route[RETNONE] { $var(q) = 1; }
route[RETEXPR] { $var(q) = 3; return $var(q) + 4; }
route[RETSTR] { $var(q) = "12"; return $var(q); }
route[RETFN2] { return route(RET5); }
route[RETNEG] { return -1; }
route[BREAKS] { $var(q) = 1; if ($var(q)) break; $var(q) = 2; }
route[LEAVES_WHILE] { while (1) { break; } }
route[LEAVES_SWITCH] { switch (1) { case 1: break; } }
route[GOES_ON] { switch ($cs) { case 1: break; default: break; } $var(q) = 7; }
route[NESTED] { route(BREAKS); $var(q) = 3; }
"""


# More of the core's parameters for a file.
CORES = {"variables": """
gr.num = 5 desc "a number"
gr.txt = "text" desc "a text"
server_id=7
listen=udp:127.77.1.@SIDE@:5062 advertise 9.9.9.9:5090 name "s0"
listen=udp:127.77.1.@SIDE@:5063 name "s1"
""", "functions": """
listen=udp:127.76.1.@SIDE@:5063 name "fn0"
modparam("pv", "avp_aliases", "al=s:realname;nu=i:5")
""", "myself": """
disable_tcp=no
listen=udp:127.77.1.@SIDE@:5060
listen=tcp:127.77.2.@SIDE@:5060
alias="any.example"
alias="ported.example":5080
alias=tcp:"tcp.example"
"""}


def lines(*text):
    return "\r\n".join(text).encode()


REQUEST = lines(
    "INVITE sip:alice:pw@127.0.0.1:5070;user=phone;x=y SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bKabc;rport",
    "Via: SIP/2.0/TCP 10.1.2.3;branch=z9hG4bKdef", "Max-Forwards: 70", "Record-Route: <sip:1.1.1.1;lr>",
    'From: "Bob B." <sip:bob:x@example.com:5062;transport=tcp>;tag=from1;p=q', "To: Alice <sips:alice@example.org;ob>",
    "Call-ID: call-1@host", "CSeq: 17 INVITE", "Contact: <sip:bob@10.1.2.3:5066;ob>;expires=60;q=0.5",
    "User-Agent: ua/1.0 (x)", "X-Multi: one", "X-Multi: two", "X-Multi: three", "X-List: a, b;c=1, d", "X-Empty:",
    'P-Asserted-Identity: "PAI" <sip:pai@example.com>', "P-Preferred-Identity: <sip:ppi@example.com:5060>",
    'Remote-Party-ID: "R" <sip:rpid@example.com>;party=calling',
    "Diversion: <sip:div@example.com>;reason=no-answer;counter=2", "Refer-To: <sip:ref@example.com>", "Privacy: id",
    "Subject: s t", "Supported: path, 100rel", "Expires: 300", "Content-Type: application/sdp",
    "Date: Sat, 13 Nov 2010 23:29:00 GMT",
    'Authorization: Digest username="bob", realm="r", nonce="n", uri="sip:u@h", response="0", qop=auth, nc=00000001,'
    ' cnonce="c"', "Event: presence", "Content-Length: 41", "", "v=0", "o=- 1 1 IN IP4 127.0.0.1", "m=x", "a=b", "")
REPLY = lines(
    "SIP/2.0 183 Session Progress", "Via: SIP/2.0/UDP 127.0.0.1:@PORT@;branch=z9hG4bKours",
    "Via: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bKabc;rport=1;received=127.0.0.1",
    "From: <sip:bob@example.com>;tag=from1", "To: <sip:alice@example.org>;tag=to1", "Call-ID: call-2@host",
    "CSeq: 17 INVITE", "Contact: <sip:alice@127.0.0.1:5098>", "Server: srv", "Content-Length: 0", "", "")


def probes(path):
    found = [line for line in path.read_text().split("\n") if line and not line.startswith("#")]
    return [("code", line[2:]) if line.startswith("> ") else ("format", line) for line in found]


@pytest.mark.kahu_only
@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_every_probe_comes_out_the_same(tmp_path, path):
    messages = [REQUEST] if path.stem == "myself" else [REQUEST, REPLY]
    differences = beside(tmp_path, probes(path), messages, before=BEFORE, core=CORES.get(path.stem, ""))
    shown = [f"message {index}: {text}\n    Kamailio {theirs!r}\n    Kahu     {ours!r}"
             for text, index, theirs, ours in differences]
    assert not shown, "\n".join(shown)
