#include "core/modules/pv/buffer_variables.h"

#include <fmt/format.h>

#include <string>

#include "core/config/runtime_cfg.h"
#include "core/modules/pv/choose.h"
#include "core/modules/pv/message_variables.h"
#include "core/script/addresses.h"
#include "core/script/message_facts.h"
#include "core/script/outgoing.h"
#include "core/script/params.h"
#include "core/script/run.h"

namespace kahu::pv {
namespace {

using script::Run;
using script::Value;
using Use = script::VariableUse;

// --- the bytes of the message -----------------------------------------------------------------------------------
Value changed_message(Run& run, const Use&) {
    static std::string changed;
    changed.clear();
    run.edits.apply(run.message().bytes(), changed);
    script::fix_content_length(run.message(), run.edits, false, 0, changed);
    return Value::of(run.arena().copy(changed));
}

// Null: not a place in the message.
const char* octet_at(Run& run, const Use& use) {
    const int64_t at = script::to_integer(Value::of(use.inner_text(run)));
    const std::string_view bytes = run.message().bytes();
    return at < 0 || static_cast<uint64_t>(at) >= bytes.size() ? nullptr : &bytes[static_cast<size_t>(at)];
}
Value octet(Run& run, const Use& use) {
    const char* const found = octet_at(run, use);
    return found == nullptr ? Value::none() : Value::of(std::string_view(found, 1));
}
// A change like any other: what was parsed of the message stays as it is.
Status set_octet(Run& run, const Use& use, const Value& value) {
    const std::string_view text = script::to_text(value, run.arena());
    const char* const found = octet_at(run, use);
    if (found == nullptr) return Error{Errc::not_found, "the message is not that long", ""};
    if (text.empty()) return Error{Errc::invalid, "the character is missing", ""};
    const auto at = static_cast<size_t>(found - run.message().bytes().data());
    run.edits.forget(at, 1);
    run.edits.replace(at, 1, text.substr(0, 1));
    return {};
}

// --- $rcv(srcip): how the message came ---------------------------------------------------------------------------
enum Received : int64_t { kBuf, kLen, kSourceIp, kLocalIp, kSourcePort, kLocalPort, kProto, kProtoName, kFamily };
constexpr Name kReceived[] = {{"buf", kBuf},           {"len", kLen},
                              {"srcip", kSourceIp},    {"rcvip", kLocalIp},
                              {"proto", kProto},       {"srcport", kSourcePort},
                              {"rcvport", kLocalPort}, {"scrport", kSourcePort},  // as the cookbook spells it
                              {"sproto", kProtoName},  {"af", kFamily}};
Status prepare_received(Use& use) {
    return choose(use, kReceived, "buf, len, srcip, srcport, rcvip, rcvport, proto, sproto or af");
}
Value ip_of(Run& run, const SocketAddress& address) {
    char text[script::kIpTextBytes];
    return Value::of(run.arena().copy(script::ip_text(address, text)));
}
// Before a message is read there are its bytes alone.
std::string_view received_bytes(const Run& run) {
    return run.is_made_up && !run.received.empty() ? run.received : run.message().bytes();
}
Value received(Run& run, const Use& use) {
    const net::Inbound& from = run.inbound();
    switch (use.number) {
    case kBuf: return Value::of(received_bytes(run));
    case kLen: return Value::of(static_cast<int64_t>(received_bytes(run).size()));
    case kSourceIp: return ip_of(run, from.source);
    case kLocalIp: return ip_of(run, from.local);
    case kSourcePort: return Value::of(int64_t{from.source.port()});
    case kLocalPort: return Value::of(int64_t{from.local.port()});
    case kProto: return Value::of(script::transport_number(from.transport));
    case kProtoName: return Value::of(name_of(from.transport));
    default: return Value::of(int64_t{from.source.family()});
    }
}

// --- $rpl(duri): where a reply goes --------------------------------------------------------------------------------
enum ReplyPart : int64_t { kUri, kHost, kPort, kTransport, kTransportId, kVias };
constexpr Name kReplyParts[] = {{"duri", kUri},         {"dhost", kHost},           {"dport", kPort},
                                {"dproto", kTransport}, {"dprotoid", kTransportId}, {"cntvia", kVias}};
Status prepare_reply_part(Use& use) {
    return choose(use, kReplyParts, "duri, dhost, dport, dproto, dprotoid or cntvia");
}
int64_t count_vias(const sip::Message& message) {
    int64_t count = 0;
    sip::Via via;
    for (const sip::HeaderField& field : message.headers())
        if (field.id == sip::HeaderId::via)
            for (sip::ViaList list(field.value); list.next(via);) ++count;
    return count;
}
Value reply_part(Run& run, const Use& use) {
    if (run.is_request()) return Value::none();
    if (use.number == kVias) return Value::of(count_vias(run.message()));
    const std::string_view text = hop_of_reply(run);
    if (use.number == kUri) return text.empty() ? Value::none() : Value::of(text);
    sip::Uri uri;
    if (script::parse_into(text, uri) == nullptr) return Value::none();
    switch (use.number) {
    case kHost: return Value::of(uri.host);
    case kPort: return Value::of(int64_t{script::uri_port(uri)});
    case kTransport: return Value::of(uri.transport);
    default: {
        const auto transport = transport_named(uri.transport);
        return transport ? Value::of(script::transport_number(*transport)) : Value::none();
    }
    }
}
Value reply_status(Run& run, const Use&) { return Value::of(int64_t{run.message().status()}); }

// --- $ccp(group.name): a setting, as it is now ---------------------------------------------------------------------
Status prepare_setting(Use& use) {
    const size_t dot = use.inner.find('.');
    if (dot == use.inner.npos) return Error{Errc::invalid, "a group and a name are missing", "$ccp(group.name)"};
    const config::CfgVariable* const found = config::runtime_cfg().find(std::string_view(use.inner).substr(0, dot),
                                                                        std::string_view(use.inner).substr(dot + 1));
    if (found != nullptr && found->row != nullptr)  // not owned: rows live as long as the server
        use.prepared = std::shared_ptr<void>(std::shared_ptr<void>(), const_cast<Param*>(found->row));
    return {};
}
Value setting(Run& run, const Use& use) {
    const auto* const row = static_cast<const Param*>(use.prepared.get());
    if (row == nullptr) return Value::none();
    if (row->text != nullptr) return Value::of(run.arena().copy(row->text->get()));
    return row->number != nullptr ? Value::of(row->number->get()) : Value::none();
}

Value own_id(Run&, const Use&) { return Value::of(script::params::server_id.get()); }

constexpr Variable kVariables[] = {
    {"sid", "Number of this server: server_id.", own_id},
    {"mbu", "The whole message with what the script changed in it.", changed_message},
    {"msgbuf", "$msgbuf(at): one character of the message; what is assigned to it is seen when the message leaves.",
     octet, set_octet},
    {"rcv", "How the message came: buf, len, srcip, srcport, rcvip, rcvport, proto, sproto, af.", received, nullptr,
     prepare_received},
    {"rpl", "Where a reply goes by its second Via: duri, dhost, dport, dproto, dprotoid; cntvia: how many Vias it has.",
     reply_part, nullptr, prepare_reply_part},
    {"rsi", "Status of a reply; 0 for a request.", reply_status},
    {"ccp", "$ccp(group.name): a setting of the configuration as it is now, null if there is none.", setting, nullptr,
     prepare_setting},
};

}  // namespace

std::span<const Variable> buffer_variables() { return kVariables; }

}  // namespace kahu::pv
