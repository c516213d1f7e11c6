// Whole configurations: Kamailio's own where it is installed, one of ours that uses the same constructs, and every
// beginning of it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <set>

#include "test/unit/config/parsing.h"

namespace kahu::config {
namespace {

// The constructs of a usual edge-and-registrar configuration, in our own words.
constexpr std::string_view kOwn = R"cfg(#!KAMAILIO
# An edge proxy with registrar.
#!ifdef NOTES
  This text is never read: it's "free ( { /* prose
#!endif
import_file "local.cfg"
#!ifdef WITH_DEBUG
#!define LEVEL 3
#!else
#!define LEVEL 2
#!endif
#!trydef DBPATH "sqlite:///var/lib/x.db"
#!define FLT_ONE 1
#!define FLB_TWO 6
#!substdef "!MY_IP!127.0.0.1!g"

debug=LEVEL
log_stderror=no
log_facility=LOG_LOCAL0   /* a word */
log_prefix="{$mt $hdr(CSeq) $ci} "
children=8
listen=udp:MY_IP:5060
listen=tls:MY_IP:5061 advertise "sip.example.com":5061 name "edge"
alias="sip.example.com"
tcp_connection_lifetime=3605
enable_tls=yes
gateway.ip = "" desc "Address of the gateway"
gateway.port = 5060 desc "Its port"

mpath="/usr/lib/x/modules/"
loadmodule "pv.so"
loadmodule "tm.so"
#!ifdef MOD_tm
loadmodule "sl.so"
#!endif
modparam("tm", "fr_timer", 30000)
modparam("auth_db", "calculate_ha1", yes)
modparam("one|two", "received_avp", "$avp(RECEIVED)")
modparam("acc", "log_extra",
	"src_user=$fU;src_domain=$fd;"
	"dst_user=$rU")
modparam("store", "db_url", DBPATH)

request_route {
	route(FIRST);
	if (is_method("CANCEL")) {
		if (t_check_trans()) route(RELAY);
		exit;
	}
	if (!is_method("ACK")) { t_check_trans(); }
	if (is_method("OPTIONS") && uri==myself && $rU==$null) {
		sl_send_reply("200","Keepalive");
		exit;
	}
	if ($ua =~ "friendly|scanner") exit;
	setflag(FLT_ONE); # a define
	$avp(old) = $rU;
	if (!lookup("location")) {
		$var(rc) = $rc;
		switch ($var(rc)) {
			case -1:
			case -3:
				send_reply("404", "Not Found");
				exit;
			case -2:
				send_reply("405", "Method Not Allowed");
				exit;
		}
	}
	if (strempty($sel(cfg_get.gateway.ip))) {
		xlog("L_WARN", "no gateway for $ru (from $si:$sp)\n");
		return;
	}
	if(!($rU=~"^(\+|00)[1-9][0-9]{3,20}$")) return;
	$ru = "sip:" + $rU + "@" + $sel(cfg_get.gateway.ip) + ":"
			+ $sel(cfg_get.gateway.port);
	while ($var(i) < 3) $var(i) = $var(i) + 1;
	route(RELAY);
}
route[FIRST] {
	force_rport();
#!ifdef WITH_BAN
	if(src_ip!=myself) {
		if($sht(ban=>$si)!=$null) { exit; }
		$sht(ban=>$si) = 1;
	}
#!endif
	if (!mf_process_maxfwd_header("10")) {
		sl_send_reply("483","Too Many Hops");
		exit;
	} else if (from_uri!=myself && uri!=myself) {
		return -1;
	} else
		append_hf("P-Hint: outbound\r\n");
	return 1;
}
route[RELAY] {
	if (is_method("INVITE")) {
		if(!t_is_set("failure_route")) t_on_failure("FAILED");
	}
	if (!t_relay()) { sl_reply_error(); }
	exit;
}
branch_route[BRANCH] { xdbg("new branch [$T_branch_idx] to $ru\n"); }
reply_route { if (status =~ "[12][0-9][0-9]") drop; }
onreply_route[REPLY] { if (isbflagset(FLB_TWO)) fix(); }
failure_route[FAILED] {
	if (t_check_status("486|408")) { $du = $null; }
}
event_route[xhttp:request] {
	if(src_ip!=127.0.0.1) { xhttp_reply("403", "Forbidden", "text/html", "<html>$si</html>"); }
}
)cfg";

TEST(WholeFile, OfOurOwnIsReadAndPrintedOnesReadTheSame) {
    for (const std::vector<std::string>& defines :
         std::vector<std::vector<std::string>>{{}, {"WITH_DEBUG", "WITH_BAN"}}) {
        ParseOptions options;
        options.defines = defines;
        const Parsed first = parsed(kOwn, options);
        ASSERT_TRUE(first.ast) << first.said;
        EXPECT_EQ(first.said, "");
        EXPECT_EQ(first.ast->routes.size(), 8u);
        EXPECT_EQ(first.ast->modules.size(), 3u);
        EXPECT_EQ(first.ast->sockets.at(1).advertise_host, "sip.example.com");
        EXPECT_EQ(parsed(first.text()).text(), first.text());
    }
}

TEST(WholeFile, EveryBeginningEndsWithAResult) {
    ParseOptions options;
    options.allow_files = false;
    for (size_t bytes = 0; bytes <= kOwn.size(); ++bytes) {
        const std::string exact(kOwn.substr(0, bytes));
        (void)parsed(exact, options);
    }
}

TEST(WholeFile, EveryFileWithAHoleEndsWithAResult) {
    ParseOptions options;
    options.allow_files = false;
    for (size_t at = 0; at + 7 < kOwn.size(); at += 3) {
        std::string holed(kOwn);
        holed.erase(at, 7);
        (void)parsed(holed, options);
    }
}

std::string read(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(WholeFile, KamailiosOwnIsReadWithEveryDefineAlonePairwiseAndTogether) {
    constexpr const char* kStock = "/etc/kamailio/kamailio.cfg";
    if (::access(kStock, R_OK) != 0) GTEST_SKIP() << "Debian's kamailio is not installed: no " << kStock;
    const std::string text = read(kStock);
    std::set<std::string> features;
    for (size_t at = text.find("WITH_"); at != text.npos; at = text.find("WITH_", at + 1)) {
        const size_t end = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", at);
        features.insert(text.substr(at, end - at));
    }
    ASSERT_GT(features.size(), 10u);
    std::vector<std::vector<std::string>> sets{{}, {features.begin(), features.end()}};
    for (const std::string& one : features)
        for (const std::string& other : features)
            if (one <= other) sets.push_back({one, other});
    for (const std::vector<std::string>& defines : sets) {
        ParseOptions options;
        options.defines = defines;
        Diagnostics diagnostics;
        const auto ast = parse_file(kStock, options, diagnostics);
        ASSERT_TRUE(ast) << diagnostics.text() << " with " << (defines.empty() ? "nothing" : defines.front() + " ...");
        EXPECT_EQ(diagnostics.text(), "");
        EXPECT_GE(ast->routes.size(), 17u);
        EXPECT_EQ(ast->script_type, ScriptType::kamailio);
    }
}

}  // namespace
}  // namespace kahu::config
