// core/script/sending_variables.cpp -- $snd(), $sndto(), $sndfrom(): the two ends of what is being sent.
#include <fmt/format.h>

#include "core/net/listener.h"
#include "core/script/addresses.h"
#include "core/script/core_variables.h"
#include "core/script/message_facts.h"
#include "core/script/onsend.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::script {
namespace {

using Use = VariableUse;

enum Part : int64_t { kIp, kPort, kFamily, kProtocol, kProtocolName, kBuffer, kLength };
struct PartName {
    std::string_view name;
    Part part;
};
constexpr PartName kParts[] = {{"ip", kIp},      {"port", kPort},           {"af", kFamily}, {"proto", kProtocol},
                               {"buf", kBuffer}, {"sproto", kProtocolName}, {"len", kLength}};

Status prepare(Use& use) {
    for (const PartName& row : kParts)
        if (row.name == use.inner) {
            use.number = row.part;
            return {};
        }
    return Error{Errc::invalid, fmt::format("\"{}\" is no part of ${}()", use.inner, use.name),
                 "ip, port, af, proto, sproto, buf or len"};
}

Value part_of(Run& run, const Use& use, const SocketAddress& address) {
    const Sending& sending = *run.sending;
    char text[kIpTextBytes];
    switch (use.number) {
    case kIp: return Value::of(run.arena().copy(ip_text(address, text)));
    case kPort: return Value::of(int64_t{address.port()});
    case kFamily: return Value::of(int64_t{address.family()});
    case kProtocol: return Value::of(transport_number(sending.to->transport));
    case kProtocolName: return Value::of(name_of(sending.to->transport));
    case kBuffer: return Value::of(sending.bytes);
    default: return Value::of(static_cast<int64_t>(sending.bytes.size()));
    }
}
Value remote(Run& run, const Use& use) {
    return run.sending == nullptr ? Value::none() : part_of(run, use, run.sending->to->address);
}
Value local(Run& run, const Use& use) {
    const auto all = net::listeners();
    if (run.sending == nullptr || run.sending->to->listener >= all.size()) return Value::none();
    return part_of(run, use, all[run.sending->to->listener].address);
}

constexpr Variable kVariables[] = {
    {"snd", "In onsend_route, where the message goes: ip, port, af, proto, sproto; buf and len of its bytes.", remote,
     nullptr, prepare},
    {"sndto", "The same as $snd.", remote, nullptr, prepare},
    {"sndfrom", "In onsend_route, the socket it leaves from: ip, port, af, proto, sproto.", local, nullptr, prepare},
};

}  // namespace

std::span<const Variable> sending_variables() { return kVariables; }

}  // namespace kahu::script
