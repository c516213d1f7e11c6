"""`-c` and a start refuse a wrong configuration with file, line, column and what would be right."""
import os
import pathlib
import re
import subprocess
import tempfile

import pytest

from support.kahu import MODULES
from support.paths import KAHU



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
    "unterminated string": ('«server_header="abc»', "string"),
    "missing include": ('«include_file "/nonexistent/more.cfg"»', "/nonexistent/more.cfg"),
    "endif without ifdef": ("«#!endif»", "endif"),
    "call outside of a route": ('«sl_send_reply("200", "OK");»', "sl_send_reply() is called outside of a route"),
    "text for a number of a module": ('«modparam("tls", "session_timeout", "soon")»', "expected an integer"),
    "misspelt directive": ('«import_fiel "more.cfg"»', "did you mean 'import_file'?"),
    "modparam of a misspelt module": ('«modparam("siputil", "x", 1)»', "did you mean 'siputils'?"),
    "missing quote of a module": ('«modparam("tls, "config", "x")»\nmodparam("tls", "config", "y")', "is a quote missing"),
    "missing bracket of a modparam": ('«modparam("tls", "session_cache", 1»\nmodparam("tls", "session_timeout", 1)',
                                      "')' is missing behind '1'"),
    "missing comma": ('«modparam("tls" "session_cache", 1)»', 'modparam("module", "parameter", value)'),
    "a path too long for a FIFO": ('loadmodule "jsonrpcs.so" «modparam("jsonrpcs", "fifo_name", "/' + "x" * 150 + '")»', "107 bytes"),
    "another database": ('«loadmodule "db_mysql.so"»', "databases: db_sqlite"),
    "what a module refuses": ('«modparam("tls", "config", "/nonexistent/tls.cfg")»', "tls.cfg(5) shows one"),
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
    "typographic quotes": ('«sl_send_reply(“200”, "OK");»', "'“' does not belong here — a text stands between two \""),
    "missing brace": ('} «route[A]»\n exit;\n} \nroute[B] { exit;', "'{' is missing behind 'route[A]'"),
    "one brace too many": ('exit; } «}»\n if (is_method("INVITE")) { exit; }\nroute(A); remove_hf("X"); return 1;\n', "closes nothing"),
    "statements behind the end": ('exit; }\n «if» (is_method("INVITE")) { exit; }\nroute(A);\nreturn 1;\n', "is that a '}' too many?"),
    "unterminated string in a script": ('«$var(x) = "a;»\n$var(y) = "b"; exit;', "this string goes on to line"),
    "unterminated single quote": ("«$var(x) = 'a\";»\n$var(y) = 'b'; exit;", "this string goes on to line"),
    "text without quotes": ('«sl_send_reply("200", Too Many);»', 'a text stands between two "'),
    "word of another language": ('«if (uri == myself AND 1) exit;»', "'AND' is written '&&'"),
    "letter too many in a short variable": ('«$var(x) = $uaa;»', "did you mean $ua?"),
    "missing semicolon": ('«sl_send_reply("200", "OK")» exit;', "expected ';'"),
    "misspelt route": ("«route(RELY);» } route[RELAY] { exit;", "did you mean route(RELAY)?"),
    "assignment for a comparison": ('«if ($rm = "INVITE") exit;»', "'=='"),
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
    errors = [error for error in output.splitlines() if re.search(place, error) and "warning:" not in error]
    assert len(errors) == 1, f"one mistake, {len(errors)} errors:\n{output}"
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


def test_check_warns_of_files_that_could_not_be_made(make_kahu):
    """Only warns: another user may start the server.  A folder that a start makes is none of them."""
    server = make_kahu(core='pid_file="/etc/passwd/kahu.pid"', params="""
        modparam("ctl", "binrpc", "unix:/nonexistent/ctl")
        loadmodule "db_sqlite.so"
        loadmodule "usrloc.so"
        modparam("usrloc", "db_mode", 1)
        modparam("usrloc", "db_url", "sqlite:///etc/passwd/location.db")
        loadmodule "jsonrpcs.so"
        modparam("jsonrpcs", "fifo_name", "/nonexistent/fifo")
        modparam("jsonrpcs", "dgram_socket", "made_at_start.sock")
        """)
    code, said = server.check("-Y", server.directory / "made/at/start")
    assert code == 0, said
    lines = server.config_file.read_text().splitlines()
    for path in ("/nonexistent/ctl", "/etc/passwd/location.db", "/nonexistent/fifo"):
        number = 1 + next(i for i, line in enumerate(lines) if path in line)
        assert re.search(rf"kahu\.cfg:{number}:\d+: warning: module \w+: could not make {path}", said), (path, said)
    assert "could not make /etc/passwd/kahu.pid" in said
    assert said.count("could not make") == 4, said


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


@pytest.mark.kahu_only
def test_a_module_that_refuses_its_parameters_names_their_line(make_kahu):
    """All modules are asked, and each answer names file, line, module and field."""
    server = make_kahu(modules=MODULES + "".join(f'\nloadmodule "{name}.so"' for name in ("usrloc", "auth", "auth_db")),
                       params='modparam("usrloc", "db_mode", 1)\nmodparam("usrloc", "db_url", "mysql://u:p@h/d")\n'
                              'modparam("auth_db", "db_url", "/no/url")')
    lines = server.config_file.read_text().split("\n")
    code, output = server.check()
    assert code != 0
    for module, url in (("usrloc", "mysql:"), ("auth_db", "/no/url")):
        line = next(i for i, text in enumerate(lines, 1) if f'"{module}", "db_url"' in text)
        assert re.search(rf"kahu\.cfg:{line}:1: module {module}: db_url: .*sqlite:///path/to/file", output), output


@pytest.mark.kahu_only
@pytest.mark.skipif(os.geteuid() != 0, reason="changes the user")
def test_check_reads_keys_as_the_user_of_the_server(certificates):
    """A key that root alone may read cannot be read by who the server becomes: -c says so, not only the start."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # pytest's own folders are closed to others
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        for file in (certificates.cert(), certificates.key()):
            (folder / file.name).write_bytes(file.read_bytes())
        (folder / "tls.cfg").write_text(f"[server:default]\ncertificate={name}/server.crt\nprivate_key={name}/server.key\n")
        (folder / "kahu.cfg").write_text(
            f'enable_tls=yes\nlisten=tls:127.0.0.1:5061\nloadmodule "tls.so"\n'
            f'modparam("tls", "config", "{name}/tls.cfg")\nrequest_route {{ exit; }}\n')
        outputs = []
        for mode in (0o644, 0o600):
            (folder / "server.key").chmod(mode)
            done = subprocess.run([KAHU, "-c", "-f", folder / "kahu.cfg", "-u", "nobody"], capture_output=True, text=True)
            outputs.append((done.returncode, done.stdout + done.stderr))
    assert outputs[0][0] == 0, outputs[0]
    assert outputs[1][0] != 0 and "server.key: Permission denied" in outputs[1][1], outputs[1]


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
