// core/modules/acc/module.cpp -- read this file to know what acc offers.
#include "core/modules/acc/module.h"

#include "core/base/text.h"
#include "core/db/database.h"
#include "core/modules/acc/record.h"
#include "core/modules/acc/rows.h"
#include "core/modules/acc/transactions.h"
#include "core/script/function.h"

namespace kahu::acc {
namespace {

using script::Args;
using script::Run;

// "404 Not found": code and reason.
Record described(Run& run, const Args& args) {
    const std::string_view comment = text::trim(args.text(run, 0));
    const auto code = text::to_int(comment.substr(0, 3));
    const bool coded = comment.size() >= 3 && code && *code >= 100;
    Record record = record_of(run.message(), "request accounted");
    if (coded) record.code = comment.substr(0, 3);
    record.reason = coded ? text::trim(comment.substr(3)) : comment;
    return record;
}

int log_request(Run& run, const Args& args) {
    write_line(run, described(run, args));
    return 1;
}

int db_request(Run& run, const Args& args) {
    const std::string_view table = args.text(run, 1);
    if (row_parts().empty() || (table != settings.db_table_acc.get() && table != settings.db_table_missed_calls.get()))
        return -1;
    write_row(run, described(run, args), table == settings.db_table_acc.get() ? Table::acc : Table::missed_calls);
    return 1;
}

int account_request(Run& run, const Args& args) {
    write_line(run, described(run, args));
    return row_parts().empty() ? 1 : db_request(run, args);
}

constexpr Function kFunctions[] = {
    {"acc_request", 2, 2, "(string comment, string table)",
     "Writes an accounting line, and a row if db_flag or db_missed_flag is set, as the other two functions do.",
     kRequestRoute | kFailureRoute | kEventRoute, account_request},
    {"acc_log_request", 1, 1, "(string comment)",
     "Writes an accounting line about the request; the comment is a status code and a reason, or a reason.",
     kRequestRoute | kFailureRoute | kEventRoute, log_request},
    {"acc_db_request", 2, 2, "(string comment, string table)",
     "Writes an accounting row about the request into db_table_acc or db_table_missed_calls. False without db_flag or "
     "db_missed_flag, which open the database.",
     kRequestRoute | kFailureRoute | kEventRoute, db_request},
};

Status check() {
    const Status good = check_settings();
    if (good) observe_transactions();
    return good;
}
std::vector<WantedFile> files() {
    return row_parts().empty() ? std::vector<WantedFile>() : db::files_of(settings.db_url.get());
}
Status open() { return row_parts().empty() ? Status{} : db::make_folder(settings.db_url.get()); }

void each_second(ProcessKind kind) {
    if (kind == ProcessKind::timer) save_rows();
}

}  // namespace

const ModuleDescriptor kModule{
    .name = "acc",
    .summary = "Accounting of transactions, in the log and in a database.",
    .params = params(),
    .functions = kFunctions,
    .counters = row_counters(),
    .hooks = {.check = check,
              .files = files,
              .open = open,
              .parts = row_parts,
              .start = make_tables,
              .each_second = each_second,
              .process_stop = each_second},
    .description =
        "A request that carries the flag log_flag is accounted when its final response goes upstream: with 2xx, and "
        "with 3xx to 6xx if it carries failed_transaction_flag too. The line is \"ACC: transaction answered: "
        "timestamp=...;method=...;from_tag=...;to_tag=...;call_id=...;code=...;reason=...\" and the fields of "
        "log_extra. "
        "An INVITE with log_missed_flag that nobody answered is \"ACC: call missed: ...\", once, before a failure "
        "route "
        "tries elsewhere. early_media, report_ack and report_cancels account more; an ACK has the $avp of its "
        "INVITE.\n\n"
        "db_flag and db_missed_flag write the same into tables with Kamailio's columns. Rows wait in shared memory "
        "until "
        "the timer process writes them, about once a second; the death of a worker loses none.\n\n"
        "Control characters and ';' in a peer's texts become '_': nobody can add fields or lines.",
};

}  // namespace kahu::acc
