#include "core/modules/tm/originate_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/text.h"
#include "core/modules/tm/table.h"
#include "core/script/message_facts.h"
#include "core/script/params.h"
#include "core/sip/builder.h"
#include "core/sip/contact.h"
#include "core/sip/method.h"
#include "core/sip/scan.h"

namespace kahu::tm {
namespace {

constexpr uint32_t kFirstCSeq = 10;  // as Kamailio
constexpr std::string_view kUserAgent = "kahu (" KAHU_VERSION ")";

Error wrong(std::string message) { return {Errc::invalid, std::move(message), ""}; }

bool is_sip_uri(std::string_view text) {
    sip::Uri uri;
    const sip::Uri* const parsed = script::parse_into(text, uri);
    return parsed != nullptr && parsed->is_sip();
}

Status check(const Origin& what) {
    const bool word = !what.method.empty() && std::all_of(what.method.begin(), what.method.end(), sip::is_token);
    const sip::Method method = sip::method_id(what.method);
    if (!word || method == sip::Method::ack || method == sip::Method::cancel)
        return wrong(what.method.empty() ? "Empty method" : "Invalid method");
    sip::Uri uri;
    if (script::parse_into(what.uri, uri) == nullptr)
        return wrong(fmt::format("Invalid request uri \"{}\"", text::printable(what.uri)));
    if (what.next_hop.empty() ? !is_sip_uri(what.uri) : !is_sip_uri(what.next_hop))
        return wrong(fmt::format("Invalid next-hop uri \"{}\"",
                                 text::printable(what.next_hop.empty() ? what.uri : what.next_hop)));
    return {};
}

// Every line ends in CRLF, none is empty: a header must not end the headers.
bool append_lines(std::string_view headers, std::string& out) {
    while (!headers.empty()) {
        const size_t end = headers.find('\n');
        std::string_view line = headers.substr(0, end);
        headers.remove_prefix(end == headers.npos ? headers.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.find('\r') != line.npos) return false;
        out.append(line).append("\r\n");
    }
    return true;
}

std::string unguessable() { return fmt::format("{:08x}{:08x}", new_label(), new_label()); }

std::string_view user_agent() {
    std::string_view line = script::params::user_agent_header.get();
    constexpr std::string_view kName = "User-Agent:";
    if (line.size() >= kName.size() && text::iequals(line.substr(0, kName.size()), kName))
        line.remove_prefix(kName.size());
    line = text::trim(line);
    return line.empty() ? kUserAgent : line;
}

// What the given headers lack, in front of them.
void append_missing(const sip::Message& given, const Origin& what, std::string& out) {
    sip::Writer write(out);
    using sip::HeaderId;
    if (!given.has(HeaderId::call_id)) write.header(HeaderId::call_id, unguessable() + "@kahu");
    if (!given.has(HeaderId::cseq)) write.text("CSeq: ").number(kFirstCSeq).text(" ").text(what.method).crlf();
    if (!given.has(HeaderId::max_forwards)) write.header(HeaderId::max_forwards, "70");
    if (!given.has(HeaderId::user_agent) && script::params::server_signature != 0)
        write.header(HeaderId::user_agent, user_agent());
}

// The given header lines, without what is made here, From with a tag.
void append_given(const sip::Message& given, std::string& out) {
    for (const sip::HeaderField& field : given.headers()) {
        if (field.id == sip::HeaderId::content_length || field.id == sip::HeaderId::via) continue;
        if (field.id == sip::HeaderId::from && given.from() != nullptr && given.from()->tag.empty())
            out.append("From: ").append(field.value).append(";tag=").append(unguessable()).append("\r\n");
        else out.append(field.whole);
    }
}

}  // namespace

Status write_request(const Origin& what, std::string& out) {
    if (Status sound = check(what); !sound) return sound;
    std::string draft;  // as it was given, to be looked at
    sip::Writer(draft).request_line(what.method, what.uri);
    if (!append_lines(what.headers, draft)) return wrong("Invalid headers");
    draft.append("\r\n");
    sip::Message given;
    sip::Bad bad;
    if (!given.parse(draft, bad)) return wrong("Invalid headers");
    if (given.from() == nullptr) return wrong("From missing or malformed");
    if (given.to() == nullptr) return wrong("To missing or malformed");
    if (given.has(sip::HeaderId::cseq) &&
        (given.cseq() == nullptr || given.cseq()->method != sip::method_id(what.method)))
        return wrong("CSeq is malformed or names another method");
    if (!what.body.empty() && !given.has(sip::HeaderId::content_type)) return wrong("Content-Type missing");
    sip::Writer write(out);
    write.request_line(what.method, what.uri);
    append_missing(given, what, out);
    append_given(given, out);
    write.text("Content-Length: ").number(what.body.size()).text("\r\n\r\n").text(what.body);
    return {};
}

bool write_ack(const sip::Message& invite, const sip::Message& reply, AckParts& parts, std::string& out) {
    using sip::HeaderId;
    const auto* const contact = reply.first(HeaderId::contact);
    const auto* const from = invite.first(HeaderId::from);
    const auto* const to = reply.first(HeaderId::to);
    sip::NameAddr remote;
    sip::Bad bad;
    size_t used = 0;
    if (contact == nullptr || from == nullptr || to == nullptr || invite.cseq() == nullptr ||
        !sip::parse_name_addr(contact->value, remote, used, bad) || !is_sip_uri(remote.uri))
        return false;
    std::vector<sip::NameAddr> hops;  // RFC 3261 12.1.2: the Record-Routes in reverse order
    for (const auto* field = reply.first(HeaderId::record_route); field != nullptr; field = reply.next(field)) {
        sip::NameAddrList list(field->value);
        for (sip::NameAddr hop; list.next(hop);) hops.push_back(hop);
    }
    std::reverse(hops.begin(), hops.end());
    parts.uri = remote.uri;
    parts.next_hop = hops.empty() ? std::string() : std::string(hops.front().uri);
    sip::Writer write(out);
    write.request_line("ACK", parts.uri);
    for (const sip::NameAddr& hop : hops) write.header(HeaderId::route, hop.text);
    write.header(HeaderId::max_forwards, "70");
    write.header(HeaderId::from, from->value);
    write.header(HeaderId::to, to->value);
    write.header(HeaderId::call_id, invite.call_id());
    write.text("CSeq: ").number(invite.cseq()->number).text(" ACK").crlf();
    write.body({}, {});
    return true;
}

}  // namespace kahu::tm
