"""Module debugger: the trace of the script beside Kamailio's, breakpoints, levels of modules, dumps."""
import re
import time

import pytest

from support.kahu import BASE, IS_KAMAILIO
from support.process import wait_until
from support.rpc import Fault, structs
from support.sip import request
from test_beside_kamailio import KAMAILIO

pytestmark = [pytest.mark.skipif(IS_KAMAILIO, reason="would compare Kamailio with itself"), pytest.mark.kahu_only]

MODULES = "\n".join(f'loadmodule "{name}.so"' for name in
                    "ctl kex corex tm sl pv xlog maxfwd siputils textops cfg_rpc tls debugger".split())
PARAMS = """
modparam("debugger", "log_level_name", "exec")
modparam("debugger", "reset_msgid", 1)
"""
SCRIPT = """
request_route {
	$var(a) = 1;
	$var(b) = "x" + $rU;
	$avp(s:q) = "v";
	$avp(q) = 2;
	$xavp(z=>y) = 4;
	if ($var(a) == 1) {
		xlog("L_DBG", "hello\\n");
	} else {
		exit;
	}
	if (!mf_process_maxfwd_header("10")) {
		exit;
	}
	route(SUB);
	switch ($var(a)) {
		case 1: $var(c) = 2; break;
		default: drop;
	}
	while ($var(a) < 3) {
		$var(a) = $var(a) + 1;
	}
	if (is_method("OPTIONS") && uri == myself) {
		remove_hf("X-A");
		append_hf("X-B: 2\\r\\n");
		dbg_pv_dump("31", "L_ERR");
		dbg_sip_msg("L_ERR");
		dbg_breakpoint("1");
		sl_send_reply("200", "$mi");
		exit;
	}
	drop;
}
route[SUB] {
	force_rport();
	return 5;
}
"""


def make(make_kahu, params="", **options):
    return make_kahu(config=BASE, modules=MODULES, params=PARAMS + params, script=SCRIPT, workers=1, **options)


def ask(server, **fields):
    with server.udp() as client:
        return client.ask(request(uri=f"sip:bob@127.0.0.1:{server.plain_port}", headers=["X-A: 1"], **fields))


def traced(server):
    """The trace's lines without what varies: files, and the numbers of lines and actions."""
    return re.findall(r"exec: \*\*\* cfgtrace:dbg_cfg_trace\(\): (\w+=\[\w+\]) c=\[[^\]]+\] l=\d+ a=(\d+) n=(\w+)", server.log())


@pytest.mark.skipif(not KAMAILIO.exists(), reason="Debian's package kamailio is not installed")
def test_traces_as_kamailio_does(make_kahu):
    trace = 'modparam("debugger", "cfgtrace", 1)\n'
    ours = make(make_kahu, trace).start()
    theirs = make(make_kahu, trace, name="kamailio")
    theirs.argv[0] = str(KAMAILIO)
    text = theirs.config_file.read_text().replace("loadmodule", f'mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules"\nloadmodule', 1)
    theirs.config_file.write_text(text)
    theirs.argv += ["-m", "64", "-M", "16"]
    try:
        theirs.start()
        assert ask(ours).status == ask(theirs).status == 200
        wait_until(lambda: len(traced(theirs)) == len(traced(ours)))
        # Its break is called exit; core functions have numbers of their own there.
        wanted = [(route, "2" if name in ("return", "drop") else number, name) for route, number, name in traced(theirs)]
        found = [(route, number, "exit" if name == "break" else name) for route, number, name in traced(ours)]
        core = ("force_rport",)
        assert [row for row in found if row[2] not in core] == [row for row in wanted if row[2] not in core]
        assert [row[2] for row in found] == [row[2] for row in wanted]
    finally:
        theirs.kill()


def test_trace_is_turned_on_and_off(make_kahu):
    server = make(make_kahu).start()
    assert ask(server).status == 200 and not traced(server)
    assert server.rpc("dbg.trace", "on") == "200 ok"
    assert ask(server).status == 200 and len(traced(server)) > 15
    place = re.search(r"request_route=\[SUB\] c=\[(\S+)\] l=(\d+) a=2 n=return", server.log())
    lines = server.config_file.read_text().splitlines()
    assert place[1] == str(server.config_file) and "return 5" in lines[int(place[2]) - 1]
    assert server.rpc("dbg.trace", "off") == "200 ok"
    before = len(traced(server))
    assert ask(server).status == 200 and len(traced(server)) == before


