#include "core/modules/usrloc/keepalive.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/modules/usrloc/api.h"
#include "core/modules/usrloc/settings.h"
#include "core/net/listener.h"
#include "core/script/format.h"
#include "core/script/message_facts.h"
#include "core/script/outgoing.h"
#include "core/script/scope.h"
#include "core/script/script_log.h"
#include "core/sip/name_addr.h"

namespace kahu::usrloc::keepalive {
namespace {

enum Mode : int64_t { kAll = 1, kNatted = 2, kDatagrams = 4 };
constexpr int64_t kNoLog = 255;

std::shared_ptr<const script::Format> g_log_text;

uint64_t unix_microseconds() {
    using namespace std::chrono;
    return static_cast<uint64_t>(duration_cast<microseconds>(system_clock::now().time_since_epoch()).count());
}

bool is_over_udp(const Contact& c) {
    if (c.connection != 0) return false;
    if (c.socket < net::listeners().size()) return net::listeners()[c.socket].transport == Transport::udp;
    sip::Uri uri;
    return script::parse_into(c.text(Text::uri), uri) != nullptr && text::iequals(script::uri_transport(uri), "udp");
}

// --- From's tag: "<ruid>-<table>-<hash>-<microseconds>-<proof>" ------------------------------------------------
struct Sent {
    std::string_view ruid;
    uint64_t table = 0, hash = 0, at = 0;

