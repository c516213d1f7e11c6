#include "core/modules/tm/rpc_commands.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "core/base/text.h"
#include "core/modules/tm/by_call.h"
#include "core/modules/tm/counters.h"
#include "core/modules/tm/originate.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/table.h"
#include "core/sip/message.h"

namespace kahu::tm {
namespace {

RpcValue describe(const Transaction& t, sip::Message& message) {
    sip::Bad bad;
    (void)message.parse(t.request->text(), bad);
    const auto header = [&](sip::HeaderId id) {  // with name and CRLF, as Kamailio shows them
        const auto* field = message.first(id);
        return std::string(field == nullptr ? std::string_view() : field->whole);
    };
    const clock::Millis due = t.due();
    return RpcStruct{
        {"cell", fmt::format("{}", static_cast<const void*>(&t))},
        {"tindex", t.id.shard},
        {"tlabel", t.id.label},
        {"method", message.method_name()},
        {"from", header(sip::HeaderId::from)},
        {"to", header(sip::HeaderId::to)},
        {"callid", header(sip::HeaderId::call_id)},
        {"cseq", fmt::format("CSeq: {}", t.cseq)},
        {"uas_request", t.local ? "no" : "yes"},
        {"tflags", (t.is_invite() ? 1 : 0) | (t.cancelled ? 8 : 0) | (t.local ? 2 : 0)},
        {"outgoings", static_cast<int>(t.branches)},
        {"ref_count", 1},
        {"lifetime", due == kNever ? int64_t{0} : (due - clock::read()) / 1000},
    };
}

void list(RpcCall& call) {
    const auto at_most = call.next_int_or(1000);
    if (!at_most) return;
    sip::Message message;
    int64_t left = *at_most;
    for (uint32_t number = 0; number < kShards && left > 0; ++number) {
        const Locked shard(number);
        for (const Transaction* t = shard.first(); t != nullptr && left > 0; t = t->next, --left)
            call.add(describe(*t, message));
    }
}

int64_t waiting_now() {
    int64_t waiting = 0;
    for (uint32_t number = 0; number < kShards; ++number) {
        const Locked shard(number);
        for (const Transaction* t = shard.first(); t != nullptr; t = t->next) waiting += t->answered;
    }
    return waiting;
}

void show_stats(RpcCall& call) {
    const auto sum = [](uint16_t id) { return stats::sum(id); };
    const int64_t sent = sum(counters.replies_relayed) + sum(counters.replies_local);
    call.add(RpcStruct{
        {"current", sum(counters.active)},
        {"waiting", waiting_now()},
        {"total", sum(counters.created)},
        {"total_local", sum(counters.transactions_uac)},
        {"rpl_received", sum(counters.replies_received)},
        {"rpl_generated", sum(counters.replies_local)},
        {"rpl_sent", sent},
        {"6xx", sum(counters.completed_6xx)},
        {"5xx", sum(counters.completed_5xx)},
        {"4xx", sum(counters.completed_4xx)},
        {"3xx", sum(counters.completed_3xx)},
        {"2xx", sum(counters.completed_2xx)},
        {"created", sum(counters.created)},
        {"freed", sum(counters.freed)},
        {"delayed_free", int64_t{0}},
    });
}

void hash_stats(RpcCall& call) {
    int64_t entries = 0, used = 0, longest = 0;
    for (uint32_t number = 0; number < kShards; ++number) {
        int64_t here = 0;
        const Locked shard(number);
        for (const Transaction* t = shard.first(); t != nullptr; t = t->next) ++here;
        entries += here;
        used += here != 0;
        longest = std::max(longest, here);
    }
    call.add(RpcStruct{
        {"hash_size", static_cast<int64_t>(kShards)},
        {"crt_target", entries / kShards},
        {"entries", entries},
        {"used_slots", used},
        {"max_in_slot", longest},
    });
}

void clean(RpcCall&) { remove_ended(); }

void cancel(RpcCall& call) {
    if (call.params() < 2) return call.fault(400, "Callid and CSeq expected as parameters");
    const auto call_id = call.next_text();
    const auto cseq = call.next_text();
    if (!call_id || !cseq) return;
    const auto number = text::to_int(cseq->substr(0, cseq->find(' ')));
    const bool possible = number && *number >= 0 && *number <= UINT32_MAX;
    if (!possible || !cancel_call(*call_id, static_cast<uint32_t>(*number))) call.fault(400, "Transaction not found");
}

// The next parameter; none: the fault was given, in Kamailio's words.
std::optional<std::string> expect(RpcCall& call, std::string_view what) {
    if (call.more()) return call.next_text();
    call.fault(400, std::string(what) + " expected");
    return std::nullopt;
}

struct ReplyWords {
    int64_t code;
    std::string reason, to_tag, headers, body;
};

void do_reply(RpcCall& call, Id id, const ReplyWords& words) {
    std::string headers = words.headers == "." ? "" : words.headers;
    if (!headers.empty() && !headers.ends_with("\r\n")) headers += "\r\n";
    if (words.code < 100 || words.code > 699) return call.fault(400, "code: 100 to 699");
    const LocalAnswer what{.status = static_cast<int>(words.code),
                           .reason = words.reason,
                           .extra_headers = headers,
                           .content_type = {},
                           .body = words.body,
                           .to_tag = words.to_tag == "." ? std::string_view() : std::string_view(words.to_tag)};
    if (!answer_from_outside(id, what)) call.fault(481, "No such transaction");
}

// code reason "index:label" to_tag headers [body]
void reply(RpcCall& call) {
    const auto code = call.next_int_or(0);
    if (!code || *code == 0) return call.fault(400, "Reply code expected");
    const auto reason = expect(call, "Reason phrase");
    const auto where = reason ? expect(call, "Transaction ID") : std::nullopt;
    const auto tag = where ? call.next_text_or(".") : std::nullopt;
    const auto headers = tag ? call.next_text_or(".") : std::nullopt;
    const auto body = headers ? call.next_text_or("") : std::nullopt;
    if (!body) return;
    const size_t colon = where->find(':');
    const auto shard = text::to_int(std::string_view(*where).substr(0, colon));
    const auto label = colon == where->npos ? std::nullopt : text::to_int(std::string_view(*where).substr(colon + 1));
    if (!shard || !label || *shard < 0 || *shard >= kShards || *label <= 0 || *label > UINT32_MAX)
        return call.fault(400, "transaction: index:label, as tm.list shows them");
    do_reply(call, {static_cast<uint32_t>(*shard), static_cast<uint32_t>(*label)},
             {*code, *reason, *tag, *headers, *body});
}

// code reason callid cseq to_tag headers [body]
void reply_callid(RpcCall& call) {
    const auto code = call.next_int_or(0);
    if (!code || *code == 0) return call.fault(400, "Reply code expected");
    const auto reason = expect(call, "Reason phrase");
    const auto call_id = reason ? expect(call, "Call-ID") : std::nullopt;
    const auto cseq = call_id ? call.next_int() : std::nullopt;
    const auto tag = cseq ? call.next_text_or(".") : std::nullopt;
    const auto headers = tag ? call.next_text_or(".") : std::nullopt;
    const auto body = headers ? call.next_text_or("") : std::nullopt;
    if (!body) return;
    const Id id = find_call(*call_id, static_cast<uint32_t>(*cseq));
    if (!id) return call.fault(404, "Transaction not found");
    do_reply(call, id, {*code, *reason, *tag, *headers, *body});
}

// --- requests of our own -----------------------------------------------------------------------------------
std::string_view unless_dot(const std::string& text) { return text == "." ? std::string_view() : text; }

// No id: the fault was given.
Id originate_by_rpc(RpcCall& call, bool awaited) {
    constexpr int kNeeded = 5;
    if (const auto given = static_cast<int>(call.params()); given < kNeeded) {
        call.fault(400, fmt::format("too few parameters ({}/{})", -given, kNeeded));
        return {};
    }
    std::string words[6];
    for (std::string& word : words) {
        auto given = call.next_text_or("");
        if (!given) return {};
        word = std::move(*given);
    }
    const auto& [method, uri, next_hop, socket, headers, body] = words;
    uint16_t listener = net::kAnyListener;
    if (const auto name = unless_dot(socket); !name.empty() && (listener = socket_called(name)) == net::kAnyListener) {
        call.fault(400, fmt::format("No local socket for \"{}\"", text::printable(name)));
        return {};
    }
    const auto made = originate({.method = method,
                                 .uri = uri,
                                 .next_hop = unless_dot(next_hop),
                                 .listener = listener,
                                 .headers = headers,
                                 .body = body,
                                 .awaited = awaited});
    if (made) return *made;
    call.fault(made.error().code == Errc::no_memory ? 500 : 400, made.error().what);
    return {};
}

void start_uac(RpcCall& call) { (void)originate_by_rpc(call, false); }

void wait_uac(RpcCall& call) {
    const Id id = originate_by_rpc(call, true);
    if (!id) return;
    call.unfinished = [id](RpcCall& waiting) {
        Outcome outcome;
        switch (outcome_of(id, outcome)) {
        case Progress::under_way: return false;
        case Progress::gone: waiting.fault(500, "the transaction was lost"); return true;
        case Progress::over: break;
        }
        if (!outcome.sent) waiting.fault(500, fmt::format("not sent: {} {}", outcome.status, outcome.reason));
        else waiting.add(RpcStruct{{"code", outcome.status}, {"text", outcome.reason}});
        return true;
    };
}

// clang-format off
constexpr Command kCommands[] = {
    {"tm.list", "[at_most]", "Lists transactions.", list},
    {"tm.stats", "", "Counts of transactions and replies.", show_stats},
    {"tm.hash_stats", "", "How the transactions spread over the table.", hash_stats},
    {"tm.clean", "", "Removes transactions that nothing waits for any more.", clean},
    {"tm.cancel", "callid cseq", "Cancels the branches of an INVITE.", cancel},
    {"tm.reply", "code reason index:label to_tag headers [body]", "Answers a transaction; \".\" leaves a field out.", reply},
    {"tm.t_uac_start", "method uri next_hop socket headers [body]", "Sends a request; \".\" for a next hop or socket that the server chooses. Headers are lines; From and To must be among them.", start_uac},
    {"tm.t_uac_wait", "method uri next_hop socket headers [body]", "The same; answers with the final reply.", wait_uac},
    {"tm.t_uac_wait_block", "method uri next_hop socket headers [body]", "The same as tm.t_uac_wait: other commands go on meanwhile.", wait_uac},
    {"tm.reply_callid", "code reason callid cseq to_tag headers [body]", "The same, by Call-ID and CSeq number.", reply_callid},
};
// clang-format on

}  // namespace

std::span<const Command> tm_commands() { return kCommands; }

}  // namespace kahu::tm
