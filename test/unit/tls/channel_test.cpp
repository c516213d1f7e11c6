// test/unit/tls/channel_test.cpp -- the channel as the engine drives it, against a client of plain OpenSSL.
//
// The connection and the client's SSL both lie in the segment, so that the test can go on in another process.
#include "tls/channel.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>
#include <tuple>

#include "core/base/clock.h"
#include "core/stats/counters.h"
#include "mem/heap_stats.h"
#include "mem/segment.h"
#include "test/unit/tls/environment.h"
#include "tls/bio.h"
#include "tls/context.h"
#include "tls/generation.h"
#include "tls/handshake.h"
#include "tls/loader.h"
#include "tls/openssl_version.h"
#include "tls/peer_info.h"
#include "tls/shared_openssl.h"

namespace kahu::tls {
namespace {

using net::ChannelStatus;
using net::Connection;
using testing::client_context;
using testing::ContextWish;
using testing::in_children;

std::map<const Connection*, std::string> g_wire;  // what the channel sent, until the client takes it
bool g_wire_full = false;

bool to_wire(Connection& connection, std::string_view bytes) {
    if (g_wire_full) return false;
    g_wire[&connection].append(bytes);
    return true;
}

// tls.cfg and its files in a directory of their own; published as generation.
void publish_profiles() {
    namespace fs = std::filesystem;
    char pattern[] = "/tmp/kahu-channel-XXXXXX";
    const fs::path directory = mkdtemp(pattern);
    const auto put = [&](const char* name, const std::string& text) { std::ofstream(directory / name) << text; };
    const auto& all = testing::identities();
    put("ec.pem", pem_of(all.ec.certificate.get()));
    put("ec.key", pem_of(all.ec.key.get()));
    put("rsa.pem", pem_of(all.rsa.certificate.get()));
    put("rsa.key", pem_of(all.rsa.key.get()));
    put("ca.pem", pem_of(all.ca.certificate.get()));
    put("tls.cfg",
        "[server:default]\nmethod = TLSv1.2+\ncertificate = ec.pem\nprivate_key = ec.key\n"
        "[server:any]\nserver_name = rsa.test\nmethod = TLSv1.2+\ncertificate = rsa.pem\nprivate_key = rsa.key\n"
        "[server:any]\nserver_name = strict.test\nmethod = TLSv1.3\ncertificate = ec.pem\nprivate_key = ec.key\n"
        "ca_list = ca.pem\nverify_certificate = yes\nrequire_certificate = yes\n"
        "[client:default]\nmethod = TLSv1.2+\nverify_certificate = yes\nca_list = ca.pem\nserver_name = ec.test\n");
    LoadOptions options;
    options.config = (directory / "tls.cfg").string();
    options.base_directory = directory.string();
    const auto loaded = load_configuration(options);
    fs::remove_all(directory);
    ASSERT_TRUE(loaded) << loaded.error().text();
    const Status published = publish(**loaded);
    ASSERT_TRUE(published) << published.error().text();
}

Connection* new_connection(bool outbound = false) {
    auto* connection = mem::make<Connection>(mem::Tag::other);
    connection->transport = Transport::tls;
    connection->outbound = outbound;
    connection->peer = *SocketAddress::parse_ip("127.0.0.9", 25001);
    connection->local = *SocketAddress::parse_ip("127.0.0.1", 25000);
    return connection;
}

// One client and the connection it talks to.
class Dialog {
  public:
    explicit Dialog(SSL_CTX* context, const char* sni = nullptr) : connection(new_connection()) {
        client = SSL_new(context);
        SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        BIO_set_mem_eof_return(SSL_get_rbio(client), -1);
        SSL_set_connect_state(client);
        if (sni) SSL_set_tlsext_host_name(client, sni);
    }
    ~Dialog() {
        if (connection->secure) secure_channel().release(*connection);
        g_wire.erase(connection);
        SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // its session stays good
        SSL_free(client);
        mem::destroy(connection, mem::Tag::other);
    }
    Dialog(const Dialog&) = delete;
    Dialog& operator=(const Dialog&) = delete;

