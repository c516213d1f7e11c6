#include "core/modules/tm/observers.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "core/modules/tm/routes.h"

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
bool g_telling = false;  // an observer may ask tm, which locks and unlocks

}  // namespace

void observe(const Observer& observer) {
    const auto same = [&](const Observer& other) { return other.answered == observer.answered; };
    if (std::ranges::none_of(observers(), same)) observers().push_back(observer);
}

bool observers_want(const script::Run& run) {
    return std::ranges::any_of(observers(), [&](const Observer& o) { return o.wants(run); });
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

void tell_answered() {
    if (noted().empty() || g_telling) return;
    g_telling = true;
    for (; !noted().empty(); noted().pop_front()) {
        Noted& note = noted().front();
        if (!note.revived.begin(note.id, kFailureRoute)) continue;
        for (const Observer& o : observers())
            if (o.wants(note.revived.run)) o.answered(note.revived.run, {note.status, note.reply, {}});
    }
    g_telling = false;
}

}  // namespace kahu::tm
