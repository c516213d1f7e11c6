// core/modules/stun/module.cpp -- read this file to know what stun offers.
#include "core/modules/stun/module.h"

#include "core/modules/stun/stun.h"
#include "core/net/inbound.h"
#include "core/net/udp_worker.h"

namespace kahu::stun {
namespace {

bool take(std::string_view datagram, const net::Inbound& from) {
    static std::string out;
    if (!looks_like_stun(datagram)) return false;
    if (answer(datagram, from.source, out)) (void)net::respond(from, from.source, out);
    return true;  // SIP it is not, in any case
}

Status start() {
    net::set_datagram_filter(take);
    return {};
}

}  // namespace

const ModuleDescriptor kModule{
    .name = "stun",
    .summary = "Answers STUN Binding requests on the UDP sockets of SIP: keep-alives of flows (RFC 5626 4.4.2).",
    .hooks = {.start = start},
    .description =
        "Phones behind NAT keep a UDP flow open with Binding requests to the address where they send SIP, and learn "
        "from "
        "the answer that their own address is still the same.  Over TCP and TLS they send CRLF, which the core "
        "answers.",
};

}  // namespace kahu::stun
