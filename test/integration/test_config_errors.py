"""`-c` and a start refuse a wrong configuration with file, line, column and what would be right."""
import re

import pytest



# (what is put in place of @PARAMS@ or @SCRIPT@, text that must be named); the error is in the marked line: «».
PARAMETERS = {
    "unknown core parameter": ("«no_such_parameter=1»", "no_such_parameter"),
    "misspelt core parameter": ("«tcp_max_connection=1»", "tcp_max_connections"),
    "text for a number": ('«children="many"»', "children"),
    "out of range": ("«tcp_max_connections=-5»", "tcp_max_connections"),
    "unknown module": ('«loadmodule "nosuch.so"»', "nosuch"),
    "unknown modparam": ('«modparam("tls", "no_such_param", 1)»', "no_such_param"),
    "modparam of a module not loaded": ('«modparam("usrloc", "db_mode", 0)»', "usrloc"),
    "modparam of the wrong type": ('«modparam("tls", "session_cache", "perhaps")»', "session_cache"),
    "no transport": ("«listen=smoke:127.0.0.1:5060»", "smoke"),
    "foreign address": ("«listen=udp:192.0.2.1:5060»", "192.0.2.1"),
    "unterminated string": ('«server_header="abc»', "string"),
    "missing include": ('«include_file "/nonexistent/more.cfg"»', "/nonexistent/more.cfg"),
    "endif without ifdef": ("«#!endif»", "endif"),
}
SCRIPTS = {
    "unknown function": ("«no_such_function();»", "no_such_function"),
    "wrong number of arguments": ('«sl_send_reply("200");»', "sl_send_reply"),
    "missing bracket": ('«if (is_method("INVITE") {» exit; }', ""),
    "unknown route": ("«route(NOWHERE);»", "NOWHERE"),
    "unknown variable": ('«$nosuch = 1;»', "nosuch"),
    "read-only variable": ('«$si = "1.2.3.4";»', "si"),
    "broken regex": ('«if ($ru =~ "([a-z") exit;»', "[a-z"),
    "unknown keyword": ('«if (uri == ourself) exit;»', "ourself"),
}


def written(make_kahu, marked, in_script):
    """A server whose configuration has the marked line; returns it and the line's number."""
    plain = marked.replace("«", "").replace("»", "")
    if in_script:
        server = make_kahu(script="request_route {\n\t" + plain + "\n}\n")
    else:
        server = make_kahu(params=plain)
    lines = server.config_file.read_text().split("\n")
    number = next(i for i, line in enumerate(lines, 1) if plain.split("\n")[0] in line)
    return server, number


CASES = [(name, *case, False) for name, case in PARAMETERS.items()] + [(n, *case, True) for n, case in SCRIPTS.items()]


@pytest.mark.kahu_only
@pytest.mark.parametrize("name,marked,named,in_script", CASES, ids=[case[0] for case in CASES])
def test_error_names_its_place_and_cause(make_kahu, name, marked, named, in_script):
    server, line = written(make_kahu, marked, in_script)
    code, output = server.check()
    assert code != 0, output
    # A bracket that is missing may be missed on a later line.
    place = r"kahu\.cfg:(\d+):(\d+)"
    found = [(int(l), int(c)) for l, c in re.findall(place, output)]
    assert found, f"no file:line:column in: {output}"
    assert any(l == line or (name.startswith(("missing bracket", "unterminated")) and l >= line) for l, _ in found), output
    assert all(c >= 1 for _, c in found)
    assert named in output, output


@pytest.mark.kahu_only
def test_start_says_what_check_says(make_kahu):
    server, _ = written(make_kahu, "«no_such_parameter=1»", False)
    _, checked = server.check()
    code, started = server.try_start()
    assert code != 0
    error = next(line for line in checked.splitlines() if "no_such_parameter" in line)
    core = error[error.index("kahu.cfg"):]
    assert core in started


@pytest.mark.kahu_only
def test_error_in_an_included_file_names_that_file(make_kahu):
    server = make_kahu(params='include_file "more.cfg"')
    (server.directory / "more.cfg").write_text("# fine\nno_such_parameter=1\n")
    code, output = server.check()
    assert code != 0 and re.search(r"more\.cfg:2:\d+", output), output


def test_check_of_a_right_file(make_kahu):
    server = make_kahu()
    code, output = server.check()
    assert code == 0, output
    assert not server.pid_file.exists() and not (server.directory / "ctl.sock").exists()


def test_check_while_the_server_runs(kahu):
    """-c binds nothing: it can look at the configuration of a running server."""
    code, output = kahu.check()
    assert code == 0, output
    kahu.is_well()


@pytest.mark.parametrize("wrong,named", [
    ("[server:default]\ncertificate = @CERTS@/nosuch.crt\nprivate_key = @CERTS@/server.key\n", "nosuch.crt"),
    ("[server:default]\nmethod = TLSv9\n", "TLSv9"),
    ("[server:default]\nno_such_attribute = 1\n", "no_such_attribute"),
    ("[sever:default]\n", "sever"),
    ("[server:default\n", "tls.cfg"),
    ("method = TLSv1.2\n", "tls.cfg"),
])
@pytest.mark.kahu_only
def test_errors_of_tls_cfg(make_kahu, wrong, named):
    server = make_kahu(tls=wrong)
    code, output = server.check()
    assert code != 0
    assert named in output and "tls.cfg" in output, output


def test_preprocessor(make_kahu):
    """#!define, -A, #!ifdef, #!ifndef, #!else, #!subst, include_file and import_file."""
    script = """
#!define ANSWER 291
#!define WITH_A
#!trydef ANSWER 555
#!subst "/WRONG/Right/"
include_file "included.cfg"
import_file "not-there.cfg"
request_route {
#!ifdef WITH_A
#!ifndef WITH_B
	sl_send_reply("ANSWER_TEXT", "WRONG");
#!else
	sl_send_reply("500", "else of ifndef");
#!endif
#!else
	sl_send_reply("500", "else of ifdef");
#!endif
}
"""
    # In strings only #!subst replaces; ANSWER stands alone where it is an expression.
    script = script.replace('"ANSWER_TEXT"', '"$var(code)"').replace("request_route {\n", "request_route {\n\t$var(code) = ANSWER;\n")
    server = make_kahu(script=script)
    (server.directory / "included.cfg").write_text("#!define FROM_INCLUDED\n")
    server.start()
    with server.udp() as client:
        from support.sip import request
        response = client.ask(request())
    assert (response.status, response.reason) == (291, "Right")


@pytest.mark.kahu_only
def test_routes_that_are_armed_but_absent_are_warned_of(make_kahu):
    from support.kahu import MODULES
    script = """
request_route {
	t_on_failure("MANAGE_FAILURES");
	t_on_branch("NONE");
	t_on_reply("$var(x)");
	t_on_reply("0");
	exit;
}
failure_route[MANAGE_FAILURE] { exit; }
"""
    code, output = make_kahu(script=script, modules=MODULES + '\nloadmodule "tm.so"').check()
    assert code == 0, output
    assert 'there is no failure_route[MANAGE_FAILURES] \u2014 did you mean "MANAGE_FAILURE"?' in output, output
    assert "there is no branch_route[NONE]" in output, output
    assert output.count("there is no") == 2, output
