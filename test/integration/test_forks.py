"""Where t_relay() goes: the Request-URI only while it is new, and what append_branch() added.  The expectations were seen
in Kamailio, too: KAHU_PROGRAM=/usr/sbin/kamailio test/integration/run test_forks.py"""
import pytest

from support.kahu import MODULES
from support.sip import request

LOADED = MODULES + "\n" + "\n".join(f'loadmodule "{name}.so"' for name in "tm corex".split())
SCRIPT = """
request_route {
	if (is_method("ACK")) exit;
	@FIRST@
	if (!t_relay()) sl_send_reply("500", "Not Relayed");
	exit;
}
failure_route[AGAIN] {
	@THEN@
	if (!t_relay()) t_reply("599", "Not Relayed Again");
	exit;
}
"""
# Statements before the first t_relay(); those of the failure route; who is asked then, in which order; the last answer.
# A, B, C are URIs of three far ends, which answer 404; the request is for A.
KAHU = pytest.mark.kahu_only  # Kamailio asks the same target twice: RFC 3261 16.5 forbids it
CASES = {
    "main only": ("", None, "A", 404),
    "main and a branch": ('append_branch("B");', None, "AB", 404),
    "the same again is one": ("append_branch();", None, "A", 404, KAHU),
    "changed after it was added": ('append_branch(); $ru = "B";', None, "AB", 404),
    "with another q, too": ('append_branch("", "0.5");', None, "A", 404, KAHU),
    "next hop of a branch": ('append_branch("B"); $du = "C";', None, "CB", 404),
    "next hop set before": ('$du = "C"; append_branch("B");', None, "CC", 404),
    "failure: nothing new": ('t_on_failure("AGAIN");', "", "A", 599),
    "failure: a branch": ('t_on_failure("AGAIN");', 'append_branch("B");', "AB", 404),
    "failure: two branches": ('t_on_failure("AGAIN");', 'append_branch("B"); append_branch("C");', "ABC", 404),
    "failure: new Request-URI": ('t_on_failure("AGAIN");', '$ru = "B";', "AB", 404),
    "failure: the old style": ('t_on_failure("AGAIN");', '$ru = "B"; append_branch();', "AB", 404, KAHU),
    "failure: both": ('t_on_failure("AGAIN");', '$ru = "B"; append_branch("C");', "ABC", 404),
    "failure: user": ('t_on_failure("AGAIN");', '$rU = "other";', "AA", 404),
    "failure: next hop": ('t_on_failure("AGAIN");', '$du = "B";', "AB", 404),
    "failure: no next hop any more": ('t_on_failure("AGAIN"); $du = "B";', "$du = $null;", "B", 599),
}


def uri_of(far):
    return f"sip:uas@127.0.0.1:{far.port}"


def targets(far_ends, client):
    """Letters of who was asked, as they came in; the last answer."""
    response = client.receive()
    while response is not None and response.status < 200:
        response = client.receive()
    got = []
    for letter, far in far_ends.items():
        while (asked := far.next(timeout=0.15)) is not None:
            got += [letter] if asked.method == "MESSAGE" else []
    return got, None if response is None else response.status


@pytest.mark.parametrize("name", [pytest.param(name, marks=case[4:]) for name, case in CASES.items()])
def test_targets(make_kahu, endpoint, name):
    first, then, expected, status = CASES[name][:4]
    far_ends = {letter: endpoint(status="404 Not Found") for letter in "ABC"}

    def filled(text):
        for letter, far in far_ends.items():
            text = text.replace(f'"{letter}"', f'"{uri_of(far)}"')
        return text

    script = SCRIPT.replace("@FIRST@", filled(first)).replace("@THEN@", filled(then or ""))
    server = make_kahu(modules=LOADED, script=script).start()
    with server.udp() as client:
        client.send(request("MESSAGE", uri_of(far_ends["A"])))
        got, last = targets(far_ends, client)
    assert (sorted(got), last) == (sorted(expected), status)
