// test/unit/auth/auth_test.cpp -- challenges and answers to them, through a script.
#include "core/modules/auth/api.h"

#include <fmt/format.h>

#include "core/modules/auth/module.h"
#include "core/modules/auth/nonce.h"
#include "core/modules/auth/settings.h"
#include "core/modules/sl/module.h"
#include "test/unit/script/harness.h"

namespace kahu::auth {
namespace {

using script::test::Outcome;
using script::test::Script;

constexpr std::string_view kScript =
    "request_route { pv_www_authenticate(\"home\", \"secret\", 0); $var(r) = $rc; log(\"$var(r)\");\n"
    "if ($var(r) < 0) { www_challenge(\"home\", 1); exit; }\n"
    "if (consume_credentials()) log(\"consumed\"); }\n";

std::string value_of(std::string_view text, std::string_view mark, char until = '"') {
    const size_t at = text.find(mark);
    if (at == text.npos) return "";
    const size_t from = at + mark.size();
    return std::string(text.substr(from, text.find(until, from) - from));
}

struct Answer {
    std::string nonce;
    std::string user = "bob", realm = "home", password = "secret", nc = "00000001", qop = "auth", algorithm = "";
    std::string header() const {
        const auto scheme = scheme_named(algorithm).value_or(Scheme{});
        const HexDigest ha1 = ha1_of(scheme.algorithm, user, realm, password);
        const HexDigest response = response_to({scheme, ha1.view(), nonce, nc, "cn", qop, "OPTIONS", "sip:x", ""});
        return fmt::format(
            "Authorization: Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"sip:x\", response=\"{}\"{}{}\r\n",
            user, realm, nonce, response.view(),
            qop.empty() ? "" : fmt::format(", qop={}, nc={}, cnonce=\"cn\"", qop, nc),
            algorithm.empty() ? "" : ", algorithm=" + algorithm);
    }
};

class Auth : public testing::Test {
  protected:
    void SetUp() override {
        part_.assign(nonce_part_bytes(4096) / 8 + 8, 0);
        construct_nonces(part_.data(), nonce_part_bytes(4096));
        settings.algorithm.set("");
        ASSERT_TRUE(check_settings());
        script_ = std::make_unique<Script>(kScript, std::vector<const ModuleDescriptor*>{&kModule});
        ASSERT_NE(script_->program, nullptr) << script_->found.text();
    }
    void TearDown() override {
        settings.nonce_count.set(0);
        settings.one_time_nonce.set(0);
        settings.nonce_expire.set(300);
    }
    Outcome send(std::string_view headers) { return script_->send(script::test::request("OPTIONS", "sip:x", headers)); }
    std::string challenge() { return value_of(send("").replies.at(0), "nonce=\""); }
    std::string result(const Answer& answer) { return send(answer.header()).line(); }
    std::vector<uint64_t> part_;
    std::unique_ptr<Script> script_;
};

TEST_F(Auth, ChallengesAndAccepts) {
    const Outcome first = send("");
    EXPECT_EQ(first.first_line(), "SIP/2.0 401 Unauthorized");
    EXPECT_EQ(first.line(), "-5");
    const std::string header = value_of(first.replies[0], "WWW-Authenticate: ", '\r');
    EXPECT_EQ(header, fmt::format("Digest realm=\"home\", nonce=\"{}\", qop=\"auth\"", value_of(header, "nonce=\"")));
    const Outcome second = send(Answer{challenge()}.header());
    EXPECT_EQ(second.lines, (std::vector<std::string>{"1", "consumed"}));
}

struct Case {
    const char* name;
    Answer answer;
    const char* result;
};
const Case kCases[] = {
    {"Right", {}, "1"},
    {"WithoutQop", {.qop = ""}, "1"},
    {"AuthInt", {.qop = "auth-int"}, "1"},
    {"WrongPassword", {.password = "Secret"}, "-2"},
    {"OtherRealm", {.realm = "Home"}, "-5"},
    {"NotOffered", {.algorithm = "SHA-256"}, "-1"},
    {"OddAlgorithm", {.algorithm = "SHA-512"}, "-1"},
    {"Session", {.algorithm = "MD5-sess"}, "1"},
    {"OddQop", {.qop = "none"}, "-1"},
    {"OddCount", {.nc = "1"}, "-1"},
    {"ZeroCount", {.nc = "00000000"}, "-1"},
    {"Foreign", {.nonce = "0123456789abcdef0123456789abcdef0123456789abcdef"}, "-4"},
    {"ForeignAndWrong", {.nonce = "x", .password = "no"}, "-2"},
};
class Answers : public Auth, public testing::WithParamInterface<Case> {};
TEST_P(Answers, AreJudged_RG_18) {
    Answer answer = GetParam().answer;
    if (answer.nonce.empty()) answer.nonce = challenge();
    EXPECT_EQ(result(answer), GetParam().result);
}
INSTANTIATE_TEST_SUITE_P(Rfc7616, Answers, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST_F(Auth, StaleOnlyWithTheRightPassword_RG_18) {
    settings.nonce_expire.set(-1);
    Answer answer{challenge()};
    Outcome out = send(answer.header());
    EXPECT_EQ(out.line(), "-4");
    EXPECT_NE(out.replies.at(0).find(", stale=true"), std::string::npos);
    answer.password = "wrong";
    out = send(answer.header());
    EXPECT_EQ(out.line(), "-2");
    EXPECT_EQ(out.replies.at(0).find("stale"), std::string::npos);
}

TEST_F(Auth, NonceCountsMustRise_RG_18) {
    settings.nonce_count.set(1);
    Answer answer{challenge()};
    EXPECT_EQ(result(answer), "1");
    EXPECT_EQ(result(answer), "-6");
    answer.nc = "00000002";
    EXPECT_EQ(result(answer), "1");
    answer.nc = "0000000a";
    EXPECT_EQ(result(answer), "1");
    answer.nc = "00000009";
    EXPECT_EQ(result(answer), "-6");
}

TEST_F(Auth, AWrongPasswordUsesNothingUp) {
    settings.nonce_count.set(1);
    Answer wrong{challenge()}, right{wrong.nonce};
    wrong.password = "no";
    wrong.nc = "0fffffff";
    EXPECT_EQ(result(wrong), "-2");
    EXPECT_EQ(result(right), "1");
}

TEST_F(Auth, OneTimeNonces) {
    settings.one_time_nonce.set(1);
    Answer answer{challenge()};
    EXPECT_EQ(result(answer), "1");
    answer.nc = "00000002";
    EXPECT_EQ(result(answer), "-6");
}

// 512 cells: the first nonce is displaced by the 513th.
TEST_F(Auth, DisplacedNoncesAreNotReusable) {
    settings.nonce_count.set(1);
    Answer answer{challenge()};
    char nonce[kNonceBytes];
    for (int i = 0; i < 512; ++i) make_nonce(nonce);
    EXPECT_EQ(result(answer), "-6");
}

TEST_F(Auth, NoChangedNonceIsOurs) {
    char text[kNonceBytes];
    std::string nonce(make_nonce(text));
    uint32_t number;
    ASSERT_EQ(check_nonce(nonce, 10, number), NonceState::good);
    for (size_t i = 0; i < nonce.size(); ++i) {
        std::string changed = nonce;
        changed[i] = changed[i] == '0' ? '1' : '0';
        EXPECT_NE(check_nonce(changed, 10, number), NonceState::good) << i;
    }
}

TEST_F(Auth, OffersBothAlgorithms_RG_19) {
    settings.algorithm.set("SHA-256,MD5");
    ASSERT_TRUE(check_settings());
    const std::string reply = send("").replies.at(0);
    const size_t first = reply.find("algorithm=SHA-256"), second = reply.find("algorithm=MD5");
    ASSERT_NE(second, std::string::npos);
    EXPECT_LT(first, second);
    for (const char* algorithm : {"SHA-256", "MD5", ""}) {
        Answer answer{challenge()};
        answer.algorithm = algorithm;
        EXPECT_EQ(result(answer), "1") << algorithm;
    }
    settings.algorithm.set("SHA-1");
    EXPECT_FALSE(check_settings());
}

TEST(AuthRows, AreWellFormed) { EXPECT_TRUE(well_formed(kModule)); }

TEST_F(Auth, AuthenticationInfoProvesThatWeKnowThePassword) {
    settings.add_authinfo_hdr.set(1);
    Script replying(
        "request_route { if (pv_www_authenticate(\"home\", \"secret\", 0)) sl_send_reply(\"200\", \"OK\"); }",
        {&kModule, &sl::kModule});
    ASSERT_NE(replying.program, nullptr) << replying.found.text();
    Answer answer{challenge()};
    const auto info = [&] {
        const Outcome out = replying.send(script::test::request("OPTIONS", "sip:x", answer.header()));
        return out.replies.empty() ? "no answer" : value_of(out.replies[0], "Authentication-Info: ", '\r');
    };
    const HexDigest ha1 = ha1_of(Algorithm::md5, "bob", "home", "secret");
    const HexDigest proof = response_to({{}, ha1.view(), answer.nonce, "00000001", "cn", "auth", "", "sip:x", ""});
    EXPECT_EQ(info(), fmt::format("qop=auth, rspauth=\"{}\", cnonce=\"cn\", nc=00000001", proof.view()));
    answer.qop = "";
    EXPECT_EQ(info(), "");
    settings.one_time_nonce.set(1);
    answer = {challenge()};
    const std::string next = value_of(info(), "nextnonce=\"");
    EXPECT_EQ(next.size(), kNonceBytes);
    answer = {next};
    EXPECT_NE(info(), "no answer");
    settings.add_authinfo_hdr.set(0);
}

TEST_F(Auth, ChallengeAsAValueAndUnderAnotherName) {
    Script got("request_route { auth_get_www_authenticate(\"home\", \"1\", \"$var(c)\"); log(\"$var(c)\"); }",
               {&kModule});
    ASSERT_NE(got.program, nullptr) << got.found.text();
    const std::string value = got.send(script::test::request("OPTIONS", "sip:x", "")).line();
    EXPECT_EQ(value, fmt::format("Digest realm=\"home\", nonce=\"{}\", qop=\"auth\"", value_of(value, "nonce=\"")));
    EXPECT_EQ(result(Answer{value_of(value, "nonce=\"")}), "1");
    settings.www_challenge_header.set("X-Challenge");
    EXPECT_NE(send("").replies.at(0).find("\r\nX-Challenge: Digest realm="), std::string::npos);
    settings.www_challenge_header.set("WWW-Authenticate");
}

}  // namespace
}  // namespace kahu::auth
