// core/modules/dlgs/module.cpp -- read this file to know what dlgs offers.
#include "core/modules/dlgs/module.h"

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/base/text.h"
#include "core/modules/dlgs/commands.h"
#include "core/modules/dlgs/filter.h"
#include "core/modules/dlgs/records.h"
#include "core/script/function.h"
#include "core/script/invite_replies.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/stats/counters.h"

namespace kahu::dlgs {
namespace {

using script::Args;
using script::Run;

IntSetting g_init_lifetime{180}, g_active_lifetime{10'800}, g_finish_lifetime{10};
IntSetting g_timer_interval{30}, g_hash_size{9}, g_max_dialogs{100'000};

uint16_t g_refused_id;
const Counter kCounters[] = {
    {"dlgs", "refused", CounterKind::counter,
     "Calls that are not tracked: max_dialogs was reached, a text was too long, or the segment was full.",
     &g_refused_id},
};

std::string_view tag_of(const sip::NameAddr* party) { return party == nullptr ? std::string_view() : party->tag; }

std::optional<Event> event_of(int status) {
    if (status <= 100) return std::nullopt;  // 100 is a matter of two hops
    return status < 200 ? Event::ringing : status < 300 ? Event::success : Event::failure;
}

void on_invite_reply(const script::InviteReply& reply) {
    if (const auto event = event_of(reply.status))
        (void)happened(reply.call_id, *event, reply.to_tag, clock::unix_seconds());
}

// --- functions -------------------------------------------------------------------------------------------------
constexpr int kYes = 1, kNo = -1, kError = -2;

// What the message at hand means to its call.
void update_from(const sip::Message& message) {
    std::optional<Event> event;
    switch (script::method_of(message)) {
    case sip::Method::ack: event = Event::ack; break;
    case sip::Method::cancel: event = Event::cancel; break;
    case sip::Method::bye: event = Event::bye; break;
    default: break;
    }
    if (message.is_request() && event) (void)happened(message.call_id(), *event, {}, clock::unix_seconds());
}

int init(Run& run, const Args& args) {
    const sip::Message& message = run.message();
    if (script::method_of(message) != sip::Method::invite) {
        update_from(message);
        return kYes;
    }
    const Begun begun = begin({.call_id = message.call_id(),
                               .from_tag = tag_of(message.from()),
                               .to_tag = tag_of(message.to()),
                               .cseq = message.cseq() == nullptr ? 0 : message.cseq()->number,
                               .source = args.text(run, 0),
                               .destination = args.text(run, 1),
                               .data = args.text(run, 2)},
                              clock::unix_seconds());
    if (begun == Begun::refused) {
        stats::add(g_refused_id);
        LOG_AT_MOST(1, warn, "dlgs.not_tracked", kv("call_id", text::printable(message.call_id())),
                    kv("hint", "max_dialogs was reached, a text is too long, or the segment is full"));
        return kNo;
    }
    if (!message.is_request()) on_invite_reply({message.call_id(), tag_of(message.to()), message.status()});
    return kYes;
}

int update(Run& run, const Args&) {
    update_from(run.message());
    return kYes;
}

int find(Run& run, const Args&) { return is_tracked(run.message().call_id()) ? kYes : kNo; }

int count(Run& run, const Args& args) {
    const auto filter = Filter::make(args.text(run, 0), args.text(run, 1), args.text(run, 2));
    if (!filter) {
        LOG_AT_MOST(1, error, "dlgs_count", kv("error", filter.error().text()));
        return kError;
    }
    uint64_t found = 0;
    if (filter->is_any()) found = count_all().ongoing();
    else
        for_each([&](const Record& r) {
            found += !is_over(r.state) && filter->matches(r) ? 1 : 0;
            return true;
        });
    return found == 0 ? kNo : static_cast<int>(found);
}

int tags_add(Run& run, const Args& args) { return add_tag(run.message().call_id(), args.text(run, 0)) ? kYes : kNo; }
int tags_remove(Run& run, const Args& args) {
    return remove_tag(run.message().call_id(), args.text(run, 0)) ? kYes : kNo;
}
int tags_count(Run& run, const Args& args) {
    const std::string_view tag = args.text(run, 0);
    uint64_t found = 0;
    for_each([&](const Record& r) {
        if (!is_over(r.state)) found += r.count_tag(tag);
        return true;
    });
    return found == 0 ? kNo : static_cast<int>(found);
}

constexpr uint16_t kInitRoutes = kRequestRoute | kBranchRoute | kReplyRoute | kOnsendRoute;
constexpr uint16_t kUpdateRoutes = kRequestRoute | kBranchRoute | kOnsendRoute;
constexpr Function kFunctions[] = {
    {"dlgs_init", 3, 3, "(string src, string dst, string data)",
     "Tracks the call of this INVITE from now on, by its Call-ID, with three texts to find it by. A call that is "
     "tracked stays as it is. Other requests are taken as dlgs_update() does. False when the call cannot be tracked.",
     kInitRoutes, init},
    {"dlgs_update", 0, 0, "()",
     "Takes note of an ACK, CANCEL or BYE of a call. Responses to INVITE are noted without it.", kUpdateRoutes, update},
    {"dlgs_find", 0, 0, "()", "True if the call of this message is tracked.", kAnyRoute, find},
    {"dlgs_count", 3, 3, "(string field, string op, string value)",
     "Returns how many calls that are not over match: field is src, dst, data or any (all of them), op is eq, ne, re "
     "(regular expression), sw (starts with) or fm (as file names). -1 when there is none, -2 for a mistake.",
     kAnyRoute, count},
    {"dlgs_tags_add", 1, 1, "(string tag)", "Gives the call of this message a tag, once more if it has it.", kAnyRoute,
     tags_add},
    {"dlgs_tags_rm", 1, 1, "(string tag)", "Takes such a tag from the call of this message.", kAnyRoute, tags_remove},
    {"dlgs_tags_count", 1, 1, "(string tag)",
     "Returns how many such tags the calls that are not over have; -1 when there is none.", kAnyRoute, tags_count},
};

// --- hooks -----------------------------------------------------------------------------------------------------
// As Kamailio: below 2 is no size, and 2^16 buckets are enough.
unsigned size_log2() { return g_hash_size < 2 ? 9 : static_cast<unsigned>(std::min<int64_t>(g_hash_size, 16)); }

Status check() {
    configure_records(size_log2(), static_cast<uint32_t>(g_max_dialogs));
    script::watch_invite_replies(on_invite_reply);
    return {};
}

std::span<const mem::Part> parts() {
    static mem::Part part{"dlgs", 0, construct_records};
    part.bytes = records_bytes();
    return {&part, 1};
}

void each_second(ProcessKind kind) {
    static int64_t seconds = 0;
    if (kind != ProcessKind::timer || ++seconds < g_timer_interval) return;
    seconds = 0;
    sweep({g_init_lifetime, g_active_lifetime, g_finish_lifetime}, clock::unix_seconds());
}

constexpr int64_t kLongest = 366 * 86'400;
Param seconds_param(std::string_view name, IntSetting& setting, std::string_view help, int64_t most = kLongest) {
    return {.name = name,
            .number = &setting,
            .min = 1,
            .max = most,
            .unit = "seconds",
            .help = help,
            .applies = Applies::at_runtime};
}
const Param kParams[] = {
    seconds_param("init_lifetime", g_init_lifetime, "How long a call is kept that nobody has answered and confirmed."),
    seconds_param("active_lifetime", g_active_lifetime,
                  "How long a call is kept that was answered and confirmed by ACK, if no BYE comes."),
    seconds_param("finish_lifetime", g_finish_lifetime,
                  "How long a call is kept that has ended or was not answered; it is not counted any more."),
    seconds_param("timer_interval", g_timer_interval, "How often calls that were kept long enough are taken out.",
                  86'400),
    {.name = "hash_size",
     .number = &g_hash_size,
     .min = 0,
     .max = 31,
     .help = "The power of two of the table's buckets. Values above 16 are taken as 16, 0 and 1 as 9."},
    {.name = "max_dialogs",
     .number = &g_max_dialogs,
     .min = 1,
     .max = 1 << 30,
     .unit = "calls",
     .help = "At most so many calls are tracked; further ones are routed and not tracked. Kahu's own."},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "dlgs",
    .summary = "Tracks calls without keeping state for them elsewhere, and counts them.",
    .params = kParams,
    .functions = kFunctions,
    .commands = commands(),
    .counters = kCounters,
    .hooks = {.check = check, .parts = parts, .each_second = each_second},
    .description =
        "dlgs_init() begins to track a call by the Call-ID of its INVITE; responses that this server sends to the "
        "INVITE, its own ones too, move it from init (0) to progress (1), answered (2) or not answered (5), and "
        "dlgs_update() for ACK, BYE and CANCEL to confirmed (3), terminated (4) or not answered. The numbers are those "
        "that dlgs.list shows as state.\n\n"
        "A call that was refused, for credentials as a rule, begins anew with the next INVITE of its Call-ID. A 2xx "
        "that crossed the caller's CANCEL answers the call.\n\n"
        "Calls live in the shared segment: they survive the death of any worker, and end with the server.",
};

}  // namespace kahu::dlgs
