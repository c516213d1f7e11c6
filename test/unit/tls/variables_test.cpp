// test/unit/tls/variables_test.cpp -- $tls_*: what a message that came over UDP gives, and what is refused at start.
#include <gtest/gtest.h>

#include <set>

#include "core/net/inbound.h"
#include "core/script/run.h"
#include "core/script/variable.h"
#include "tls/tls_variables.h"

namespace kahu::tls {
namespace {

TEST(TlsVariables, AreNullWithoutTls) {
    sip::Message message;
    const net::Inbound inbound;
    script::Run run;
    run.begin(message, inbound, kRequestRoute);
    for (const Variable& row : tls_variables()) {
        script::VariableUse use;
        use.row = &row;
        EXPECT_TRUE(row.get(run, use).is_null()) << row.name;
        EXPECT_EQ(row.set, nullptr) << row.name;
    }
}

TEST(TlsVariables, HaveKamailiosNames) {
    std::set<std::string_view> names;
    for (const Variable& row : tls_variables()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name << " twice";
        EXPECT_TRUE(row.help.ends_with('.')) << row.name;
    }
    for (const char* name : {"tls_version",
                             "tls_description",
                             "tls_cipher_info",
                             "tls_cipher_bits",
                             "tls_peer_version",
                             "tls_my_version",
                             "tls_peer_serial",
                             "tls_peer_raw_cert",
                             "tls_my_urlencoded_cert",
                             "tls_peer_subject",
                             "tls_peer_subject_cn",
                             "tls_peer_subject_uid",
                             "tls_my_issuer_organization",
                             "tls_peer_san_email",
                             "tls_peer_san_hostname",
                             "tls_peer_san_uri",
                             "tls_my_san_ip",
                             "tls_peer_san_count",
                             "tls_peer_verified",
                             "tls_peer_revoked",
                             "tls_peer_expired",
                             "tls_peer_selfsigned",
                             "tls_peer_notBefore",
                             "tls_peer_notAfter",
                             "tls_peer_server_name",
                             "tls"})
        EXPECT_TRUE(names.contains(name)) << name;
}

TEST(TlsVariables, RefuseUnknownParts) {
    for (const Variable& row : tls_variables()) {
        if (row.prepare == nullptr) continue;
        script::VariableUse use;
        use.inner = "nothing";
        EXPECT_FALSE(row.prepare(use)) << row.name;
        use.inner = row.name == "tls" ? "p_subject_line" : "uri";
        EXPECT_TRUE(row.prepare(use)) << row.name;
    }
}

}  // namespace
}  // namespace kahu::tls
