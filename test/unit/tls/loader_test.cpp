// What is wrong with certificates, keys and lists is said in exactly these words, at start and at reload alike.
#include "tls/loader.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <sys/stat.h>

#include "test/unit/tls/certificate_maker.h"
#include "tls/context.h"

namespace kahu::tls {
namespace {

using namespace test;

class Material {
  public:
    Material() : key(ec_key()), other_key(ec_key()), ca_key(ec_key()) {
        ca = make_certificate(ca_key.get(), {.common_name = "Test CA", .alternative_names = "", .ca = true});
        const OwnedCertificate leaf = make_certificate(key.get(), {}, ca.get(), ca_key.get());
        good = pem_of(leaf.get());
        dir.write("cert.pem", good);
        dir.write("key.pem", pem_of(key.get()));
        dir.write("ca.pem", pem_of(ca.get()));
        dir.write("crl.pem", crl_of(ca.get(), ca_key.get()));
    }
    std::string path(const char* name) const { return dir.file(name); }

    Directory dir;
    OwnedKey key, other_key, ca_key;
    OwnedCertificate ca;
    std::string good;
};

struct Outcome {
    std::string error;  // empty: loaded
    std::vector<std::string> warnings;
    size_t profiles = 0;
};
Outcome load(const Material& m, const std::string& config, std::vector<SocketAddress> listeners = {}) {
    m.dir.write("tls.cfg", config);
    LoadOptions options;
    options.config = "tls.cfg";
    options.base_directory = m.dir.path();
    options.listeners = std::move(listeners);
    auto loaded = load_configuration(options);
    EXPECT_EQ(ERR_peek_error(), 0U) << "left in OpenSSL's queue";
    if (!loaded) return {loaded.error().text(), {}, 0};
    return {"", (*loaded)->warnings, (*loaded)->profiles.size()};
}
// With the directory left out, so that the expected texts can be written down.
std::string without(std::string text, const std::string& directory) {
    for (size_t at; (at = text.find(directory + "/")) != text.npos;) text.erase(at, directory.size() + 1);
    return text;
}
void expect_error(const Material& m, const std::string& config, const std::string& expected) {
    EXPECT_EQ(without(load(m, config).error, m.dir.path()), expected) << config;
}
void expect_warning(const Material& m, const std::string& config, const std::string& expected) {
    const Outcome outcome = load(m, config);
    EXPECT_EQ(outcome.error, "");
    ASSERT_EQ(outcome.warnings.size(), 1U) << config;
    EXPECT_EQ(without(outcome.warnings[0], m.dir.path()), expected);
}

const std::string kServer = "[server:default]\ncertificate = cert.pem\nprivate_key = key.pem\n";

TEST(Loader, LoadsWhatIsGood) {
    in_child([] {
        const Material m;
        const Outcome o = load(m, kServer +
                                      "ca_list = ca.pem\ncrl = crl.pem\nverify_certificate = yes\n"
                                      "cipher_list = ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256\n");
        EXPECT_EQ(o.error, "");
        EXPECT_TRUE(o.warnings.empty()) << o.warnings[0];
        EXPECT_EQ(o.profiles, 2U);  // and the built-in client
    });
}

TEST(Loader, SaysWhatIsWrongWithFiles) {
    in_child([] {
        const Material m;
        expect_error(m, "[server:default]\ncertificate = none.pem\n",
                     "server:default (tls.cfg:1): certificate: none.pem: No such file or directory");
        m.dir.write("empty.pem", "");
        expect_error(
            m, "[server:default]\ncertificate = empty.pem\n",
            "server:default (tls.cfg:1): empty.pem: the file is empty (it must hold certificates in PEM format)");
        m.dir.write("text.pem", "hello\n");
        expect_error(
            m, "[server:default]\ncertificate = text.pem\n",
            "server:default (tls.cfg:1): text.pem: no certificate in it (it must hold certificates in PEM format)");
        m.dir.write("cut.pem", m.good.substr(0, m.good.size() / 2));
        expect_error(
            m, "[server:default]\ncertificate = cut.pem\nprivate_key = key.pem\n",
            "server:default (tls.cfg:1): cut.pem: certificate 1 cannot be read: a PEM block has no valid end line "
            "(the file seems cut off)");
        m.dir.write("damaged.pem", m.good.substr(0, 40) + "!!!!" + m.good.substr(44));
        expect_error(m, "[server:default]\ncertificate = damaged.pem\nprivate_key = key.pem\n",
                     "server:default (tls.cfg:1): damaged.pem: certificate 1 cannot be read: a PEM block is not valid "
                     "base64 (the file seems damaged)");
        expect_error(
            m, "[server:default]\ncertificate = cert.pem\nprivate_key = cert.pem\n",
            "server:default (tls.cfg:1): cert.pem: no private key in it (it must hold a private key in PEM format)");
        expect_error(m, "[server:default]\ncertificate = .\n",
                     "server:default (tls.cfg:1): certificate: .: not a regular file");
        m.dir.write("large.pem", std::string(kMaxMaterialBytes + 1, 'x'));
        expect_error(m, "[server:default]\ncertificate = large.pem\n",
                     "server:default (tls.cfg:1): certificate: large.pem: larger than 4194304 bytes");
        expect_error(m,
                     "[client:default]\ncertificate = cert.pem\nprivate_key = key.pem\n[server:any]\nserver_name = "
                     "a\nprivate_key = key.pem\n",
                     "");  // cert.pem beside the configuration is Kamailio's default
    });
}

TEST(Loader, SaysWhatIsWrongWithKeys) {
    in_child([] {
        const Material m;
        m.dir.write("other.pem", pem_of(m.other_key.get()));
        expect_error(
            m, "[server:default]\ncertificate = cert.pem\nprivate_key = other.pem\n",
            "server:default (tls.cfg:1): other.pem: the private key does not belong to the certificate cert.pem "
            "(were both files replaced at the last renewal?)");
        const OwnedKey rsa = rsa_key(2048);
        m.dir.write("rsa.pem", pem_of(rsa.get()));
        expect_error(m, "[server:default]\ncertificate = cert.pem\nprivate_key = rsa.pem\n",
                     "server:default (tls.cfg:1): rsa.pem: the private key does not belong to the certificate cert.pem "
                     "(were both files replaced at the last renewal?)");
        m.dir.write("locked.pem", pem_of(m.key.get(), "secret"));
        const std::string locked = "[server:default]\ncertificate = cert.pem\nprivate_key = locked.pem\n";
        expect_error(
            m, locked,
            "server:default (tls.cfg:1): locked.pem: the private key is encrypted and no password is given (set "
            "private_key_password)");
        expect_error(m, locked + "private_key_password = wrong\n",
                     "server:default (tls.cfg:1): locked.pem: the password does not open the private key (check "
                     "private_key_password)");
        expect_error(m, locked + "private_key_password = secret\n", "");
        const OwnedKey small = rsa_key(1024);
        const OwnedCertificate weak = make_certificate(small.get());
        m.dir.write("weak.pem", pem_of(weak.get()) + pem_of(small.get()));
        expect_error(
            m, "[server:default]\ncertificate = weak.pem\n",
            "server:default (tls.cfg:1): weak.pem: key too small for security level 2 (1024 bits) (use 2048 or "
            "more, or set cipher_list DEFAULT@SECLEVEL=1)");
        expect_error(m, "[server:default]\ncertificate = weak.pem\ncipher_list = DEFAULT@SECLEVEL=1\n", "");
        expect_error(m, "[server:default]\ncertificate = weak.pem\ncipher_list = @SECLEVEL=1\n", "");
        const OwnedCertificate second = make_certificate(rsa.get()), same = make_certificate(m.other_key.get());
        m.dir.write("second.pem", pem_of(second.get()) + pem_of(rsa.get()));
        m.dir.write("same.pem", pem_of(same.get()) + pem_of(m.other_key.get()));
        expect_error(m, kServer + "certificate2 = second.pem\n", "");
        expect_error(
            m, kServer + "certificate2 = same.pem\n",
            "server:default (tls.cfg:1): same.pem: certificate2 has a key of the same type as certificate, and "
            "would replace it (one of them must be RSA and the other EC)");
        m.dir.write("cutkey.pem", pem_of(m.key.get()).substr(0, 60));
        const Outcome cut = load(m, "[server:default]\ncertificate = cert.pem\nprivate_key = cutkey.pem\n");
        EXPECT_NE(cut.error.find("cutkey.pem: the private key cannot be read: "), std::string::npos) << cut.error;
    });
}

TEST(Loader, SaysWhatIsWrongWithListsAndCiphers) {
    in_child([] {
        const Material m;
        m.dir.write("empty.pem", "");
        expect_error(
            m, kServer + "ca_list = empty.pem\n",
            "server:default (tls.cfg:1): empty.pem: the file is empty (it must hold certificates in PEM format)");
        expect_error(
            m, kServer + "ca_list = key.pem\n",
            "server:default (tls.cfg:1): key.pem: no certificate in it (it must hold certificates in PEM format)");
        expect_error(m, kServer + "ca_list = gone.pem\n",
                     "server:default (tls.cfg:1): ca_list: gone.pem: No such file or directory");
        expect_error(m, kServer + "crl = empty.pem\n",
                     "server:default (tls.cfg:1): empty.pem: the file is empty (it must hold CRLs in PEM format)");
        expect_error(m, kServer + "crl = cert.pem\n",
                     "server:default (tls.cfg:1): cert.pem: no CRL in it (it must hold CRLs in PEM format)");
        m.dir.write("cut_crl.pem", crl_of(m.ca.get(), m.ca_key.get()).substr(0, 100));
        expect_error(
            m, kServer + "crl = cut_crl.pem\n",
            "server:default (tls.cfg:1): cut_crl.pem: CRL 1 cannot be read: a PEM block has no valid end line (the "
            "file seems cut off)");
        expect_error(
            m, kServer + "cipher_list = NO-SUCH-CIPHER\n",
            "server:default (tls.cfg:1): cipher_list: no cipher of the name \"NO-SUCH-CIPHER\" (`openssl ciphers "
            "-v` lists the names)");
        expect_error(
            m, kServer + "cipher_list = TLS_NO_SUCH\n",
            "server:default (tls.cfg:1): cipher_list: no cipher of the name \"TLS_NO_SUCH\" (`openssl ciphers -v` "
            "lists the names)");
        expect_error(m, kServer + "cipher_list = HIGH:!aNULL:!MD5:TLS_AES_256_GCM_SHA384\n", "");
        m.dir.write("cas/x", "");
        mkdir(m.path("cas").c_str(), 0700);
        const Outcome no_hash = load(m, kServer + "ca_path = cas\n");
        EXPECT_NE(no_hash.error.find("no certificate named by its hash in it (run `openssl rehash "), std::string::npos)
            << no_hash.error;
        m.dir.write("cas/0123abcd.0", pem_of(m.ca.get()));
        expect_error(m, kServer + "ca_path = cas\nverify_cert = yes\n[server:any]\nserver_name=x\nca_path = cas\n", "");
    });
}

TEST(Loader, SaysWhatIsWrongWithProfiles) {
    in_child([] {
        const Material m;
        expect_error(
            m, kServer + kServer,
            "tls.cfg:4: server:default is defined already at tls.cfg:1 (there is one default profile for each side)");
        expect_error(
            m, kServer + "[server:any]\nserver_name=a.org\n[s:all]\nserver_name=A.org\n",
            "tls.cfg:6: server:any sni=A.org is defined already at tls.cfg:4 (give them different server_name)");
        const std::vector<SocketAddress> listeners = {*SocketAddress::parse_ip("127.0.0.1", 5061),
                                                      *SocketAddress::parse_ip("::", 5061)};
        const Outcome deaf = load(m, kServer + "[server:10.0.0.1:5061]\n", listeners);
        EXPECT_EQ(without(deaf.error, m.dir.path()),
                  "tls.cfg:4: no TLS listener for profile server:10.0.0.1:5061 (listeners: tls:127.0.0.1:5061, "
                  "tls:[::]:5061)");
        EXPECT_EQ(load(m, kServer + "[server:127.0.0.1:5061]\n[server:[::1]:5061]\n[client:10.0.0.1:5061]\n", listeners)
                      .error,
                  "");
        EXPECT_EQ(without(load(m, "[client:default]\n", listeners).error, m.dir.path()),
                  "tls.cfg: no server profile (add a [server:default] section)");
        std::filesystem::remove(m.path("cert.pem"));
        expect_error(
            m, "[server:default]\n",
            "server:default (tls.cfg:1): no certificate is given, and there is no cert.pem (set certificate and "
            "private_key)");
        LoadOptions gone{.config = "gone.cfg", .base_directory = m.dir.path()};
        const auto none = load_configuration(gone);
        ASSERT_FALSE(none);
        EXPECT_EQ(without(none.error().text(), m.dir.path()),
                  "TLS configuration: gone.cfg: No such file or directory (tls.cfg(5) shows one; modparam(\"tls\", "
                  "\"config\", ...) "
                  "names it)");
    });
}

TEST(Loader, WarnsOfWhatWorksButShouldNotStay) {
    in_child([] {
        const Material m;
        const auto with_dates = [&](long from, long until) {
            const OwnedCertificate x = make_certificate(m.key.get(), {.from_days = from, .until_days = until});
            m.dir.write("cert.pem", pem_of(x.get()));
        };
        const auto day = [](long days) {
            const time_t when = time(nullptr) + days * 86400 + 60;
            char text[16];
            strftime(text, sizeof text, "%Y-%m-%d", gmtime(&when));
            return std::string(text);
        };
        with_dates(-30, -3);
        expect_warning(m, kServer,
                       "server:default (tls.cfg:1): cert.pem: the certificate expired on " + day(-3) + " (2 days ago)");
        with_dates(-30, 5);
        expect_warning(m, kServer,
                       "server:default (tls.cfg:1): cert.pem: the certificate expires on " + day(5) + " (in 5 days)");
        with_dates(30, 90);
        const Outcome early = load(m, kServer);
        ASSERT_EQ(early.warnings.size(), 1U);
        EXPECT_NE(early.warnings[0].find("the certificate is not valid before "), std::string::npos);
        with_dates(-1, 90);
        expect_warning(
            m, kServer + "[client:default]\nverify_certificate = yes\n",
            "client:default (tls.cfg:4): verifies servers but has no ca_list: every outgoing TLS connection will fail");
        expect_warning(m, kServer + "require_certificate = yes\n",
                       "server:default (tls.cfg:1): verifies clients but has no ca_list: every client certificate will "
                       "be refused");
        expect_warning(
            m, kServer + "cipher_list = HIGH:NO-SUCH:TLS_NONE\n",
            "server:default (tls.cfg:1): cipher_list: NO-SUCH and 1 more are unknown to this OpenSSL and left out");
        m.dir.write("old_crl.pem", crl_of(m.ca.get(), m.ca_key.get(), -2));
        expect_warning(m, kServer + "crl = old_crl.pem\n",
                       "server:default (tls.cfg:1): old_crl.pem: the CRL should have been renewed by " + day(-2) +
                           ": peers under it will be refused");
    });
}

TEST(Loader, ADirectoryIsReadInOrderAndKeysAreFoundBesideCertificates) {
    in_child([] {
        const Material m;
        m.dir.write("both.pem", m.good + pem_of(m.key.get()));
        mkdir(m.path("tls.d").c_str(), 0700);
        m.dir.write("tls.d/10.cfg", "[server:default]\ncertificate = both.pem\n");
        m.dir.write("tls.d/20.cfg", "[server:any]\nserver_name = a.org\n");
        m.dir.write("tls.d/30.cfg.bak", "nonsense\n");
        const auto loaded = load_configuration({.config = "tls.d", .base_directory = m.dir.path()});
        ASSERT_TRUE(loaded) << loaded.error().text();
        ASSERT_EQ((*loaded)->profiles.size(), 3U);
        EXPECT_EQ((*loaded)->profiles[1].name, "server:any sni=a.org");
        EXPECT_EQ((*loaded)->profiles[1].private_key.data.data(), (*loaded)->profiles[0].certificate.data.data());
        EXPECT_NE((*loaded)->profiles[0].hash, (*loaded)->profiles[1].hash);
        m.dir.write("tls.d/40.cfg", "oops\n");
        const auto bad = load_configuration({.config = "tls.d", .base_directory = m.dir.path()});
        ASSERT_FALSE(bad);
        EXPECT_EQ(without(bad.error().what, m.dir.path()), "tls.d/40.cfg:1:5: \"=\" is missing after \"oops\"");
    });
}

TEST(Loader, TheParametersAloneAreAProfile) {
    in_child([] {
        const Material m;
        LoadOptions options{.base_directory = m.dir.path()};
        options.parameters.certificate = "cert.pem";
        options.parameters.private_key = "key.pem";
        options.parameters.given = ~0U;
        options.parameters.where = "parameters of module tls";
        const auto loaded = load_configuration(options);
        ASSERT_TRUE(loaded) << loaded.error().text();
        ASSERT_EQ((*loaded)->profiles.size(), 2U);
        EXPECT_EQ((*loaded)->profiles[1].name, "client:default");
        EXPECT_EQ((*loaded)->profiles[1].certificate.data, m.good);
    });
}

TEST(Loader, ResolvesPathsAsKamailioDoes) {
    EXPECT_EQ(resolve_path("/a/b", "/etc/kahu"), "/a/b");
    EXPECT_EQ(resolve_path("./b", "/etc/kahu"), "./b");
    EXPECT_EQ(resolve_path("../b", "/etc/kahu"), "../b");
    EXPECT_EQ(resolve_path("b.pem", "/etc/kahu"), "/etc/kahu/b.pem");
    EXPECT_EQ(resolve_path("b.pem", "/etc/kahu/"), "/etc/kahu/b.pem");
}

}  // namespace
}  // namespace kahu::tls
