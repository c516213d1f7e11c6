"""
Each RPC method of Debian's kamailio.cfg, asked of Debian's Kamailio and of Kahu through Debian's kamcmd: the same names in
the same order, values of the same type, the same faults.

Lists whose length is the server's own (LISTS) are compared by the kinds of entries in them. Other on purpose: core.psx has
two more fields; mod.stats, mod.mem_stats and shm.report show this server's memory; htable.reload and ul.add say more precisely what
is wrong.
"""
import re
from pathlib import Path

import pytest

from support.kahu import IS_KAMAILIO
from support.paths import KAMAILIO_MODULES
from support.rpc import Fault
from test_beside_kamailio import KAMAILIO, kamailio
from test_stock_config import STOCK, stock

pytestmark = [pytest.mark.skipif(not (STOCK.exists() and KAMAILIO.exists() and Path(KAMAILIO_MODULES, "tls.so").exists()),
                                 reason="Debian's packages kamailio and kamailio-tls-modules are not installed"),
              pytest.mark.skipif(IS_KAMAILIO, reason="would compare Kamailio with itself"), pytest.mark.kahu_only]

# What the file's modules offer on 5.6.3.
METHODS = """
cfg: add_group_inst commit del del_delayed del_group_inst diff get help list reset rollback set set_delayed
     set_delayed_int set_delayed_string set_now_int set_now_string seti sets
cnt: get get_raw get_vars grp_get_all grps_list help list_groups list_vars reset var_list
core: aliases_list arg echo flags info kill modules ppdefines ppdefines_full printi prints ps psa psx pwd runinfo
      shmmem sockets_list tcp_info tcp_list tcp_options udp4_raw_info uptime version
corex: debug list_aliases list_sockets pkg_summary shm_status shm_summary
ctl: connections listen who
dns: add_a add_aaaa add_srv debug debug_all delete_a delete_aaaa delete_all delete_all_force delete_cname delete_ebl
     delete_naptr delete_ptr delete_srv delete_txt lookup mem_info view
dst_blocklist: add debug delete_all mem_info view
jsonrpc: echo
mod: mem_stats mem_statsx stats
pkg: info stats
pv: shvGet shvSet
shm: info report stats
sl: stats
stats: clear_statistics fetch fetchn get_statistics reset_statistics
system: listMethods methodHelp methodSignature
tls: info list options reload
tm: cancel clean hash_stats list reply reply_callid stats t_uac_start t_uac_wait t_uac_wait_block
ul: add db_contacts db_expired_contacts db_users dump flush lookup rm rm_contact
"""

