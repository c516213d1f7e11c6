#include "core/modules/tm/elsewhere.h"

#include <string>

#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/base/text.h"
#include "core/modules/tm/branch_id.h"
#include "core/modules/tm/client.h"
#include "core/modules/tm/routes.h"
#include "core/net/resolver.h"
#include "core/script/branch_text.h"
#include "core/script/onsend.h"
#include "core/script/outgoing.h"

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
    const bool any_transport = failed.context != nullptr;
    for (const uint16_t port : {uint16_t{0}, failed.to.address.port()}) {
        net::Question question{.host = failed.to.host_name(), .port = port, .transport = failed.to.transport};
        if (any_transport && port == 0) {
            question.transport.reset();
            question.sips = text::iequals(text_of(failed.uri).substr(0, 5), "sips:");
        }
        if (net::resolve(question, found, {}) != net::Resolution::ready) continue;
        bool same_list = false;
        for (const Hop& each : found.list()) same_list = same_list || each.address == failed.to.address;
        if (!same_list) continue;
        for (Hop to : found.list()) {
            to.connect = failed.to.connect;
            if (was_tried(t, to) || !net::choose_listener(to, failed.to.listener)) continue;
            if (to.listener != failed.to.listener && !any_transport) continue;
            out = to;
            return true;
        }
        return false;
    }
    return false;
}

// The same request as it goes to that server.  False: it cannot be read any more, which would be our own mistake.
bool rebuild(const Transaction& t, const Branch& failed, std::string_view branch, Hop& to, std::string& out) {
    static Revived revived;
    revived.take(t);
    revived.context = text_of(failed.context);
    revived.shared.clear();
    if (!revived.begin(t.id, kBranchRoute)) return false;
    const std::string target(text_of(failed.target));
    const script::Branch known = target.empty() ? script::Branch{} : script::unpack(target);
    std::string headers;
    if (!known.path.empty()) headers.append("Route: ").append(known.path).append("\r\n");
    const script::OutgoingRequest how{.branch = branch,
                                      .request_uri = text_of(failed.uri),
                                      .extra_headers = headers,
                                      .phone = known.phone(),
                                      .max_breadth = failed.breadth};
    out.clear();
    script::build_request_that_fits(revived.run, how, to, out);
    return true;
}

// The request as it was sent, with another branch parameter.
bool rename(std::string_view request, std::string_view branch, std::string& out) {
    constexpr std::string_view kParameter = ";branch=";
    const size_t at = request.find(kParameter);
    if (at == request.npos || at + kParameter.size() + kBranchBytes > request.size()) return false;
    out = request;
    out.replace(at + kParameter.size(), kBranchBytes, branch);
    return true;
}

}  // namespace

bool may_go_elsewhere(const Branch& b) {
    return b.to.host[0] != '\0' && !SocketAddress::parse_ip(b.to.host_name()).has_value();
}

bool go_elsewhere(Transaction& t, Branch& failed, std::string_view request) {
    if (!t.goes(kTryOtherServers) || t.answered || t.cancelled || request.empty() || !may_go_elsewhere(failed))
        return false;
    const std::string uri(text_of(failed.uri));
    std::string copy;
    for (Hop to; find_other(t, failed, to);) {
        char text[kBranchBytes];
        const std::string_view branch = write_branch_id({t.id, t.branches, t.proof}, text);
        const bool same_socket = to.listener == failed.to.listener;
        if (!(same_socket ? rename(request, branch, copy) : rebuild(t, failed, branch, to, copy))) return false;
        LOG_AT_MOST(5, info, "tm.next_server", kv("host", to.host_name()), kv("failed", failed.to.address.text()),
                    kv("next", to.address.text()), kv("transport", name_of(to.transport)));
        const Branch* b = add_branch(t, {.to = &to,
                                         .request = copy,
                                         .uri = uri,
                                         .reply_route = failed.reply_route,
                                         .failure_route = failed.failure_route,
                                         .target = text_of(failed.target),
                                         .context = text_of(failed.context),
                                         .breadth = failed.breadth,
                                         .unseen = script::has_onsend_route()});
        if (b == nullptr) return false;
        failed.failure_due = false;  // that of its successor will be run
        if (b->outcome == 0) return true;
    }
    return false;
}

}  // namespace kahu::tm
