#include "core/modules/tm/replies.h"

#include <string>

#include "core/modules/tm/branch_id.h"
#include "core/modules/tm/client.h"
#include "core/modules/tm/conclude.h"
#include "core/modules/tm/counters.h"
#include "core/modules/tm/current.h"
#include "core/modules/tm/elsewhere.h"
#include "core/modules/tm/held_reply.h"
#include "core/modules/tm/observers.h"
#include "core/modules/tm/originate.h"
#include "core/modules/tm/routes.h"
#include "core/modules/tm/table.h"
#include "core/script/onsend.h"
#include "core/script/outgoing.h"
#include "core/script/params.h"
#include "core/script/program.h"

namespace kahu::tm {
namespace {

Branch* branch_of(Transaction* t, const BranchId& where) {
    if (t == nullptr || t->proof != where.proof || where.number >= t->branches) return nullptr;
    return t->branch[where.number];
}

// Which branch a reply names.  False: none of ours, or the reply lacks what says so.
bool read_branch(const sip::Message& reply, BranchId& where) {
    const sip::Via* const via = reply.top_via();
    return via != nullptr && reply.cseq() != nullptr && parse_branch_id(via->branch, where);
}

// The reply route of the branch or the transaction, and what its script left.  -1: none.
int route_for(const Transaction& t, const Branch& b, std::string& context, std::string& shared) {
    const int route = b.reply_route >= 0 ? b.reply_route : t.reply_route;
    if (route < 0 || (b.outcome != 0 && b.outcome >= 300)) return -1;
    context = text_of(t.context);
    shared = text_of(t.shared);
    return route;
}

// False: the script dropped it, which it may do with provisionals only, or suspended it.
bool run_reply_route(script::Run& run, const BranchId& where, int route, std::string& context, std::string& shared) {
    if (const std::string& newest = shared.empty() ? context : shared; !newest.empty()) run.restore_shared(newest);
    Current& c = current(run);
    c.id = where.id;
    c.branch = where.number;
    (void)run.program->run_route(route, run);
    const bool drop = run.flow == script::Flow::drop && run.message().status() < 200;
    run.flow = script::Flow::next;
    const bool held = c.held;
    shared.clear();
    run.save(shared);
    Locked shard(where.id);
    if (Transaction* t = shard.find(where.id.label); t != nullptr && t->context != nullptr) {
        (void)replace_block(t->shared, shared);
        t->observed = observers_want(run);
    }
    return !drop && !held;
}

// onsend_route over a reply.  False: it said drop.
bool may_leave(script::Run& run, const BranchId& where, std::string_view relayed) {
    net::Destination upstream;
    {
        Locked shard(where.id);
        const Transaction* t = shard.find(where.id.label);
        if (t == nullptr) return true;
        upstream = {.transport = t->from.transport,
                    .listener = t->from.listener,
                    .connection = t->from.connection,
                    .address = t->reply_to};
    }
    return script::run_onsend_route(run, upstream, relayed);
}

// What our ACK and the INVITE's transaction need to know of it.
IncomingReply describe(const sip::Message& reply, std::string_view relayed) {
    IncomingReply out{.status = reply.status(), .relayed = relayed};
    if (const auto* field = reply.first(sip::HeaderId::to)) out.to = field->value;
    if (const sip::NameAddr* to = reply.to()) out.to_tag = to->tag;
    return out;
}

}  // namespace

bool belongs_to_a_transaction(const sip::Message& reply) {
    BranchId where;
    if (!read_branch(reply, where)) return false;
    const Locked shard(where.id);
    Transaction* const t = shard.find(where.id.label);
    const sip::Method method = reply.cseq()->method;
    return branch_of(t, where) != nullptr && (method == t->method || method == sip::Method::cancel);
}

bool take_reply(script::Run& run) {
    const sip::Message& reply = run.message();
    const sip::CSeq* const cseq = reply.cseq();
    BranchId where;
    if (!read_branch(reply, where)) return false;

    static std::string context, shared;
    int route = -1;
    {
        Locked shard(where.id);
        Transaction* t = shard.find(where.id.label);
        Branch* b = branch_of(t, where);
        if (b == nullptr) {
            stats::add(counters.absorbed);
            return true;
        }
        if (cseq->method == sip::Method::cancel && t->method != sip::Method::cancel) {
            on_cancel_reply(*b, reply.status());
            (void)shard.settle(t);
            return true;
        }
        if (cseq->method != t->method || waits_with_more(*b, reply.status())) return true;
        route = route_for(*t, *b, context, shared);
    }
    if (route >= 0 && !run_reply_route(run, where, route, context, shared)) return true;
    pass_on(run);
    return true;
}

void pass_on(script::Run& run) {
    static std::string relayed;  // keeps its memory
    const sip::Message& reply = run.message();
    BranchId where;
    if (!read_branch(reply, where)) return;
    relayed.clear();
    if (reply.status() != 100 && !script::build_relayed_reply(run, relayed) && reply.second_via() != nullptr) return;
    const bool stopped = script::params::onsend_route_reply != 0 && !relayed.empty() && !may_leave(run, where, relayed);
    After after = After::nothing;
    {
        Locked shard(where.id);
        Transaction* t = shard.find(where.id.label);
        Branch* b = branch_of(t, where);
        if (b == nullptr) return;
        if (t->local && relayed.empty()) relayed = reply.bytes();
        const bool overloaded = reply.status() == 503 && may_go_elsewhere(*b);
        const std::string request(overloaded ? text_of(b->request) : std::string_view());
        IncomingReply what = describe(reply, relayed);
        what.silent = stopped;
        on_reply(*t, *b, stopped && reply.status() < 200 ? IncomingReply{.status = 100} : what);
        if (t->local && t->is_invite() && reply.status() / 100 == 2) acknowledge(*t, *b, reply);
        if (overloaded) (void)go_elsewhere(*t, *b, request);
        after = conclude(*t);
        if (t->is_invite()) transmit().flush();
        if (shard.settle(t)) return;
    }
    if (after == After::run_failure_route) run_failure_route(where.id);
}

void on_send_failure(uint64_t ticket, net::SendFailure) {
    const BranchId where = from_ticket(ticket);
    if (!where.id || where.id.shard >= kShards) return;
    {
        Locked shard(where.id);
        Transaction* t = shard.find(where.id.label);
        if (t == nullptr || where.number >= t->branches) return;
        Branch& failed = *t->branch[where.number];
        // Whoever has said something will say the rest over another connection if need be (RFC 3261 18.2.2).
        if (failed.status != 0 || !is_pending(*t, failed)) return;
        const std::string request(text_of(failed.request));
        on_transport_error(*t, failed);
        (void)go_elsewhere(*t, failed, request);
    }
    finish(where.id);
}

}  // namespace kahu::tm
