#include "core/script/reply.h"

#include <sys/random.h>
#include <unistd.h>

#include <cstring>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/script/addresses.h"
#include "core/script/event_route.h"
#include "core/script/invite_replies.h"
#include "core/script/params.h"
#include "core/sip/builder.h"
#include "mem/contract.h"

namespace kahu::script {
namespace {

ReplyCounters g_counters;
SendReply g_send = net::respond;

constexpr std::string_view kSignature = "kahu (" KAHU_VERSION ")";

// server_header holds the whole line, as Kamailio's does.
std::string_view server_header() {
    if (params::server_signature == 0) return {};
    std::string_view line = params::server_header.get();
    constexpr std::string_view kName = "Server:";
    if (line.size() >= kName.size() && text::iequals(line.substr(0, kName.size()), kName))
        line.remove_prefix(kName.size());
    line = text::trim(line);
    return line.empty() ? kSignature : line;
}

// Warning: 392 ... as Kamailio's sip_warning=1: who sent the request, as we saw it.
void append_warning(const net::Inbound& from, std::string_view source, std::string& lines) {
    char local[kIpTextBytes];
    sip::Writer write(lines);
    const bool v6 = from.local.is_v6();
    write.text("Warning: 392 ").text(v6 ? "[" : "").text(ip_text(from.local, local)).text(v6 ? "]" : "").text(":");
    write.number(from.local.port()).text(" \"pid=").number(static_cast<uint64_t>(::getpid()));
    write.text(" source=").text(source).text(":").number(from.source.port()).text("\"\r\n");
}

void append_hex(uint64_t number, char*& out) {
    for (int shift = 60; shift >= 0; shift -= 4) *out++ = "0123456789abcdef"[number >> shift & 15];
}

// Tags are seen by everybody, so they are hashed with a key of their own: nothing of them tells about the seed that
// protects our hash tables.  Drawn before main(), so that all processes of one start have the same.
const uint64_t g_tag_key = [] {
    uint64_t key = 0;
    if (::getrandom(&key, sizeof key, 0) != sizeof key)
        key = static_cast<uint64_t>(clock::read()) * 0x9e3779b97f4a7c15u;
    return key;
}();

uint64_t mix_tag(uint64_t hash, uint64_t word) {
    const unsigned __int128 product = static_cast<unsigned __int128>(hash ^ word) * 0x9fb21c651e98df25u;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}
uint64_t mix_tag(uint64_t hash, std::string_view text) {
    hash = mix_tag(hash, text.size());
    for (; text.size() >= 8; text.remove_prefix(8)) {
        uint64_t word;
        std::memcpy(&word, text.data(), sizeof word);
        hash = mix_tag(hash, word);
    }
    uint64_t rest = 0;
    for (const char c : text) rest = rest << 8 | static_cast<unsigned char>(c);
    return mix_tag(hash, rest);
}

bool build_and_send(const sip::Message& request, const net::Inbound& from, int status, const ReplyText& text,
                    std::string_view more_headers, bool force_rport) {
    if (!request.is_request() || request.method() == sip::Method::ack || !request.can_be_answered()) return false;
    static std::string reply;  // keeps its memory from reply to reply
    reply.clear();
    char tag_bytes[kStatelessTagBytes];
    const std::string_view tag = stateless_tag(request, tag_bytes);
    build_reply_text(request, from, status, text, more_headers, tag, force_rport, reply);
    tell_local_response(reply, from);
    const net::Sent sent = g_send(from, reply_target(request, from, force_rport), reply);
    const auto count = sent == net::Sent::ok ? g_counters.sent : g_counters.failed;
    if (count != nullptr) count(status);
    if (sent == net::Sent::ok && request.method() == sip::Method::invite && invite_replies_are_watched())
        tell_invite_reply({request.call_id(), tag, status});
    return sent == net::Sent::ok;
}

}  // namespace

// RFC 3261 18.2.2, RFC 3581 4.  maddr is not followed: it would let a sender aim our replies at somebody else.
SocketAddress reply_target(const sip::Message& request, const net::Inbound& from, bool force_rport) {
    SocketAddress to = from.source;
    const sip::Via* const via = request.top_via();
    if (via != nullptr && !via->has_rport && !force_rport)
        to.set_port(via->port != 0 ? via->port : default_port(from.transport));
    return to;
}

void build_reply_text(const sip::Message& request, const net::Inbound& from, int status, const ReplyText& text,
                      std::string_view more_headers, std::string_view tag, bool force_rport, std::string& out) {
    REQUIRE(status >= 100 && status <= 699);
    static std::string extra;
    extra.clear();
    char source[kIpTextBytes];
    const std::string_view source_ip = ip_text(from.source, source);
    if (params::sip_warning != 0) append_warning(from, source_ip, extra);
    extra.append(text.extra_headers).append(more_headers);

    sip::ReplyOptions options;
    options.to_tag = tag;
    options.extra_headers = extra;
    options.content_type = text.content_type;
    options.body = text.body;
    options.server_header = server_header();
    options.received = source_ip;
    options.received_port = from.source.port();
    options.force_rport = force_rport;
    sip::build_reply(request, status, text.reason, options, out);
}

std::string_view stateless_tag(const sip::Message& request, char* into) {
    const sip::Via* const via = request.top_via();
    const sip::NameAddr* const from = request.from();
    const sip::CSeq* const cseq = request.cseq();
    // What an ACK to a negative reply shares with its INVITE (RFC 3261 17.1.1.3), and nothing else does.
    uint64_t hash = mix_tag(~g_tag_key, cseq == nullptr ? 0 : cseq->number);
    hash = mix_tag(hash, via == nullptr ? std::string_view() : via->branch);
    hash = mix_tag(hash, request.call_id());
    hash = mix_tag(hash, from == nullptr ? std::string_view() : from->tag);
    char* out = into;
    append_hex(mix_tag(g_tag_key, uint64_t{1}), out);
    *out++ = '.';
    append_hex(mix_tag(hash, g_tag_key), out);
    return {into, kStatelessTagBytes};
}

bool absorb_ack(const sip::Message& request) {
    if (request.method() != sip::Method::ack) return false;
    const sip::NameAddr* const to = request.to();
    if (to == nullptr || to->tag.size() != kStatelessTagBytes) return false;
    char tag[kStatelessTagBytes];
    if (stateless_tag(request, tag) != to->tag) return false;
    if (g_counters.ack_absorbed != nullptr) g_counters.ack_absorbed();
    return true;
}

bool reply_stateless(const sip::Message& request, const net::Inbound& from, int status, const ReplyText& text,
                     bool force_rport) {
    return build_and_send(request, from, status, text, {}, force_rport);
}

ReplyText with_body_of(const Run& run, const ReplyText& text) {
    ReplyText out = text;
    if (out.body.empty()) out.body = run.reply_body, out.content_type = run.reply_body_type;
    return out;
}

bool reply_stateless(Run& run, int status, const ReplyText& text) {
    const bool sent = build_and_send(run.message(), run.inbound(), status, with_body_of(run, text), run.reply_headers,
                                     run.force_rport);
    if (sent && status >= 200) run.replied = true;
    return sent;
}

void set_reply_counters(const ReplyCounters& counters) { g_counters = counters; }
void set_reply_sender(SendReply send) { g_send = send == nullptr ? net::respond : send; }

}  // namespace kahu::script
