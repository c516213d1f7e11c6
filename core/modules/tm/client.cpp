#include "core/modules/tm/client.h"

#include <algorithm>
#include <atomic>

#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/modules/tm/counters.h"
#include "core/modules/tm/elsewhere.h"
#include "core/modules/tm/local_request.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/settings.h"
#include "core/net/blocklist.h"
#include "mem/contract.h"

namespace kahu::tm {
namespace {

constexpr auto kNoCancel = static_cast<uint8_t>(client_non_invite::State::Terminated);
constexpr int kUnreachable = 503, kTimeout = 408, kFlowFailed = 430;

bool reliable(const Branch& b) { return is_stream(b.to.transport); }
clock::Millis t1_of(const Transaction& t) { return t.t1_ms != 0 ? t.t1_ms : t1(); }
clock::Millis t2_of(const Transaction& t) { return t.t2_ms != 0 ? t.t2_ms : t2(); }

net::Sent send(const Transaction& t, const Branch& b, std::string_view bytes, bool tell) {
    return transmit().send_to(b.to, bytes, tell ? ticket_of(t, b) : 0);
}

void resend_request(const Transaction& t, Branch& b) {
    if (b.request == nullptr) return;
    (void)send(t, b, b.request->text(), false);
    stats::add(counters.retransmitted);
}

void end_with(Branch& b, int status) {
    if (b.outcome != 0) return;
    b.outcome = static_cast<uint16_t>(status);
    b.local_outcome = true;
    b.failure_due = b.failure_route >= 0;
}

void terminate(Branch& b, bool invite) {
    b.state = static_cast<uint8_t>(invite ? static_cast<int>(client_invite::State::Terminated)
                                          : static_cast<int>(client_non_invite::State::Terminated));
    b.resend_at = b.give_up_at = 0;
}

// What nobody will ask for again.
void free_unneeded(const Transaction& t, Branch& b) {
    const bool ended = t.is_invite() ? b.invite_state() >= client_invite::State::Accepted
                                     : b.other_state() >= client_non_invite::State::Completed;
    if (ended && !b.cancel_wanted) drop_block(b.request);
    if (b.cancel_state == kNoCancel) drop_block(b.cancel);
    if (b.outcome != 0) drop_block(b.held);
}

void enter_invite(Transaction& t, Branch& b, const client_invite::Step& step, std::string_view to, clock::Millis now) {
    using namespace client_invite;
    b.state = static_cast<uint8_t>(step.next);
    if (step.actions & kStopTimersAB) b.resend_at = b.give_up_at = 0;
    if (step.actions & kResendRequest) {
        resend_request(t, b);
        b.interval = b.interval * 2;
        b.resend_at = now + b.interval;
    }
    if ((step.actions & kSendAck) && b.request != nullptr) {
        static std::string ack;
        ack.clear();
        if (build_ack(b.request->text(), to, ack)) (void)send(t, b, ack, false);
    }
    if (step.actions & kStartTimerC)
        b.give_up_at = b.gave_up ? now + t1x64() : now + static_cast<clock::Millis>(t.fr_inv_ms);
    if (step.actions & kStartTimerD) {
        if (reliable(b)) terminate(b, true);
        else b.give_up_at = now + t1x64();
    }
    if (step.actions & kStartTimerM) b.give_up_at = now + t1x64();
    if (step.actions & kReportTimeout) {
        b.cancel_wanted |= b.invite_state() == State::Proceeding;
        end_with(b, kTimeout);
        if (b.invite_state() != State::Proceeding && !b.suspended)
            net::note_failed_destination(b.to.transport, b.to.address, net::kBlockTimeout);
        if (b.invite_state() == State::Proceeding) {  // timer C: tell the next hop, then wait for its 487
            b.gave_up = true;
            b.give_up_at = now + t1x64();
            cancel_branch(t, b, {});
        }
    }
    if (step.actions & kReportTransportError) end_with(b, b.flow_only ? kFlowFailed : kUnreachable);
    if (b.invite_state() == State::Terminated) b.resend_at = b.give_up_at = 0;
}

void enter_other(Transaction& t, Branch& b, const client_non_invite::Step& step, clock::Millis now) {
    using namespace client_non_invite;
    const bool trying = b.other_state() == State::Trying;
    b.state = static_cast<uint8_t>(step.next);
    if (step.actions & kStopTimersEF) b.resend_at = b.give_up_at = 0;
    if (step.actions & kSlowTimerE) b.interval = static_cast<uint32_t>(t2_of(t));
    if (step.actions & kResendRequest) {
        resend_request(t, b);
        if (trying) b.interval = static_cast<uint32_t>(std::min<clock::Millis>(2 * b.interval, t2_of(t)));
        b.resend_at = now + b.interval;
    }
    if (step.actions & kStartTimerK) {
        if (reliable(b)) terminate(b, false);
        else b.give_up_at = now + t4();
    }
    if (step.actions & kReportTimeout) {
        end_with(b, kTimeout);
        if (trying && !b.suspended) net::note_failed_destination(b.to.transport, b.to.address, net::kBlockTimeout);
    }
    if (step.actions & kReportTransportError) end_with(b, b.flow_only ? kFlowFailed : kUnreachable);
    if (b.other_state() == State::Terminated) b.resend_at = b.give_up_at = 0;
}

Branch* make_branch(Transaction& t, std::string_view uri) {
    if (t.branches >= kMaxBranches) return nullptr;
    auto* b = mem::make<Branch>(mem::Tag::transaction, Branch{});
    if (b == nullptr) return nullptr;
    b->uri = make_block(uri);
    if (b->uri == nullptr) {
        mem::destroy(b, mem::Tag::transaction);
        return nullptr;
    }
    b->number = t.branches;
    b->round = t.round;
    b->cancel_state = kNoCancel;
    b->reply_route = b->failure_route = -1;
    b->born = clock::now_ms();
    return b;
}

void link(Transaction& t, Branch* b) {
    t.branch[t.branches] = b;
    std::atomic_signal_fence(std::memory_order_release);  // there before it counts
    ++t.branches;
}

void pass_up(Transaction& t, Branch& b, const IncomingReply& reply) {
    if (reply.status < 200) {
        if (b.cancel_wanted && !b.cancel_made) cancel_branch(t, b, text_of(t.reason));
        if (reply.status > 100 && !t.answered && !b.gave_up)
            (void)answer(t, {.status = reply.status, .text = reply.relayed, .to_tag = reply.to_tag});
        return;
    }
    const bool found = reply.status < 300, refused = reply.status >= 600 && t.is_invite() && t.goes(kGlobalFailureEnds);
    const std::string_view why = elsewhere_reason(found ? 200 : reply.status);
    if (found || refused) want_cancel(t, &b, why);
    if (b.outcome == 0) {
        b.outcome = static_cast<uint16_t>(reply.status);
        b.local_outcome = false;
        b.failure_due = b.failure_route >= 0 && reply.status >= 300;
    }
    if (found) {  // 16.7 step 5: every 2xx to an INVITE, at once
        if (t.local && !t.answered) (void)replace_block(b.reply, reply.relayed);
        if (t.is_invite() || !t.answered)
            (void)answer(
                t, {.status = reply.status, .text = reply.relayed, .to_tag = reply.to_tag, .silent = reply.silent});
        if (t.is_invite()) cancel_pending(t, &b, why);
        return;
    }
    b.silent = reply.silent;
    if (!b.gave_up) (void)replace_block(b.reply, reply.relayed);
    if (refused) cancel_pending(t, &b, why);
}

}  // namespace

uint64_t ticket_of(const Transaction& t, const Branch& b) {
    return t.id.label | static_cast<uint64_t>(t.id.shard) << 32 | static_cast<uint64_t>(b.number) << 48;
}
BranchId from_ticket(uint64_t ticket) {
    return {.id = {static_cast<uint32_t>(ticket >> 32 & 0xffff), static_cast<uint32_t>(ticket)},
            .number = static_cast<int>(ticket >> 48)};
}

Branch* add_branch(Transaction& t, const NewBranch& what) {
    Branch* b = make_branch(t, what.uri);
    if (b == nullptr) return nullptr;
    const clock::Millis now = clock::now_ms();
    b->to = *what.to;
    b->reply_route = static_cast<int16_t>(what.reply_route);
    b->lost_phone = what.lost_phone;
    b->flow_only = what.flow_only;
    b->breadth = static_cast<uint16_t>(what.breadth);
    b->failure_route = static_cast<int16_t>(what.failure_route);
    if (!what.target.empty()) b->target = make_block(what.target);
    if (!what.context.empty()) b->context = make_block(what.context);
    // Kept for CANCEL, ACK and retransmission, and for another server of the domain.
    if (t.is_invite() || !reliable(*b) || what.unseen || may_go_elsewhere(*b)) b->request = make_block(what.request);
    b->interval = static_cast<uint32_t>(t1_of(t));
    b->unseen = what.unseen;
    b->resend_at = reliable(*b) || b->unseen ? 0 : now + t1_of(t);
    b->give_up_at = now + static_cast<clock::Millis>(t.fr_ms);
    link(t, b);
    if (!b->unseen) send_request(t, *b, what.request);
    return b;
}

void send_request(Transaction& t, Branch& b, std::string_view request) {
    if (b.unseen) {
        b.unseen = false;
        b.resend_at = reliable(b) ? 0 : clock::now_ms() + t1_of(t);
    }
    const net::Sent sent = send(t, b, request, true);
    if (sent == net::Sent::ok) return;
    LOG_AT_MOST(5, info, "tm.not_sent", kv("to", b.to.address.text()), kv("transport", name_of(b.to.transport)),
                kv("result", static_cast<int>(sent)));
    on_transport_error(t, b);
}

Branch* add_suspended_branch(Transaction& t, std::string_view uri) {
    Branch* b = make_branch(t, uri);
    if (b == nullptr) return nullptr;
    b->suspended = true;
    b->give_up_at = clock::now_ms() + static_cast<clock::Millis>(t.fr_ms);
    link(t, b);
    return b;
}

void end_suspended(const Transaction& t, Branch& b) {
    constexpr int kContinued = 500;  // what is answered if nothing comes of it
    terminate(b, t.is_invite());
    end_with(b, kContinued);
    b.dropped = true;
}

Branch* add_failed_branch(Transaction& t, std::string_view uri, int status) {
    Branch* b = make_branch(t, uri);
    if (b == nullptr) return nullptr;
    terminate(*b, t.is_invite());
    end_with(*b, status);
    link(t, b);
    return b;
}

void on_reply(Transaction& t, Branch& b, const IncomingReply& reply) {
    const clock::Millis now = clock::now_ms();
    const auto status = static_cast<uint16_t>(reply.status);  // known before anything follows from it (aftermath.h)
    if (!reply.held) stats::add(counters.replies_received);
    bool pass = false;
    if (t.is_invite()) {
        using namespace client_invite;
        const auto step = client_invite::step(b.invite_state(), reply.status < 200   ? Event::Provisional
                                                                : reply.status < 300 ? Event::Success
                                                                                     : Event::Failure);
        const clock::Millis running_c = b.status >= 100 ? b.give_up_at : 0;
        pass = (step.actions & kPassToUser) != 0;
        if (pass) b.status = status;
        enter_invite(t, b, step, reply.to, now);
        const bool again = reply.status < 200 && running_c != 0 && settings.restart_fr_on_each_reply == 0;
        if (again) b.give_up_at = running_c;
    } else {
        using namespace client_non_invite;
        const auto step =
            client_non_invite::step(b.other_state(), reply.status < 200 ? Event::Provisional : Event::Final);
        pass = (step.actions & kPassToUser) != 0;
        if (pass) b.status = status;
        enter_other(t, b, step, now);
    }
    if (pass) {
        pass_up(t, b, reply);
    } else {
        stats::add(counters.absorbed);
    }
    free_unneeded(t, b);
}

void on_transport_error(Transaction& t, Branch& b) {
    b.unseen = false;
    const clock::Millis now = clock::now_ms();
    if (t.is_invite())
        enter_invite(t, b, client_invite::step(b.invite_state(), client_invite::Event::TransportError), {}, now);
    else enter_other(t, b, client_non_invite::step(b.other_state(), client_non_invite::Event::TransportError), now);
    b.cancel_state = kNoCancel;
    b.cancel_resend_at = b.cancel_give_up_at = 0;
    b.cancel_wanted = false;
    free_unneeded(t, b);
}

std::string_view elsewhere_reason(int status) {
    if (settings.local_cancel_reason == 0) return {};
    return status == 200 ? "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"
                         : "Reason: SIP;cause=600;text=\"Busy Everywhere\"\r\n";
}

void cancel_branch(Transaction& t, Branch& b, std::string_view reason) {
    if (b.suspended && is_pending(t, b)) {
        b.cancel_wanted = false;
        terminate(b, t.is_invite());
        return end_with(b, 487);
    }
    if (!t.is_invite() || b.cancel_made || b.request == nullptr) return;
    if (b.invite_state() == client_invite::State::Calling) {  // RFC 3261 9.1: not before it has answered
        b.cancel_wanted = true;
        return;
    }
    if (b.invite_state() != client_invite::State::Proceeding) return;
    static std::string cancel;
    cancel.clear();
    b.cancel_wanted = true;
    if (!build_cancel(b.request->text(), reason, cancel)) {
        b.cancel_made = true;
        return;
    }
    const clock::Millis now = clock::now_ms();
    if (!reliable(b) && replace_block(b.cancel, cancel)) {
        b.cancel_interval = static_cast<uint32_t>(t1());
        b.cancel_resend_at = now + t1();
    }
    b.cancel_state = static_cast<uint8_t>(client_non_invite::State::Trying);
    b.cancel_give_up_at = now + t1x64();
    (void)send(t, b, cancel, false);
    b.cancel_made = true;  // not before: who goes on after this process sends it again rather than never
    b.cancel_wanted = false;
    // RFC 3261 9.1: a server that does not end the INVITE within 64*T1 is given up.
    b.give_up_at = std::min(b.give_up_at == 0 ? kNever : b.give_up_at, now + t1x64());
}

void want_cancel(Transaction& t, const Branch* except, std::string_view reason) {
    if (!t.is_invite()) return;
    for (int i = 0; i < t.branches; ++i) {
        Branch& b = *t.branch[i];
        if (&b == except || !is_pending(t, b) || b.cancel_made) continue;
        if (!reason.empty() && t.reason == nullptr) (void)replace_block(t.reason, reason);
        b.cancel_wanted = true;
    }
}

void cancel_pending(Transaction& t, const Branch* except, std::string_view reason) {
    want_cancel(t, except, reason);
    for (int i = 0; i < t.branches; ++i) {
        Branch& b = *t.branch[i];
        if (&b != except && is_pending(t, b)) cancel_branch(t, b, reason);
    }
}

void on_cancel_reply(Branch& b, int status) {
    using namespace client_non_invite;
    const auto step =
        client_non_invite::step(static_cast<State>(b.cancel_state), status < 200 ? Event::Provisional : Event::Final);
    if (step.actions & kSlowTimerE) b.cancel_interval = static_cast<uint32_t>(t2());
    if (step.next != State::Completed) return;
    b.cancel_state = kNoCancel;  // a repeated reply finds nothing to do: no need for timer K
    b.cancel_resend_at = b.cancel_give_up_at = 0;
    drop_block(b.cancel);
}

namespace {

void on_cancel_timers(Transaction& t, Branch& b, clock::Millis now) {
    const bool unsent = b.cancel_wanted && !b.cancel_made;  // who was to send it died (aftermath.h)
    if (unsent && b.cancel_resend_at != 0) {
        b.cancel_resend_at = 0;
        return cancel_branch(t, b, text_of(t.reason));
    }
    if (b.cancel_give_up_at != 0 && b.cancel_give_up_at <= now) {
        b.cancel_state = kNoCancel;
        b.cancel_resend_at = b.cancel_give_up_at = 0;
        drop_block(b.cancel);
    } else if (b.cancel_resend_at != 0 && b.cancel_resend_at <= now) {
        if (b.cancel != nullptr) (void)send(t, b, b.cancel->text(), false);
        stats::add(counters.retransmitted);
        b.cancel_interval = static_cast<uint32_t>(std::min<clock::Millis>(2 * b.cancel_interval, t2()));
        b.cancel_resend_at = now + b.cancel_interval;
    }
}

client_invite::Event invite_deadline(const Branch& b) {
    using namespace client_invite;
    switch (b.invite_state()) {
    case State::Calling: return Event::TimerB;
    // The second time, and after a CANCEL, nothing more is waited for.
    case State::Proceeding: return b.gave_up || b.cancel_made ? Event::TimerB : Event::TimerC;
    case State::Completed: return Event::TimerD;
    default: return Event::TimerM;
    }
}

}  // namespace

void on_client_timers(Transaction& t, Branch& b, clock::Millis now) {
    on_cancel_timers(t, b, now);
    const bool end_due = b.give_up_at != 0 && b.give_up_at <= now;
    const bool resend_due = b.resend_at != 0 && b.resend_at <= now;
    if (!end_due && !resend_due) return;
    const bool silent = end_due && b.status == 0 && b.outcome == 0 && may_go_elsewhere(b);
    const std::string request(silent ? text_of(b.request) : std::string_view());
    if (end_due) b.give_up_at = 0;
    if (resend_due) b.resend_at = 0;
    if (t.is_invite()) {
        const auto event = end_due ? invite_deadline(b) : client_invite::Event::TimerA;
        enter_invite(t, b, client_invite::step(b.invite_state(), event), {}, now);
    } else {
        using namespace client_non_invite;
        const Event event = !end_due                              ? Event::TimerE
                            : b.other_state() == State::Completed ? Event::TimerK
                                                                  : Event::TimerF;
        enter_other(t, b, client_non_invite::step(b.other_state(), event), now);
    }
    free_unneeded(t, b);
    if (silent && b.outcome != 0) (void)go_elsewhere(t, b, request);
}

}  // namespace kahu::tm
