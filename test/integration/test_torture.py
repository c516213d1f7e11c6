"""The 61 messages of RFC 4475 and RFC 5118, over UDP, TCP and TLS.

To a stateless answerer: a valid request gets its answer (200, or 405 for a method it does not know),
an invalid one a 4xx or 5xx, silence or a closed connection; and whatever comes, the server goes on.
"""
import csv
import re

import pytest

from support.paths import TORTURE
from support.sip import request

if (TORTURE / "manifest.tsv").exists():
    with open(TORTURE / "manifest.tsv", newline="") as table:
        MESSAGES = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
else:
    MESSAGES = []
# Over a stream these cannot be framed as their authors meant them.
UNFRAMED = {"CL>body: incomplete", "unparsable CL", "multiple CL", "no Content-Length: stream cannot be framed (reject/close)"}


def method_of(raw):
    return raw.split(b" ", 1)[0].decode(errors="replace")


def reaction(client, raw, patient):
    """Statuses of the answers that belong to the message.

    Over a stream a probe follows it: its answer, or the end of the connection, ends the waiting.  Not so
    behind a message that swallows what follows (patient=True): there only time tells.
    """
    call_id = re.search(rb"^(?:Call-ID|i)\s*:\s*(\S+)", raw, re.I | re.M)
    wanted = call_id[1].decode(errors="replace") if call_id else None
    probe = request(transport=client.transport)
    statuses = []
    try:
        client.send(raw)
        client.send(b"" if patient else probe)
        while (response := client.receive(timeout=0.3 if patient or client.transport == "UDP" else 2)) is not None:
            answered = response.header("Call-ID") or response.header("i") or ""
            if f"Call-ID: {answered}".encode() in probe:
                break
            if wanted in (None, answered):
                statuses.append(response.status)
    except OSError:
        pass  # closed while we were sending
    return statuses


def test_all_messages_are_here():
    assert len(MESSAGES) == 61


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("row", MESSAGES, ids=[row["file"] for row in MESSAGES])
def test_message(shared_kahu, row, transport):
    raw = (TORTURE / row["file"]).read_bytes()
    if transport == "udp":
        # Answers go where the top Via says; with rport they come back here (RFC 3581).
        raw = re.sub(rb"^((?:Via|v)\s*:\s*SIP\s*/\s*2\.0\s*/\s*\w+\s+[^;,\r\n]+)", rb"\1;rport", raw, count=1, flags=re.I | re.M)
    with shared_kahu.client(transport) as client:
        statuses = reaction(client, raw, row["stream_framing"] != "ok")
    if row["kind"] == "response" or method_of(raw) == "ACK":
        assert not statuses, "a response or an ACK was answered"
    elif row["class"] == "valid" and (transport == "udp" or row["stream_framing"] == "ok"):
        assert statuses and statuses[0] in (200, 405), statuses
    elif row["class"] == "invalid" and row["expected_proxy"].startswith("400") and "liberal" not in row["expected_proxy"]:
        assert all(status >= 400 for status in statuses), statuses
    elif transport != "udp" and row["stream_framing"] in UNFRAMED:
        assert 200 not in statuses
    with shared_kahu.client(transport) as client:
        assert client.ask(request(transport=transport.upper())).status == 200
    assert not shared_kahu.alarms()