    bool open() { return secure_channel().open(*connection, true); }
    // What the engine does with bytes received.
    ChannelStatus receive(std::string_view bytes) {
        secure_channel().feed(*connection, bytes);
        if (!established) {
            const ChannelStatus status = secure_channel().handshake(*connection);
            if (status != ChannelStatus::ok) return status;
            established = true;
        }
        for (;;) {
            char part[3000];
            size_t got = 0;
            const ChannelStatus status = secure_channel().read(*connection, part, sizeof part, got);
            if (status != ChannelStatus::ok) return status;
            received.append(part, got);
        }
    }
    void to_client() {
        std::string& wire = g_wire[connection];
        BIO_write(SSL_get_rbio(client), wire.data(), static_cast<int>(wire.size()));
        wire.clear();
    }
    std::string from_client() {
        std::string bytes(BIO_ctrl_pending(SSL_get_wbio(client)), '\0');
        if (!bytes.empty()) BIO_read(SSL_get_wbio(client), bytes.data(), static_cast<int>(bytes.size()));
        return bytes;
    }
    // Until both are established or one failed.
    ChannelStatus run(size_t piece = 100'000) {
        for (int flight = 0; flight < 10; ++flight) {
            ERR_clear_error();
            const int done = SSL_do_handshake(client);
            const std::string bytes = from_client();
            for (size_t at = 0; at < bytes.size(); at += piece)
                if (const auto status = receive(std::string_view(bytes).substr(at, piece));
                    status == ChannelStatus::failed)
                    return status;
            to_client();
            if (done == 1 && established) return ChannelStatus::ok;
        }
        return ChannelStatus::need_more;
    }
    bool echo(const std::string& text) {
        received.clear();
        if (SSL_write(client, text.data(), static_cast<int>(text.size())) <= 0) return false;
        if (receive(from_client()) != ChannelStatus::need_more || received != text) return false;
        if (secure_channel().write(*connection, text) != ChannelStatus::ok) return false;
        to_client();
        std::string back(text.size(), '\0');
        for (size_t at = 0; at < back.size();) {
            const int got = SSL_read(client, back.data() + at, static_cast<int>(back.size() - at));
            if (got <= 0) return false;
            at += static_cast<size_t>(got);
        }
        return back == text;
    }
    std::string failure() {  // the log line
        ::testing::internal::CaptureStderr();
        const ChannelStatus status = run();
        secure_channel().handshake_cut(*connection, "timeout");  // must not be reported a second time
        const std::string log = ::testing::internal::GetCapturedStderr();
        EXPECT_EQ(status, ChannelStatus::failed) << log;
        return log;
    }

    Connection* connection;
    SSL* client;
    bool established = false;
    std::string received;
};

void*& inherited() { return *static_cast<void**>(testing::shared_page()); }

class ChannelTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        publish_profiles();
        set_bio_output(to_wire);
    }
    void TearDown() override {
        drop_contexts();
        g_wire_full = false;
    }
};

