#include "core/modules/tm/conclude.h"

#include "core/modules/tm/best_response.h"
#include "core/modules/tm/counters.h"
#include "core/modules/tm/observers.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/settings.h"
#include "core/modules/tm/table.h"
#include "core/sip/edit.h"
#include "core/sip/status.h"
#include "mem/slot.h"

namespace kahu::tm {
namespace {

// Somebody is at it who still lives.
bool being_decided(Transaction& t) {
    if (t.decider == 0) return false;
    if (life_of(t.decider - 1) == t.decider_life) return true;
    t.decider = 0;
    stats::add(counters.lost_decisions);
    return false;
}

bool anything_pending(const Transaction& t) {
    if (t.resolving != 0) return true;
    for (int i = 0; i < t.branches; ++i)
        if (is_pending(t, *t.branch[i])) return true;
    return false;
}

int best_index(const Transaction& t) {
    Candidate candidates[kMaxBranches];
    for (int i = 0; i < t.branches; ++i) {
        const Branch& b = *t.branch[i];
        if (!b.dropped) candidates[i] = {b.outcome, b.local_outcome};
    }
    return best_of({candidates, t.branches});
}

// 16.7 step 7: the challenges of all branches go with the one that was chosen.
void add_challenges(const Transaction& t, const Branch& chosen, std::string& out) {
    static sip::Message base, other;
    static sip::EditList edits;
    sip::Bad bad;
    if (!base.parse(chosen.reply->text(), bad)) {
        out = chosen.reply->text();
        return;
    }
    edits.clear();
    for (int i = 0; i < t.branches; ++i) {
        const Branch& b = *t.branch[i];
        if (&b == &chosen || b.dropped || (b.outcome != 401 && b.outcome != 407) || b.reply == nullptr) continue;
        if (!other.parse(b.reply->text(), bad)) continue;
        for (const auto id : {sip::HeaderId::www_authenticate, sip::HeaderId::proxy_authenticate})
            for (const auto* field = other.first(id); field != nullptr; field = other.next(field))
                edits.append_header(base, field->whole);
    }
    edits.apply(base.bytes(), out);
}

void send_local(Transaction& t, int status) {
    if (status == 0) status = 500;  // nobody lives who knows how it ended
    if (status == 408 && t.cancelled) status = 487;
    if (status == 503 && settings.remap_503_500 != 0)
        (void)answer_locally(t, {.status = 500, .reason = sip::reason_phrase(503)});  // says what it stands for
    else (void)answer_locally(t, {.status = status});
}

void send_best(Transaction& t, const Branch& b) {
    if (b.lost_phone && b.local_outcome && b.outcome == 503) return send_local(t, 480);
    if (b.local_outcome || b.reply == nullptr || (b.outcome == 503 && settings.remap_503_500 != 0))
        return send_local(t, b.outcome);
    static std::string text;
    text.clear();
    const bool challenge = b.outcome == 401 || b.outcome == 407;
    if (challenge && t.branches > 1 && settings.aggregate_challenges != 0) add_challenges(t, b, text);
    else text = b.reply->text();
    (void)answer(t, {.status = b.outcome, .text = text, .silent = b.silent});
}

constexpr clock::Millis kOutcomeKeptMs = 10'000;  // for one who asks now and then

// A local request: whoever made it finds status and reply here.
void keep_result(Transaction& t, Branch& b) {
    t.status = b.outcome;
    t.answered = true;
    count_completed(b.outcome);
    drop_block(t.reply);
    t.reply = std::exchange(b.reply, nullptr);  // never two owners, whenever this process dies
    if (!t.released) t.give_up_at = clock::now_ms() + kOutcomeKeptMs;
}

// The decision has fallen: what only a failure route, or who observes ACKs, would need.
void free_unneeded(Transaction& t) {
    if (anything_pending(t)) return;
    const bool ack_will_ask = t.observed && t.is_invite() && t.status < 300 && acks_are_observed();
    if (!ack_will_ask) {
        drop_block(t.context);
        drop_block(t.shared);
    }
    for (int i = 0; i < t.branches; ++i) drop_block(t.branch[i]->reply);
}

}  // namespace

Branch* failed_branch(const Transaction& t) {
    for (int i = 0; i < t.branches; ++i)
        if (t.branch[i]->failure_due) return t.branch[i];
    return nullptr;
}

Branch* unseen_branch(const Transaction& t) {
    for (int i = 0; i < t.branches; ++i)
        if (t.branch[i]->unseen && is_pending(t, *t.branch[i])) return t.branch[i];
    return nullptr;
}

bool decided_by_another(Transaction& t) { return being_decided(t); }

const Branch* best_branch(const Transaction& t) {
    const int best = best_index(t);
    return best < 0 ? nullptr : t.branch[best];
}

void decide_here(Transaction& t) {
    t.decider_life = life_of(mem::current_slot());
    t.decider = static_cast<int16_t>(mem::current_slot() + 1);
}

bool take_unsent(Transaction& t) {
    if (!t.unsent || being_decided(t)) return false;
    decide_here(t);
    return true;
}

After conclude(Transaction& t) {
    if (being_decided(t) || t.unsent) return After::nothing;
    if (!t.answered && (failed_branch(t) != nullptr || unseen_branch(t) != nullptr)) {
        decide_here(t);
        return After::run_failure_route;
    }
    if (!t.answered && t.branches != 0 && !anything_pending(t)) {
        const Branch* best = best_branch(t);
        if (best == nullptr) best = t.branch[t.branches - 1];
        if (t.failure_route >= 0 && best->outcome >= 300) {
            decide_here(t);
            return After::run_failure_route;
        }
        if (t.local) keep_result(t, *t.branch[best->number]);
        else send_best(t, *best);
    }
    if (t.answered) free_unneeded(t);
    return After::nothing;
}

}  // namespace kahu::tm
