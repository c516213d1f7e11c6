#include "core/modules/acc/transactions.h"

#include "core/modules/acc/record.h"
#include "core/modules/acc/rows.h"
#include "core/modules/tm/api.h"
#include "core/sip/status.h"

namespace kahu::acc {
namespace {

constexpr uint32_t bit(int64_t flag) { return flag < 0 ? 0 : uint32_t{1} << flag; }
uint32_t missed_flags() { return bit(settings.log_missed_flag) | bit(settings.db_missed_flag); }
uint32_t answer_flags() { return bit(settings.log_flag) | bit(settings.db_flag); }

bool wants(const script::Run& run) {
    if (run.is_request() && run.message().method() == sip::Method::cancel && settings.report_cancels == 0) return false;
    return settings.acc_prepare_always != 0 ||
           (run.flags & (answer_flags() | missed_flags() | bit(settings.acc_prepare_flag))) != 0;
}

// The reply says more than its status: reason and To-tag.
void add_reply(const tm::Ending& how, sip::Message& reply, Record& record) {
    record.code = std::to_string(how.status);
    record.reason = sip::reason_phrase(how.status);
    std::string_view& to_tag = record.upstream ? record.from_tag : record.to_tag;
    if (!how.to_tag.empty()) to_tag = how.to_tag;
    sip::Bad bad;
    if (how.reply.empty() || !reply.parse(how.reply, bad)) return;
    record.reason = reply.reason();
    if (reply.to() != nullptr) to_tag = reply.to()->tag;
}

void account(script::Run& run, const tm::Ending& how, std::string_view what, bool to_log, bool to_database,
             Table table) {
    static sip::Message reply;
    Record record = record_of(run.message(), what);
    if (run.message().method() == sip::Method::cancel) add_reply({.status = how.status}, reply, record);  // as Kamailio
    else add_reply(how, reply, record);
    if (to_log) write_line(run, record);
    if (to_database) write_row(run, record, table);
}

// The flags are taken away: a call is missed once, however many routes try to place it.
void missed(script::Run& run, const tm::Ending& how) {
    if (run.message().method() != sip::Method::invite || (run.flags & missed_flags()) == 0) return;
    account(run, how, "call missed", (run.flags & bit(settings.log_missed_flag)) != 0,
            (run.flags & bit(settings.db_missed_flag)) != 0, Table::missed_calls);
    run.flags &= ~missed_flags();
}

void account_by_flags(script::Run& run, const tm::Ending& how, std::string_view what) {
    if ((run.flags & answer_flags()) == 0) return;
    account(run, how, what, (run.flags & bit(settings.log_flag)) != 0, (run.flags & bit(settings.db_flag)) != 0,
            Table::acc);
}

void answered(script::Run& run, const tm::Ending& how) {
    const bool failed = how.status >= 300;
    if (failed) missed(run, how);
    if (failed && ((run.flags & bit(settings.failed_transaction_flag)) == 0 || is_filtered(how.status))) return;
    account_by_flags(run, how, "transaction answered");
}

// Early media: a provisional response with a body.
void ringing(script::Run& run, const tm::Ending& how) {
    static sip::Message reply;
    sip::Bad bad;
    if (reply.parse(how.reply, bad) && !reply.body().empty()) account_by_flags(run, how, "transaction answered");
}

void acknowledged(script::Run& run, const tm::Ending& how) { account_by_flags(run, how, "request acknowledged"); }

}  // namespace

void observe_transactions() {
    if (answer_flags() == 0 && missed_flags() == 0) return;
    tm::observe({.wants = wants,
                 .answered = answered,
                 .failed = missed,
                 .ringing = settings.early_media != 0 ? ringing : nullptr,
                 .acknowledged = settings.report_ack != 0 ? acknowledged : nullptr});
}

}  // namespace kahu::acc
