#include "core/modules/dlgs/commands.h"

#include "core/modules/dlgs/filter.h"
#include "core/modules/dlgs/records.h"

namespace kahu::dlgs {
namespace {

RpcStruct whole(const Record& r, int64_t number) {
    return {{"count", static_cast<long long>(number)},
            {"src", r.text(Text::source)},
            {"dst", r.text(Text::destination)},
            {"data", r.text(Text::data)},
            {"ruid", r.text(Text::ruid)},
            {"callid", r.text(Text::call_id)},
            {"ftag", r.text(Text::from_tag)},
            {"ttag", r.text(Text::to_tag)},
            {"ts_init", static_cast<long long>(r.started)},
            {"ts_answer", static_cast<long long>(r.answered)},
            {"state", static_cast<int>(r.state)}};
}

RpcStruct brief(const Record& r, int64_t number) {
    return {{"count", static_cast<long long>(number)},
            {"src", r.text(Text::source)},
            {"dst", r.text(Text::destination)},
            {"callid", r.text(Text::call_id)},
            {"state", static_cast<int>(r.state)}};
}

template <RpcStruct (*show)(const Record&, int64_t)>
void list(RpcCall& call) {
    const auto most = call.next_int_or(INT64_MAX);
    const auto skip = most ? call.next_int_or(0) : std::nullopt;
    if (!skip) return;
    int64_t number = 0, shown = 0;
    for_each([&](const Record& r) {
        if (shown >= *most) return false;
        if (++number > *skip) call.add(show(r, number)), ++shown;
        return true;
    });
}

void get(RpcCall& call, int64_t most) {
    if (call.params() < 3) return call.fault(500, "Invalid Parameters: field, operator and value are needed");
    const auto field = call.next_text(), op = call.next_text(), value = call.next_text();
    if (!field || !op || !value) return;
    const auto filter = Filter::make(*field, *op, *value);
    if (!filter) return call.fault(500, filter.error().text());
    int64_t number = 0;
    for_each([&](const Record& r) {
        if (filter->matches(r)) call.add(whole(r, ++number));
        return number < most;
    });
}
void get_first(RpcCall& call) { get(call, 1); }
void get_all(RpcCall& call) { get(call, INT64_MAX); }

template <class Numbers>
RpcStruct by_state(const Numbers& n) {
    const auto of = [&](State state) { return static_cast<long long>(n[static_cast<size_t>(state)]); };
    return {{"init", of(State::Init)},
            {"progress", of(State::Progress)},
            {"answered", of(State::Answered)},
            {"confirmed", of(State::Confirmed)},
            {"terminted", of(State::Terminated)},  // as Kamailio spells it
            {"notanswered", of(State::NotAnswered)}};
}

void stats(RpcCall& call) {
    const Counts counts = count_all();
    call.add(RpcStruct{{"final", by_state(counts.ended)}, {"active", by_state(counts.active)}});
}

constexpr Command kCommands[] = {
    {"dlgs.list", "[count [offset]]", "Lists the calls that are tracked.", list<whole>},
    {"dlgs.briefing", "[count [offset]]", "Lists the calls that are tracked, with fewer fields.", list<brief>},
    {"dlgs.get", "field operator value",
     "Shows the first call whose field (any, src, dst, data) is equal (eq), not equal (ne), starts with (sw) or "
     "matches a regular expression (re) or a file name pattern (fm).",
     get_first},
    {"dlgs.getall", "field operator value", "Shows all such calls.", get_all},
    {"dlgs.stats", "",
     "Returns how many calls are tracked in each state (active), and in which state those were that are tracked no "
     "longer (final).",
     stats},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace kahu::dlgs
