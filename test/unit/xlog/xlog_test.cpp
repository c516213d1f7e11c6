#include <syslog.h>

#include "core/modules/maxfwd/module.h"
#include "core/modules/pv/module.h"
#include "core/modules/siputils/module.h"
#include "core/modules/sl/module.h"
#include "core/modules/textops/module.h"
#include "core/modules/xlog/module.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

log::Level g_level;
std::string g_line;
size_t g_lines = 0;
int g_line_facility = -1;
void record(log::Level level, std::string_view line, int facility) {
    g_level = level, g_line = line, ++g_lines, g_line_facility = facility;
}

struct Case {
    const char* name;
    const char* call;
    log::Level level;
    const char* line;
};
constexpr Case kCases[] = {
    {"plain", "xlog(\"call from $fU to $rU\\n\")", log::Level::error, "<script>: call from alice to bob"},
    {"level_text", "xlog(\"L_INFO\", \"x\")", log::Level::info, "<script>: x"},
    {"level_word", "xlog(L_WARN, \"x\")", log::Level::warn, "<script>: x"},
    {"level_number", "xlog(\"1\", \"x\")", log::Level::notice, "<script>: x"},
    {"level_variable", "xlog(\"$var(l)\", \"x\")", log::Level::info, "<script>: x"},
    {"facility", "xlog(\"LOG_LOCAL0\", \"L_ALERT\", \"x\")", log::Level::alert, "<script>: x"},
    {"xdbg", "xdbg(\"$rm\")", log::Level::debug, "<script>: OPTIONS"},
    {"xinfo", "xinfo(\"x\")", log::Level::info, "<script>: x"},
    {"xnotice", "xnotice(\"x\")", log::Level::notice, "<script>: x"},
    {"xwarn", "xwarn(\"x\")", log::Level::warn, "<script>: x"},
    {"xerr", "xerr(\"x\")", log::Level::error, "<script>: x"},
    {"xcrit", "xcrit(\"x\")", log::Level::critical, "<script>: x"},
    {"xalert", "xalert(\"x\")", log::Level::alert, "<script>: x"},
    {"null", "xlog(\"$hdr(Nope)\")", log::Level::error, "<script>: <null>"},
    {"dollar", "xlog(\"5$$\")", log::Level::error, "<script>: 5$"},
};
class Lines : public testing::TestWithParam<Case> {};
TEST_P(Lines, AreWritten) {
    Script script(std::string("request_route { $var(l) = 2; ") + GetParam().call + "; }", {&xlog::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    set_script_log_sink(record);
    g_line.clear();
    script.send(request());
    EXPECT_EQ(g_line, GetParam().line);
    EXPECT_EQ(g_level, GetParam().level);
}
INSTANTIATE_TEST_SUITE_P(Xlog, Lines, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Xlog, LevelsThatAreOffCostNothing) {
    Script script("request_route { xdbg(\"x\"); xlog(\"L_DBG\", \"x\"); xlog(\"L_ERR\", \"x\"); }", {&xlog::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    set_script_log_sink(record);
    log::set_level(log::Level::warn);
    g_lines = 0;
    script.send(request());
    EXPECT_EQ(g_lines, 1u);
}

TEST(Xlog, RefusesAnUnknownLevel) {
    Script script("request_route { xlog(\"L_LOUD\", \"x\"); }", {&xlog::kModule});
    EXPECT_NE(script.found.text().find("\"L_LOUD\" is not a log level"), std::string::npos) << script.found.text();
}

TEST(Xlog, RefusesAnUnknownFacility) {
    Script script("request_route { xlog(\"LOG_LOUD\", \"L_ERR\", \"x\"); }", {&xlog::kModule});
    EXPECT_NE(script.found.text().find("\"LOG_LOUD\" is not a syslog facility"), std::string::npos)
        << script.found.text();
}

void give(std::string_view name, const ParamValue& value) {
    for (const Param& param : xlog::kModule.params)
        if (param.name == name) {
            ASSERT_TRUE(apply(param, value));
        }
}

TEST(Xlog, LinesHaveTheFacilityOfTheCallOrOfTheModule) {
    Script script(
        "request_route { $var(f) = \"LOG_LOCAL2\"; if ($rm == \"INVITE\") xlog(\"LOG_LOCAL1\", \"L_ERR\", \"x\");"
        "else if ($rm == \"INFO\") xlog(\"$var(f)\", \"L_ERR\", \"x\"); else xerr(\"x\"); }",
        {&xlog::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    set_script_log_sink(record);
    script.send(request("OPTIONS"));
    EXPECT_EQ(g_line_facility, -1);
    give("log_facility", std::string("LOG_LOCAL0"));
    script.send(request("OPTIONS"));
    EXPECT_EQ(g_line_facility, LOG_LOCAL0);
    script.send(request("INVITE"));
    EXPECT_EQ(g_line_facility, LOG_LOCAL1);
    script.send(request("INFO"));
    EXPECT_EQ(g_line_facility, LOG_LOCAL2);
    give("log_facility", std::string("LOG_DAEMON"));
}

TEST(Xlog, MethodsAreFiltered) {
    Script script("request_route { xlogm(\"L_ERR\", \"x\"); }", {&xlog::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    set_script_log_sink(record);
    const auto lines = [&](std::string_view method) {
        g_lines = 0;
        script.send(request(method));
        return g_lines;
    };
    for (const char* method : {"INVITE", "OPTIONS", "FOO"}) EXPECT_EQ(lines(method), 0u) << method;
    give("methods_filter", int64_t{512 + 32});
    EXPECT_EQ(lines("OPTIONS") + lines("REGISTER"), 0u);
    for (const char* method : {"INVITE", "PUBLISH", "FOO"}) EXPECT_EQ(lines(method), 1u) << method;
    give("methods_filter", int64_t{-1});
}

TEST(Xlog, ThePrefixMayHoldVariables) {
    give("prefix", std::string("[$rm] "));
    give("prefix_mode", int64_t{1});
    ASSERT_TRUE(xlog::kModule.hooks.check());
    Script script("request_route { xerr(\"x\"); }", {&xlog::kModule});
    set_script_log_sink(record);
    script.send(request("OPTIONS"));
    EXPECT_EQ(g_line, "[OPTIONS] x");
    give("prefix", std::string("[$nothing] "));
    EXPECT_FALSE(xlog::kModule.hooks.check());
    give("prefix_mode", int64_t{0});
    give("prefix", std::string("<script>: "));
    ASSERT_TRUE(xlog::kModule.hooks.check());
}

TEST(Xlog, RowsAreWellFormed) { EXPECT_TRUE(well_formed(xlog::kModule)); }

// The configuration that servers are compared with, profile STATELESS, and the quick start of the TLS manual.
constexpr std::string_view kStateless = R"(#!KAMAILIO
request_route {
#!ifdef STATELESS
	if (is_method("OPTIONS|REGISTER")) {
		sl_send_reply("200", "OK");
		exit;
	}
	if (is_method("ACK")) exit;
	sl_send_reply("405", "Method Not Allowed");
	exit;
#!endif
}
)";
TEST(CompareConfig, AnswersStatelessly) {
    const std::string text = "#!define STATELESS\n" + std::string(kStateless.substr(kStateless.find('\n') + 1));
    Script script(text, {&pv::kModule, &sl::kModule, &maxfwd::kModule, &siputils::kModule, &textops::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request("OPTIONS")).first_line(), "SIP/2.0 200 OK");
    EXPECT_EQ(script.send(request("REGISTER")).first_line(), "SIP/2.0 200 OK");
    EXPECT_EQ(script.send(request("INVITE")).first_line(), "SIP/2.0 405 Method Not Allowed");
    EXPECT_TRUE(script.send(request("ACK")).replies.empty());
}

TEST(QuickStart, TakesTlsOnly) {
    Script script(
        "enable_tls=yes\nrequest_route {\n\tif(proto != TLS) {\n\t\tsl_send_reply(\"403\", \"Accepting TLS Only\");\n"
        "\t\texit;\n\t}\n\tsl_send_reply(\"200\", \"OK\");\n}\n",
        {&sl::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request()).first_line(), "SIP/2.0 403 Accepting TLS Only");
    EXPECT_EQ(script.send(request(), from("10.1.2.3", Transport::tls)).first_line(), "SIP/2.0 200 OK");
}

}  // namespace
}  // namespace kahu::script::test
