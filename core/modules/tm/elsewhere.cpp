#include "core/modules/tm/elsewhere.h"

#include <string>

#include "core/base/log.h"
#include "core/modules/tm/branch_id.h"
#include "core/modules/tm/client.h"
#include "core/net/resolver.h"

namespace kahu::tm {
namespace {

bool was_tried(const Transaction& t, const Hop& to) {
    for (int i = 0; i < t.branches; ++i)
        if (t.branch[i]->to.transport == to.transport && t.branch[i]->to.address == to.address) return true;
    return false;
}

// Without port first: then the failed one is among the servers that SRV records name.
bool find_other(const Transaction& t, const Branch& failed, Hop& out) {
    static net::Destinations found;
    for (const uint16_t port : {uint16_t{0}, failed.to.address.port()}) {
        const net::Question question{.host = failed.to.host_name(), .port = port, .transport = failed.to.transport};
        if (net::resolve(question, found, {}) != net::Resolution::ready) continue;
        bool same_list = false;
        for (const Hop& each : found.list()) same_list = same_list || each.address == failed.to.address;
        if (!same_list) continue;
        for (Hop to : found.list()) {
            to.connect = failed.to.connect;
            if (was_tried(t, to) || !net::choose_listener(to, failed.to.listener)) continue;
            if (to.listener != failed.to.listener) continue;
            out = to;
            return true;
        }
        return false;
    }
    return false;
}

}  // namespace

bool may_go_elsewhere(const Branch& b) {
    return b.to.host[0] != '\0' && !SocketAddress::parse_ip(b.to.host_name()).has_value();
}

bool go_elsewhere(Transaction& t, const Branch& failed, std::string_view request) {
    if (!t.goes(kTryOtherServers) || t.answered || t.cancelled || request.empty() || !may_go_elsewhere(failed))
        return false;
    constexpr std::string_view kParameter = ";branch=";
    const size_t at = request.find(kParameter);
    if (at == request.npos || at + kParameter.size() + kBranchBytes > request.size()) return false;
    const std::string uri(text_of(failed.uri));
    std::string copy(request);
    for (Hop to; find_other(t, failed, to);) {
        char branch[kBranchBytes];
        copy.replace(at + kParameter.size(), kBranchBytes, write_branch_id({t.id, t.branches, t.proof}, branch));
        LOG(info, "tm.next_server", kv("host", to.host_name()), kv("failed", failed.to.address.text()),
            kv("next", to.address.text()));
        const Branch* b = add_branch(t, {.to = &to, .request = copy, .uri = uri, .reply_route = failed.reply_route});
        if (b == nullptr) return false;
        if (b->outcome == 0) return true;
    }
    return false;
}

}  // namespace kahu::tm
