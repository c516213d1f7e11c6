#include "core/modules/pv/message_variables.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include "core/base/text.h"
#include "core/modules/pv/choose.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/variable.h"
#include "core/sip/contact.h"
#include "core/sip/params.h"

namespace kahu::pv {

std::string_view hop_of_reply(script::Run& run) {
    const sip::Via* const via = run.message().second_via();
    if (via == nullptr) return {};
    script::TextBuilder out(run.arena());
    const std::string_view host = via->received.empty() ? via->host : via->received;
    const bool bare = sip::is_ipv6_text(host);  // ;received may lack the brackets (RFC 5118 4.5)
    out.append("sip:").append(bare ? "[" : "").append(host).append(bare ? "]" : "");
    if (const uint16_t port = via->rport != 0 ? via->rport : via->port; port != 0) out.append(':').decimal(port);
    const auto transport = transport_named(via->transport);
    return out.append(";transport=").append(transport ? name_of(*transport) : via->transport).take();
}

namespace {

using script::Run;
using script::Value;
using Use = script::VariableUse;

Value text_or_none(std::string_view text) { return text.empty() ? Value::none() : Value::of(text); }

// --- $via0(host): the topmost Via; $via1: the second; $viaZ: the last -----------------------------------------
enum ViaPart : int64_t { kHost, kPort, kProto, kProtoId, kBranch, kRport, kReceived, kConnection };
constexpr Name kViaParts[] = {{"host", kHost},     {"port", kPort},   {"proto", kProto},       {"protoid", kProtoId},
                              {"branch", kBranch}, {"rport", kRport}, {"received", kReceived}, {"i", kConnection}};
Status prepare_via(Use& use) {
    return choose(use, kViaParts, "host, port, proto, protoid, branch, rport, received or i");
}
Value part_of(Run& run, const Use& use, const sip::Via& via) {
    const auto transport = transport_named(via.transport);
    switch (use.number) {
    case kHost: return text_or_none(via.host);
    case kPort: return Value::of(int64_t{via.port != 0 ? via.port : default_port(transport.value_or(Transport::udp))});
    case kProto: return text_or_none(via.transport);
    case kProtoId: return Value::of(transport ? script::transport_number(*transport) : int64_t{0});
    case kBranch: return text_or_none(via.branch);
    case kRport: return via.rport == 0 ? Value::none() : Value::of(run.arena().decimal(via.rport));
    case kReceived: return text_or_none(via.received);
    default: break;
    }
    const auto connection = sip::find_param(via.params, "i");
    return connection ? text_or_none(connection->value) : Value::none();
}
Value top_via(Run& run, const Use& use) {
    const sip::Via* const via = run.message().top_via();
    return via == nullptr ? Value::none() : part_of(run, use, *via);
}
Value second_via(Run& run, const Use& use) {
    const sip::Via* const via = run.message().second_via();
    return via == nullptr ? Value::none() : part_of(run, use, *via);
}
Value last_via(Run& run, const Use& use) {
    const sip::HeaderField* const field = run.message().last(sip::HeaderId::via);
    sip::Via via;
    bool found = false;
    if (field != nullptr)
        for (sip::ViaList list(field->value); list.next(via);) found = true;
    return found ? part_of(run, use, via) : Value::none();
}

// --- $nh(u): where the message goes next ------------------------------------------------------------------------
constexpr Name kHopParts[] = {{"u", 'u'}, {"U", 'U'}, {"d", 'd'}, {"p", 'p'}, {"P", 'P'}};
Status prepare_hop(Use& use) {
    return choose(use, kHopParts, "u (URI), U (user), d (host), p (port) or P (transport)");
}

Value next_hop(Run& run, const Use& use) {
    const std::string_view text = !run.is_request()               ? hop_of_reply(run)
                                  : run.destination_uri().empty() ? run.request_uri()
                                                                  : run.destination_uri();
    if (use.number == 'u') return text_or_none(text);
    sip::Uri uri;
    if (script::parse_into(text, uri) == nullptr) return Value::none();
    switch (use.number) {
    case 'U': return text_or_none(uri.user);
    case 'd': return text_or_none(uri.host);
    case 'p': {
        const int64_t port = script::uri_port(uri);  // Kamailio's is text of a request, a number of a reply
        return run.is_request() ? Value::digits(run.arena().decimal(port)) : Value::of(port);
    }
    default: return text_or_none(script::shown_transport(uri));
    }
}

// --- the direction within a dialog --------------------------------------------------------------------------------
// A request with ;ftag= in its Route that is not its From tag goes to the caller; a reply goes the way its request
// came, and there the tag stays in From.
bool is_upstream(Run& run) {
    const sip::HeaderField* const route = run.message().first(sip::HeaderId::route);
    if (!run.is_request() || route == nullptr || run.message().from() == nullptr) return false;
    const size_t at = route->value.find(";ftag=");
    if (at == route->value.npos) return false;
    const std::string_view value = route->value.substr(at + 6);
    return value.substr(0, value.find_first_of(";>")) != run.message().from()->tag;
}
constexpr Name kDirectionParts[] = {{"id", 0}, {"name", 1}};
Status prepare_direction(Use& use) { return choose(use, kDirectionParts, "id or name"); }
Value direction(Run& run, const Use& use) {
    const bool up = is_upstream(run);
    if (use.number == 0) return Value::of(int64_t{up ? 2 : 1});
    return Value::of(up ? "upstream" : "downstream");
}
template <bool caller>
Value tag_of_party(Run& run, const Use&) {
    const sip::NameAddr* const party = caller != is_upstream(run) ? run.message().from() : run.message().to();
    return party == nullptr ? Value::none() : text_or_none(party->tag);
}

// --- $expires(min), $expires(max) of all contacts -----------------------------------------------------------------
constexpr Name kExtremes[] = {{"min", 0}, {"max", 1}};
Status prepare_expires(Use& use) { return choose(use, kExtremes, "min or max"); }
Value expires(Run& run, const Use& use) {
    const auto common = run.message().expires();
    std::optional<uint32_t> found;
    for (const auto* field = run.message().first(sip::HeaderId::contact); field; field = run.message().next(field)) {
        sip::ContactList list(field->value);
        for (sip::Contact contact; list.next(contact);) {
            const auto one = contact.expires ? contact.expires : common;
            if (one && (!found || (use.number == 0 ? *one < *found : *one > *found))) found = one;
        }
    }
    return found ? Value::of(int64_t{*found}) : Value::none();
}

// --- small ones ------------------------------------------------------------------------------------------------------
Value cseq_body(Run& run, const Use&) {
    const sip::HeaderField* const field = run.message().first(sip::HeaderId::cseq);
    return field == nullptr ? Value::none() : Value::of(field->value);
}
Value kind_of_message(Run& run, const Use&) { return Value::of(run.is_request() ? "rq" : "rp"); }

template <const sip::NameAddr* (sip::Message::*party)() const>
Value length_of_user(Run& run, const Use&) {
    sip::Uri uri;
    const sip::NameAddr* const found = (run.message().*party)();
    if (found == nullptr || script::parse_into(found->uri, uri) == nullptr) return Value::none();
    return Value::of(static_cast<int64_t>(uri.user.size()));
}
Value length_of_request_user(Run& run, const Use&) {
    const sip::Uri* const uri = run.is_request() ? run.parsed_request_uri() : nullptr;
    return uri == nullptr ? Value::none() : Value::of(static_cast<int64_t>(uri->user.size()));
}
Value length_of_original_user(Run& run, const Use&) {
    const sip::Uri* const uri = run.is_request() ? run.message().parsed_request_uri() : nullptr;
    return uri == nullptr ? Value::none() : Value::of(static_cast<int64_t>(uri->user.size()));
}

// $K(TLS): the numbers that $prid, $af and proto= use.
constexpr Name kConstants[] = {{"IPv4", AF_INET}, {"IPv6", AF_INET6}, {"UDP", 1}, {"TCP", 2},
                               {"TLS", 3},        {"SCTP", 4},        {"WS", 5},  {"WSS", 6}};
Status prepare_constant(Use& use) { return choose(use, kConstants, "IPv4, IPv6, UDP, TCP, TLS, SCTP, WS or WSS"); }
Value constant(Run&, const Use& use) { return Value::of(use.number); }

// $cnt($avp(x)), $cnt($xavp(a)): how many there are.
Status prepare_count(Use& use) {
    constexpr Name kKinds[] = {{"$avp(", 'a'}, {"$xavp(", 'p'}, {"$xavu(", 'u'}, {"$xavi(", 'i'}};
    for (const Name& kind : kKinds)
        if (use.inner.starts_with(kind.name) && use.inner.ends_with(')')) {
            use.number = kind.number;
            use.inner = use.inner.substr(kind.name.size(), use.inner.size() - kind.name.size() - 1);
            if (use.inner.find('$') != use.inner.npos) break;
            use.inner_format = nullptr;
            return {};
        }
    return Error{Errc::invalid, fmt::format("\"{}\" cannot be counted", use.inner),
                 "$cnt($avp(name)), $cnt($xavp(name))"};
}
Value count(Run& run, const Use& use) {
    if (use.number == 'a') return Value::of(static_cast<int64_t>(run.count_avps(use.inner)));
    using List = script::Xavps::List;
    const List list = use.number == 'p' ? List::several : use.number == 'u' ? List::unique : List::any_case;
    auto path = script::XavpPath::parse(use.inner);
    if (!path) return Value::of(int64_t{0});
    int64_t found = 0;
    for (script::XavpStep& last = path->steps[path->count - 1];; ++found) {
        last.index = found;
        if (run.xavps.find(list, *path) == nullptr) return Value::of(found);
    }
}

constexpr Variable kVariables[] = {
    {"via0", "Part of the topmost Via: host, port, proto, protoid, branch, rport, received, i.", top_via, nullptr,
     prepare_via},
    {"via1", "Part of the second Via.", second_via, nullptr, prepare_via},
    {"viaZ", "Part of the last Via.", last_via, nullptr, prepare_via},
    {"nh", "Where the message goes next: u (URI), U (user), d (host), p (port), P (transport).", next_hop, nullptr,
     prepare_hop},
    {"rdir", "Direction within the dialog: id is 1 to the callee, 2 to the caller; name.", direction, nullptr,
     prepare_direction},
    {"fti", "Tag of the caller, whoever sends this.", tag_of_party<true>},
    {"tti", "Tag of the callee, whoever sends this.", tag_of_party<false>},
    {"expires", "Smallest (min) or largest (max) expiry of all contacts.", expires, nullptr, prepare_expires},
    {"csb", "Body of CSeq.", cseq_body},
    {"mts", "\"rq\" for a request, \"rp\" for a reply.", kind_of_message},
    {"fUl", "Length of the user in From.", length_of_user<&sip::Message::from>},
    {"tUl", "Length of the user in To.", length_of_user<&sip::Message::to>},
    {"rUl", "Length of the Request-URI's user.", length_of_request_user},
    {"oUl", "Length of the received Request-URI's user.", length_of_original_user},
    {"K", "Numbers by name: IPv4, IPv6, UDP, TCP, TLS, SCTP, WS, WSS.", constant, nullptr, prepare_constant},
    {"cnt", "How many values an $avp(), $xavp(), $xavu() or $xavi() has.", count, nullptr, prepare_count},
};

}  // namespace

std::span<const Variable> message_variables() { return kVariables; }

}  // namespace kahu::pv
