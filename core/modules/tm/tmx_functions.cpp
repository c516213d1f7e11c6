// Script functions of module tmx.
#include <fmt/format.h>

#include <string>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/modules/tm/by_call.h"
#include "core/modules/tm/client.h"
#include "core/modules/tm/conclude.h"
#include "core/modules/tm/function_help.h"
#include "core/modules/tm/functions.h"
#include "core/modules/tm/held_reply.h"
#include "core/modules/tm/intake.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/settings.h"
#include "core/modules/tm/suspend.h"
#include "core/script/branch_text.h"
#include "core/script/function.h"
#include "core/script/program.h"

namespace kahu::tm {
namespace {

using script::Args;
using script::Run;

int fn_precheck_trans(Run& run, const Args&) {
    const sip::Method method = run.message().method();
    const bool tracked = run.is_request() && method != sip::Method::ack && method != sip::Method::cancel;
    return truth(tracked && settings.precheck_trans != 0 && being_routed(run));
}

int fn_cancel_branches(Run& run, const Args& args) {
    const Current& c = current(run);
    if (!c.id) return kFalse;
    const std::string_view which = args.text(run, 0);
    Locked shard(c.id);
    Transaction* t = shard.find(c.id.label);
    if (t == nullptr) return kFalse;
    for (int i = 0; i < t->branches; ++i) {
        const bool own = i == c.branch;
        if ((which == "this" && !own) || (which == "others" && own)) continue;
        if (is_pending(*t, *t->branch[i])) cancel_branch(*t, *t->branch[i], elsewhere_reason(200));
    }
    (void)shard.settle(t);
    return kTrue;
}

bool is_cseq(int64_t number) { return number >= 0 && number <= UINT32_MAX; }

int fn_cancel_callid(Run& run, const Args& args) {
    const int64_t cseq = args.number(run, 1, -1), code = args.number(run, 3, 0);
    if (!is_cseq(cseq)) return kFalse;
    std::string reason;
    if (code >= 200 && code <= 699) reason = fmt::format("Reason: SIP;cause={}\r\n", code);
    return truth(
        cancel_call(args.text(run, 0), static_cast<uint32_t>(cseq), reason, static_cast<int>(args.number(run, 2, -1))));
}

int fn_reply_callid(Run& run, const Args& args) {
    const int64_t cseq = args.number(run, 1, -1), code = args.number(run, 2, 0);
    if (!is_cseq(cseq) || code < 100 || code > 699) return kFalse;
    const Id id = find_call(args.text(run, 0), static_cast<uint32_t>(cseq));
    if (!id) return kFalse;
    const std::string reason(args.text(run, 3));
    return truth(answer_from_outside(id, {.status = static_cast<int>(code), .reason = reason}));
}

// Nobody upstream is told anything: the client finds out by its own timer.
int fn_drop(Run& run, const Args& args) {
    const int64_t code = args.number(run, 0, 500);
    Current& c = current(run);
    if (!c.id) return kFalse;
    change(run, [&](Transaction& t) {
        t.answered = true;
        if (t.status < 200) t.status = static_cast<uint16_t>(code);
        t.resend_at = t.give_up_at = t.max_age_at = 0;
        t.state = static_cast<uint8_t>(t.is_invite() ? static_cast<int>(server_invite::State::Terminated)
                                                     : static_cast<int>(server_non_invite::State::Terminated));
        cancel_pending(t, nullptr, {});
        (void)conclude(t);
    });
    c.answered = true;
    return kEnd;
}

int fn_suspend(Run& run, const Args&) {
    if (!run.is_request()) return truth(hold_reply(run));
    switch (suspend(run)) {
    case Intake::created:
    case Intake::existing: return kTrue;
    case Intake::again:
    case Intake::refused: return kEnd;
    case Intake::failed: break;
    }
    return kFalse;
}

int fn_continue(Run& run, const Args& args) {
    const int64_t index = args.number(run, 0, -1), label = args.number(run, 1, 0);
    const std::string_view name = args.text(run, 2);
    if (index < 0 || index >= kShards || label <= 0 || label > UINT32_MAX) return kFalse;
    const int route = run.program->find_route(config::RouteKind::request, name);
    if (route < 0) {
        LOG(error, "tm.no_such_route", kv("route", name), kv("hint", "t_continue() names a route that is not there"));
        return kFalse;
    }
    const Id id{static_cast<uint32_t>(index), static_cast<uint32_t>(label)};
    return truth(resume(id, route) || resume_reply(id, route));
}

int fn_reuse_branch(Run& run, const Args&) {
    const Current& c = current(run);
    if (!c.branch_failure || c.branch < 0) return kFalse;
    std::string uri, target;
    {
        const Locked shard(c.id);
        const Transaction* t = shard.find(c.id.label);
        if (t == nullptr || c.branch >= t->branches) return kFalse;
        uri = text_of(t->branch[c.branch]->uri);
        target = text_of(t->branch[c.branch]->target);
    }
    run.set_request_uri(uri);
    run.branches.main() = target.empty() ? script::Branch{} : script::unpack(run.arena().copy(target));
    return kTrue;
}

int fn_flush_flags(Run& run, const Args&) {
    std::string saved;
    run.save(saved);
    change(run, [&](Transaction& t) {
        if (t.context != nullptr) (void)replace_block(t.shared, saved);
    });
    return kTrue;
}

template <uint16_t kMask>
int fn_kind(Run& run, const Args&) {
    return truth((run.kind() & kMask) != 0);
}

constexpr uint16_t kReq = kRequestRoute | kEventRoute, kReqFail = kReq | kFailureRoute;

// clang-format off
constexpr Function kFunctions[] = {
    {"t_precheck_trans", 0, 0, "()", "True if another process routes the same request at this moment; else others find that this one does.", kReq, fn_precheck_trans},
    {"t_cancel_branches", 1, 1, "(string which)", "Cancels \"all\" branches, \"this\" one, or the \"others\".", kReplyRoute | kFailureRoute | kEventRoute, fn_cancel_branches},
    {"t_cancel_callid", 3, 4, "(string callid, int cseq, int flag [, int code])", "Cancels the branches of that INVITE, sets a flag for its routes (negative: none); the code goes into the Reason of the CANCELs.", kAnyRoute, fn_cancel_callid},
    {"t_reply_callid", 4, 4, "(string callid, int cseq, int code, string reason)", "Answers that request.", kAnyRoute, fn_reply_callid},
    {"t_drop", 0, 1, "([int code])", "Ends the transaction without an answer, and the script; code (500) is what is noted.", kAnyRoute, fn_drop},
    {"t_suspend", 0, 0, "()", "The request, or in a reply route the reply, waits for t_continue(); $T(id_index) and $T(id_label) name it.", kReqFail | kReplyRoute, fn_suspend},
    {"t_continue", 3, 3, "(int index, int label, string route)", "Runs that route for a request that waits, as if it were a failure route, or for a reply, as its reply route.", kAnyRoute, fn_continue},
    {"t_reuse_branch", 0, 0, "()", "In event_route[tm:branch-failure:...]: $ru and what else is known of the branch that failed, to be sent again.", kEventRoute, fn_reuse_branch},
    {"t_is_request_route", 0, 0, "()", "True in a request_route.", kAnyRoute, fn_kind<kRequestRoute>},
    {"t_is_failure_route", 0, 0, "()", "True in a failure_route.", kAnyRoute, fn_kind<kFailureRoute>},
    {"t_is_branch_route", 0, 0, "()", "True in a branch_route.", kAnyRoute, fn_kind<kBranchRoute>},
    {"t_is_reply_route", 0, 0, "()", "True in a reply route.", kAnyRoute, fn_kind<kReplyRoute>},
    {"t_flush_flags", 0, 0, "()", "Flags set since t_relay() or t_newtran() become those of the transaction.", kAnyRoute, fn_flush_flags},
    {"t_flush_xflags", 0, 0, "()", "The same: there is one set of flags.", kAnyRoute, fn_flush_flags},
};
// clang-format on

}  // namespace

std::span<const Function> tmx_functions() { return kFunctions; }

}  // namespace kahu::tm
