"""Routing scripts of random statements: every function that reads or changes a message, over random variables.

No operator writes such a script; but whatever a script does with whatever arrives, the server must live on.
"""
import random
import re

MODULES = ("ctl pv sl tm tmx rr maxfwd usrloc registrar textops textopsx siputils xlog sanity corex kex htable acc auth pike path dlgs "
           "counters outbound").split()
ROUTES = 40
HEADERS = ("Via Contact Route From To Subject Content-Type Record-Route P-Asserted-Identity Path Diversion Supported Require Expires "
           "CSeq Privacy X-A").split()
PATTERNS = ["a", ".", "[0-9]+", "^S", "(.*)@(.*)", "sip:([^@]*)@", "$", "x*", "\\\\r\\\\n", "^[A-Z][^:]*:"]
VARIABLES = """
    $AU $Au $adu $aa $ad $ai $ar $au $aU $branch(uri) $branch(q) $br $bs $ci $cl $conid $cs $csb $ct $cT $dd $di $dip $dir $dp $ds $du
    $expires(min) $expires(max) $fd $fn $fs $ft $fti $fu $fU $fUl $hdrc(Via) $hdr(Via) $hdr(Contact) $(hdr(Route)[-1]) $(hdr(Via)[*])
    $hfl(Via) $(hfl(Contact)[1]) $(hfl(Route)[-1]) $hflc(Contact) $mb $mbu $mf $mi $ml $msg(len) $msg(buf) $msg(body) $msg(hdrs) $msg(fline)
    $msg(lpart) $msg(fpart) $mt $oP $oU $od $op $ou $pU $pd $pn $pp $pr $pu $prid $rb $rc $rd $re $rm $route_uri $rp $rP $rr $rs $rt $ru $rU
    $rUl $rz $Rp $Ru $su $sut $si $sid $sp $sas $td $tn $tt $tti $tu $tU $ua $via0(host) $via0(branch) $via0(params) $via0(received)
    $via1(host) $via1(param/rport) $viaZ(hostport) $T_req($ru) $T_branch(uri) $T_inv($fu) $sel(contact.uri) $sel(via[-1].host)
    $sel(to.params) $sel(from.uri.user) $sel(cseq.num) $rcv(srcip) $msgbuf(abs/0) $pcv(all) $pcv(value) $cnt($hdr(Via)) $ccp(callid)
    """.split()
