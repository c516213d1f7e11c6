#include "core/modules/tm/observers.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "core/modules/tm/match.h"
#include "core/modules/tm/routes.h"
#include "core/script/event_route.h"
#include "core/script/invite_replies.h"
#include "core/script/program.h"

namespace kahu::tm {
namespace {

std::vector<Observer>& observers() {
    static std::vector<Observer> list;
    return list;
}

struct Noted {
    Id id;
    int status = 0;
    std::string reply;
    Revived revived;
};
// What ended under the lock that is held: one transaction, or all that were due in a shard.
std::deque<Noted>& noted() {
    static std::deque<Noted> list;
    return list;
}
// Responses made here, for the script.
struct Made {
    net::Inbound from;
    std::string reply;
};
std::deque<Made>& made_here() {
    static std::deque<Made> list;
    return list;
}
// Responses to INVITEs, as they went upstream.
struct Upstream {
    std::string call_id, to_tag;
    int status = 0;
};
std::deque<Upstream>& upstream() {
    static std::deque<Upstream> list;
    return list;
}
constexpr std::string_view kLocalResponse = "tm:local-response";

void show_local_responses() {
    static script::Run run;
    static sip::Message message;
    for (; !made_here().empty(); made_here().pop_front()) {
        const Made& made = made_here().front();
        sip::Bad bad;
        if (!message.parse(made.reply, bad)) continue;
        run.begin(message, made.from, kEventRoute);
        run.program = script::Program::installed();
        (void)script::run_event_route(kLocalResponse, run);
    }
}

bool g_telling = false;  // an observer may ask tm, which locks and unlocks

}  // namespace

void observe(const Observer& observer) {
    const auto same = [&](const Observer& other) { return other.answered == observer.answered; };
    if (std::ranges::none_of(observers(), same)) observers().push_back(observer);
}

bool observers_want(const script::Run& run) {
    return std::ranges::any_of(observers(), [&](const Observer& o) { return o.wants(run); });
}

bool ringing_is_observed() {
    return std::ranges::any_of(observers(), [](const Observer& o) { return o.ringing != nullptr; });
}
bool acks_are_observed() {
    return std::ranges::any_of(observers(), [](const Observer& o) { return o.acknowledged != nullptr; });
}

void tell_acknowledged(script::Run& run) {
    RequestKey key;
    if (!acks_are_observed() || !observers_want(run) || !read_key(run.message(), key)) return;
    Ending how;
    std::string saved;
    {
        const Locked shard(key.shard());
        const Transaction* const invite = find_accepted(shard, key);
        if (invite == nullptr) return;
        how.status = invite->status;
        saved = text_of(invite->shared != nullptr ? invite->shared : invite->context);
    }
    static script::Run ack;
    ack.begin(run.message(), run.inbound(), kRequestRoute);
    ack.program = run.program;
    if (!saved.empty()) ack.restore_shared(saved);
    ack.flags = run.flags;
    for (const Observer& o : observers())
        if (o.acknowledged != nullptr && o.wants(ack)) o.acknowledged(ack, how);
}

void tell_failed(script::Run& run, const Ending& how) {
    for (const Observer& o : observers())
        if (o.wants(run)) o.failed(run, how);
}

void note_answered(const Transaction& t, const Ending& how) {
    Noted& note = noted().emplace_back();
    note.id = t.id;
    note.status = how.status;
    note.reply = how.reply;
    note.revived.take(t);
}

void note_local_response(const Transaction& t, std::string_view reply) {
    if (script::has_event_route(kLocalResponse)) made_here().push_back({t.from, std::string(reply)});
}

void note_invite_reply(const Transaction& t, int status, std::string_view to_tag, std::string_view reply) {
    if (!script::invite_replies_are_watched()) return;
    Upstream& note = upstream().emplace_back();
    note.call_id = t.piece(t.call_id);
    note.status = status;
    note.to_tag = to_tag;
    if (status / 100 != 2 || !to_tag.empty()) return;  // a call has no other side before it is answered
    static sip::Message message;
    sip::Bad bad;
    if (message.parse(reply, bad) && message.to() != nullptr) note.to_tag = message.to()->tag;
}

void tell_answered() {
    if ((noted().empty() && made_here().empty() && upstream().empty()) || g_telling) return;
    g_telling = true;
    for (; !upstream().empty(); upstream().pop_front()) {
        const Upstream& note = upstream().front();
        script::tell_invite_reply({note.call_id, note.to_tag, note.status});
    }
    show_local_responses();
    for (; !noted().empty(); noted().pop_front()) {
        Noted& note = noted().front();
        if (!note.revived.begin(note.id, kFailureRoute)) continue;
        for (const Observer& o : observers()) {
            const auto tell = note.status < 200 ? o.ringing : o.answered;
            if (tell != nullptr && o.wants(note.revived.run)) tell(note.revived.run, {note.status, note.reply, {}});
        }
    }
    g_telling = false;
}

}  // namespace kahu::tm
