#include "core/modules/tm/aftermath.h"

#include "core/modules/tm/settings.h"

namespace kahu::tm {
namespace {

void start(clock::Millis& timer, clock::Millis at) {
    if (timer == 0) timer = at;
}

template <class State>
void enter(uint8_t& state, State next) {
    state = static_cast<uint8_t>(next);
}

// Its final reply, or its end, was taken, and not noted.
void note_outcome(const Transaction& t, Branch& b) {
    if (b.outcome != 0 || is_pending(t, b)) return;
    if (t.is_invite() && b.invite_state() == client_invite::State::Accepted) {
        // A 2xx comes again until the caller acknowledges it (RFC 3261 13.3.1.4).
        return enter(b.state, client_invite::State::Proceeding);
    }
    b.outcome = b.status >= 200 ? b.status : 500;
    b.local_outcome = true;
}

void put_right(const Transaction& t, Branch& b, clock::Millis now) {
    note_outcome(t, b);
    const bool may_be_cancelled = b.suspended || b.invite_state() == client_invite::State::Proceeding;
    if (t.is_invite() && b.cancel_wanted && !b.cancel_made && may_be_cancelled) start(b.cancel_resend_at, now);
    if (static_cast<client_non_invite::State>(b.cancel_state) != client_non_invite::State::Terminated)
        start(b.cancel_give_up_at, now + t1x64());
    if (t.is_invite()) {
        using enum client_invite::State;
        if (b.invite_state() != Terminated)
            start(b.give_up_at, now + (b.invite_state() <= Proceeding ? clock::Millis{t.fr_inv_ms} : t1x64()));
    } else {
        using enum client_non_invite::State;
        if (b.other_state() != Terminated)
            start(b.give_up_at, now + (b.other_state() <= Proceeding ? clock::Millis{t.fr_ms} : t4()));
    }
}

// It was answered, and its state did not follow.
void follow_answer(Transaction& t) {
    if (!t.answered) return;
    if (t.is_invite() && t.invite_state() == server_invite::State::Proceeding)
        enter(t.state, t.status < 300 ? server_invite::State::Accepted : server_invite::State::Completed);
    if (!t.is_invite() && t.other_state() < server_non_invite::State::Completed)
        enter(t.state, server_non_invite::State::Completed);
}

}  // namespace

void put_right(Transaction& t, clock::Millis now) {
    for (int i = 0; i < t.branches; ++i) put_right(t, *t.branch[i], now);
    if (t.resolving != 0) start(t.resolve_by, now + clock::Millis{t.fr_ms});
    if (t.local) {
        if (t.answered && !t.released) start(t.give_up_at, now + t1x64());
        return;
    }
    follow_answer(t);
    const bool ending = t.is_invite() ? t.invite_state() != server_invite::State::Proceeding
                                      : t.other_state() >= server_non_invite::State::Completed;
    if ((ending && !t.terminated()) || (t.branches == 0 && t.resolving == 0 && t.decider == 0))
        start(t.give_up_at, now + t1x64());
}

}  // namespace kahu::tm
