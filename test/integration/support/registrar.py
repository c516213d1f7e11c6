"""A registrar for tests: save() and lookup(), the contact that was found as the reason phrase of a 302."""
from .kahu import MODULES
from .sip import request

LOADED = MODULES + '\nloadmodule "usrloc.so"\nloadmodule "registrar.so"\n'
ANSWER_OPTIONS = """
	if (is_method("OPTIONS")) {
		sl_send_reply("200", "OK");
		exit;
	}
"""
SAVE_REGISTER = """
	if (is_method("REGISTER")) {
		save("location");
		exit;
	}
"""
SCRIPT = "request_route {" + ANSWER_OPTIONS + SAVE_REGISTER + """
	if (lookup("location")) {
		sl_send_reply("302", "$ru");
		exit;
	}
	sl_send_reply("404", "Not Found");
	exit;
}
"""


def register(client, user="alice", contact=None, cseq=1, call_id=None, headers=(), expires=None):
    """contact: one value, a list of them (a header each), or "" for none."""
    values = [f"<sip:{user}@127.0.0.1:9;transport=tcp>"] if contact is None else contact
    values = [values] if isinstance(values, str) else values
    lines = [f"Contact: {value}" for value in values if value]
    lines += [f"Expires: {expires}"] if expires is not None else []
    return client.ask(request("REGISTER", "sip:127.0.0.1", client.transport, [*lines, *headers],
                              To=f"<sip:{user}@127.0.0.1>", From=f"<sip:{user}@127.0.0.1>;tag=1",
                              CSeq=f"{cseq} REGISTER", Call_ID=call_id or f"reg-{user}"))


def contacts(response):
    """{URI: seconds left} of a 200."""
    found = {}
    for line in response.all("Contact"):
        for value in line.split(", "):
            uri, _, params = value.partition(">")
            found[uri.lstrip("<")] = int(dict(p.partition("=")[::2] for p in params.split(";"))["expires"])
    return found


def known(client, user="alice"):
    """What is registered: the answer to a REGISTER without Contact."""
    response = register(client, user, contact="", call_id=f"query-{user}")
    assert response.status == 200, response.raw
    return contacts(response)


def found(client, user="alice"):
    """Where lookup() sends a request for the user; None if nowhere."""
    uri = user if user.startswith("sip") else f"sip:{user}@127.0.0.1"
    response = client.ask(request("MESSAGE", uri, client.transport))
    return response.reason if response.status == 302 else None