def test_breakpoints(make_kahu):
    server = make(make_kahu, core="worker_watchdog=4\n").start()
    udp = server.processes_titled("udp receiver")[0]
    with pytest.raises(Fault, match="No such pid"):
        server.rpc("dbg.bp", "on", 1)
    with pytest.raises(Fault, match="does not wait"):
        server.rpc("dbg.bp", "show", udp)
    server.rpc("dbg.bp", "on", udp)
    with server.udp() as client:
        client.send(request(uri=f"sip:bob@127.0.0.1:{server.plain_port}"))
        wait_until(lambda: structs(server.rpc("dbg.ls", udp))[0]["state"] == "1")
        row = re.findall(r"^\t(\S+): (\d+)", server.rpc("dbg.ls", udp), re.M)
        assert [name for name, _ in row] == ["entry", "pid", "set", "state", "in.pid", "in.cmd"] and dict(row)["set"] == "2"
        assert re.fullmatch(r"at bkp \[\S+:\d+\] a=63 n=assign", server.rpc("dbg.bp", "show", udp))
        assert server.rpc("dbg.bp", "move", udp) == "200 ok"
        wait_until(lambda: structs(server.rpc("dbg.ls", udp))[0]["state"] == "1")
        assert server.rpc("dbg.bp", "eval", udp, "$rm of $ci").startswith("$rm of $ci : t=str v=OPTIONS of ")
        assert server.rpc("dbg.bp", "eval", udp, "$var(a)") == "$var(a) : t=int v=1"
        assert "nosuch" in server.rpc("dbg.bp", "eval", udp, "$nosuch(x)")
        assert server.rpc("dbg.bp", "log", udp, "$rU") == "200 ok"
        assert re.search(r"exec|ERROR: breakpoint eval: \$rU : t=str v=bob", server.log())
        time.sleep(5.5)  # the watchdog lets a process stand at a breakpoint
        assert server.rpc("dbg.bp", "next", udp).startswith("exec [")
        assert server.rpc("dbg.bp", "release", udp) == "200 ok"
        assert client.receive().status == 200
    assert server.processes_titled("udp receiver") == [udp]


def test_stop_ends_by_itself_and_with_the_process(make_kahu):
    params = 'modparam("debugger", "step_usleep", 10000)\nmodparam("debugger", "step_loops", 2)\nmodparam("debugger", "breakpoint", 1)\n'
    server = make(make_kahu, params).start()
    assert ask(server).status == 200  # slowly
    assert server.log().count("debugger.stopped") > 15


def test_levels_of_modules(make_kahu):
    params = 'modparam("debugger", "mod_level_mode", 1)\nmodparam("debugger", "mod_level", "tm=3")\n'
    server = make(make_kahu, params).start()
    assert server.rpc("dbg.get_mod_level", "tm") == "3" and server.rpc("dbg.get_mod_level", "core") == "2"
    assert server.rpc("dbg.set_mod_level", "core", 0) == "200 ok"
    before = len(re.findall(r"(?:INFO|NOTICE): cfg\.", server.log()))
    server.rpc("cfg.set_now_int", "tm", "fr_timer", 7000)
    assert len(re.findall(r"(?:INFO|NOTICE): cfg\.", server.log())) == before, "the core is to be quiet"
    assert server.rpc("dbg.set_mod_facility", "tm", "LOG_LOCAL2") == "200 ok"
    assert server.rpc("dbg.get_mod_facility", "tm") == "LOG_LOCAL2"
    for wrong in (("dbg.set_mod_facility", "tm", "zzz"), ("dbg.set_mod_level", "tm", 9), ("dbg.set_mod_level", "tm"), ("dbg.get_mod_level",)):
        with pytest.raises(Fault):
            server.rpc(*wrong)


def test_dumps(make_kahu):
    server = make(make_kahu).start()
    assert ask(server).status == 200
    log = server.log()
    dump = re.search(r"debugger\.variables (\{.*\})", log)[1]
    for part in ('"$var(a)":3', '"$var(b)":"xbob"', '"$avp(q)":[2,"v"]', '"$xavp(z)":[{"y":[4]}]'):
        assert part in dump
    message = log[log.index("START OF SIP message debug"):log.index("END OF SIP message debug")]
    assert "- X-A: 1\n" in message and "+ X-B: 2\n" in message and "\nX-B: 2\n" in message.replace("\r", "")


def test_message_numbers_begin_anew(make_kahu):
    server = make(make_kahu).start()
    assert [ask(server).reason for _ in range(3)] == ["1", "2", "3"]
    assert server.rpc("dbg.reset_msgid") == "200 ok"
    assert [ask(server).reason for _ in range(2)] == ["1", "2"]