# In this order: some look at what those before them did.
CALLS = """
cfg.add_group_inst
cfg.add_group_inst tm
cfg.add_group_inst tm 1
cfg.del_group_inst tm 1
cfg.commit
cfg.commit 1
cfg.del
cfg.del tm fr_timer
cfg.del_delayed
cfg.del_delayed tm fr_timer
cfg.set_delayed core debug 3
cfg.set_delayed_int core debug 3
cfg.diff
cfg.diff 1
cfg.get
cfg.get core debug
cfg.get nosuch x
cfg.get core nosuch
cfg.del x
cfg.del_delayed x
cfg.help
cfg.help x
cfg.help core
cfg.help core nosuch
cfg.list nosuch
cfg.reset
cfg.rollback
cfg.rollback 1
cfg.set
cfg.set core debug
cfg.set_delayed core debug
cfg.set core debug 3
cfg.set core debug x
cfg.set_delayed
cfg.set_delayed_int
cfg.set_delayed_string
cfg.set_now_int
cfg.set_now_int core
cfg.set_now_int core debug
cfg.set_now_int core debug abc
cfg.set_now_int core debug 3
cfg.set_now_int core nosuch 3
cfg.set_now_string
cfg.set_now_string core nosuch x
cfg.seti
cfg.sets
cfg.seti core debug 3
cnt.get
cnt.get sl
cnt.get core nosuch
cnt.get core rcv_requests
cnt.get nosuch nosuch
cnt.get_raw
cnt.get_raw core
cnt.get_raw core rcv_requests
cnt.get_vars
cnt.get_vars sl
cnt.get_vars nosuch
cnt.grp_get_all sl
cnt.help core rcv_requests
cnt.help core
cnt.list_vars
cnt.list_vars sl
cnt.list_vars nosuch
cnt.reset
cnt.reset core rcv_requests
cnt.reset core nosuch
cnt.var_list sl
core.echo
core.echo a 1
core.flags
core.info
core.kill 0
core.modules
core.printi
core.printi 5
core.printi x
core.prints
core.prints x
core.pwd
core.runinfo
core.shmmem
core.shmmem k
core.shmmem zz
core.sockets_list
core.tcp_info
core.tcp_list
core.tcp_options
core.udp4_raw_info
core.uptime
core.version
corex.debug
corex.debug 3
corex.list_sockets
corex.pkg_summary idx 1
corex.pkg_summary zz 1
corex.shm_status
corex.shm_summary
ctl.connections
ctl.listen
ctl.who
dns.add_a
dns.add_a x.example
dns.add_a x.example 60 1.2.3.4 0
dns.add_a x.example 60 1.2.3.5 0
dns.add_a bad.example 60 1.2.3.x 0
dns.add_a bad.example 60 1.2.3.4
dns.lookup A x.example
dns.view
dns.debug
dns.debug_all
dns.delete_a x.example
dns.add_a none.example 60 1.2.3.4 1
dns.lookup A none.example
dns.view
dns.debug
dns.delete_all
dns.add_a always.example 60 1.2.3.4 2
dns.delete_all
dns.view
dns.delete_all_force
dns.view
dns.add_aaaa y.example 60 ::1 0
dns.add_aaaa y.example 60 1.2.3.4 0
dns.view
dns.debug_all
dns.delete_aaaa y.example
dns.delete_aaaa y.example
dns.add_srv _sip._udp.example 60 1 2 5060 y.example 0
dns.add_srv _sip._udp.example 60 1 2
dns.lookup srv _sip._udp.example
dns.debug_all
dns.delete_srv _sip._udp.example
dns.delete_srv _sip._udp.example
dns.lookup
dns.lookup A
dns.lookup XX
dns.lookup XX y.example
dns.mem_info
dns.delete_a
dns.delete_cname z
dns.delete_ebl z
dns.delete_naptr z
dns.delete_ptr z
dns.delete_txt z
dst_blocklist.add
dst_blocklist.debug
dst_blocklist.delete_all
dst_blocklist.mem_info
dst_blocklist.view
jsonrpc.echo
jsonrpc.echo a
mod.mem_stats
mod.mem_statsx
mod.stats
pkg.info
pkg.stats pid 1
pkg.stats zz 1
pv.shvGet
pv.shvGet nosuch
pv.shvSet
pv.shvSet x
pv.shvSet x int 5
pv.shvSet x zz 5
pv.shvGet x
pv.shvSet y str text
pv.shvGet y
shm.info
shm.stats
sl.stats
stats.clear_statistics
stats.clear_statistics sl:
stats.fetch
stats.fetch nosuch
stats.fetch sl:
stats.fetchn sl:
stats.fetchn
stats.get_statistics
stats.get_statistics nosuch
stats.get_statistics sl:
stats.get_statistics failed_dns_request slow_dns_request
stats.get_statistics shmem:
stats.get_statistics usrloc:
stats.get_statistics registrar:
stats.reset_statistics
stats.reset_statistics sl:
system.methodHelp
system.methodHelp nosuch
system.methodHelp core.ps
tls.info
tls.list
tls.options
tls.reload
tm.stats
tm.list
tm.clean
tm.cancel
tm.cancel nobody
tm.cancel nobody s:1
tm.cancel nobody x
tm.reply
tm.reply 404
tm.reply x
tm.reply 404 No
tm.reply 404 No 1:2 tag .
tm.reply_callid
tm.reply_callid 404
tm.reply_callid x
tm.reply_callid 404 No
tm.reply_callid 404 No nobody s:1 tag .
tm.t_uac_start
tm.t_uac_start OPTIONS
tm.t_uac_start OPTIONS xx . . From:x
tm.t_uac_wait_block
ul.db_contacts location
ul.db_expired_contacts location
ul.db_users location
ul.db_users
ul.db_contacts nosuch
ul.add
ul.add location bob
ul.lookup
ul.lookup location
ul.rm
ul.rm location
ul.rm_contact
ul.rm_contact location bob
ul.add nosuch bob@x sip:bob@1.2.3.4 60 1.0 - 0 0 0
ul.lookup location nobody
ul.add location bob sip:bob@1.2.3.4 60 1.0 . 0 0 0
ul.lookup location bob
ul.dump
ul.dump brief
ul.rm_contact location bob sip:bob@1.2.3.4
ul.lookup nosuch nobody
ul.dump
ul.dump brief
ul.add location carol sip:carol@127.0.0.1:9 0 1.0 . 0 0 1
ul.lookup location carol
ul.dump
ul.dump full
ul.dump brief
ul.rm_contact location carol sip:nope
ul.rm_contact location nobody sip:nope
ul.rm_contact location carol sip:carol@127.0.0.1:9
ul.lookup location carol
ul.rm location nobody
ul.flush
ul.rm nosuch nobody
pike.list
pike.top
htable.dump
htable.dump ipban
htable.dump nosuch
htable.get ipban
htable.get ipban k
htable.get nosuch k
htable.sets ipban k v
htable.seti ipban i 5
htable.get ipban k
htable.get ipban i
htable.setex ipban k 60
htable.setxi ipban kk 3 60
htable.setxs ipban kx v 60
htable.delete ipban k
htable.delete ipban k
htable.delete nosuch k
htable.sets
htable.seti
htable.listTables
htable.stats
htable.reload ipban
htable.store ipban
htable.flush
htable.flush ipban
htable.flush nosuch
dbg.trace
dbg.trace x
dbg.bp
dbg.bp x
dbg.bp show
dbg.get_mod_level
dbg.set_mod_level tm
dbg.set_mod_facility tm zzz
dbg.reset_msgid
"""

