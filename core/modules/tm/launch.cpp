#include "core/modules/tm/launch.h"

#include <algorithm>
#include <map>
#include <string>

#include "core/base/text.h"
#include "core/modules/tm/branch_id.h"
#include "core/modules/tm/client.h"
#include "core/modules/tm/routes.h"
#include "core/modules/tm/table.h"
#include "core/script/branch_text.h"
#include "core/script/message_facts.h"
#include "core/script/onsend.h"
#include "core/script/outgoing.h"
#include "core/script/program.h"

namespace kahu::tm {
namespace {

constexpr int kUnreachable = 477, kNoSuchDomain = 478, kBadUri = 479;

int error_of(net::Resolution resolution) {
    return resolution == net::Resolution::not_found ? kNoSuchDomain : kUnreachable;
}

// --- a branch for the first destination that takes the message ---------------------------------------------
struct Prepared {
    Id id;
    std::string_view uri, path;
    uint16_t socket = net::kAnyListener;
    int on_reply = -1;
    bool lost_phone = false;
    bool flow_only = false;
    script::Phone phone = script::Phone::no;
    int breadth = 0;
    int failure_route = -1;
    std::string_view target = {};   // Branch::target
    std::string_view context = {};  // Branch::context
};

// The request with its next branch's number, and onsend_route over it, before any lock is taken.  False: drop.
bool may_be_sent(script::Run& run, const Prepared& what, Hop to, std::string_view headers) {
    static std::string request;
    char branch_text[kBranchBytes];
    std::string_view branch;
    {
        Locked shard(what.id);
        const Transaction* const t = shard.find(what.id.label);
        if (t == nullptr) return true;
        branch = write_branch_id({t->id, t->branches, t->proof}, branch_text);
    }
    request.clear();
    const script::OutgoingRequest how{.branch = branch,
                                      .request_uri = what.uri,
                                      .extra_headers = headers,
                                      .phone = what.phone,
                                      .max_breadth = what.breadth};
    script::build_request_that_fits(run, how, to, request);
    return script::run_onsend_route(run, to, request);
}

// False: it could not be sent there.
bool start_branch(script::Run& run, const Prepared& what, Hop to) {
    static std::string request, headers;  // keep their memory
    headers.clear();
    if (!what.path.empty()) headers.append("Route: ").append(what.path).append("\r\n");
    if (script::has_onsend_route() && !may_be_sent(run, what, to, headers)) return false;
    Locked shard(what.id);
    Transaction* t = shard.find(what.id.label);
    if (t == nullptr || t->answered) return true;  // nobody waits for it any more
    if (t->cancelled) {
        (void)add_failed_branch(*t, what.uri, 487);
        return true;
    }
    char branch[kBranchBytes];
    request.clear();
    script::build_request_that_fits(run,
                                    {.branch = write_branch_id({t->id, t->branches, t->proof}, branch),
                                     .request_uri = what.uri,
                                     .extra_headers = headers,
                                     .phone = what.phone,
                                     .max_breadth = what.breadth},
                                    to, request);
    const Branch* b = add_branch(*t, {.to = &to,
                                      .request = request,
                                      .uri = what.uri,
                                      .reply_route = what.on_reply,
                                      .failure_route = what.failure_route,
                                      .target = what.target,
                                      .context = what.context,
                                      .lost_phone = what.lost_phone,
                                      .flow_only = what.flow_only,
                                      .breadth = what.breadth});
    const bool sent = b != nullptr && b->outcome == 0;
    if (t->is_invite()) transmit().flush();  // and the 100 with it: no reply may overtake them
    (void)shard.settle(t);
    return sent;
}

// Whether a server that fails may be followed by one that is reached over another transport.
bool differ_in_transport(std::span<const Hop> destinations) {
    return std::any_of(destinations.begin(), destinations.end(),
                       [&](const Hop& to) { return to.transport != destinations.front().transport; });
}

bool start_at_any(script::Run& run, Prepared what, std::span<const Hop> destinations) {
    static std::string context;
    context.clear();
    if (differ_in_transport(destinations)) {
        run.save(context);
        what.context = context;
    }
    const uint16_t preferred = what.socket != net::kAnyListener ? what.socket : run.inbound().listener;
    for (Hop to : destinations) {
        if (script::is_sips(what.uri) && to.transport != Transport::tls) continue;
        to.connect = !run.forward_no_connect;
        if (!net::choose_listener(to, preferred)) continue;
        if (start_branch(run, what, to)) return true;
    }
    run.last_error = kUnreachable;
    return false;
}

// --- later: the name server answered -----------------------------------------------------------------------
struct Waiting {
    Prepared what;  // its texts are these:
    std::string uri, path, target;
    std::string context;  // of the run, or of its copy that the branch route changed
};
// By number, so that a lookup answered from the cache costs no allocation.
std::map<uint64_t, Waiting>& waiting_room() {
    static std::map<uint64_t, Waiting> room;
    return room;
}

void resolved(uint64_t number, net::Resolution resolution, const net::Destinations& destinations) {
    static Revived revived;
    auto found = waiting_room().extract(number);
    if (found.empty()) return;
    const Waiting& waiting = found.mapped();
    const Prepared& what = waiting.what;
    {
        Locked shard(what.id);
        Transaction* t = shard.find(what.id.label);
        if (t == nullptr) return;
        if (t->resolving > 0 && --t->resolving == 0) t->resolve_by = 0;
        t->waiting_breadth = static_cast<uint16_t>(std::max(0, t->waiting_breadth - what.breadth));
        revived.take(*t);
    }
    revived.context = waiting.context;
    bool started = false;
    if (resolution == net::Resolution::ready && revived.begin(what.id, kBranchRoute))
        started = start_at_any(revived.run, what, destinations.list());
    if (!started) {
        Locked shard(what.id);
        if (Transaction* t = shard.find(what.id.label); t != nullptr && !t->answered && t->branches == 0)
            (void)add_failed_branch(*t, what.uri, error_of(resolution));
    }
    finish(what.id);
}

void wait_for_name(uint64_t number, script::Run& run, const Prepared& what) {
    Waiting& waiting = waiting_room()[number];
    waiting.what = what;
    waiting.what.uri = waiting.uri = what.uri;
    waiting.what.path = waiting.path = what.path;
    waiting.what.target = waiting.target = what.target;
    run.save(waiting.context);
    Locked shard(what.id);
    if (Transaction* t = shard.find(what.id.label)) {
        ++t->resolving;
        t->waiting_breadth = static_cast<uint16_t>(t->waiting_breadth + what.breadth);
        t->resolve_by = clock::now_ms() + kResolveMs;
        (void)shard.settle(t);
    }
}

// --- branch route --------------------------------------------------------------------------------------------
script::Run& branch_run() {
    static script::Run one;
    return one;
}

// Runs it over a copy of the run.  False: it said drop.
bool run_branch_route(script::Run& run, const Target& target, const Launch& how) {
    static std::string saved;
    saved.clear();
    run.save(saved);
    script::Run& copy = branch_run();
    copy.begin(run.message(), run.inbound(), kBranchRoute);
    copy.program = run.program;
    copy.restore(saved);
    if (!target.main) {
        copy.set_request_uri(target.uri);
        copy.set_destination_uri(target.dst_uri);
    }
    Current& c = current(copy);
    c.id = how.id;
    c.on_reply = how.on_reply;
    c.on_branch_failure = how.on_branch_failure;
    {
        Locked shard(how.id);
        const Transaction* t = shard.find(how.id.label);
        c.branch = t == nullptr ? 0 : t->branches;
    }
    (void)run.program->run_route(how.on_branch, copy);
    saved.clear();
    copy.save(saved);
    run.restore_shared(saved);
    return copy.flow != script::Flow::drop;
}

// RFC 5626 5.3: the flow has ended, and nothing else leads to the phone.
void note_failed_flow(const Id& id, std::string_view uri) {
    constexpr int kFlowFailed = 430;
    Locked shard(id);
    Transaction* t = shard.find(id.label);
    if (t == nullptr || t->answered) return;
    (void)add_failed_branch(*t, uri, kFlowFailed);
    (void)shard.settle(t);
}

// Branch::target: what reply and failure routes may ask about it besides its URI.  Empty: nothing.
std::string describe(const Target& target) {
    if (target.known == nullptr) return {};
    script::Branch known = *target.known;
    if (known.ruid.empty() && known.instance.empty() && known.path.empty() && known.flags == 0) return {};
    known.uri = known.dst_uri = {};
    return script::pack(known);
}

bool make_question(const sip::Uri& hop, std::string_view request_uri, const RelayTo& to, net::Question& out) {
    if (!script::question_for(hop, script::is_sips(request_uri), out)) return false;
    if (!to.host.empty()) {
        out.host = out.server_name = to.host;
        out.port = to.port;
        out.transport.reset();
    }
    if (to.transport) out.transport = to.transport;
    return true;
}

}  // namespace

Target Target::of(const script::Branch& branch) {
    return {.uri = branch.uri,
            .dst_uri = branch.dst_uri,
            .path = branch.path,
            .socket = branch.socket,
            .connection = branch.connection,
            .flow_only = branch.flow_only,
            .phone = branch.phone(),
            .q = branch.q,
            .known = &branch};
}
Target Target::of_main(const script::Run& run) {
    Target target = of(run.branches.main());
    target.main = true;
    target.uri = run.request_uri();
    target.dst_uri = run.destination_uri();
    return target;
}

Launched launch(script::Run& run, const Target& target, const Launch& how) {
    script::Run* from = &run;
    Prepared what{.id = how.id,
                  .uri = target.uri,
                  .path = target.path,
                  .socket = target.socket,
                  .on_reply = how.on_reply,
                  .breadth = how.breadth,
                  .failure_route = how.on_branch_failure};
    const std::string known = describe(target);
    what.target = known;
    std::string_view dst_uri = target.dst_uri;
    if (how.on_branch >= 0) {
        if (!run_branch_route(run, target, how)) return Launched::sent;
        from = &branch_run();
        what.uri = from->request_uri();
        what.on_reply = current(*from).on_reply;
        what.failure_route = current(*from).on_branch_failure;
        dst_uri = from->destination_uri();
    }
    what.phone = target.phone;
    what.lost_phone = target.connection != net::ConnectionId::none;
    what.flow_only = target.flow_only;
    if (Hop flow; net::destination_over(target.connection, flow) && start_at_any(*from, what, {&flow, 1}))
        return Launched::sent;
    if (target.flow_only) {
        note_failed_flow(how.id, what.uri);
        return Launched::sent;
    }

    sip::Uri uri;
    net::Question question;
    const sip::Uri* hop = script::next_hop(what.uri, dst_uri, uri);
    if (hop == nullptr || !make_question(*hop, what.uri, how.to, question)) {
        run.last_error = kBadUri;
        return Launched::failed;
    }
    question.keeps = sizeof(Waiting) + from->message().bytes().size();  // its state may be as long; the rest is shared
    static net::Destinations destinations;
    static uint64_t lookups = 0;
    const uint64_t number = ++lookups;
    const net::Resolution resolution =
        net::resolve(question, destinations,
                     [number](net::Resolution late, const net::Destinations& found) { resolved(number, late, found); });
    if (resolution == net::Resolution::pending) {
        wait_for_name(number, *from, what);
        return Launched::waiting;
    }
    if (resolution != net::Resolution::ready) {
        run.last_error = error_of(resolution);
        return Launched::failed;
    }
    if (start_at_any(*from, what, destinations.list())) return Launched::sent;
    run.last_error = kUnreachable;
    return Launched::failed;
}

}  // namespace kahu::tm
