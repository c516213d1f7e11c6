// Contexts as workers use them: by generation, content and server name.
#include "tls/context.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <csignal>

#include "mem/failure.h"
#include "mem/heap.h"
#include "mem/recover.h"
#include "test/unit/tls/certificate_maker.h"
#include "tls/loader.h"
#include "tls/verify.h"

namespace kahu::tls {
namespace {

using namespace test;

class Server {  // a directory with certificates and a tls.cfg that can be changed
  public:
    Server() { renew("first"); }
    void renew(const std::string& name) {
        for (const char* file : {"default", "a", "b"}) {
            const OwnedKey key = ec_key();
            const OwnedCertificate x = make_certificate(key.get(), {.common_name = std::string(file) + '-' + name});
            dir.write(std::string(file) + ".pem", pem_of(x.get()) + pem_of(key.get()));
        }
    }
    void publish_config(const std::string& config) {
        dir.write("tls.cfg", config);
        auto loaded = load_configuration({.config = "tls.cfg", .base_directory = dir.path()});
        ASSERT_TRUE(loaded) << loaded.error().text();
        const Status published = publish(**loaded);
        ASSERT_TRUE(published) << published.error().text();
    }
    Directory dir;
};

const SocketAddress kLocal = *SocketAddress::parse_ip("127.0.0.1", 5061);
const std::string kThree =
    "[server:default]\ncertificate = default.pem\n"
    "[server:any]\nserver_name = a.org\ncertificate = a.pem\nmethod = TLSv1.3\n"
    "[server:any]\nserver_name = b.org\ncertificate = b.pem\nverify_certificate = yes\nca_list = b.pem\n";

SSL_CTX* server_context(std::string_view sni = "") {
    std::string why;
    SSL_CTX* context = context_for({Side::server, kLocal, {}, sni, ""}, why);
    EXPECT_NE(context, nullptr) << why;
    return context;
}

std::string common_name(const X509* x) {
    char name[128] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof name);
    return name;
}

TEST(Context, FollowsTheGenerationAndKeepsWhatIsUnchanged) {
    in_child([] {
        Server server;
        server.publish_config(kThree);
        SSL_CTX* const first = server_context();
        SSL_CTX* const a = server_context("a.org");
        EXPECT_EQ(server_context(), first);
        EXPECT_NE(a, first);
        EXPECT_STREQ(facts_of(a)->profile, "server:any sni=a.org");
        EXPECT_EQ(contexts_kept(), 2);
        EXPECT_EQ(common_name(SSL_CTX_get0_certificate(first)), "default-first");

        server.publish_config(kThree);  // nothing changed
        EXPECT_EQ(server_context(), first);

        const std::string kept = "default.pem";
        std::filesystem::copy_file(server.dir.file(kept), server.dir.file("kept"));
        server.renew("second");
        std::filesystem::rename(server.dir.file("kept"), server.dir.file(kept));
        server.publish_config(kThree);
        EXPECT_EQ(server_context(), first);
        EXPECT_EQ(common_name(SSL_CTX_get0_certificate(server_context("a.org"))), "a-second");
        EXPECT_EQ(contexts_kept(), 2);

        server.publish_config("[server:default]\ncertificate = default.pem\n");
        tidy_contexts();
        EXPECT_EQ(contexts_kept(), 1);
        drop_contexts();
        EXPECT_EQ(contexts_kept(), 0);
    });
}

TEST(Context, SaysWhyThereIsNone) {
    in_child([] {
        Server server;
        server.publish_config("[server:127.0.0.2]\ncertificate = default.pem\n");
        std::string why;
        EXPECT_EQ(context_for({Side::server, kLocal, {}, "", ""}, why), nullptr);
        EXPECT_EQ(why, "no server profile for 127.0.0.1:5061");
    });
}

TEST(Context, SwitchingAppliesVersionsAndVerification) {
    in_child([] {
        Server server;
        server.publish_config(kThree);
        const OwnedSsl ssl(SSL_new(server_context()));
        EXPECT_EQ(SSL_get_min_proto_version(ssl.get()), TLS1_2_VERSION);
        switch_context(ssl.get(), server_context("a.org"));
        EXPECT_STREQ(facts_of(SSL_get_SSL_CTX(ssl.get()))->profile, "server:any sni=a.org");
        EXPECT_EQ(SSL_get_min_proto_version(ssl.get()), TLS1_3_VERSION);
        EXPECT_EQ(SSL_get_max_proto_version(ssl.get()), TLS1_3_VERSION);
        switch_context(ssl.get(), server_context("b.org"));
        EXPECT_EQ(SSL_get_min_proto_version(ssl.get()), TLS1_2_VERSION);
        EXPECT_EQ(SSL_get_verify_mode(ssl.get()), SSL_VERIFY_PEER);
        drop_contexts();
    });
}

// A second ClientHello after a reload meets the context that the first one met.
TEST(Context, SwitchingWithinAProfileKeepsTheFirstContext) {
    in_child([] {
        Server server;
        server.publish_config(kThree);
        const OwnedSsl ssl(SSL_new(server_context("a.org")));
        SSL_CTX* const before = SSL_get_SSL_CTX(ssl.get());
        server.renew("second");
        server.publish_config(kThree);
        switch_context(ssl.get(), server_context("a.org"));
        EXPECT_EQ(SSL_get_SSL_CTX(ssl.get()), before);
        EXPECT_EQ(common_name(SSL_get_certificate(ssl.get())), "a-first");
        drop_contexts();
    });
}

TEST(Context, VerifyModes) {
    struct Mode {
        const char* lines;
        int server, client;
    };
    constexpr int kRequired = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    constexpr Mode kModes[] = {
        {"", SSL_VERIFY_NONE, SSL_VERIFY_NONE},
        {"verify_certificate = yes\n", SSL_VERIFY_PEER, SSL_VERIFY_PEER},
        {"require_certificate = yes\n", kRequired, SSL_VERIFY_PEER},
        {"verify_client = on\n", kRequired, SSL_VERIFY_NONE},
        {"verify_client = optional\n", SSL_VERIFY_PEER, SSL_VERIFY_NONE},
        {"verify_client = optional_no_ca\n", SSL_VERIFY_PEER, SSL_VERIFY_NONE},
    };
    in_child([&] {
        for (const Mode& mode : kModes) {
            Server server;
            server.publish_config(std::string("[server:default]\ncertificate = default.pem\nca_list = a.pem\n") +
                                  mode.lines + "[client:default]\nca_list = a.pem\n" + mode.lines);
            std::string why;
            EXPECT_EQ(SSL_CTX_get_verify_mode(server_context()), mode.server) << mode.lines;
            SSL_CTX* client = context_for({Side::client, kLocal, kLocal, "", ""}, why);
            ASSERT_NE(client, nullptr) << why;
            EXPECT_EQ(SSL_CTX_get_verify_mode(client), mode.client) << mode.lines;
        }
        drop_contexts();
    });
}

// The n-th allocation fails, for every n: an error each time, and nothing of ours is left behind.
TEST(Context, LoadingWithoutMemoryFailsCleanly) {
    if (!openssl_is_shared()) GTEST_SKIP() << "OpenSSL does not use the segment in this build";
    in_child([] {
        Server server;
        server.dir.write("tls.cfg",
                         "[server:default]\ncertificate = default.pem\nca_list = a.pem\nverify_certificate = yes\n");
        const LoadOptions options{.config = "tls.cfg", .base_directory = server.dir.path()};
        for (int i = 0; i < 3; ++i) (void)load_configuration(options);  // what is made once
        int failures = 0;
        const auto before = mem::heap_stats().by_tag[static_cast<int>(mem::Tag::config)].bytes;
        for (long nth = 0; nth < 100'000; nth += nth < 200 ? 1 : 17) {
            mem::FailAllocation failing(nth);
            const auto loaded = load_configuration(options);
            if (!failing.fired()) {
                EXPECT_TRUE(loaded) << loaded.error().text();
                break;
            }
            failures += loaded ? 0 : 1;
            EXPECT_TRUE(loaded || !loaded.error().what.empty());
        }
        EXPECT_GT(failures, 20);  // most of the rest are decoders that OpenSSL can do without
        EXPECT_EQ(mem::heap_stats().by_tag[static_cast<int>(mem::Tag::config)].bytes, before);
        EXPECT_TRUE(load_configuration(options));
        EXPECT_TRUE(mem::walk_heap().valid);
    });
}

// Killed anywhere while it builds its contexts: the successor in its slot builds them again, and a connection that
// was made by the dead one keeps its context.
TEST(Context, TheSuccessorOfAKilledProcessStartsAnew) {
    if (!openssl_is_shared()) GTEST_SKIP() << "OpenSSL does not use the segment in this build";
    in_child([] {
        Server server;
        server.publish_config(kThree);
        int killed = 0;
        for (long nth = 0; nth < 20'000; nth += 211) {
            const pid_t worker = fork();
            if (worker == 0) {
                mem::attach_slot(kChildSlot + 1);
                if (!enter_openssl_process()) _exit(3);
                adopt_contexts();
                mem::kill_at(mem::Point::alloc, nth);
                const bool first = server_context() != nullptr, second = server_context("a.org") != nullptr;
                const bool third = server_context("b.org") != nullptr;
                mem::kill_at(mem::Point::alloc, -1);
                _exit(first && second && third && contexts_kept() == 3 ? 0 : 1);
            }
            int status = 0;
            waitpid(worker, &status, 0);
            after_death(kChildSlot + 1, mem::recover_slot(kChildSlot + 1));
            if (WIFEXITED(status)) {
                EXPECT_EQ(WEXITSTATUS(status), 0);
                break;
            }
            ASSERT_EQ(WTERMSIG(status), SIGKILL) << "at allocation " << nth;
            ++killed;
        }
        EXPECT_GT(killed, 5);
        EXPECT_TRUE(mem::walk_heap().valid);
    });
}

TEST(Context, ReloadsLeaveNothingBehind) {
    if (!openssl_is_shared()) GTEST_SKIP() << "OpenSSL does not use the segment in this build";
    in_child([] {
        Server server;
        const auto reload = [&](int i) {
            server.renew(i % 2 == 0 ? "even" : "odd");
            server.publish_config(kThree);
            server_context();
            server_context("a.org");
        };
        for (int i = 0; i < 4; ++i) reload(i);
        mem::tidy_heap();
        const mem::WalkResult before = mem::walk_heap();
        for (int i = 0; i < 200; ++i) reload(i);
        mem::tidy_heap();
        const mem::WalkResult after = mem::walk_heap();
        ASSERT_TRUE(after.valid) << after.reason;
        EXPECT_EQ(after.blocks, before.blocks);
        EXPECT_NEAR(static_cast<double>(after.used), static_cast<double>(before.used),
                    4096);  // EC numbers vary in length
        drop_contexts();
    });
}

}  // namespace
}  // namespace kahu::tls
