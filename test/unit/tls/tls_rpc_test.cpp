// The answers of tls.* as Kamailio's tools read them: names and order of fields.
#include "tls/tls_rpc.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/net/connection_table.h"
#include "core/net/settings.h"
#include "test/unit/tls/certificate_maker.h"
#include "tls/context.h"
#include "tls/settings.h"

namespace kahu::tls {
namespace {

using namespace test;

RpcCall ask(std::string_view command, std::vector<RpcCall::Param> params = {}) {
    RpcCall call{std::string(command), std::move(params)};
    for (const Command& row : tls_commands())
        if (row.name == command) row.call(call);
    return call;
}
std::string names(const RpcValue& value) {
    std::string all;
    for (const auto& [name, field] : std::get<RpcStruct>(value.data())) all += name + ' ';
    return all;
}
std::string shown(const RpcValue& value) {
    if (const auto* number = std::get_if<int64_t>(&value.data())) return std::to_string(*number);
    return std::get<std::string>(value.data());
}
std::string field(const RpcValue& value, std::string_view wanted) {
    for (const auto& [name, content] : std::get<RpcStruct>(value.data()))
        if (name == wanted) return shown(content);
    return "(no such field)";
}
std::string answer(const RpcCall& call) {
    return call.faulted() ? std::to_string(call.faulted()->first) + ' ' + call.faulted()->second
                          : shown(call.results().at(0));
}

// With a table of connections, certificates, and TLS on; in a child.
class Fixture {
  public:
    Fixture() {
        net::settings.enable_tls.set(1);
        net::construct_connection_table(calloc(1, net::connection_table_bytes()), net::connection_table_bytes());
        const OwnedKey key = ec_key();
        const OwnedCertificate x =
            make_certificate(key.get(), {.alternative_names = "DNS:sip.example.com,IP:10.0.0.1,URI:sip:example.com"});
        dir.write("cert.pem", pem_of(x.get()) + pem_of(key.get()));
        set_main_config_directory(dir.path());
        config.set("tls.cfg");
        dir.write("tls.cfg", "[server:default]\ncertificate = cert.pem\n");
    }
    void connect(size_t count) {
        for (size_t i = 0; i < count; ++i) {
            auto& row = *new (&net::connection_row(i)) net::Connection{};
            row.transport = Transport::tls;
            row.state = net::ConnectionState::handshaking;
            row.owner = -1;
            row.peer = *SocketAddress::parse_ip("192.0.2." + std::to_string(i + 1), 40000);
            row.local = *SocketAddress::parse_ip("127.0.0.1", 5061);
            row.deadline = clock::read() + 9500;
            net::publish_connection(row, net::next_id(row));
        }
        net::set_open(count, count);
    }
    Directory dir;
};

TEST(TlsRpc, InfoAndOptions) {
    in_child([] {
        Fixture fixture;
        fixture.connect(3);
        const RpcCall info = ask("tls.info");
        EXPECT_EQ(names(info.results().at(0)), "max_connections opened_connections clear_text_write_queued_bytes ");
        EXPECT_EQ(field(info.results().at(0), "opened_connections"), "3");
        set_profile_parameter("method", "TLSv1.3");
        const RpcCall options = ask("tls.options");
        EXPECT_EQ(
            names(options.results().at(0)),
            "force_run method verify_certificate verify_depth require_certificate verify_client private_key ca_list "
            "certificate cipher_list session_cache session_id config log debug connection_timeout disable_compression "
            "ssl_release_buffers ssl_freelist_max ssl_max_send_fragment ssl_read_ahead send_close_notify "
            "low_mem_threshold1 low_mem_threshold2 ct_wq_max con_ct_wq_max ct_wq_blk_size ");
        EXPECT_EQ(field(options.results().at(0), "method"), "TLSv1.3");
        EXPECT_EQ(field(options.results().at(0), "ca_list"), "<null string>");
        EXPECT_EQ(field(options.results().at(0), "config"), "tls.cfg");
    });
}

TEST(TlsRpc, ListIsPagedAndFiltered) {
    in_child([] {
        Fixture fixture;
        fixture.connect(12);
        const RpcCall all = ask("tls.list");
        ASSERT_EQ(all.results().size(), 12U);
        EXPECT_EQ(
            names(all.results()[0]),
            "id dom sni timestamp timeout src_ip src_port dst_ip dst_port cipher ct_wq_size enc_rd_buf flags state ");
        EXPECT_EQ(field(all.results()[0], "state"), "tls_accept");
        EXPECT_EQ(field(all.results()[0], "timeout"), "9");
        EXPECT_EQ(field(all.results()[0], "src_ip"), "192.0.2.1");
        EXPECT_EQ(field(all.results()[0], "dst_port"), "5061");
        EXPECT_EQ(ask("tls.list", {int64_t{5}}).results().size(), 5U);
        const RpcCall page = ask("tls.list", {int64_t{5}, int64_t{10}});
        ASSERT_EQ(page.results().size(), 2U);
        EXPECT_EQ(field(page.results()[0], "src_ip"), "192.0.2.11");
        EXPECT_EQ(ask("tls.list", {int64_t{0}, int64_t{0}, "192.0.2.7"}).results().size(), 1U);
        EXPECT_EQ(answer(ask("tls.list", {int64_t{-1}})), "400 count and offset must not be negative");
        EXPECT_EQ(answer(ask("tls.kill", {int64_t{999999}})), "TLS connection id not found");
        EXPECT_EQ(answer(ask("tls.kill", {int64_t{-1}})), "TLS connection id not found");
        EXPECT_EQ(answer(ask("tls.kill")).substr(0, 3), "400");
    });
}

TEST(TlsRpc, ReloadAnswersWhatCameOfIt) {
    in_child([] {
        Fixture fixture;
        EXPECT_EQ(answer(ask("tls.reload")), "Ok. TLS configuration reloaded.");
        const uint64_t number = current_generation_number();
        EXPECT_EQ(answer(ask("tls.check")), "Ok. TLS configuration is valid: 2 profiles, 0 changed.");
        EXPECT_EQ(current_generation_number(), number);

        fixture.dir.write("tls.cfg", "[server:default]\ncertificate = cert.pem\nprivat_key = x\n");
        const std::string refused = "500 " + fixture.dir.file("tls.cfg") +
                                    ":3:1: unknown attribute \"privat_key\" (did you mean \"private_key\"?)";
        EXPECT_EQ(answer(ask("tls.check")), refused);
        EXPECT_EQ(answer(ask("tls.reload")), refused);
        EXPECT_EQ(current_generation_number(), number);

        fixture.dir.write("tls.cfg", "[server:default]\ncertificate = cert.pem\nmethod = TLSv1+\n");
        EXPECT_EQ(
            answer(ask("tls.reload")),
            "Ok. TLS configuration reloaded.\nwarning: " + fixture.dir.file("tls.cfg") +
                ":3:10: method TLSv1+ taken as TLSv1.2+: older versions are obsolete (RFC 8996); tls_allow_obsolete "
                "would allow them");
        EXPECT_EQ(current_generation_number(), number + 1);
        EXPECT_EQ(generations_kept(), 1);

        net::settings.enable_tls.set(0);
        EXPECT_EQ(answer(ask("tls.reload")), "500 TLS is not enabled (set enable_tls=yes)");
    });
}

TEST(TlsRpc, CertsShowsOurCertificates) {
    in_child([] {
        Fixture fixture;
        ASSERT_EQ(answer(ask("tls.reload")), "Ok. TLS configuration reloaded.");
        const RpcCall certs = ask("tls.certs");
        ASSERT_EQ(certs.results().size(), 1U);
        const RpcValue& row = certs.results()[0];
        EXPECT_EQ(names(row), "profile file subject issuer san serial key not_before not_after days_left ");
        EXPECT_EQ(field(row, "profile"), "server:default");
        EXPECT_EQ(field(row, "subject"), "CN=sip.example.com");
        EXPECT_EQ(field(row, "san"), "sip.example.com, 10.0.0.1, sip:example.com");
        EXPECT_EQ(field(row, "key"), "EC prime256v1");
        EXPECT_EQ(field(row, "days_left"), "365");
        EXPECT_EQ(ask("tls.certs", {int64_t{0}, int64_t{0}, "nobody"}).results().size(), 0U);
    });
}

}  // namespace
}  // namespace kahu::tls
