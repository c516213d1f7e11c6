#include "core/modules/tm/settings.h"

namespace kahu::tm {

Settings settings;

namespace {

constexpr auto kInt = ParamKind::integer;
constexpr auto kBool = ParamKind::boolean;
constexpr auto kText = ParamKind::text;
constexpr auto kLive = Applies::at_runtime;
constexpr int64_t kDay = 86'400'000;
#define KAHU_NO_EFFECT "has no effect"

// clang-format off
const Param kParams[] = {
    {.name = "fr_timer", .kind = kInt, .number = &settings.fr_timer, .min = 1, .max = kDay, .unit = "milliseconds",
     .help = "How long a branch waits for its first reply (timers B and F of RFC 3261).", .applies = kLive},
    {.name = "fr_inv_timer", .kind = kInt, .number = &settings.fr_inv_timer, .min = 1, .max = kDay, .unit = "milliseconds",
     .help = "How long a branch of an INVITE may ring after a provisional reply (timer C).", .applies = kLive},
    {.name = "retr_timer1", .kind = kInt, .number = &settings.retr_timer1, .min = 10, .max = 60'000, .unit = "milliseconds",
     .help = "T1 of RFC 3261: the first retransmission over UDP; 64 times T1 bounds most waiting.", .applies = kLive},
    {.name = "retr_timer2", .kind = kInt, .number = &settings.retr_timer2, .min = 10, .max = 600'000, .unit = "milliseconds",
     .help = "T2 of RFC 3261: the longest time between two retransmissions.", .applies = kLive},
    {.name = "wt_timer", .kind = kInt, .number = &settings.wt_timer, .min = 0, .max = kDay, .unit = "milliseconds",
     .help = "How long retransmissions are absorbed after the end of a transaction (T4 of RFC 3261).", .applies = kLive},
    {.name = "max_inv_lifetime", .kind = kInt, .number = &settings.max_inv_lifetime, .min = 0, .max = kDay, .unit = "milliseconds",
     .help = "An INVITE without a final reply is given up after this time; 0: never.", .applies = kLive},
    {.name = "max_noninv_lifetime", .kind = kInt, .number = &settings.max_noninv_lifetime, .min = 0, .max = kDay, .unit = "milliseconds",
     .help = "Any other request without a final reply is given up after this time; 0: never.", .applies = kLive},
    {.name = "auto_inv_100", .kind = kBool, .number = &settings.auto_inv_100,
     .help = "Sends 100 as soon as an INVITE is relayed.", .applies = kLive},
    {.name = "auto_inv_100_reason", .kind = kText, .text = &settings.auto_inv_100_reason,
     .help = "Reason phrase of that 100."},
    {.name = "failure_reply_mode", .kind = kInt, .number = &settings.failure_reply_mode, .min = 0, .max = 3,
     .help = "Which failures are forgotten when a failure route sends to new targets: 0: none; 1, 3: all; 2: those of the last targets. t_drop_replies() says otherwise for one request.", .applies = kLive},
    {.name = "disable_6xx_block", .kind = kBool, .number = &settings.disable_6xx_block,
     .help = "A 6xx does not end the other branches.", .applies = kLive},
    {.name = "restart_fr_on_each_reply", .kind = kBool, .number = &settings.restart_fr_on_each_reply,
     .help = "Every provisional reply starts fr_inv_timer again, not the first one only.", .applies = kLive},
    {.name = "local_cancel_reason", .kind = kBool, .number = &settings.local_cancel_reason,
     .help = "Adds a Reason header to the CANCELs that tm makes itself (RFC 3326).", .applies = kLive},
    {.name = "e2e_cancel_reason", .kind = kBool, .number = &settings.e2e_cancel_reason,
     .help = "Copies the Reason headers of a received CANCEL to those that are sent on.", .applies = kLive},
    {.name = "remap_503_500", .kind = kBool, .number = &settings.remap_503_500,
     .help = "A 503 of a branch goes upstream as 500 (RFC 3261 16.7).", .applies = kLive},
    {.name = "aggregate_challenges", .kind = kBool, .number = &settings.aggregate_challenges,
     .help = "A 401 or 407 that goes upstream carries the challenges of all branches.", .applies = kLive},
    {.name = "max_breadth", .kind = kInt, .number = &settings.max_breadth, .min = 0, .max = 1000,
     .help = "Most branches that a request may become on all its way: what its Max-Breadth says is divided among the branches "
             "(RFC 5393), and 440 is answered when there are too many. 0: the header is left alone.", .applies = kLive},
    {.name = "default_code", .kind = kInt, .number = &settings.default_code, .min = 400, .max = 699,
     .help = "Status that t_reply_error() answers when no error was noted.", .applies = kLive},
    {.name = "default_reason", .kind = kText, .text = &settings.default_reason,
     .help = "Reason phrase that goes with default_code."},
    // Accepted, so that existing files load.
    {.name = "delete_timer", .number = &settings.accepted, .help = "Time between end and freeing.", .remark = KAHU_NO_EFFECT ": memory is freed at once"},
    {.name = "noisy_ctimer", .kind = kBool, .number = &settings.accepted, .help = "Timer C answers instead of forgetting silently.", .remark = KAHU_NO_EFFECT ": it always does"},
    {.name = "pass_provisional_replies", .kind = kBool, .number = &settings.accepted, .help = "Replies to local requests that are provisional reach the callback.", .remark = KAHU_NO_EFFECT},
    {.name = "ruri_matching", .kind = kBool, .number = &settings.accepted, .help = "Request-URI takes part in matching of RFC 2543 requests.", .remark = KAHU_NO_EFFECT ": it always does"},
    {.name = "via1_matching", .kind = kBool, .number = &settings.accepted, .help = "The topmost Via takes part in matching.", .remark = KAHU_NO_EFFECT ": it always does"},
    {.name = "unix_tx_timeout", .number = &settings.accepted, .help = "Of an interface that is gone.", .remark = KAHU_NO_EFFECT},
    {.name = "fr_timer_avp", .kind = kText, .text = &settings.accepted_text, .help = "A variable with the fr_timer of one request.", .remark = KAHU_NO_EFFECT ": use t_set_fr()"},
    {.name = "fr_inv_timer_avp", .kind = kText, .text = &settings.accepted_text, .help = "A variable with the fr_inv_timer of one request.", .remark = KAHU_NO_EFFECT ": use t_set_fr()"},
    {.name = "tw_append", .kind = kText, .text = &settings.accepted_text, .help = "Of t_write_req().", .remark = KAHU_NO_EFFECT},
    {.name = "local_ack_mode", .number = &settings.accepted, .help = "Where ACKs to local INVITEs go.", .remark = KAHU_NO_EFFECT},
    {.name = "faked_reply_prio", .number = &settings.accepted, .help = "Weight of replies made here against received ones.", .remark = KAHU_NO_EFFECT ": received ones win"},
    {.name = "blst_503", .kind = kBool, .number = &settings.accepted, .help = "Destinations that answer 503 are avoided.", .remark = KAHU_NO_EFFECT},
    {.name = "blst_503_def_timeout", .number = &settings.accepted, .help = "For how long, without Retry-After.", .remark = KAHU_NO_EFFECT},
    {.name = "blst_503_min_timeout", .number = &settings.accepted, .help = "For how long at least.", .remark = KAHU_NO_EFFECT},
    {.name = "blst_503_max_timeout", .number = &settings.accepted, .help = "For how long at most.", .remark = KAHU_NO_EFFECT},
    {.name = "blst_methods_add", .number = &settings.accepted, .help = "Methods whose failure makes a destination avoided.", .remark = KAHU_NO_EFFECT},
    {.name = "blst_methods_lookup", .number = &settings.accepted, .help = "Methods that avoid such destinations.", .remark = KAHU_NO_EFFECT},
    {.name = "cancel_b_method", .number = &settings.accepted, .help = "What happens to branches without a reply when a CANCEL comes.", .remark = KAHU_NO_EFFECT ": they are cancelled when they first reply (RFC 3261 9.1)"},
    {.name = "reparse_on_dns_failover", .kind = kBool, .number = &settings.accepted, .help = "The request is read again before it goes to another server.", .remark = KAHU_NO_EFFECT},
    {.name = "reparse_invite", .kind = kBool, .number = &settings.accepted, .help = "CANCEL and ACK are made from the INVITE as it was sent.", .remark = KAHU_NO_EFFECT ": they always are"},
    {.name = "ac_extra_hdrs", .kind = kText, .text = &settings.accepted_text, .help = "Headers that ACK and CANCEL copy from the INVITE.", .remark = KAHU_NO_EFFECT},
    {.name = "on_sl_reply", .kind = kText, .text = &settings.accepted_text, .help = "Route for replies without transaction.", .remark = KAHU_NO_EFFECT},
    {.name = "contacts_avp", .kind = kText, .text = &settings.accepted_text, .help = "Where t_load_contacts() keeps what is left.", .remark = KAHU_NO_EFFECT ": the transaction keeps it"},
    {.name = "contact_flows_avp", .kind = kText, .text = &settings.accepted_text, .help = "Where t_load_contacts() keeps flows.", .remark = KAHU_NO_EFFECT},
    {.name = "xavp_contact", .kind = kText, .text = &settings.accepted_text, .help = "Where a contact's attributes are found.", .remark = KAHU_NO_EFFECT},
    {.name = "event_callback", .kind = kText, .text = &settings.accepted_text, .help = "Function of an embedded language for events.", .remark = KAHU_NO_EFFECT},
    {.name = "relay_100", .kind = kBool, .number = &settings.accepted, .help = "Lets 100 through statelessly.", .remark = KAHU_NO_EFFECT ": 100 is hop by hop (RFC 3261 16.7)"},
    {.name = "rich_redirect", .number = &settings.accepted, .help = "Details of branches in 3xx contacts.", .remark = KAHU_NO_EFFECT},
    {.name = "exec_time_check", .number = &settings.accepted, .help = "Warns of slow callbacks.", .remark = KAHU_NO_EFFECT},
    {.name = "reply_relay_mode", .number = &settings.accepted, .help = "How replies are made unique.", .remark = KAHU_NO_EFFECT},
    {.name = "headers_mode", .number = &settings.accepted, .help = "Of t_uac.", .remark = KAHU_NO_EFFECT},
    {.name = "unmatched_cancel", .kind = kInt, .number = &settings.unmatched_cancel, .min = 0, .max = 2,
     .help = "What t_relay() does with a CANCEL for which there is no transaction: 0, 1: forwards it statelessly (RFC 3261 16.10); 2: drops it.", .applies = kLive},
    {.name = "callid_matching", .kind = kBool, .number = &settings.accepted, .help = "Call-ID takes part in matching.", .remark = KAHU_NO_EFFECT ": it always does"},
    {.name = "callid_cseq_matching", .kind = kBool, .number = &settings.accepted, .help = "Call-ID and CSeq take part in matching.", .remark = KAHU_NO_EFFECT ": they always do"},
    {.name = "event_callback_lres_sent", .kind = kText, .text = &settings.accepted_text, .help = "Function of an embedded language for local responses.", .remark = KAHU_NO_EFFECT},
    {.name = "enable_uac_fr", .kind = kBool, .number = &settings.accepted, .help = "Failure routes for local requests.", .remark = KAHU_NO_EFFECT},
    {.name = "failure_exec_mode", .number = &settings.accepted, .help = "When failure routes of a branch run.", .remark = KAHU_NO_EFFECT},
    {.name = "dns_reuse_rcv_socket", .kind = kBool, .number = &settings.accepted, .help = "Another server of a name is asked from the same socket.", .remark = KAHU_NO_EFFECT},
};

const Param kTmxParams[] = {
    {.name = "precheck_trans", .kind = kBool, .number = &settings.precheck_trans,
     .help = "With 0 t_precheck_trans() is always false.", .applies = kLive},
};
// clang-format on
#undef KAHU_NO_EFFECT

}  // namespace

std::span<const Param> tm_params() { return kParams; }
std::span<const Param> tmx_params() { return kTmxParams; }

}  // namespace kahu::tm
