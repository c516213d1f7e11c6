#include "core/modules/tm/originate.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/base/text.h"
#include "core/modules/tm/client.h"
#include "core/modules/tm/conclude.h"
#include "core/modules/tm/match.h"
#include "core/modules/tm/originate_text.h"
#include "core/modules/tm/relay.h"
#include "core/modules/tm/routes.h"
#include "core/modules/tm/settings.h"
#include "core/modules/tm/table.h"
#include "core/net/listener.h"
#include "core/script/event_route.h"
#include "core/script/outgoing.h"
#include "core/script/program.h"
#include "core/sip/status.h"
#include "mem/slot.h"

namespace kahu::tm {
namespace {

constexpr std::string_view kEvent = "tm:local-request";
constexpr int kDropped = 403;  // what the request ends with when its event route says drop

net::Inbound from_ourselves(uint16_t listener) {
    net::Inbound from;
    from.listener = listener == net::kAnyListener ? 0 : listener;
    if (from.listener < net::listeners().size()) {
        const net::Listener& by = net::listeners()[from.listener];
        from.transport = by.transport;
        from.source = from.local = by.address;
    }
    return from;
}

Piece piece_of(const sip::Message& message, std::string_view part) {
    if (part.empty()) return {};
    return {static_cast<uint32_t>(message.offset_of(part)), static_cast<uint32_t>(part.size())};
}

// What its first run needs to know besides the text: the next hop.
bool keep_next_hop(Transaction& t, const sip::Message& message, const Origin& what) {
    if (what.next_hop.empty()) return true;
    static script::Run run;
    std::string saved;
    run.begin(message, t.from, kEventRoute);
    run.set_destination_uri(what.next_hop);
    run.save(saved);
    return replace_block(t.context, saved);
}

}  // namespace

Transaction* make_local(const sip::Message& message, const net::Inbound& from) {
    auto* t = mem::make<Transaction>(mem::Tag::transaction, Transaction{});
    if (t == nullptr) return nullptr;
    t->from = from;
    t->request = make_block(message.bytes());
    if (t->request == nullptr) {
        destroy(t);
        return nullptr;
    }
    t->magic = Transaction::kMagic;
    t->method = message.method();
    t->local = t->unsent = true;
    t->program = script::Program::installed();
    t->failure_route = t->reply_route = t->branch_route = t->branch_failure_route = -1;
    t->cseq = message.cseq()->number;
    t->hash = hash_of_call(message.call_id(), t->cseq);
    t->call_id = piece_of(message, message.call_id());
    t->from_tag = piece_of(message, message.from()->tag);
    t->to_tag = piece_of(message, message.to()->tag);
    t->uri = piece_of(message, message.request_uri());
    t->born = clock::now_ms();
    const clock::Millis lifetime = t->is_invite() ? settings.max_inv_lifetime : settings.max_noninv_lifetime;
    t->max_age_at = lifetime == 0 ? 0 : t->born + lifetime;
    t->fr_ms = static_cast<uint32_t>(settings.fr_timer.get());
    t->fr_inv_ms = static_cast<uint32_t>(settings.fr_inv_timer.get());
    t->ways = default_ways();
    t->proof = static_cast<uint64_t>(new_label()) << 32 | new_label();
    return t;
}

namespace {

// Takes what send_originated() works on.  False: it is not ours to send, or a branch is under way already.
bool take_for_sending(Id id, Revived& revived, bool& ask_script) {
    Locked shard(id);
    const Transaction* t = shard.find(id.label);
    if (t == nullptr || t->decider != mem::current_slot() + 1) return false;
    if (t->branches != 0) return false;
    ask_script = !t->replica;
    revived.take(*t);
    return true;
}

void end_without_sending(Id id, int status) {
    Locked shard(id);
    Transaction* t = shard.find(id.label);
    if (t != nullptr && t->branches == 0) (void)add_failed_branch(*t, t->piece(t->uri), status);
}

}  // namespace

Result<Id> originate(const Origin& what) {
    static sip::Message message;
    static std::string text;
    text.clear();
    if (Status written = write_request(what, text); !written) return std::move(written).error();
    sip::Bad bad;
    if (!message.parse(text, bad) || message.cseq() == nullptr || message.from() == nullptr ||
        message.to() == nullptr || message.call_id().empty())
        return Error{Errc::invalid, "Invalid headers", ""};
    Transaction* t = make_local(message, from_ourselves(what.listener));
    if (t != nullptr && !keep_next_hop(*t, message, what)) {
        destroy(t);
        t = nullptr;
    }
    if (t == nullptr) return Error{Errc::no_memory, "out of shared memory", "raise shm_mem_size"};
    t->released = !what.awaited;
    Locked shard(shard_of(t->hash));
    shard.insert(t);
    (void)shard.settle(t);
    return t->id;
}

uint16_t socket_called(std::string_view name) {
    for (const net::Listener& each : net::listeners())
        if (each.text() == name || (!each.name.empty() && each.name == name)) return each.index;
    return net::kAnyListener;
}

Progress outcome_of(Id id, Outcome& out) {
    Locked shard(id);
    Transaction* t = shard.find(id.label);
    if (t == nullptr || !t->local || t->released) return Progress::gone;
    if (!t->answered) return Progress::under_way;
    out.status = t->status;
    sip::Message reply;
    sip::Bad bad;
    const bool received = t->reply != nullptr && reply.parse(text_of(t->reply), bad);
    out.reason = received ? reply.reason() : sip::reason_phrase(out.status);
    out.sent = received || std::any_of(t->branch, t->branch + t->branches,
                                       [](const Branch* b) { return b->to.listener != net::kAnyListener; });
    t->released = true;
    (void)shard.settle(t);
    return Progress::over;
}

void send_originated(Id id) {
    static Revived revived;
    bool ask_script = false;
    if (take_for_sending(id, revived, ask_script)) {
        if (!revived.begin(id, kEventRoute)) {
            end_without_sending(id, 500);
        } else {
            script::Run& run = revived.run;
            if (ask_script) (void)script::run_event_route(kEvent, run);
            if (run.flow == script::Flow::drop) end_without_sending(id, kDropped);
            else (void)relay_targets(run, current(run), {});
        }
    }
    {
        Locked shard(id);
        if (Transaction* t = shard.find(id.label)) t->unsent = false;
    }
    finish_launching(id);
}

// --- the ACK to a 2xx --------------------------------------------------------------------------------------
namespace {

// Where it goes by its route set; if that is a name which is not in the cache, where the INVITE went.
Hop hop_of_ack(const AckParts& ack, const Branch& b) {
    static net::Destinations found;
    sip::Uri uri;
    net::Question question;
    const sip::Uri* const hop = script::next_hop(ack.uri, ack.next_hop, uri);
    const bool sips = text::iequals(ack.uri.substr(0, 5), "sips:");
    if (hop != nullptr && script::question_for(*hop, sips, question) &&
        net::resolve(question, found, {}) == net::Resolution::ready)
        for (Hop to : found.list())
            if (net::choose_listener(to, b.to.listener)) return to;
    return b.to;
}

}  // namespace

void acknowledge(const Transaction& t, const Branch& b, const sip::Message& reply) {
    static sip::Message invite, message;
    static script::Run run;
    static std::string text, request;
    sip::Bad bad;
    AckParts ack;
    text.clear();
    if (!invite.parse(t.request->text(), bad) || !write_ack(invite, reply, ack, text) || !message.parse(text, bad)) {
        LOG_AT_MOST(5, info, "tm.no_ack", kv("call_id", reply.call_id()),
                    kv("reason", "the 2xx has no usable Contact"));
        return;
    }
    run.begin(message, t.from, kEventRoute);
    const Hop to = hop_of_ack(ack, b);
    char branch[kBranchBytes];  // a transaction of its own, which nobody answers
    request.clear();
    script::build_request(run, {.to = &to, .branch = write_branch_id({{t.id.shard, new_label()}, 0, t.proof}, branch)},
                          request);
    (void)transmit().send_to(to, request, 0);
}

}  // namespace kahu::tm