TRANSFORMATIONS = {
    "s": """len int md5 escape.common unescape.common escape.user unescape.user escape.param unescape.param encode.hexa decode.hexa
         substr,1,4 substr,-3,0 substr,99999,1 select,1,; select,-1,: strip,2 striptail,1 strip,99999 numeric tolower toupper trim ltrim
         rtrim rm,a rmws replace,a,bb prefixes prefixes.quot,4 after,@ before,: rafter,. rbefore,. fmlines,4,2 rmhdws rmhlws
         encode.base64 decode.base64 encode.base64url decode.base64url encode.base58 decode.base58 encode.7bit decode.7bit corehash,16
         sha256 sha384 sha512 unquote unbracket count,a urlencode.param urldecode.param""",
    "uri": "user host port passwd params param,lr headers transport ttl maddr method lr r2 scheme tosocket duri saor suri rmuser",
    "param": "value,lr valueat,0 valueat,-1 name,1 count value,tag,; in,lr value,expires",
    "nameaddr": "name uri len", "tobody": "uri tag params display user host", "line": "count at,0 at,-1 sw,Via",
    "urialias": "encode decode", "sock": "host port proto touri", "val": "json n0 ne",
}
# {p} a pattern, {h} a header, {t} a text with variables, {v} one with a transformation, {n} a number; CALLEE: who may be called.
STATEMENTS = r"""
    search("{p}");
    search_body("{p}");
    search_hf("{h}", "{p}");
    subst("/{p}/x$fU/g");
    subst_uri("/^sip:([^@]*)@(.*)$/sip:x\\1@\\2/i");
    subst_user("/(.*)/\\1\\1/");
    subst_hf("{h}", "/[^:]+/z/g", "a");
    subst_body("/{p}/bb/g");
    remove_hf("{h}");
    remove_hf_re("^[CP]");
    remove_hf_exp("^[A-Z]", "Via|From|To|Call-ID|CSeq");
    keep_hf("Contact|Route");
    append_hf("X-A: {t}\r\n");
    insert_hf("X-B: {v}\r\n", "{h}");
    is_privacy("id");
    is_audio_on_hold();
    filter_body("application/sdp");
    set_body("{t}", "text/plain");
    set_body_multipart();
    append_body_part("{t}", "text/plain");
    append_body_part_hex("313", "text/x");
    remove_body_part("application/sdp");
    get_body_part("application/sdp", "$var(part)");
    get_body_part_raw("text/plain", "$var(part)");
    remove_body();
    replace("{p}", "q");
    replace_all("a", "{t}");
    replace_hdrs("{p}", "q");
    replace_body_all("[a-z]", "Q");
    replace_hdrs_str("a", "bb", "a");
    search_append("{p}", "Z");
    msg_apply_changes();
    append_hf_value("{h}[{n}]", "{t}");
    insert_hf_value("{h}[-1]", "{t}");
    assign_hf_value("{h}.q", "{t}");
    assign_hf_value("{h}[1]", "{t}");
    remove_hf_value("{h}[*]");
    remove_hf_value("{h}.tag");
    remove_hf_value2("Diversion.reason");
    assign_hf_value2("Authorization.realm", "{t}");
    include_hf_value("Supported", "{t}");
    exclude_hf_value("Supported", "path");
    hf_iterator_start("i"); while (hf_iterator_next("i")) {{ if ($hfitname(i) =~ "^[CV]") {{ hf_iterator_rm("i"); }} }} hf_iterator_end("i");
    hf_iterator_start("i"); while (hf_iterator_next("i")) {{ hf_iterator_append("i", "X-I: $hfitbody(i)\r\n"); }} hf_iterator_end("i");
    bl_iterator_start("j"); while (bl_iterator_next("j")) {{ if ($blitval(j) =~ "^[mc]") {{ bl_iterator_rm("j"); }} }} bl_iterator_end("j");
    bl_iterator_start("j"); while (bl_iterator_next("j")) {{ bl_iterator_insert("j", "$blitval(j)"); }} bl_iterator_end("j");
    is_first_hop();
    is_uri("{t}");
    uri_param_any("x");
    uri_param_rm("transport");
    get_uri_param("transport", "$var(value)");
    add_uri_param("{v}");
    cmp_uri("$ru", "{t}");
    cmp_aor("$tu", "{t}");
    is_gruu();
    has_credentials("127.0.0.1");
    hdr_date_check("10");
    encode_contact("enc", "192.0.2.1");
    decode_contact();
    decode_contact_header();
    contact_param_encode("p", "sip:192.0.2.1");
    contact_param_decode("p");
    contact_param_decode_ruri("p");
    contact_param_rm("q");
    tel2sip("{t}", "example.org", "$var(uri)");
    set_uri_user("$var(uri)", "$rU");
    set_uri_host("$var(uri)", "$rd");
    append_rpid_hf();
    append_branch("sip:z@CALLEE");
    sanity_check("32767", "15");
    loose_route();
    record_route();
    add_rr_param(";a={n}");
    check_route_param("a");
    force_rport();
    prefix("9");
    strip({n});
    $ru = "sip:" + $fU + "@CALLEE";
    $rU = "{v}";
    $du = "sip:CALLEE";
    $tU = "{t}";
    $avp(a) = "{v}";
    $xavp(x=>y) = "{v}";
    $sht(seen=>$ci) = "{v}";
    $var(sum) = {n} + "{v}";
    if ("{v}" =~ "a.*b") {{ $var(found) = 1; }}
    xlog("L_INFO", "{t} {v} {v}\n");
    save("location", "0x02");
    lookup("location");
    registered("location", "$fu");
    reg_fetch_contacts("location", "$fu", "caller");
    unregister("location", "$fu");
    acc_log_request("x {t}");
    setflag(1); setflag(2); setflag(3);
    dlgs_init("$fu", "$tu", "{v}");
    dlgs_update();
    t_newtran();
    t_set_fr({n}00, {n}00);
    t_on_reply("R");
    t_on_branch("B");
    t_on_failure("F");
    pike_check_req();
    add_path();
    """.strip().splitlines()


