// test/unit/auth_db/auth_db_test.cpp -- users in SQLite: found, checked, added, listed, removed.
#include <fmt/format.h>

#include <filesystem>

#include "core/modules/auth/api.h"
#include "core/modules/auth/module.h"
#include "core/modules/auth/nonce.h"
#include "core/modules/auth/settings.h"
#include "core/modules/auth_db/module.h"
#include "core/modules/auth_db/settings.h"
#include "core/modules/auth_db/users.h"
#include "test/unit/script/harness.h"

namespace kahu::auth_db {
namespace {

using script::test::Script;

class Users : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("kahu-auth-db-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
        settings.db_url.set("sqlite://" + (folder_ / "u.sqlite").string());
        part_.assign(auth::nonce_part_bytes(4096) / 8 + 8, 0);
        auth::construct_nonces(part_.data(), auth::nonce_part_bytes(4096));
        log::set_level(log::Level::error);
        auth::settings.algorithm.set("SHA-256,MD5");
        ASSERT_TRUE(auth::kModule.hooks.check());
        ASSERT_TRUE(kModule.hooks.check());
        ASSERT_TRUE(kModule.hooks.start());
    }
    void TearDown() override {
        close_users();
        settings.calculate_ha1.set(0);
        settings.use_domain.set(0);
        settings.load_credentials.set("");
        auth::settings.algorithm.set("");
        (void)auth::kModule.hooks.check();
        std::filesystem::remove_all(folder_);
    }
    static std::string call(std::string_view method, std::vector<RpcCall::Param> params) {
        RpcCall rpc(std::string(method), std::move(params));
        for (const Command& command : kModule.commands)
            if (command.name == method) command.call(rpc);
        if (rpc.faulted()) return std::to_string(rpc.faulted()->first);
        std::string out;
        for (const RpcValue& value : rpc.results())
            out.append(out.empty() ? "" : " ").append(std::get<std::string>(value.data()));
        return out;
    }
    static std::string check(
        std::string_view user, std::string_view password, std::string_view algorithm = "",
        std::string_view statements = "auth_check(\"example.com\", \"subscriber\", \"1\"); log(\"$rc\");") {
        Script script(fmt::format("request_route {{ {} }}", statements), {&auth::kModule, &kModule});
        EXPECT_NE(script.program, nullptr) << script.found.text();
        char text[auth::kNonceBytes];
        const std::string nonce(auth::make_nonce(text));
        const auto scheme = auth::scheme_named(algorithm).value_or(auth::Scheme{});
        const auto ha1 = auth::ha1_of(scheme.algorithm, user, "example.com", password);
        const auto response = auth::response_to({scheme, ha1.view(), nonce, "", "", "", "MESSAGE", "sip:x", ""});
        const std::string header = fmt::format(
            "Proxy-Authorization: Digest username=\"{}\", realm=\"example.com\", nonce=\"{}\", uri=\"sip:x\", "
            "response=\"{}\"{}\r\n",
            user, nonce, response.view(), algorithm.empty() ? "" : fmt::format(", algorithm={}", algorithm));
        return script.send(script::test::request("MESSAGE", "sip:x", header)).line();
    }
    std::filesystem::path folder_;
    std::vector<uint64_t> part_;
};

TEST_F(Users, AreAddedListedAndRemoved) {
    EXPECT_EQ(call("auth_db.user_add", {"bob@b.example", "x"}), "");
    EXPECT_EQ(call("auth_db.user_add", {"alice@Example.com", "pw"}), "");
    EXPECT_EQ(call("auth_db.user_add", {"alice@example.com", "new"}), "");
    EXPECT_EQ(call("auth_db.user_list", {}), "bob@b.example alice@example.com");
    EXPECT_EQ(call("auth_db.user_list", {int64_t{1}, int64_t{1}}), "alice@example.com");
    EXPECT_EQ(call("auth_db.user_remove", {"bob@b.example"}), "");
    EXPECT_EQ(call("auth_db.user_remove", {"bob@b.example"}), "404");
    for (const char* odd : {"bob", "@b", "b@", "a b@c"}) EXPECT_EQ(call("auth_db.user_add", {odd, "x"}), "400") << odd;
    EXPECT_EQ(call("auth_db.user_add", {"bob@b.example", ""}), "400");
}

// The harness sends From: alice.
TEST_F(Users, AreChecked_RG_18) {
    for (const bool plain : {false, true}) {
        close_users();
        settings.calculate_ha1.set(plain);
        settings.password_column.set(plain ? "password" : "ha1");
        call("auth_db.user_add", {"alice@example.com", "pw"});
        call("auth_db.user_add", {"carol@example.com", "pw"});
        for (const char* algorithm : {"", "MD5", "SHA-256"}) {
            EXPECT_EQ(check("alice", "pw", algorithm), "1") << algorithm << plain;
            EXPECT_EQ(check("alice", "no", algorithm), "-2") << algorithm << plain;
            EXPECT_EQ(check("nobody", "pw", algorithm), "-3") << algorithm << plain;
            EXPECT_EQ(check("carol", "pw", algorithm), "-8") << algorithm << plain;
        }
        EXPECT_EQ(check("alice@example.com", "pw"), "1") << plain;
    }
    settings.password_column.set("ha1");
}

TEST_F(Users, AreFoundByDomainIfSaidSo) {
    close_users();
    settings.use_domain.set(1);
    call("auth_db.user_add", {"alice@other.example", "pw"});
    EXPECT_EQ(check("alice", "pw"), "-3");
    call("auth_db.user_add", {"alice@example.com", "pw"});
    EXPECT_EQ(check("alice", "pw"), "1");
}

TEST_F(Users, ColumnsGoIntoAvps) {
    settings.load_credentials.set("$avp(s:home)=domain; username");
    ASSERT_TRUE(kModule.hooks.check());
    call("auth_db.user_add", {"alice@example.com", "pw"});
    EXPECT_EQ(check("alice", "pw", "",
                    "auth_check(\"example.com\", \"subscriber\", \"1\"); log(\"$avp(home) $avp(username)\");"),
              "example.com alice");
    settings.load_credentials.set("$avp(x)=a b");
    EXPECT_FALSE(kModule.hooks.check());
}

TEST_F(Users, OddNamesDoNotBecomeSql) {
    call("auth_db.user_add", {"alice@example.com", "pw"});
    EXPECT_EQ(check("' OR '1'='1", "pw"), "-3");
    Script script("request_route { auth_check(\"x\", \"a; DROP TABLE b\", 0); }", {&auth::kModule, &kModule});
    EXPECT_EQ(script.program, nullptr);
}

TEST_F(Users, ABrokenDatabaseIsAnError) {
    close_users();
    settings.db_url.set("sqlite:///nowhere/at/all");
    log::set_level(log::Level::alert);
    EXPECT_EQ(check("alice", "pw"), "-1");
}

TEST(AuthDbRows, AreWellFormed) { EXPECT_TRUE(well_formed(kModule)); }

}  // namespace
}  // namespace kahu::auth_db
