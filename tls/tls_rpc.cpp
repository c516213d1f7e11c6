#include "tls/tls_rpc.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/net/connection.h"
#include "core/net/settings.h"
#include "core/stats/counters.h"
#include "tls/certificate_text.h"
#include "tls/channel.h"
#include "tls/credentials.h"
#include "tls/peer_info.h"
#include "tls/reload.h"
#include "tls/session_cache.h"
#include "tls/settings.h"

namespace kahu::tls {
namespace {

uint16_t g_reloads, g_reloads_failed;
constexpr Counter kCounters[] = {
    {"tls", "reloads", CounterKind::counter, "Configurations that tls.reload put in force.", &g_reloads},
    {"tls", "reloads_failed", CounterKind::counter, "Configurations that tls.reload refused.", &g_reloads_failed},
};

bool is_enabled(RpcCall& call) {
    if (net::settings.enable_tls != 0) return true;
    call.fault(500, "TLS is not enabled (set enable_tls=yes)");
    return false;
}

// --- lists: [count [offset [filter]]] -----------------------------------------------------------------------
struct Page {
    int64_t count = 0, offset = 0;  // count 0: all
    std::string filter;
    bool full = false;

    // Of a row that passed the filter: whether it is on the page.
    bool take() {
        if (offset > 0) return --offset, false;
        if (count != 0 && taken_ >= count) return full = true, false;
        ++taken_;
        return true;
    }

