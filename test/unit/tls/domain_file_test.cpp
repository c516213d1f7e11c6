#include "tls/domain_file.h"

#include <gtest/gtest.h>

namespace kahu::tls {
namespace {

struct Parsed {
    Status status;
    std::vector<Domain> domains;
    std::vector<std::string> warnings;
};
Parsed parse(std::string_view text, bool allow_obsolete = false) {
    Parsed p;
    p.status = parse_domains(text, "tls.cfg", {allow_obsolete}, p.domains, p.warnings);
    return p;
}

struct Bad {
    const char* name;
    std::string_view text;
    std::string_view error;
};
constexpr Bad kBad[] = {
    {"typo", "[server:default]\ncertifcate = x\n",
     "tls.cfg:2:1: unknown attribute \"certifcate\" (did you mean \"certificate\"?)"},
    {"nonsense", "[server:default]\nzzzzzzzzzzz = x\n",
     "tls.cfg:2:1: unknown attribute \"zzzzzzzzzzz\" (tls.cfg(5) lists the attributes)"},
    {"bool", "[server:default]\n  verify_certificate = maybe\n",
     "tls.cfg:2:24: verify_certificate = \"maybe\" is not valid (expected yes or no)"},
    {"depth", "[server:default]\nverify_depth = -1",
     "tls.cfg:2:16: verify_depth = \"-1\" is not valid (expected a number from 0 to 100)"},
    {"method", "[server:default]\nmethod = TLSv9",
     "tls.cfg:2:10: method = \"TLSv9\" is not valid (expected TLSv1.2, TLSv1.2+, TLSv1.3 or TLSv1.3+)"},
    {"obsolete", "[server:default]\nmethod = TLSv1",
     "tls.cfg:2:10: method: TLSv1 is obsolete (RFC 8996) (use TLSv1.2+, or set modparam(\"tls\", "
     "\"tls_allow_obsolete\", 1) to "
     "allow it)"},
    {"sslv3", "[server:default]\nmethod = SSLv3",
     "tls.cfg:2:10: method: SSLv3 is broken and not in this server (use TLSv1.2+)"},
    {"outside", "method = TLSv1.2\n", "tls.cfg:1:1: attribute outside of a profile (put [server:default] before it)"},
    {"no_equals", "[server:default]\nmethod TLSv1.2\n", "tls.cfg:2:8: \"=\" is missing after \"method\""},
    {"no_value", "[server:default]\nmethod =  # nothing\n",
     "tls.cfg:2:11: the value is missing (write \"\" for an empty one)"},
    {"quote", "[server:default]\ncertificate = \"x\n", "tls.cfg:2:15: the closing quote is missing"},
    {"after_quote", "[server:default]\ncertificate = \"x\" y\n",
     "tls.cfg:2:19: unexpected text after the closing quote"},
    {"side", "[peer:default]\n",
     "tls.cfg:1:1: a profile is of a server or a client, not of \"peer\" (write [server:...] or [client:...])"},
    {"no_scope", "[server]\n",
     "tls.cfg:1:1: the section does not say whom it is for (write :default, :any or :address:port after the side)"},
    {"host", "[server:sip.example.com:5061]\n",
     "tls.cfg:1:1: \"sip.example.com:5061\" is not an address (expected default, any, 10.0.0.1:5061 or [::1]:5061)"},
    {"port", "[server:10.0.0.1:70000]\n",
     "tls.cfg:1:1: \"10.0.0.1:70000\" is not an address (expected default, any, 10.0.0.1:5061 or [::1]:5061)"},
    {"bracket", "[server:default\n", "tls.cfg:1:1: \"]\" is missing (a section is written [server:default])"},
    {"after_bracket", "[server:default] x\n", "tls.cfg:1:18: unexpected text after \"]\""},
    {"hardware", "[server:default]\nprivate_key = /uri:pkcs11:token=x\n",
     "tls.cfg:2:15: private_key: keys in hardware modules are not supported (name a file in PEM format)"},
    {"junk", "=\n", "tls.cfg:1:1: expected an attribute or a section (write `name = value` or [server:default])"},
};
class BadFile : public testing::TestWithParam<Bad> {};
TEST_P(BadFile, IsRefusedWithPlaceAndRemedy) {
    const Parsed p = parse(GetParam().text);
    ASSERT_FALSE(p.status);
    EXPECT_EQ(p.status.error().text(), GetParam().error);
}
INSTANTIATE_TEST_SUITE_P(DomainFile, BadFile, testing::ValuesIn(kBad),
                         [](const auto& i) { return std::string(i.param.name); });

struct Section {
    std::string_view text;
    Side side;
    Scope scope;
    std::string_view address;
};
constexpr Section kSections[] = {
    {"[server:default]", Side::server, Scope::fallback, ""},
    {" [ srv : def ] # x", Side::server, Scope::fallback, ""},
    {"[s:*]", Side::server, Scope::fallback, ""},
    {"[client:any]", Side::client, Scope::any, ""},
    {"[cli:all]", Side::client, Scope::any, ""},
    {"[c:10.0.0.1]", Side::client, Scope::address, "10.0.0.1:0"},
    {"[server:10.0.0.1:5061]", Side::server, Scope::address, "10.0.0.1:5061"},
    {"[SERVER:[::1]:5061]", Side::server, Scope::address, "[::1]:5061"},
    {"[server:[::1]]", Side::server, Scope::address, "[::1]:0"},
    {"[server:10.0.0.1:5061] ; a ] in a comment", Side::server, Scope::address, "10.0.0.1:5061"},
};
TEST(DomainFile, ReadsEveryFormOfSection) {
    for (const Section& section : kSections) {
        const Parsed p = parse(section.text);
        ASSERT_TRUE(p.status) << p.status.error().text();
        ASSERT_EQ(p.domains.size(), 1U) << section.text;
        EXPECT_EQ(p.domains[0].side, section.side) << section.text;
        EXPECT_EQ(p.domains[0].scope, section.scope) << section.text;
        EXPECT_EQ(section.scope == Scope::address ? p.domains[0].address.text() : "", section.address);
    }
}

TEST(DomainFile, ReadsEveryAttributeUnderBothNames) {
    const Parsed p = parse(
        "[server:default]\nmethod=TLSv1.3\nverify_cert=on\nrequire_cert = 1\nverify_depth = 3\nverify_client = "
        "optional_no_ca\n"
        "cert_file = a b.pem # the certificate\npkey_file = 'k.pem'\npkey_password = \"p \\\"q#\"\ncalist_file = "
        "ca.pem\n"
        "ca_path = /d\ncrl = c.pem\ncipher_list = A:B\nserver_name = x.org\nserver_name_mode = 2\nserver_id = trunk\n"
        "cert_file2 = c2\npkey_file2 = k2\npkey_password2 = p2\r\n"
        "\n; comment\n# comment\n[client:default]\ntls_method = tlsv1.2+");
    ASSERT_TRUE(p.status) << p.status.error().text();
    ASSERT_EQ(p.domains.size(), 2U);
    const Domain& d = p.domains[0];
    EXPECT_EQ(d.where, "tls.cfg:1");
    EXPECT_EQ(d.method, Method::tls13);
    EXPECT_TRUE(d.verify_certificate && d.require_certificate);
    EXPECT_EQ(d.verify_depth, 3);
    EXPECT_EQ(d.verify_client, VerifyClient::optional_no_ca);
    EXPECT_EQ(d.certificate, "a b.pem");
    EXPECT_EQ(d.private_key, "k.pem");
    EXPECT_EQ(d.private_key_password, "p \"q#");
    EXPECT_EQ(d.ca_list + d.ca_path + d.crl + d.cipher_list, "ca.pem/dc.pemA:B");
    EXPECT_EQ(d.server_name, "x.org");
    EXPECT_EQ(d.server_name_mode, ServerNameMode::subdomains);
    EXPECT_EQ(d.server_id, "trunk");
    EXPECT_EQ(d.certificate2 + d.private_key2 + d.private_key_password2, "c2k2p2");
    EXPECT_EQ(p.domains[1].method, Method::tls12_up);
    EXPECT_TRUE(p.warnings.empty());
}

TEST(DomainFile, OldRangesAreCutAtTls12UnlessAllowed) {
    const Parsed cut = parse("[s:default]\nmethod = TLSv1+\n");
    ASSERT_TRUE(cut.status);
    EXPECT_EQ(cut.domains[0].method, Method::tls12_up);
    ASSERT_EQ(cut.warnings.size(), 1U);
    EXPECT_EQ(cut.warnings[0].find("tls.cfg:2:10: method TLSv1+ taken as TLSv1.2+"), 0U) << cut.warnings[0];
    const Parsed allowed = parse("[s:default]\nmethod = TLSv1.0+\n[c:default]\nmethod = TLSv1.1\n", true);
    ASSERT_TRUE(allowed.status);
    EXPECT_EQ(allowed.domains[0].method, Method::tls10_up);
    EXPECT_EQ(allowed.domains[1].method, Method::tls11);
    EXPECT_TRUE(allowed.warnings.empty());
}

TEST(DomainFile, SaysWhenAnAttributeIsGivenTwice) {
    const Parsed p = parse("[s:default]\ncrl = a\ncrl = b\n");
    ASSERT_TRUE(p.status);
    EXPECT_EQ(p.domains[0].crl, "b");
    ASSERT_EQ(p.warnings.size(), 1U);
    EXPECT_EQ(p.warnings[0], "tls.cfg:3:1: \"crl\" is given twice; the last one counts");
}

TEST(DomainFile, IsBounded) {
    EXPECT_FALSE(parse(std::string(kMaxFileBytes + 1, '\n')).status);
    EXPECT_FALSE(parse("[s:default]\ncrl = " + std::string(kMaxLineBytes, 'x')).status);
    EXPECT_FALSE(parse("[s:default]\ncrl = " + std::string(kMaxValueBytes + 1, 'x')).status);
    std::string many;
    for (size_t i = 0; i <= kMaxProfiles; ++i) many += "[s:any]\n";
    EXPECT_FALSE(parse(many).status);
}

TEST(DomainFile, NoPrefixIsReadPastItsEnd) {
    const std::string text =
        "[server:[::1]:5061]\nmethod = \"TLSv1.2\" # x\ncertificate = 'a\\'b'\n[client:default]\nverify_cert = no";
    for (size_t n = 0; n <= text.size(); ++n) {
        const std::vector<char> exact(text.begin(), text.begin() + static_cast<long>(n));
        (void)static_cast<bool>(parse({exact.data(), n}).status);
    }
}

TEST(DomainFile, InheritsWhatIsNotGiven) {
    Parsed p = parse(
        "[server:default]\ncertificate=a\nverify_cert=yes\nserver_name=x\n[server:any]\nverify_cert=no\nserver_name="
        "y\n");
    ASSERT_TRUE(p.status);
    inherit(p.domains[1], p.domains[0]);
    EXPECT_EQ(p.domains[1].certificate, "a");
    EXPECT_FALSE(p.domains[1].verify_certificate);
    EXPECT_EQ(p.domains[1].server_name, "y");
    EXPECT_TRUE(is_given(p.domains[1], "verify_certificate"));
    EXPECT_FALSE(is_given(p.domains[1], "certificate"));
}

}  // namespace
}  // namespace kahu::tls
