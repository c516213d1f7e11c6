// core/modules/sl/module.cpp -- read this file to know what sl offers.
#include "core/modules/sl/module.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/modules/sl/local_tag.h"
#include "core/script/function.h"
#include "core/script/outgoing.h"
#include "core/script/reply.h"
#include "core/script/run.h"
#include "core/script/transaction_layer.h"
#include "core/stats/counters.h"

namespace kahu::sl {
namespace {

IntSetting g_default_code{500};
TextSetting g_default_reason{"Internal Server Error"};
IntSetting g_bind_tm{1};

constexpr int kTrue = 1, kFalse = -1;

// --- counters: one per class, and the codes that Kamailio counts apart ---------------------------------
constexpr int kSingles[] = {200, 202, 300, 301, 302, 400, 401, 403, 404, 407, 408, 483, 500};
constexpr size_t kSingleCount = std::size(kSingles);
uint16_t g_single_ids[kSingleCount], g_class_ids[7];
uint16_t g_sent_id, g_negative_id, g_failed_id, g_ack_id;

void count_sent(int status) {
    stats::add(g_sent_id);
    if (status >= 300) stats::add(g_negative_id);
    for (size_t i = 0; i < kSingleCount; ++i)
        if (kSingles[i] == status) return stats::add(g_single_ids[i]);
    stats::add(g_class_ids[status / 100]);
}
void count_failed(int) { stats::add(g_failed_id); }
void count_ack() { stats::add(g_ack_id); }

Status start() {
    script::set_reply_counters({count_sent, count_failed, count_ack});
    return {};
}

// --- functions -----------------------------------------------------------------------------------------
bool is_status(int64_t code) { return code >= 100 && code <= 699; }

struct Constant {  // sl_send_reply("200", "OK"): nothing left to work out for a message
    int status;
    std::string reason;
};

Status prepare_reply(script::Args& args) {
    const script::Value* const code = args.constant(0);
    if (code == nullptr) return {};
    int64_t status = code->number;
    if (code->is_text() && !script::spells_integer(code->text, status))
        return Error{Errc::invalid, fmt::format("\"{}\" is not a status code", text::printable(code->text, 40)),
                     "100 to 699"};
    if (!is_status(status)) return Error{Errc::invalid, fmt::format("{} is not a status code", status), "100 to 699"};
    const script::Value* const reason = args.constant(1);
    if (reason == nullptr || !reason->is_text()) return {};
    if (reason->text.find_first_of("\r\n") != reason->text.npos)
        return Error{Errc::invalid, "the reason has a line end in it", ""};
    args.keep(Constant{static_cast<int>(status), std::string(reason->text)});
    return {};
}

// A reason made of variables may hold what a peer sent: it must not end the status line.
std::string_view one_line(std::string_view text) { return text.substr(0, text.find_first_of("\r\n")); }

using Reply = bool(script::Run& run, int status, const script::ReplyText& text);

bool reply_stateless(script::Run& run, int status, const script::ReplyText& text) {
    return script::reply_stateless(run, status, text);
}
// Through the transaction of this request, if there is one.
bool reply_either_way(script::Run& run, int status, const script::ReplyText& text) {
    using Answered = script::TransactionLayer::Answered;
    const auto stateful = script::transaction_layer().reply;
    const Answered answered =
        stateful == nullptr || g_bind_tm == 0 ? Answered::no_transaction : stateful(run, status, text);
    return answered == Answered::no_transaction ? script::reply_stateless(run, status, text)
                                                : answered == Answered::sent;
}

template <Reply answer>
int send_reply(script::Run& run, const script::Args& args) {
    if (const Constant* const known = args.prepared<Constant>())
        return answer(run, known->status, {.reason = known->reason}) ? kTrue : kFalse;
    const int64_t status = args.number(run, 0, g_default_code);
    const std::string_view reason = one_line(args.text(run, 1));
    if (!is_status(status)) return kFalse;
    return answer(run, static_cast<int>(status), {.reason = reason}) ? kTrue : kFalse;
}

// What went wrong last, as whoever failed noted it in the run.  Whoever failed may have answered already, as save()
// does: a request has one final reply.
template <Reply answer>
int reply_error(script::Run& run, const script::Args&) {
    if (run.replied) return kTrue;
    const bool known = is_status(run.last_error);
    const int status = known ? run.last_error : static_cast<int>(g_default_code);
    const std::string_view reason = known ? std::string_view() : g_default_reason.get();
    return answer(run, status, {.reason = reason}) ? kTrue : kFalse;
}

// ([code [, reason]]): a reply on its way back, as if there were no transaction; its class stays.
int forward_reply(script::Run& run, const script::Args& args) {
    const sip::Message& reply = run.message();
    if (run.is_request()) return kFalse;
    const int64_t code = args.text(run, 0).empty() ? reply.status() : args.number(run, 0, 0);
    const std::string_view given = one_line(args.text(run, 1));
    if (code / 100 != reply.status() / 100) return kFalse;
    if (code != reply.status() || !given.empty()) {
        script::TextBuilder line(run.arena());
        line.append("SIP/2.0 ").decimal(code).append(' ').append(given.empty() ? reply.reason() : given).append("\r\n");
        run.edits.replace_part(reply, reply.start_line(), line.take());
    }
    return script::forward_reply_stateless(run) ? kTrue : kFalse;
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kEventRoute;

constexpr Function kFunctions[] = {
    {"sl_send_reply", 2, 2, "(int code, string reason)", "Answers the request without keeping a transaction.",
     kRequests, send_reply<reply_stateless>, prepare_reply},
    {"sl_reply", 2, 2, "(int code, string reason)", "The same as sl_send_reply().", kRequests,
     send_reply<reply_stateless>, prepare_reply},
    {"send_reply", 2, 2, "(int code, string reason)",
     "Answers through the request's transaction if there is one, else as sl_send_reply().", kRequests,
     send_reply<reply_either_way>, prepare_reply},
    {"send_reply_mode", 3, 3, "(int code, string reason, int mode)", "The same as send_reply(), whatever the mode.",
     kRequests, send_reply<reply_either_way>, prepare_reply},
    {"sl_forward_reply", 0, 2, "([int code [, string reason]])",
     "Forwards a reply by its Via, with another code of the same class or another reason.", kReplyRoute, forward_reply},
    {"sl_reply_error", 0, 0, "()",
     "Answers with the last error, 500 if there was none; not at all after a final reply.", kRequests,
     reply_error<reply_stateless>},
    {"send_reply_error", 0, 0, "()", "The same through the request's transaction, if there is one.", kRequests,
     reply_error<reply_either_way>},
};

const Param kParams[] = {
    {.name = "default_code",
     .number = &g_default_code,
     .min = 400,
     .max = 699,
     .help = "Status that sl_reply_error() answers when no error was noted."},
    {.name = "default_reason",
     .kind = ParamKind::text,
     .text = &g_default_reason,
     .help = "Reason phrase that goes with default_code."},
    {.name = "bind_tm",
     .number = &g_bind_tm,
     .min = 0,
     .max = 1,
     .help = "Whether send_reply() looks for a transaction first."},
};

// The counters without "_replies"; the last class is that of replies that have none.
void stats_command(RpcCall& call) {
    RpcStruct all;
    for (int of_class = 2; of_class <= 6; ++of_class) {
        for (size_t i = 0; i < kSingleCount; ++i)
            if (kSingles[i] / 100 == of_class)
                all.emplace_back(std::to_string(kSingles[i]), stats::sum(g_single_ids[i]));
        all.emplace_back(fmt::format("{}xx", of_class), stats::sum(g_class_ids[of_class]));
    }
    all.emplace_back("xxx", stats::sum(g_class_ids[0]));
    call.add(std::move(all));
}
constexpr Command kCommands[] = {
    {"sl.stats", "", "Returns how many stateless replies were sent, by status.", stats_command}};

// clang-format off
const Counter kCounters[] = {
    {"sl", "1xx_replies", CounterKind::counter, "Replies 100 to 199 sent.", &g_class_ids[1]},
    {"sl", "200_replies", CounterKind::counter, "Replies 200 sent.", &g_single_ids[0]},
    {"sl", "202_replies", CounterKind::counter, "Replies 202 sent.", &g_single_ids[1]},
    {"sl", "2xx_replies", CounterKind::counter, "Other replies 201 to 299 sent.", &g_class_ids[2]},
    {"sl", "300_replies", CounterKind::counter, "Replies 300 sent.", &g_single_ids[2]},
    {"sl", "301_replies", CounterKind::counter, "Replies 301 sent.", &g_single_ids[3]},
    {"sl", "302_replies", CounterKind::counter, "Replies 302 sent.", &g_single_ids[4]},
    {"sl", "3xx_replies", CounterKind::counter, "Other replies 300 to 399 sent.", &g_class_ids[3]},
    {"sl", "400_replies", CounterKind::counter, "Replies 400 sent.", &g_single_ids[5]},
    {"sl", "401_replies", CounterKind::counter, "Replies 401 sent.", &g_single_ids[6]},
    {"sl", "403_replies", CounterKind::counter, "Replies 403 sent.", &g_single_ids[7]},
    {"sl", "404_replies", CounterKind::counter, "Replies 404 sent.", &g_single_ids[8]},
    {"sl", "407_replies", CounterKind::counter, "Replies 407 sent.", &g_single_ids[9]},
    {"sl", "408_replies", CounterKind::counter, "Replies 408 sent.", &g_single_ids[10]},
    {"sl", "483_replies", CounterKind::counter, "Replies 483 sent.", &g_single_ids[11]},
    {"sl", "4xx_replies", CounterKind::counter, "Other replies 400 to 499 sent.", &g_class_ids[4]},
    {"sl", "500_replies", CounterKind::counter, "Replies 500 sent.", &g_single_ids[12]},
    {"sl", "5xx_replies", CounterKind::counter, "Other replies 500 to 599 sent.", &g_class_ids[5]},
    {"sl", "6xx_replies", CounterKind::counter, "Replies 600 to 699 sent.", &g_class_ids[6]},
    {"sl", "xxx_replies", CounterKind::counter, "Replies of no class.", &g_class_ids[0]},
    {"sl", "sent_replies", CounterKind::counter, "All stateless replies sent.", &g_sent_id},
    {"sl", "sent_err_replies", CounterKind::counter, "Replies of 300 and more sent.", &g_negative_id},
    {"sl", "received_ACKs", CounterKind::counter, "ACKs to our negative replies, absorbed.", &g_ack_id},
    {"sl", "failures", CounterKind::counter, "Replies the transport did not take.", &g_failed_id},
};
// clang-format on

}  // namespace

const ModuleDescriptor kModule{
    .name = "sl",
    .summary = "Stateless replies.",
    .params = kParams,
    .functions = kFunctions,
    .variables = local_tag_variables(),
    .commands = kCommands,
    .counters = kCounters,
    .hooks = {.start = start},
    .description =
        "Answers requests without a transaction: the reply is built from the request and nothing is remembered.\n\n"
        "The To-tag of such a reply is computed from the request, so that every retransmission gets the same one and "
        "the "
        "ACK to a negative reply is recognised and absorbed before the routing script runs.",
};

}  // namespace kahu::sl