TEST_F(ChannelTest, HandshakeAndMessagesInPiecesOfAnySize) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
        for (const size_t piece : {size_t{1}, size_t{7}, size_t{500}, size_t{100'000}}) {
            const OwnedContext context = client_context({.version = version});
            Dialog dialog(context.get());
            ASSERT_TRUE(dialog.open());
            ASSERT_EQ(dialog.run(piece), ChannelStatus::ok) << version << ' ' << piece;
            EXPECT_TRUE(dialog.echo("hello"));
            EXPECT_TRUE(dialog.echo(std::string(70'000, 'x'))) << "several records";
        }
}

TEST_F(ChannelTest, TheServerNameChoosesTheProfile) {
    const OwnedContext context = client_context({});
    Dialog dialog(context.get(), "rsa.test");
    ASSERT_TRUE(dialog.open());
    ASSERT_EQ(dialog.run(), ChannelStatus::ok);
    const auto info = peer_info(*dialog.connection);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->server_name, "rsa.test");
    EXPECT_NE(info->profile.find("rsa.test"), std::string::npos) << info->profile;
    EXPECT_EQ(info->version, "TLSv1.3");
    EXPECT_EQ(info->cipher, "TLS_AES_256_GCM_SHA384");
    EXPECT_EQ(info->cipher_description, "TLS_AES_256_GCM_SHA384 TLSv1.3 Kx=any Au=any Enc=AESGCM(256) Mac=AEAD");
    EXPECT_EQ(info->cipher_bits, 256);
    EXPECT_FALSE(info->resumed);
    EXPECT_FALSE(info->verified);
    unsigned char der[4000], *end = der;
    const int bytes = i2d_X509(testing::identities().rsa.certificate.get(), &end);
    EXPECT_EQ(info->own_certificate, std::string(reinterpret_cast<char*>(der), static_cast<size_t>(bytes)));
    EXPECT_TRUE(info->peer_certificate.empty());
}

TEST_F(ChannelTest, AVerifiedPeersCertificateIsKept) {
    const OwnedContext context = client_context({});
    Dialog dialog(context.get(), "strict.test");
    ASSERT_TRUE(dialog.open());
    ASSERT_EQ(dialog.run(), ChannelStatus::ok);
    const auto info = peer_info(*dialog.connection);
    ASSERT_TRUE(info);
    EXPECT_TRUE(info->verified);
    EXPECT_EQ(info->verify_result, X509_V_OK);
    unsigned char der[4000], *end = der;
    const int bytes = i2d_X509(testing::identities().client.certificate.get(), &end);
    EXPECT_EQ(info->peer_certificate, std::string(reinterpret_cast<char*>(der), static_cast<size_t>(bytes)));
}

// A session made without a client certificate must not open a profile that requires one.
TEST_F(ChannelTest, ASessionOfALaxProfileDoesNotOpenAStrictOne) {
    const OwnedContext context(SSL_CTX_new(TLS_client_method()));
    OwnedSession session;
    {
        Dialog lax(context.get(), "ec.test");
        ASSERT_TRUE(lax.open());
        ASSERT_EQ(lax.run(), ChannelStatus::ok);
        ASSERT_TRUE(lax.echo("for the ticket"));
        session.reset(SSL_get1_session(lax.client));
    }
    Dialog again(context.get(), "ec.test");
    SSL_set_session(again.client, session.get());
    ASSERT_TRUE(again.open());
    ASSERT_EQ(again.run(), ChannelStatus::ok);
    EXPECT_TRUE(peer_info(*again.connection)->resumed) << "else this test proves nothing";
    Dialog strict(context.get(), "strict.test");
    SSL_set_session(strict.client, session.get());
    ASSERT_TRUE(strict.open());
    EXPECT_NE(strict.failure().find("the peer sent no certificate"), std::string::npos);
}

TEST_F(ChannelTest, CloseNotifyIsSentIfConfiguredAndUnderstood) {
    const OwnedContext context = client_context({});
    send_close_notify.set(1);
    Dialog dialog(context.get());
    ASSERT_TRUE(dialog.open());
    ASSERT_EQ(dialog.run(), ChannelStatus::ok);
    SSL_shutdown(dialog.client);
    EXPECT_EQ(dialog.receive(dialog.from_client()), ChannelStatus::closed);
    secure_channel().shutdown(*dialog.connection);
    send_close_notify.set(0);
    dialog.to_client();
    char none[1];
    EXPECT_EQ(SSL_read(dialog.client, none, 1), 0);
    EXPECT_EQ(SSL_get_error(dialog.client, 0), SSL_ERROR_ZERO_RETURN);
}

TEST_F(ChannelTest, AFullOutputFailsTheConnectionOnly) {
    const OwnedContext context = client_context({});
    Dialog dialog(context.get());
    ASSERT_TRUE(dialog.open());
    ASSERT_EQ(dialog.run(), ChannelStatus::ok);
    g_wire_full = true;
    EXPECT_EQ(secure_channel().write(*dialog.connection, "no room"), ChannelStatus::failed);
    g_wire_full = false;
    EXPECT_EQ(secure_channel().write(*dialog.connection, "never again"), ChannelStatus::failed);
}

TEST_F(ChannelTest, ABadRecordAfterTheHandshakeFails) {
    const OwnedContext context = client_context({});
    Dialog dialog(context.get());
    ASSERT_TRUE(dialog.open());
    ASSERT_EQ(dialog.run(), ChannelStatus::ok);
    EXPECT_EQ(dialog.receive(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'z')), ChannelStatus::failed);
}

// --- failed handshakes, and what the log says of them --------------------------------------------
TEST_F(ChannelTest, PlainSipIsCalledSo) {
    const OwnedContext context = client_context({});
    Dialog dialog(context.get());
    ASSERT_TRUE(dialog.open());
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(dialog.receive("OPTIONS sip:kahu@example.com SIP/2.0\r\n"), ChannelStatus::failed);
    const std::string log = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(log.find("tls.handshake.failed"), std::string::npos) << log;
    EXPECT_NE(log.find("not TLS: looks like plain SIP"), std::string::npos) << log;
    EXPECT_NE(log.find("peer=127.0.0.9:25001"), std::string::npos) << log;
}

struct Refusal {
    const char* name;
    void (*spoil)(SSL* client);
    std::vector<std::string> says;
};
const Refusal kRefusals[] = {
    {"cipher",
     [](SSL* c) {
         SSL_set_max_proto_version(c, TLS1_2_VERSION);
         SSL_set_cipher_list(c, "AES256-SHA256");
     },
     {"no shared cipher", "sent 40 handshake failure", "profile=server:default", "sni=old.test"}},
    {"version",
     [](SSL* c) {
         SSL_set_min_proto_version(c, TLS1_1_VERSION);
         SSL_set_max_proto_version(c, TLS1_1_VERSION);
         SSL_set_security_level(c, 0);
     },
     {"unsupported protocol", "sent 70 protocol version", "sni=old.test"}},
    {"signature",
     [](SSL* c) { SSL_set1_sigalgs_list(c, "RSA-PSS+SHA256"); },
     {"no suitable signature algorithm", "sent 40"}},
};
class Refused : public ChannelTest, public ::testing::WithParamInterface<Refusal> {};
TEST_P(Refused, IsLoggedOnceWithTheReason) {
    const OwnedContext context(SSL_CTX_new(TLS_client_method()));
    Dialog dialog(context.get(), "old.test");
    GetParam().spoil(dialog.client);
    ASSERT_TRUE(dialog.open());
    const std::string log = dialog.failure();
    for (const std::string& part : GetParam().says)
        EXPECT_NE(log.find(part), std::string::npos) << part << "\nnot in " << log;
    EXPECT_EQ(log.find("tls.handshake.failed"), log.rfind("tls.handshake.failed")) << log;
}
INSTANTIATE_TEST_SUITE_P(Tls, Refused, ::testing::ValuesIn(kRefusals), [](const auto& i) { return i.param.name; });

TEST_F(ChannelTest, ThePeersAlertIsNamed) {
    const OwnedContext context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);  // trusts nobody
    Dialog dialog(context.get());
    ASSERT_TRUE(dialog.open());
    const std::string log = dialog.failure();
    EXPECT_NE(log.find("peer sent alert 48 unknown ca"), std::string::npos) << log;
}

TEST_F(ChannelTest, TimeoutsAndResetsAreReported) {
    const OwnedContext context = client_context({});
    for (const char* why : {"timeout", "connection reset"}) {
        Dialog dialog(context.get());
        ASSERT_TRUE(dialog.open());
        ::testing::internal::CaptureStderr();
        secure_channel().handshake_cut(*dialog.connection, why);
        EXPECT_NE(::testing::internal::GetCapturedStderr().find(why), std::string::npos);
    }
}

int64_t counted(std::string_view name) {
    for (const Counter& counter : handshake_counters())
        if (counter.name == name) return stats::sum(*counter.id);
    ADD_FAILURE() << "no counter " << name;
    return -1;
}

TEST_F(ChannelTest, CountersFollow) {
    const OwnedContext context = client_context({.version = TLS1_2_VERSION}), nobody(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(nobody.get(), SSL_VERIFY_PEER, nullptr);
    const int64_t done = counted("handshakes"), tls12 = counted("handshakes_tls12"),
                  refused = counted("failed_peer_alert"), alerts = counted("alert_received_unknown_ca"),
                  late = counted("failed_timeout");
    Dialog good(context.get()), bad(nobody.get()), slow(context.get());
    ASSERT_TRUE(good.open() && bad.open() && slow.open());
    EXPECT_EQ(good.run(), ChannelStatus::ok);
    bad.failure();
    ::testing::internal::CaptureStderr();
    secure_channel().handshake_cut(*slow.connection, "timeout");
    ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(counted("handshakes"), done + 1);
    EXPECT_EQ(counted("handshakes_tls12"), tls12 + 1);
    EXPECT_EQ(counted("failed_peer_alert"), refused + 1);
    EXPECT_EQ(counted("alert_received_unknown_ca"), alerts + 1);
    EXPECT_EQ(counted("failed_timeout"), late + 1);
}

TEST_F(ChannelTest, AFloodOfFailuresIsSummedUp) {
    const OwnedContext context = client_context({});
    const auto fail_once = [&] {
        Dialog dialog(context.get());
        ASSERT_TRUE(dialog.open());
        dialog.receive("GET / HTTP/1.1\r\n\r\n");
    };
    const auto lines = [](const std::string& log) {
        size_t count = 0;
        for (size_t at = log.find("failed peer"); at != log.npos; at = log.find("failed peer", at + 1)) ++count;
        return count;
    };
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // what earlier tests logged no longer counts
    clock::tick();
    ::testing::internal::CaptureStderr();
    for (int i = 0; i < 50; ++i) fail_once();
    EXPECT_EQ(lines(::testing::internal::GetCapturedStderr()), 20U);
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    clock::tick();
    ::testing::internal::CaptureStderr();
    fail_once();
    EXPECT_NE(::testing::internal::GetCapturedStderr().find("suppressed=30"), std::string::npos);
}

// --- our own connections out -----------------------------------------------------------------------
TEST_F(ChannelTest, AsClientItSendsTheProfilesServerName) {
    Connection* out = new_connection(true);
    Connection* in = new_connection();
    ASSERT_TRUE(secure_channel().open(*out, false));
    ASSERT_TRUE(secure_channel().open(*in, true));
    ChannelStatus client = ChannelStatus::need_more, server = ChannelStatus::need_more;
    for (int flight = 0; flight < 6 && (client != ChannelStatus::ok || server != ChannelStatus::ok); ++flight) {
        for (auto [from, to, status] : {std::tuple{in, out, &client}, std::tuple{out, in, &server}}) {
            const std::string bytes = std::exchange(g_wire[from], {});
            secure_channel().feed(*to, bytes);
            if (*status == ChannelStatus::need_more) *status = secure_channel().handshake(*to);
        }
    }
    EXPECT_EQ(client, ChannelStatus::ok);
    EXPECT_EQ(server, ChannelStatus::ok);
    const auto at_client = peer_info(*out), at_server = peer_info(*in);
    ASSERT_TRUE(at_client && at_server);
    EXPECT_TRUE(at_client->verified);
    EXPECT_FALSE(at_client->as_server);
    EXPECT_EQ(at_server->server_name, "ec.test");
    for (Connection* c : {out, in}) {
        secure_channel().release(*c);
        g_wire.erase(c);
        mem::destroy(c, mem::Tag::other);
    }
}

// --- memory and processes --------------------------------------------------------------------------
TEST_F(ChannelTest, EverythingIsGivenBack) {
    const OwnedContext context = client_context({});
    const auto use = [] { return mem::heap_stats().by_tag[static_cast<size_t>(mem::Tag::openssl)].blocks; };
    int64_t before = 0;
    for (int i = 0; i < 12; ++i) {
        if (i == 4) before = use();  // contexts and caches are warm now
        Dialog dialog(context.get(), i % 2 ? "rsa.test" : nullptr);
        ASSERT_TRUE(dialog.open());
        ASSERT_EQ(dialog.run(), ChannelStatus::ok);
    }
    EXPECT_EQ(use(), before);
}

// 14.3 KB were measured for OpenSSL's part of an idle connection without BIO buffers (3.0.19, 2026-11).
TEST_F(ChannelTest, AnIdleConnectionIsSmall) {
    const OwnedContext context = client_context({});
    const auto use = [] { return mem::heap_stats().by_tag[static_cast<size_t>(mem::Tag::openssl)].bytes; };
    if (!kShimsCompiledIn) GTEST_SKIP() << "private memory";
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Dialog warm(context.get());
        ASSERT_TRUE(warm.open());
        ASSERT_EQ(warm.run(), ChannelStatus::ok);
        Dialog dialog(context.get());
        SSL_set_max_proto_version(dialog.client, version);
        ASSERT_TRUE(dialog.open());
        ASSERT_EQ(dialog.run(), ChannelStatus::ok);
        ASSERT_TRUE(dialog.echo("OPTIONS"));
        const int64_t before = use();
        secure_channel().release(*dialog.connection);
        const int64_t bytes = before - use();
        printf("TLS 1.%d: %ld bytes for an idle connection\n", version == TLS1_3_VERSION ? 3 : 2,
               static_cast<long>(bytes));
        EXPECT_LT(bytes, 17'000);
        EXPECT_GT(bytes, 5'000);
    }
}

TEST_F(ChannelTest, AConnectionGoesOnInAnotherProcess) {
    if (!kShimsCompiledIn) GTEST_SKIP() << "private memory";
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const OwnedContext context = client_context({.version = version});
        Dialog dialog(context.get(), "rsa.test");
        // The first process dies between two flights of the handshake, the second between two messages.
        EXPECT_TRUE(testing::killed_in_child(1, [&] {
            adopt_contexts();
            if (!dialog.open()) return;
            SSL_do_handshake(dialog.client);
            if (dialog.receive(dialog.from_client()) != ChannelStatus::need_more) return;
            dialog.to_client();
            raise(SIGKILL);
        }));
        EXPECT_TRUE(testing::killed_in_child(1, [&] {
            adopt_contexts();
            if (dialog.run() != ChannelStatus::ok || !dialog.echo("second")) return;
            raise(SIGKILL);
        }));
        dialog.established = true;
        EXPECT_EQ(in_children(1,
                              [&](int) {
                                  adopt_contexts();
                                  const auto info = peer_info(*dialog.connection);
                                  const bool known = info && info->server_name == "rsa.test";
                                  const int failed =
                                      !known + !dialog.echo("third") + !dialog.echo(std::string(40'000, 'y'));
                                  secure_channel().release(*dialog.connection);
                                  drop_contexts();
                                  return failed;
                              }),
                  0);
    }
}

// In private mode the SSL is gone with its process; the row, and what `secure` points at, are not.
TEST_F(ChannelTest, InPrivateModeASuccessorOnlyClosesWhatItInherits) {
    if (kShimsCompiledIn) GTEST_SKIP() << "this program shares: make SAN=asan unit-tls runs it";
    const OwnedContext context = client_context({});
    Dialog dialog(context.get());
    EXPECT_TRUE(testing::killed_in_child(1, [&] {
        adopt_contexts();
        if (dialog.open() && dialog.run() == ChannelStatus::ok) inherited() = dialog.connection->secure;
        raise(SIGKILL);
    }));
    ASSERT_NE(inherited(), nullptr);
    EXPECT_EQ(in_children(1,
                          [&](int) {
                              Connection& row = *dialog.connection;
                              row.secure = inherited();
                              size_t got = 0;
                              char none[16];
                              secure_channel().feed(row, "anything");
                              int wrong = secure_channel().handshake(row) != ChannelStatus::failed;
                              wrong += secure_channel().read(row, none, sizeof none, got) != ChannelStatus::failed;
                              wrong += secure_channel().write(row, "x") != ChannelStatus::failed;
                              secure_channel().shutdown(row);
                              secure_channel().handshake_cut(row, "timeout");
                              secure_channel().release(row);
                              return wrong + (row.secure != nullptr);
                          }),
              0);
    dialog.connection->secure = nullptr;
    dialog.connection->secure_info = nullptr;
}

TEST_F(ChannelTest, AbandonForgetsWithoutTouching) {
    if (!openssl_is_shared()) GTEST_SKIP() << "private memory: what is abandoned went with its process";
    const OwnedContext context = client_context({});
    Dialog dialog(context.get());
    ASSERT_TRUE(dialog.open());
    ASSERT_EQ(dialog.run(), ChannelStatus::ok);
    void* const before = dialog.connection->secure;
    secure_channel().abandon(*dialog.connection);
    EXPECT_EQ(dialog.connection->secure, nullptr);
    EXPECT_FALSE(peer_info(*dialog.connection));
    dialog.connection->secure = before;  // this test's own: give it back
}

}  // namespace
}  // namespace kahu::tls
