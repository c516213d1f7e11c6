#include "core/modules/tm/transaction.h"

#include "core/modules/tm/settings.h"
#include "mem/segment.h"

namespace kahu::tm {
namespace {

constexpr clock::Millis kDeciderLook = 1000;  // whether the decider still lives

void earlier(clock::Millis& best, clock::Millis candidate) {
    if (candidate != 0 && candidate < best) best = candidate;
}

bool in_segment(const void* p) { return p == nullptr || mem::segment_contains(p); }

bool branch_over(const Transaction& t, const Branch& b) {
    const bool ended = t.is_invite() ? b.invite_state() == client_invite::State::Terminated
                                     : b.other_state() == client_non_invite::State::Terminated;
    return ended && static_cast<client_non_invite::State>(b.cancel_state) == client_non_invite::State::Terminated;
}

}  // namespace

uint8_t default_ways() {
    return static_cast<uint8_t>((settings.auto_inv_100 != 0 ? kSayTrying : 0) |
                                (settings.disable_6xx_block == 0 ? kGlobalFailureEnds : 0) | kTryOtherServers |
                                (settings.e2e_cancel_reason != 0 ? kPassCancelReason : 0));
}

bool Transaction::terminated() const {
    if (local) return released;
    return is_invite() ? invite_state() == server_invite::State::Terminated
                       : other_state() == server_non_invite::State::Terminated;
}

clock::Millis Transaction::due() const {
    clock::Millis best = kNever;
    earlier(best, resend_at);
    earlier(best, give_up_at);
    earlier(best, max_age_at);
    earlier(best, resolve_by);
    if (unsent) earlier(best, 1);
    if (decider != 0) earlier(best, clock::now_ms() + kDeciderLook);
    for (int i = 0; i < branches; ++i) {
        const Branch& b = *branch[i];
        earlier(best, b.resend_at);
        earlier(best, b.give_up_at);
        earlier(best, b.cancel_resend_at);
        earlier(best, b.cancel_give_up_at);
    }
    return best;
}

bool Transaction::over() const {
    if (!terminated() || decider != 0 || (local && (unsent || resolving != 0))) return false;
    for (int i = 0; i < branches; ++i)
        if (!branch_over(*this, *branch[i])) return false;
    return true;
}

bool Transaction::is_valid() const {
    if (magic != kMagic || id.label == 0 || branches > kMaxBranches || method > sip::Method::other) return false;
    if (!in_segment(next) || request == nullptr || !in_segment(request)) return false;
    if (!in_segment(context) || !in_segment(reply) || !in_segment(reply_tag) || !in_segment(shared) ||
        !in_segment(reason))
        return false;
    if (state > static_cast<uint8_t>(server_invite::State::Terminated)) return false;
    for (int i = 0; i < branches; ++i) {
        const Branch* b = branch[i];
        if (b == nullptr || !mem::segment_contains(b)) return false;
        for (const Block* block : {b->request, b->reply, b->held, b->uri, b->cancel, b->target, b->context})
            if (!in_segment(block)) return false;
        if (b->state > static_cast<uint8_t>(client_invite::State::Terminated)) return false;
    }
    return true;
}

bool is_pending(const Transaction& t, const Branch& b) {
    if (b.outcome != 0) return false;
    return t.is_invite() ? b.invite_state() <= client_invite::State::Proceeding
                         : b.other_state() <= client_non_invite::State::Proceeding;
}

void destroy(Transaction* t) {
    for (int i = 0; i < t->branches; ++i) {
        Branch* b = t->branch[i];
        drop_block(b->request);
        drop_block(b->reply);
        drop_block(b->held);
        drop_block(b->uri);
        drop_block(b->cancel);
        drop_block(b->target);
        drop_block(b->context);
        mem::destroy(b, mem::Tag::transaction);
    }
    drop_block(t->request);
    drop_block(t->context);
    drop_block(t->reply);
    drop_block(t->reply_tag);
    drop_block(t->shared);
    drop_block(t->reason);
    mem::destroy(t, mem::Tag::transaction);
}

}  // namespace kahu::tm
