// SIP sockets, aliases and TCP: settings, totals, and every connection.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/text.h"
#include "core/net/connection_table.h"
#include "core/net/listener.h"
#include "core/net/settings.h"
#include "core/net/subdomains.h"
#include "core/proc/process_table.h"
#include "rpc/commands.h"

namespace kahu::rpc {
namespace {

constexpr const char* yes_no(bool value) { return value ? "yes" : "no"; }

// --- listeners -------------------------------------------------------------------------------------

void sockets_list(RpcCall& call) {
    RpcStruct sockets;
    for (const net::Listener& l : net::listeners())
        sockets.emplace_back("socket", RpcStruct{{"proto", name_of(l.transport)},
                                                 {"address", l.address.ip()},
                                                 {"port", std::to_string(l.address.port())},
                                                 {"mcast", "no"},
                                                 {"mhomed", "no"},
                                                 {"virtual", yes_no(l.is_virtual)}});
    call.add(std::move(sockets));
}

void list_sockets(RpcCall& call) {
    for (const net::Listener& l : net::listeners()) {
        const bool advertised = !l.advertise_host.empty();
        call.add(RpcStruct{
            {"PROTO", name_of(l.transport)},
            {"NAME", l.address.ip()},
            {"ADDRLIST", RpcStruct{{"ADDR", l.address.ip()}}},
            {"PORT", std::to_string(l.address.port())},
            {"MCAST", "no"},
            {"MHOMED", "no"},
            {"VIRTUAL", yes_no(l.is_virtual)},
            {"SOCKNAME", l.name.empty() ? "-" : l.name},
            {"ADVERTISE", advertised ? fmt::format("{}:{}:{}", name_of(l.transport), l.public_host(), l.public_port())
                                     : std::string("-")}});
    }
}

std::string_view proto_of(const net::Alias& alias) { return alias.transport_given ? name_of(alias.transport) : "*"; }

void aliases_list(RpcCall& call) {
    RpcStruct aliases;
    for (const net::Alias& alias : net::aliases())
        aliases.emplace_back("alias", RpcStruct{{"proto", proto_of(alias)},
                                                {"address", alias.host},
                                                {"port", alias.port != 0 ? RpcValue(int{alias.port}) : RpcValue("*")}});
    call.add(RpcStruct{{"myself_callbacks", net::subdomain_aliases().empty() ? "no" : "yes"},
                       {"aliases", std::move(aliases)}});
}

void list_aliases(RpcCall& call) {
    for (const net::Alias& alias : net::aliases())
        call.add(RpcStruct{{"PROTO", proto_of(alias)}, {"ADDR", alias.host}, {"PORT", int{alias.port}}});
}

// --- TCP -------------------------------------------------------------------------------------------

// 0 while the row is free or being made; the fields are read before the id is looked at again.
uint64_t id_of(const net::Connection& row) { return row.id.load(std::memory_order_acquire); }

void tcp_info(RpcCall& call) {
    int readers = 0;
    for (int slot = 0; slot < proc::process_count(); ++slot)
        readers += proc::process(slot).kind == ProcessKind::tcp_worker;
    call.add(RpcStruct{{"readers", readers},
                       {"max_connections", net::settings.tcp_max_connections.get()},
                       {"max_tls_connections", net::settings.tls_max_connections.get()},
                       {"opened_connections", net::open_connections()},
                       {"opened_tls_connections", net::open_tls_connections()},
                       {"write_queued_bytes", net::queued_bytes_total().load(std::memory_order_relaxed)}});
}

// Kamailio's list; a row without a setting shows what this server always does.
struct Option {
    const char* name;
    const IntSetting* setting;
    int64_t fixed = 0;
};
const Option kTcpOptions[] = {
    {"connect_timeout", &net::settings.tcp_connect_timeout},
    {"send_timeout", &net::settings.tcp_send_timeout},
    {"connection_lifetime", &net::settings.tcp_connection_lifetime},
    {"max_connections(soft)", &net::settings.tcp_max_connections},
    {"max_tls_connections(soft)", &net::settings.tls_max_connections},
    {"no_connect", &net::settings.tcp_no_connect},
    {"fd_cache", nullptr, 0},
    {"async", nullptr, 1},
    {"connect_wait", nullptr, 1},
    {"conn_wq_max", &net::settings.tcp_conn_wq_max},
    {"wq_max", &net::settings.tcp_wq_max},
    {"defer_accept", &net::settings.tcp_defer_accept},
    {"delayed_ack", &net::settings.tcp_delayed_ack},
    {"syncnt", &net::settings.tcp_syncnt},
    {"linger2", &net::settings.tcp_linger2},
    {"keepalive", &net::settings.tcp_keepalive},
    {"keepidle", &net::settings.tcp_keepidle},
    {"keepintvl", &net::settings.tcp_keepintvl},
    {"keepcnt", &net::settings.tcp_keepcnt},
    {"crlf_ping", &net::settings.tcp_crlf_ping},
    {"accept_aliases", &net::settings.tcp_accept_aliases},
    {"alias_flags", nullptr, 1},
    {"new_conn_alias_flags", nullptr, 2},
};
void tcp_options(RpcCall& call) {
    RpcStruct options;
    for (const Option& option : kTcpOptions)
        options.emplace_back(option.name, option.setting != nullptr ? option.setting->get() : option.fixed);
    call.add(std::move(options));
}

const char* state_name(net::ConnectionState state) {
    switch (state) {
    case net::ConnectionState::accepted: return "CONN_ACCEPT";
    case net::ConnectionState::connecting: return "CONN_CONNECT";
    case net::ConnectionState::handshaking:
    case net::ConnectionState::established: return "CONN_OK";
    case net::ConnectionState::closing: return "CONN_EOF";
    case net::ConnectionState::free: break;
    }
    return "CONN_INIT";
}

// None if the row was freed meanwhile.
std::optional<RpcStruct> describe(const net::Connection& row) {
    const uint64_t id = id_of(row);
    if (id == 0) return std::nullopt;
    const int64_t left = row.deadline.load(std::memory_order_relaxed) - clock::read();
    RpcStruct fields{
        {"id", id},
        {"type", upper_name_of(row.transport)},
        {"state", state_name(row.state.load(std::memory_order_relaxed))},
        {"timeout", std::max<int64_t>(0, left / 1000)},
        {"lifetime", row.lifetime_ms.load(std::memory_order_relaxed) / 1000},
        {"ref_count", row.owner.load(std::memory_order_relaxed) >= 0 ? 2 : 1},
        {"src_ip", row.peer.ip()},
        {"src_port", int{row.peer.port()}},
        {"dst_ip", row.local.ip()},
        {"dst_port", int{row.local.port()}},
    };
    if (id_of(row) != id) return std::nullopt;
    return fields;
}

// A filter matches what the list shows: "tls", "10.0.0.1", "10.0.0.1:5061", "CONN_OK".
bool matches(const RpcStruct& fields, const std::string& filter) {
    if (filter.empty()) return true;
    const auto field = [&](size_t i) { return std::get<std::string>(fields[i].second.data()); };
    const auto port = [&](size_t i) { return std::to_string(std::get<int64_t>(fields[i].second.data())); };
    const auto is = [&](const std::string& value) { return text::iequals(value, filter); };
    return is(field(1)) || is(field(2)) || is(field(6)) || is(field(8)) || is(field(6) + ":" + port(7)) ||
           is(field(8) + ":" + port(9));
}

void tcp_list(RpcCall& call) {
    const auto count = call.next_int_or(-1);
    if (!count) return;
    const auto offset = call.next_int_or(0);
    if (!offset) return;
    const auto filter = call.next_text_or("");
    if (!filter) return;
    int64_t skip = std::max<int64_t>(0, *offset), left = *count < 0 ? INT64_MAX : *count;
    for (size_t i = 0; i < net::connection_capacity() && left > 0; ++i) {
        auto fields = describe(net::connection_row(i));
        if (!fields || !matches(*fields, *filter)) continue;
        if (skip-- > 0) continue;
        --left;
        call.add(std::move(*fields));
    }
}

// Raw sockets are not used: the values are those of a Kamailio with udp4_raw=0.
void udp4_raw_info(RpcCall& call) {
    call.add(RpcStruct{{"udp4_raw", 0}, {"udp4_raw_mtu", 1500}, {"udp4_raw_ttl", 64}});
}

constexpr Command kCommands[] = {
    {"core.sockets_list", "", "Lists the sockets that SIP is received on.", sockets_list},
    {"core.aliases_list", "", "Lists the names that mean this server.", aliases_list},
    {"core.tcp_info", "", "Returns limits and totals of TCP and TLS connections.", tcp_info},
    {"core.tcp_options", "", "Returns the settings of TCP.", tcp_options},
    {"core.tcp_list", "[count [offset [filter]]]",
     "Lists TCP and TLS connections: at most count of them, after the first offset, of one type, state or address.",
     tcp_list},
    {"core.udp4_raw_info", "", "Returns the settings of raw UDP sockets, which are not used.", udp4_raw_info},
    {"corex.list_sockets", "", "Lists the sockets that SIP is received on, with names and advertised addresses.",
     list_sockets},
    {"corex.list_aliases", "", "Lists the names that mean this server.", list_aliases},
};

}  // namespace

std::span<const Command> socket_commands() { return kCommands; }

}  // namespace kahu::rpc
