// core/modules/tm/module.cpp -- read this file to know what tm and tmx offer.
#include "core/modules/tm/module.h"

#include "core/modules/tm/counters.h"
#include "core/modules/tm/functions.h"
#include "core/modules/tm/intake.h"
#include "core/modules/tm/replies.h"
#include "core/modules/tm/rpc_commands.h"
#include "core/modules/tm/settings.h"
#include "core/modules/tm/table.h"
#include "core/modules/tm/timer.h"
#include "core/modules/tm/transport.h"
#include "core/modules/tm/variables.h"
#include "core/net/event_loop.h"
#include "core/proc/process_table.h"

namespace kahu::tm {

Transmit& transmit() {
    static Transmit one;
    return one;
}

namespace {

std::span<const mem::Part> parts() {
    static const mem::Part part{"transactions", table_bytes(), construct_table};
    return {&part, 1};
}

Status start() {
    register_computed_counters();
    script::set_transaction_layer({.take_reply = take_reply,
                                   .request_done = request_done,
                                   .reply = reply_through_transaction,
                                   .local_tag = local_tag});
    net::set_send_failure_handler(on_send_failure);
    net::add_periodic(ProcessKind::timer, kTickMs, [] {
        run_timers(clock::now_ms());
        if (proc::draining()) proc::note_under_way(count_unanswered());
    });
    proc::promise_to_note_under_way();
    return {};
}

}  // namespace

const ModuleDescriptor kModule{
    .name = "tm",
    .summary = "Stateful proxying: transactions (RFC 3261, RFC 4320, RFC 6026).",
    .params = tm_params(),
    .functions = tm_functions(),
    .variables = tm_variables(),
    .commands = tm_commands(),
    .counters = tm_counters(),
    .hooks = {.parts = parts, .start = start},
    .description =
        "Remembers each request until it is over: repeats over UDP what may have been lost, absorbs what comes twice, "
        "forks, waits for the best answer, cancels what is not needed any more.\n\n"
        "Transactions live in shared memory. Any worker may receive any message of a transaction, and a worker's death "
        "loses none but the one that it was changing at that instant.",
};

const ModuleDescriptor kTmxModule{
    .name = "tmx",
    .summary = "More of what scripts may ask about transactions.",
    .params = tmx_params(),
    .functions = tmx_functions(),
    .variables = tmx_variables(),
    .description = "Functions around module tm, which must be loaded too.",
};

}  // namespace kahu::tm