# As many entries as the server has: each entry looks like one of Kamailio's.
LISTS = """
cfg.list
cnt.grps_list
cnt.list_groups
core.aliases_list
core.arg
core.ppdefines
core.ppdefines_full
core.ps
core.psa
corex.list_aliases
dbg.ls
pkg.stats
stats.fetch all
stats.fetchn all
stats.get_statistics all
system.listMethods
"""
# Kamailio 5.6.3 does not do it (system.methodSignature, tm.hash_stats), or asks in other words.
OWN = """
system.methodSignature core.ps
tm.cancel nocall 1
tm.clean
tm.hash_stats
tm.reply 200 OK 1:1 tag . .
tm.reply_callid 200 OK nocall 1 tag . .
tm.t_uac_wait
"""
# This server's answer has fields of its own behind these.
BEGINNINGS = {
    "core.psx": ["IDX: number", "PID: number", "DSC: text"],
    "mod.mem_stats core shm": ["Module: text"],
    "mod.mem_statsx core shm": ["Module: text"],
    "mod.stats core shm": ["Module: text"],
    "shm.report": ["total_size: number", "free_size_s: number", "used_size_s: number", "real_used_s: number", "max_used_s: number",
                   "free_frags: number", "used_frags: number", "total_frags: number"],
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory, certificates):
    made = []
    try:
        for kind in (kamailio, stock):
            made.append(kind(tmp_path_factory.mktemp(kind.__name__), certificates, "WITH_ANTIFLOOD", "WITH_DEBUG"))
            made[-1].start()
        yield made
        made[1].finish()
    finally:
        for server in made:
            server.kill()


def methods():
    return {f"{group}.{method}" for group, names in re.findall(r"^(\w+):((?:.|\n )*)", METHODS, re.M)
            for method in names.split()}


def kind_of(text):
    return "number" if re.fullmatch(r"-?\d+(\.\d+)?", text) else text if text in ("{", "}", "") else "text"


def shape(server, call):
    """What it answers without the values; a fault's code and (as far as Kamailio's goes) reason."""
    try:
        lines = server.rpc(*call.split()).splitlines()
    except Fault as fault:
        return f"{fault.code} {fault.reason}"
    found = [re.fullmatch(r"(\s*)([^\s:][^:]*):( .*)?|(.*)", line) for line in lines]
    return [f"{m[1]}{m[2]}: {kind_of((m[3] or '').strip())}" if m[2] else kind_of(m[4].strip()) for m in found]


def test_every_method_is_there(servers):
    wanted = methods()
    theirs, ours = (set(server.rpc("system.listMethods").split()) for server in servers)
    assert wanted <= theirs, "the list above names what Kamailio does not have"
    assert not wanted - ours


@pytest.mark.parametrize("call", CALLS.strip().splitlines())
def test_same_shape(servers, call):
    theirs, ours = (shape(server, call) for server in servers)
    if isinstance(theirs, str):  # Kahu's fault may say more
        assert isinstance(ours, str) and ours.startswith(theirs), ours
    else:
        assert ours == theirs


def entries(shaped):
    """Each kind of entry once; the names in front of values stand for themselves only inside of structures."""
    text = "\n".join(shaped)
    blocks = re.findall(r"^\{\n(?:.*\n)*?\}", text, re.M)
    if not blocks:
        return set(shaped)
    lines = [re.findall(r"^\s+.*", block, re.M) for block in blocks]
    return {line for block in lines for line in block}


@pytest.mark.parametrize("call", LISTS.strip().splitlines())
def test_same_entries(servers, call):
    theirs, ours = (shape(server, call) for server in servers)
    assert isinstance(theirs, list) and isinstance(ours, list) and theirs and ours, (theirs, ours)
    if call.split()[0] in ("core.ppdefines_full", "core.arg"):  # a value is a number where it looks like one
        theirs, ours = ([re.sub("(: |^)number$", r"\1text", line) for line in found] for found in (theirs, ours))
    wanted, found = entries(theirs), entries(ours)
    if call.startswith(("stats.fetch", "cfg.list")):  # names: this server has more
        assert not (wanted if call.startswith("stats") else set()) - found
        wanted, found = ({line.split(": ")[1] for line in lines} for lines in (wanted, found))
    assert found == wanted


@pytest.mark.parametrize("call", BEGINNINGS)
def test_same_beginning(servers, call):
    for server in servers:
        found = [line.strip() for line in shape(server, call) if line.strip("\t{}")]
        assert found[:len(BEGINNINGS[call])] == BEGINNINGS[call]


@pytest.mark.parametrize("call", OWN.strip().splitlines())
def test_answered_here(servers, call):
    answer = shape(servers[1], call)
    assert answer != [] or call == "tm.clean"
    assert not re.match("500 command .* not found", str(answer)), answer


def test_every_method_is_asked():
    asked = {call.split()[0] for call in (CALLS + LISTS + OWN).splitlines() + list(BEGINNINGS) if call}
    assert methods() - asked == set()


def test_statistics_have_kamailio_s_names(servers):
    theirs, ours = (set(re.findall(r"^(\S+) =", server.rpc("stats.get_statistics", "all"), re.M)) for server in servers)
    assert not theirs - ours