def script(seed, callee):
    """The text of a configuration; @PLAIN@ and @DIR@ are left for support.kahu to fill in."""
    choose = random.Random(seed)

    def value():
        variable = choose.choice(VARIABLES)
        name = variable[2:-1] if variable.startswith("$(") else variable[1:]
        changes = ""
        for _ in range(choose.choice([1, 1, 2])):
            kind = choose.choice(list(TRANSFORMATIONS))
            changes += "{%s.%s}" % (kind, choose.choice(TRANSFORMATIONS[kind].split()))
        return f"$({name}{changes})"

    def statement():
        text = choose.choice(STATEMENTS).strip().replace("CALLEE", callee)
        blanks = re.compile(r"\{([phtvn])\}")
        made = {"p": lambda: choose.choice(PATTERNS), "h": lambda: choose.choice(HEADERS), "v": value,
                "t": lambda: choose.choice([*VARIABLES, "abc", "sip:a@b.c;x=y", ""]), "n": lambda: str(choose.randrange(1, 9))}
        return blanks.sub(lambda m: made[m[1]](), text).replace("{{", "{").replace("}}", "}")

    def route(head, last=""):
        return "\n".join([head + " {", *(statement() for _ in range(6)), last, "}", ""])

    lines = ["#!KAMAILIO", "debug=2", "log_stderror=yes", "children=2", "tcp_children=2", "auto_aliases=no", "dns=no",
             "listen=udp:127.0.0.1:@PLAIN@", "listen=tcp:127.0.0.1:@PLAIN@", *(f'loadmodule "{name}.so"' for name in MODULES),
             'modparam("ctl", "binrpc", "unix:@DIR@/ctl.sock")', 'modparam("htable", "htable", "seen=>size=8;autoexpire=5;")',
             'modparam("tm", "fr_timer", 1000)', 'modparam("tm", "fr_inv_timer", 2000)', 'modparam("registrar", "use_path", 1)',
             'modparam("acc", "log_flag", 1)', 'modparam("acc", "log_missed_flag", 2)', 'modparam("acc", "failed_transaction_flag", 3)',
             'modparam("acc", "log_extra", "a=$fu;b=$hdr(Contact);c=$ua")', 'modparam("pike", "reqs_density_per_unit", 1000000)',
             "request_route {", "$shv(n) = $shv(n) + 1;", 'if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Far"); exit; }',
             f"switch ($shv(n) mod {ROUTES}) {{", *(f"case {i}: route(X{i}); break;" for i in range(ROUTES)), "}",
             'if (is_method("REGISTER") && $shv(n) mod 3 == 0) { save("location"); exit; }',
             'if (has_totag() && loose_route()) { t_relay(); exit; }',
             'if (is_method("ACK|CANCEL")) { if (t_check_trans()) t_relay(); exit; }',
             'if ($shv(n) mod 5 == 0) { t_reply("404", "None"); exit; }', 'if ($shv(n) mod 7 == 0) { sl_send_reply("501", "No"); exit; }',
             "record_route();", f'if ($shv(n) mod 2 == 0) $du = "sip:{callee}";', "if (!t_relay()) sl_reply_error();", "exit;", "}", ""]
    again = f'if (t_check_status("486|503")) {{ append_branch("sip:again@{callee}"); t_relay(); exit; }}'
    return "\n".join(lines) + "".join(route(f"route[X{i}]") for i in range(ROUTES)) + "".join(
        [route("onreply_route[R]"), route("branch_route[B]"), route("failure_route[F]", again), route("reply_route")])


def without(text, refused):
    """The script without the lines of these numbers: what a route does not allow."""
    return "\n".join("" if number in refused else line for number, line in enumerate(text.split("\n"), 1))
