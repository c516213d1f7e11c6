#include "core/modules/tm/server.h"

#include <algorithm>

#include "core/base/hash.h"
#include "core/modules/tm/branch_id.h"
#include "core/modules/tm/counters.h"
#include "core/modules/tm/observers.h"
#include "core/modules/tm/settings.h"
#include "core/script/reply.h"
#include "mem/contract.h"

namespace kahu::tm {
namespace {

using server_invite::Event;

// RFC 3261 18.2.2: the way the request came; if that connection is gone, another one to where its Via points.
void send_upstream(const Transaction& t, std::string_view text) {
    if (transmit().respond(t.from, t.reply_to, text) != net::Sent::gone || !is_stream(t.from.transport)) return;
    if (t.no_connect) return;
    Hop to;
    to.transport = t.from.transport;
    to.address = t.from.source;
    to.address.set_port(t.via_port != 0 ? t.via_port : default_port(t.from.transport));
    if (net::choose_listener(to, t.from.listener)) (void)transmit().send_to(to, text, 0);
}

void resend(const Transaction& t) {
    if (t.reply == nullptr) return;
    send_upstream(t, t.reply->text());
    stats::add(counters.retransmitted);
}

void enter_invite(Transaction& t, const server_invite::Step& step, clock::Millis now) {
    using namespace server_invite;
    t.state = static_cast<uint8_t>(step.next);
    if (step.actions & kResendReply) resend(t);
    if (step.actions & kRestartTimerG) {
        t.interval = static_cast<uint32_t>(std::min<clock::Millis>(2 * t.interval, t2()));
        t.resend_at = now + t.interval;
    }
    if (step.actions & kStartTimersGH) {
        t.interval = static_cast<uint32_t>(t1());
        t.resend_at = t.reliable ? 0 : now + t1();
        t.give_up_at = now + t1x64();
    }
    if (step.actions & kStopTimersGH) t.resend_at = t.give_up_at = 0;
    if (step.actions & kStartTimerI) {
        if (t.reliable) t.state = static_cast<uint8_t>(State::Terminated);
        else t.give_up_at = now + t4();
    }
    if (step.actions & kStartTimerL) t.give_up_at = now + t1x64();
    if (t.terminated()) t.resend_at = t.give_up_at = 0;
}

void enter_other(Transaction& t, const server_non_invite::Step& step, clock::Millis now) {
    using namespace server_non_invite;
    t.state = static_cast<uint8_t>(step.next);
    if (step.actions & kResendReply) resend(t);
    if (step.actions & kStartTimerJ) {
        if (t.reliable) t.state = static_cast<uint8_t>(State::Terminated);
        else t.give_up_at = now + t1x64();
    }
    if (t.terminated()) t.give_up_at = 0;
}

void send_new(Transaction& t, const Answer& what) {
    if (!what.silent) send_upstream(t, what.text);
    if (t.is_invite()) note_invite_reply(t, what.status, what.to_tag, what.text);
    t.status = static_cast<uint16_t>(what.status);
    stats::add(what.made_here ? counters.replies_local : counters.replies_relayed);
    // An answered INVITE's 2xx is its UAS's to repeat. Over streams a request comes again only through a hop that does not
    // know of the transaction (from UDP); there a non-INVITE's is over with its answer, which need not be kept.
    const bool answered_call = t.is_invite() && what.status >= 200 && what.status < 300;
    if (answered_call || what.silent) drop_block(t.reply);
    else if (t.is_invite() || !t.reliable) (void)replace_block(t.reply, what.text);
    if (what.status < 200) {
        if (t.observed && t.is_invite() && ringing_is_observed()) note_answered(t, {what.status, what.text, {}});
        return;
    }
    if (!t.answered) {
        count_completed(what.status);
        if (t.observed) note_answered(t, {what.status, what.text, {}});
    }
    t.answered = true;
    t.max_age_at = 0;
    if (!what.to_tag.empty()) (void)replace_block(t.reply_tag, what.to_tag);
}

// RFC 4320 4.1, 4.2: what a non-INVITE must not be answered with.
bool forbidden(const Transaction& t, int status) {
    return !t.is_invite() && (status == 408 || (status < 200 && (status != 100 || t.reliable)));
}

}  // namespace

bool answer(Transaction& t, const Answer& what) {
    const clock::Millis now = clock::now_ms();
    if (t.local) return false;
    if (forbidden(t, what.status)) {
        if (what.status >= 200) {  // the client finds out by its own timer
            t.answered = true;
            t.state = static_cast<uint8_t>(server_non_invite::State::Terminated);
            t.give_up_at = t.max_age_at = 0;
        }
        return false;
    }
    if (t.is_invite()) {
        const Event event = what.status < 200   ? Event::SendProvisional
                            : what.status < 300 ? Event::SendSuccess
                                                : Event::SendFailure;
        const auto step = server_invite::step(t.invite_state(), event);
        if ((step.actions & server_invite::kSendReply) == 0) return false;
        send_new(t, what);
        enter_invite(t, step, now);
        return true;
    }
    using Other = server_non_invite::Event;
    const auto step =
        server_non_invite::step(t.other_state(), what.status < 200 ? Other::SendProvisional : Other::SendFinal);
    if ((step.actions & server_non_invite::kSendReply) == 0) return false;
    send_new(t, what);
    enter_other(t, step, now);
    return true;
}

bool answer_locally(Transaction& t, const sip::Message& request, const LocalAnswer& what) {
    static std::string reply;  // keeps its memory
    reply.clear();
    char tag[kTagBytes];
    const std::string_view to_tag = what.to_tag.empty() ? to_tag_of(t, tag) : what.to_tag;
    script::build_reply_text(request, t.from, what.status,
                             {.reason = what.reason, .content_type = what.content_type, .body = what.body},
                             what.extra_headers, to_tag, t.force_rport, reply);
    const bool sent = answer(t, {.status = what.status, .text = reply, .to_tag = to_tag, .made_here = true});
    if (sent) note_local_response(t, reply);
    return sent;
}

bool answer_locally(Transaction& t, const LocalAnswer& what) {
    static sip::Message request;
    sip::Bad bad;
    if (t.local || !request.parse(t.request->text(), bad) || !request.can_be_answered()) return false;
    return answer_locally(t, request, what);
}

void say_trying(Transaction& t, const sip::Message& request) {
    if (!t.is_invite() || t.local || t.status != 0 || !t.goes(kSayTrying)) return;
    (void)answer_locally(t, request, {.status = 100, .reason = settings.auto_inv_100_reason});
}

std::string_view to_tag_of(const Transaction& t, char (&into)[kTagBytes]) {
    const uint64_t parts[] = {t.proof, t.id.label};
    write_hex(t.id.label, 7, into);
    into[7] = '-';
    write_hex(hash_bytes(parts, sizeof parts), 16, into + 8);
    return {into, kTagBytes};
}

void on_retransmission(Transaction& t) {
    stats::add(counters.absorbed);
    const clock::Millis now = clock::now_ms();
    if (t.is_invite()) enter_invite(t, server_invite::step(t.invite_state(), Event::Invite), now);
    else enter_other(t, server_non_invite::step(t.other_state(), server_non_invite::Event::Request), now);
}

void on_ack(Transaction& t) {
    REQUIRE(t.is_invite());
    enter_invite(t, server_invite::step(t.invite_state(), Event::Ack), clock::now_ms());
}

void on_server_timers(Transaction& t, clock::Millis now) {
    if (t.local) {
        if (t.give_up_at == 0 || t.give_up_at > now) return;
        t.give_up_at = 0;
        t.released = true;  // who waited for its outcome never came
        return;
    }
    const bool resend_due = t.resend_at != 0 && t.resend_at <= now;
    const bool end_due = t.give_up_at != 0 && t.give_up_at <= now;
    if (!t.is_invite()) {
        if (!end_due) return;
        t.give_up_at = 0;
        enter_other(t, server_non_invite::step(t.other_state(), server_non_invite::Event::TimerJ), now);
        if (!t.answered && t.released) t.state = static_cast<uint8_t>(server_non_invite::State::Terminated);
        return;
    }
    if (end_due) {
        t.resend_at = t.give_up_at = 0;
        const auto state = t.invite_state();
        const Event event = state == server_invite::State::Completed   ? Event::TimerH
                            : state == server_invite::State::Confirmed ? Event::TimerI
                                                                       : Event::TimerL;
        enter_invite(t, server_invite::step(state, event), now);
        if (!t.answered && t.released) t.state = static_cast<uint8_t>(server_invite::State::Terminated);
    } else if (resend_due) {
        t.resend_at = 0;
        enter_invite(t, server_invite::step(t.invite_state(), Event::TimerG), now);
    }
}

void expire_unanswered(Transaction& t, clock::Millis now) {
    t.released = true;
    if (t.give_up_at == 0) t.give_up_at = now + t4();
}

}  // namespace kahu::tm