    // Keyed, the same in all processes: nobody else can name a contact as alive.
    uint64_t proof() const { return hash_text(fmt::format("ka-{}-{:x}-{:x}-{:x}", ruid, table, hash, at)); }
    std::string tag() const { return fmt::format("{}-{:x}-{:x}-{:x}-{:x}", ruid, table, hash, at, proof()); }
};

// Takes the hexadecimal number behind the last "-" off `text`.
bool take_number(std::string_view& text, uint64_t& out) {
    const size_t dash = text.rfind('-');
    if (dash == text.npos) return false;
    const char* const begin = text.data() + dash + 1;
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(begin, end, out, 16);
    text = text.substr(0, dash);
    return ec == std::errc{} && stop == end && begin != end;
}

bool read_tag(std::string_view tag, Sent& out) {
    uint64_t proof = 0;
    if (!tag.starts_with("uloc-") || !take_number(tag, proof) || !take_number(tag, out.at) ||
        !take_number(tag, out.hash) || !take_number(tag, out.table))
        return false;
    out.ruid = tag;
    return proof == out.proof();
}

// --- where to --------------------------------------------------------------------------------------------------
bool send_to_one_of(const Ping& ping, const net::Destinations& found) {
    for (net::Destination to : found.list()) {
        if (script::is_sips(ping.uri) && to.transport != Transport::tls) continue;
        if (!net::choose_listener(to, ping.socket)) continue;
        if (net::send_to(to, request_text(ping, to)) == net::Sent::ok) return true;
    }
    return false;
}

std::string_view next_hop_of(const Ping& ping) {
    sip::NameAddr hop;
    sip::Bad bad;
    size_t used = 0;
    if (!ping.path.empty()) return sip::parse_name_addr(ping.path, hop, used, bad) ? hop.uri : std::string_view();
    return ping.received.empty() ? ping.uri : ping.received;
}

void log_answer(script::Run& run, const Sent& sent, uint64_t roundtrip) {
    const auto level = static_cast<log::Level>(settings.ka_loglevel.get());
    if (settings.ka_loglevel == kNoLog || g_log_text == nullptr || !log::enabled(level)) return;
    script::log_script_line(run, level,
                            fmt::format("keepalive roundtrip: {}.{:06} sec - ruid [{}]{}", roundtrip / 1'000'000,
                                        roundtrip % 1'000'000, sent.ruid, g_log_text->text(run)));
}

}  // namespace

bool is_due(const Contact& c) {
    const int64_t mode = settings.ka_mode;
    if (mode == 0 || c.state == State::removed) return false;
    const bool natted = settings.nat_bflag >= 0 && (c.cflags >> settings.nat_bflag & 1) != 0;
    if ((mode & kNatted) != 0 && !natted) return false;
    if ((mode & kDatagrams) != 0 && !is_over_udp(c)) return false;
    return settings.ka_filter == 0 || c.server_id == server_id();
}

bool is_silent(const Contact& c, int64_t now) {
    return settings.ka_timeout != 0 && c.last_keepalive != 0 && now - c.last_keepalive > settings.ka_timeout &&
           is_due(c);
}

Ping Ping::of(const Contact& c) {
    const auto copy = [&](Text which) { return std::string(c.text(which)); };
    return {.aor = copy(Text::aor),
            .uri = copy(Text::uri),
            .received = copy(Text::received),
            .path = copy(Text::path),
            .ruid = copy(Text::ruid),
            .connection = c.connection_id(),
            .socket = c.socket,
            .hash = c.hash,
            .table = c.table,
            .flow_only = c.reg_id != 0 && c.connection != 0};
}

std::string request_text(const Ping& ping, const net::Destination& to) {
    static uint32_t made = 0;
    const net::Listener& from = net::listeners()[to.listener];
    const Sent sent{ping.ruid, ping.table, ping.hash, unix_microseconds()};
    const std::string_view user = std::string_view(ping.aor).substr(0, ping.aor.rfind('@'));
    const std::string to_uri = ping.aor.find('@') != ping.aor.npos && use_domain()
                                   ? ping.aor
                                   : fmt::format("{}@{}", user, settings.ka_domain.get());
    const std::string& method = settings.ka_method.get();
    ++made;
    return fmt::format(
        "{} {} SIP/2.0\r\nVia: SIP/2.0/{} {}:{};branch=z9hG4bKx.{:x}.{:x}.0\r\n{}{}{}Max-Forwards: 70\r\n"
        "From: <{}>;tag={}\r\nTo: <sip:{}>\r\nCall-ID: ksrulka-{:x}-{:x}-{:x}\r\nCSeq: 80 {}\r\nContent-Length: "
        "0\r\n\r\n",
        method, ping.uri, upper_name_of(to.transport), from.public_host(), from.public_port(), made, sent.at,
        ping.path.empty() ? "" : "Route: ", ping.path, ping.path.empty() ? "" : "\r\n", settings.ka_from.get(),
        sent.tag(), to_uri, sent.proof(), ::getpid(), made, method);
}

void send(const Ping& ping) {
    net::Destinations flow;
    flow.count = net::destination_over(ping.connection, flow.at[0]) ? 1 : 0;
    if (flow.count != 0 && send_to_one_of(ping, flow)) return;
    sip::Uri uri;
    net::Question question;
    const std::string_view hop = next_hop_of(ping);
    if (ping.flow_only || script::parse_into(hop, uri) == nullptr ||
        !script::question_for(uri, script::is_sips(ping.uri), question))
        return;
    net::Destinations found;
    const net::Resolution now = net::resolve(question, found, [ping](net::Resolution, const net::Destinations& later) {
        (void)send_to_one_of(ping, later);
    });
    if (now == net::Resolution::ready) (void)send_to_one_of(ping, found);
}

bool take_answer(script::Run& run) {
    const sip::NameAddr* const from = run.message().from();
    Sent sent;
    if (settings.ka_mode == 0 || from == nullptr || !read_tag(from->tag, sent)) return false;
    const uint64_t now = unix_microseconds();
    const uint64_t roundtrip = std::min<uint64_t>(now > sent.at ? now - sent.at : 0, UINT32_MAX);
    {
        const auto hash = static_cast<uint32_t>(sent.hash);
        const uint32_t bucket = bucket_of(hash);
        const auto shard = shard_of_bucket(bucket).lock();
        for (Contact* c = bucket_at(bucket); c != nullptr; c = c->next) {
            if (c->hash != hash || c->table != sent.table || c->text(Text::ruid) != sent.ruid) continue;
            c->last_keepalive = static_cast<uint32_t>(now / 1'000'000);
            c->roundtrip = static_cast<uint32_t>(roundtrip);
            break;
        }
    }
    log_answer(run, sent, roundtrip);
    return true;
}

Status check() {
    if (settings.ka_loglevel > 3 && settings.ka_loglevel != kNoLog)
        return Error{Errc::invalid, "modparam usrloc: ka_loglevel is no level", "-5 to 3, or 255 for none"};
    if (settings.ka_mode == 0 || settings.ka_loglevel == kNoLog) return {};
    const script::Scope scope({}, {});  // the variables that need no module
    auto format = script::Format::compile(settings.ka_logmsg.get(), scope, "modparam usrloc ka_logmsg");
    if (!format) return std::move(format).error().context("modparam usrloc ka_logmsg");
    g_log_text = std::move(*format);
    return {};
}

}  // namespace kahu::usrloc::keepalive
