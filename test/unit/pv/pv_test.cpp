#include <unistd.h>

#include <ctime>

#include "core/modules/pv/module.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

std::string with_pv(const std::string& statements, std::string_view message = "") {
    return logged(statements, message, {&pv::kModule});
}

TEST(Pv, KnowsTheTime) {
    const auto now = static_cast<long>(::time(nullptr));
    EXPECT_NEAR(std::stol(with_pv("log(\"$Ts\");")), now, 2);
    EXPECT_NEAR(std::stol(with_pv("log(\"$TV(s)\");")), now, 2);
    EXPECT_EQ(with_pv("log(\"$utimef(%Y)\");").size(), 4u);
    EXPECT_EQ(with_pv("log(\"$time(year)\");"), with_pv("log(\"$timef(%Y)\");"));
    EXPECT_FALSE(with_pv("log(\"$Tf\");").empty());
}

TEST(Pv, KnowsTheProcess) {
    EXPECT_EQ(with_pv("log(\"$pp\");"), std::to_string(::getpid()));
    ASSERT_EQ(::setenv("KAHU_PV_TEST", "here", 1), 0);
    EXPECT_EQ(with_pv("log(\"$env(KAHU_PV_TEST) $env(KAHU_NOT_SET)\");"), "here <null>");
}

TEST(Pv, ReadsCredentials) {
    const std::string message =
        request("REGISTER", "sip:example.com",
                "Authorization: Digest username=\"alice@x\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", "
                "response=\"00000000000000000000000000000000\", algorithm=MD5\r\n");
    EXPECT_EQ(with_pv("log(\"$au $aU $ar $adu $aa $adn\");", message), "alice@x alice r sip:x MD5 n");
    EXPECT_EQ(with_pv("log(\"$au\");"), "<null>");
}

TEST(Pv, AsksForTypes) {
    EXPECT_EQ(with_pv("if (pv_isset(\"$avp(x)\")) log(\"set\"); else log(\"unset\");"), "unset");
    EXPECT_EQ(with_pv("$avp(x) = \"\"; if (pv_isset(\"$avp(x)\") && !not_empty(\"$avp(x)\")) log(\"empty\");"),
              "empty");
    EXPECT_EQ(with_pv("$var(x) = \"12\"; if (is_int(\"$var(x)\") && typeof(\"$var(x)\", \"str\")) log(\"both\");"),
              "both");
}

TEST(Pv, ColoursAndVersion) {
    EXPECT_EQ(with_pv("log(\"$C(gx)x$C(xx)\");"), "\033[0;32mx\033[0m");
    EXPECT_EQ(with_pv("log(\"$version(num)\");"), KAHU_VERSION);
    Script script("request_route { log(\"$C(zz)\"); }", {&pv::kModule});
    EXPECT_NE(script.found.text().find("$C(zz) is not known"), std::string::npos) << script.found.text();
}

TEST(Pv, RowsAreWellFormed) { EXPECT_TRUE(well_formed(pv::kModule)); }

}  // namespace
}  // namespace kahu::script::test