  private:
    int64_t taken_ = 0;
};

bool read_page(RpcCall& call, Page& page) {
    const auto count = call.next_int_or(0);
    if (!count) return false;
    const auto offset = call.next_int_or(0);
    if (!offset) return false;
    const auto filter = call.next_text_or("");
    if (!filter) return false;
    if (*count < 0 || *offset < 0) {
        call.fault(400, "count and offset must not be negative");
        return false;
    }
    page.count = *count;
    page.offset = *offset;
    page.filter = *filter;
    return true;
}

// --- tls.info, tls.options ------------------------------------------------------------------------------------
void info(RpcCall& call) {
    if (!is_enabled(call)) return;
    int64_t queued = 0;
    for (size_t i = 0; i < net::connection_capacity(); ++i) {
        const net::Connection& row = net::connection_row(i);
        if (row.id.load() != 0 && row.transport == Transport::tls &&
            row.state.load() == net::ConnectionState::handshaking)
            queued += row.queued_bytes.load(std::memory_order_relaxed);
    }
    call.add(RpcStruct{{"max_connections", net::settings.tls_max_connections.get()},
                       {"opened_connections", net::open_tls_connections()},
                       {"clear_text_write_queued_bytes", queued}});
}

// As Kamailio's tools see an absent text.
std::string or_null(const std::string& text) { return text.empty() ? "<null string>" : text; }

void options(RpcCall& call) {
    if (!is_enabled(call)) return;
    constexpr std::string_view verify_client[] = {"off", "on", "optional", "optional_no_ca"};
    const Domain p = parameter_domain();
    call.add(RpcStruct{{"force_run", tls_force_run.get()},
                       {"method", info_of(p.method).name},
                       {"verify_certificate", p.verify_certificate ? 1 : 0},
                       {"verify_depth", p.verify_depth},
                       {"require_certificate", p.require_certificate ? 1 : 0},
                       {"verify_client", verify_client[static_cast<size_t>(p.verify_client)]},
                       {"private_key", or_null(p.private_key)},
                       {"ca_list", or_null(p.ca_list)},
                       {"certificate", or_null(p.certificate)},
                       {"cipher_list", or_null(p.cipher_list)},
                       {"session_cache", session_cache.get()},
                       {"session_id", or_null(session_id.get())},
                       {"config", or_null(config.get())},
                       {"log", tls_log.get()},
                       {"debug", tls_debug.get()},
                       {"connection_timeout", net::settings.tls_connection_timeout.get()},
                       {"disable_compression", tls_disable_compression.get()},
                       {"ssl_release_buffers", ssl_release_buffers.get()},
                       {"ssl_freelist_max", ssl_freelist_max_len.get()},
                       {"ssl_max_send_fragment", ssl_max_send_fragment.get()},
                       {"ssl_read_ahead", ssl_read_ahead.get()},
                       {"send_close_notify", send_close_notify.get()},
                       {"low_mem_threshold1", low_mem_threshold1.get()},
                       {"low_mem_threshold2", low_mem_threshold2.get()},
                       {"ct_wq_max", ct_wq_max.get()},
                       {"con_ct_wq_max", con_ct_wq_max.get()},
                       {"ct_wq_blk_size", ct_wq_blk_size.get()}});
}

// --- tls.list, tls.kill ----------------------------------------------------------------------------------------
constexpr int kHandshaked = 2;  // Kamailio's F_TLS_CON_HANDSHAKED

std::string_view state_text(net::ConnectionState state, bool outbound) {
    switch (state) {
    case net::ConnectionState::accepted:
    case net::ConnectionState::connecting: return "pre-init";
    case net::ConnectionState::handshaking: return outbound ? "tls_connect" : "tls_accept";
    case net::ConnectionState::established: return "established";
    default: return "unknown/error";
    }
}

bool passes(const std::string& filter, std::initializer_list<std::string_view> texts) {
    if (filter.empty()) return true;
    return std::any_of(texts.begin(), texts.end(),
                       [&](std::string_view text) { return text.find(filter) != text.npos; });
}

// Empty: the connection went away while we looked.
RpcStruct connection_row_of(const net::Connection& row, uint64_t id, const std::string& filter) {
    const net::ConnectionState state = row.state.load();
    const auto peer = state == net::ConnectionState::established ? peer_info(row) : std::nullopt;
    const SocketAddress from = row.outbound ? row.local : row.peer, to = row.outbound ? row.peer : row.local;
    const std::string_view shown = state_text(state, row.outbound);
    const std::string profile = peer ? peer->profile : "N/A",
                      sni = peer && !peer->server_name.empty() ? peer->server_name : "N/A";
    const std::string from_ip = from.ip(), to_ip = to.ip();
    if (!passes(filter, {from_ip, to_ip, profile, sni, shown})) return {};
    const int64_t left = (row.deadline.load(std::memory_order_relaxed) - clock::read()) / 1000;
    RpcStruct fields{{"id", static_cast<int64_t>(id)},
                     {"dom", profile},
                     {"sni", sni},
                     {"timestamp", clock::local_text(row.opened_unix)},
                     {"timeout", std::max<int64_t>(left, 0)},
                     {"src_ip", from_ip},
                     {"src_port", int{from.port()}},
                     {"dst_ip", to_ip},
                     {"dst_port", int{to.port()}},
                     {"cipher", peer ? peer->cipher_description : std::string("unknown")},
                     {"ct_wq_size", peer ? 0U : row.queued_bytes.load(std::memory_order_relaxed)},
                     {"enc_rd_buf", 0},
                     {"flags", peer ? kHandshaked : 0},
                     {"state", shown}};
    if (row.id.load() != id) return {};
    return fields;
}

void list(RpcCall& call) {
    Page page;
    if (!is_enabled(call) || !read_page(call, page)) return;
    for (size_t i = 0; i < net::connection_capacity() && !page.full; ++i) {
        const net::Connection& row = net::connection_row(i);
        const uint64_t id = row.id.load();
        if (id == 0 || row.transport != Transport::tls) continue;
        RpcStruct fields = connection_row_of(row, id, page.filter);
        if (!fields.empty() && page.take()) call.add(std::move(fields));
    }
}

void kill(RpcCall& call) {
    if (!is_enabled(call)) return;
    const auto id = call.next_int();
    if (!id) return;
    const net::ConnectionId wanted{static_cast<uint64_t>(*id)};
    const net::Connection* row = *id > 0 ? net::find_connection(wanted) : nullptr;
    const bool asked = row != nullptr && row->transport == Transport::tls && net::request_close(wanted);
    call.add(asked ? "OK" : "TLS connection id not found");
}

// --- tls.reload, tls.check ----------------------------------------------------------------------------------------
std::string with_warnings(std::string text, const std::vector<std::string>& warnings) {
    for (const std::string& warning : warnings) text.append("\nwarning: ").append(warning);
    return text;
}

void reload(RpcCall& call) {
    if (!is_enabled(call)) return;
    auto done = load_and_publish();
    if (!done) {
        stats::add(g_reloads_failed);
        LOG(error, "tls.reload.refused", kv("reason", done.error().text()), kv("client", call.client));
        call.fault(500, done.error().text());
        return;
    }
    stats::add(g_reloads);
    for (const std::string& warning : done->warnings) LOG(warn, "tls.configuration", kv("warning", warning));
    LOG(notice, "tls.reload.done", kv("profiles", done->profiles), kv("changed", done->changed),
        kv("client", call.client));
    call.add(with_warnings("Ok. TLS configuration reloaded.", done->warnings));
}

void check(RpcCall& call) {
    if (!is_enabled(call)) return;
    auto done = check_configuration();
    if (!done) return call.fault(500, done.error().text());
    call.add(with_warnings(
        fmt::format("Ok. TLS configuration is valid: {} profiles, {} changed.", done->profiles, done->changed),
        done->warnings));
}

// --- tls.certs ------------------------------------------------------------------------------------------------------
void certs(RpcCall& call) {
    Page page;
    if (!is_enabled(call) || !read_page(call, page)) return;
    const CurrentGeneration generation;
    if (!generation) return;
    for (const Profile& profile : generation->profiles)
        for (const Blob* blob : {&profile.certificate, &profile.certificate2}) {
            if (blob->path.empty() || page.full) continue;
            auto chain = read_certificates(blob->data);
            if (!chain) continue;
            const CertificateText c = describe((*chain)[0].get());
            if (!passes(page.filter, {profile.name, c.subject, c.alternative_names, blob->path}) || !page.take())
                continue;
            call.add(RpcStruct{{"profile", profile.name},
                               {"file", blob->path},
                               {"subject", c.subject},
                               {"issuer", c.issuer},
                               {"san", c.alternative_names},
                               {"serial", c.serial},
                               {"key", c.key},
                               {"not_before", c.not_before},
                               {"not_after", c.not_after},
                               {"days_left", c.days_left}});
        }
}

constexpr std::string_view kPageArgs = "[count [offset [filter]]]";
constexpr Command kCommands[] = {
    {"tls.info", "",
     "Shows the limit of TLS connections, how many are open, and what is queued until their handshakes end.", info},
    {"tls.list", kPageArgs, "Lists TLS connections; the filter is part of an address, profile, server name or state.",
     list},
    {"tls.options", "", "Shows the parameters of the tls module.", options},
    {"tls.reload", "",
     "Reads the TLS configuration again and puts it in force if all of it works; else says why not and changes "
     "nothing.",
     reload},
    {"tls.check", "", "Does all that tls.reload does but put it in force.", check},
    {"tls.certs", kPageArgs,
     "Lists our certificates with the days they are still valid; the filter is part of a profile, subject, name or "
     "file.",
     certs},
    {"tls.kill", "id", "Closes the TLS connection of that id (tls.list shows it).", kill},
};

}  // namespace

std::span<const Command> tls_commands() { return kCommands; }
std::span<const Counter> reload_counters() { return kCounters; }

}  // namespace kahu::tls
