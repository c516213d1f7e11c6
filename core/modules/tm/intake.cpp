#include "core/modules/tm/intake.h"

#include "core/base/hash.h"
#include "core/modules/tm/breadth.h"
#include "core/modules/tm/client.h"
#include "core/modules/tm/conclude.h"
#include "core/modules/tm/counters.h"
#include "core/modules/tm/observers.h"
#include "core/modules/tm/routes.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/settings.h"
#include "core/proc/process_table.h"
#include "core/script/reply.h"

namespace kahu::tm {
namespace {

Piece piece_of(const sip::Message& message, std::string_view part) {
    if (part.empty()) return {};
    return {static_cast<uint32_t>(message.offset_of(part)), static_cast<uint32_t>(part.size())};
}

Transaction* make_transaction(script::Run& run, const RequestKey& key) {
    const sip::Message& message = run.message();
    auto* t = mem::make<Transaction>(mem::Tag::transaction, Transaction{});
    if (t == nullptr) return nullptr;
    t->request = make_block(message.bytes());
    if (t->request == nullptr) {
        mem::destroy(t, mem::Tag::transaction);
        return nullptr;
    }
    t->magic = Transaction::kMagic;
    t->method = key.method;
    t->from = run.inbound();
    t->reliable = is_stream(t->from.transport);
    t->force_rport = run.force_rport;
    t->no_connect = run.reply_no_connect;
    t->reply_to = script::reply_target(message, run.inbound(), run.force_rport);
    t->program = run.program;
    t->failure_route = t->reply_route = t->branch_route = t->branch_failure_route = -1;
    t->hash = key.hash;
    t->cseq = key.cseq;
    t->via_port = key.via_port;
    t->via_branch = piece_of(message, key.branch);
    t->via_host = piece_of(message, key.via_host);
    t->via = piece_of(message, key.via);
    t->call_id = piece_of(message, key.call_id);
    t->from_tag = piece_of(message, key.from_tag);
    t->to_tag = piece_of(message, key.to_tag);
    t->uri = piece_of(message, key.uri);
    const clock::Millis now = clock::now_ms();
    t->born = now;
    t->fr_ms = static_cast<uint32_t>(settings.fr_timer.get());
    t->fr_inv_ms = static_cast<uint32_t>(settings.fr_inv_timer.get());
    const clock::Millis lifetime = t->is_invite() ? settings.max_inv_lifetime : settings.max_noninv_lifetime;
    t->max_age_at = lifetime == 0 ? 0 : now + lifetime;
    t->ways = default_ways();
    t->breadth = breadth_of(message);
    t->breadth_given = message.has(sip::HeaderId::max_breadth);
    return t;
}

// What the script asked for before there was a transaction.
void apply_wishes(Transaction& t, const Current& c) {
    if (c.fr_ms != 0) t.fr_ms = static_cast<uint32_t>(c.fr_ms);
    if (c.fr_inv_ms != 0) t.fr_inv_ms = static_cast<uint32_t>(c.fr_inv_ms);
    if (const int64_t most = t.is_invite() ? c.max_invite_ms : c.max_other_ms; most != 0) t.max_age_at = t.born + most;
    t.t1_ms = static_cast<uint32_t>(c.t1_ms);
    t.t2_ms = static_cast<uint32_t>(c.t2_ms);
    t.ways = static_cast<uint8_t>((t.ways | c.ways_on) & ~c.ways_off);
}

}  // namespace

Intake take_request(script::Run& run) {
    Current& c = current(run);
    if (c.id && !c.foreign) return Intake::existing;
    c.id = {};  // what t_lookup_request() found is found again below: this is its copy
    c.foreign = false;
    RequestKey key;
    if (!read_key(run.message(), key)) {
        run.last_error = 400;
        return Intake::failed;
    }
    const uint64_t proof = proof_of(run.message(), key);
    if (key.method != sip::Method::cancel && loops(run.message(), proof)) {
        stats::add(counters.loops);
        (void)script::reply_stateless(run, 482, {});
        return Intake::refused;
    }
    Locked shard(key.shard());
    if (Transaction* same = find_same(shard, key)) {
        on_retransmission(*same);
        (void)shard.settle(same);
        return Intake::again;
    }
    if (proc::draining() && key.to_tag.empty() && key.method != sip::Method::cancel) {
        (void)script::reply_stateless(run, 503, {.extra_headers = "Retry-After: 10\r\n"});
        return Intake::refused;
    }
    Transaction* t = make_transaction(run, key);
    if (t == nullptr) {
        run.last_error = 500;
        return Intake::failed;
    }
    t->proof = proof;
    apply_wishes(*t, c);
    shard.insert(t);
    (void)shard.settle(t);
    c.id = t->id;
    return Intake::created;
}

Ack take_ack(script::Run& run) {
    RequestKey key;
    if (!read_key(run.message(), key)) return Ack::unknown;
    Locked shard(key.shard());
    if (Transaction* t = find_target(shard, key); t != nullptr && t->status >= 300) {
        on_ack(*t);
        (void)shard.settle(t);
        return Ack::absorbed;
    }
    return find_answered(shard, key) != nullptr ? Ack::answered_here : Ack::unknown;
}

namespace {

std::string_view reasons_of(const sip::Message& cancel, std::string& into) {
    into.clear();
    for (const auto* field = cancel.first(sip::HeaderId::reason); field != nullptr; field = cancel.next(field))
        into.append("Reason: ").append(field->value).append("\r\n");
    return into;
}

// The CANCEL's own transaction: answered at once, kept for its retransmissions over UDP.
void answer_cancel(script::Run& run, Locked& shard, const RequestKey& key, const Transaction& invite) {
    Transaction* t = make_transaction(run, key);
    if (t == nullptr) return;
    t->proof = invite.proof;
    if (t->observed = observers_want(run); t->observed) {
        static std::string saved;
        saved.clear();
        run.save(saved);
        (void)replace_block(t->context, saved);
    }
    shard.insert(t);
    char tag[kTagBytes];  // 9.2: the same To-tag as the INVITE's reply, as far as we make it
    (void)answer_locally(*t, run.message(), {.status = 200, .reason = "canceling", .to_tag = to_tag_of(invite, tag)});
    (void)shard.settle(t);
}

}  // namespace

bool take_cancel(script::Run& run) {
    RequestKey key;
    if (!read_key(run.message(), key)) return false;
    static std::string reasons;
    After after = After::nothing;
    Id id;
    {
        Locked shard(key.shard());
        if (Transaction* same = find_same(shard, key)) {
            on_retransmission(*same);
            (void)shard.settle(same);
            return true;
        }
        Transaction* t = find_target(shard, key);
        if (t == nullptr) return false;
        id = t->id;
        const bool cancels = t->is_invite() && !t->answered;
        const std::string_view reason =
            cancels && t->goes(kPassCancelReason) ? reasons_of(run.message(), reasons) : std::string_view();
        if (cancels) {  // once it is answered it does not come again: whoever lives must know by then
            t->cancelled = true;
            want_cancel(*t, nullptr, reason);
        }
        answer_cancel(run, shard, key, *t);
        if (cancels) {
            cancel_pending(*t, nullptr, reason);
            if (t->branches == 0 && t->decider == 0) (void)answer_locally(*t, {.status = 487});
        }
        after = conclude(*t);
        if (shard.settle(t)) return true;
    }
    if (after == After::run_failure_route) run_failure_route(id);
    return true;
}

int check_transaction(script::Run& run) {
    const sip::Method method = run.message().method();
    if (method == sip::Method::ack) {
        const Ack ack = take_ack(run);
        return ack == Ack::absorbed ? 0 : ack == Ack::answered_here ? 1 : -1;
    }
    if (current(run).id) return 1;
    RequestKey key;
    if (!read_key(run.message(), key)) return -1;
    Locked shard(key.shard());
    if (Transaction* same = find_same(shard, key)) {
        on_retransmission(*same);
        (void)shard.settle(same);
        return 0;
    }
    return method == sip::Method::cancel && find_target(shard, key) != nullptr ? 1 : -1;
}

bool being_routed(script::Run& run) {
    RequestKey key;
    if (current(run).id || !read_key(run.message(), key)) return false;
    Locked shard(key.shard());
    const Transaction* same = find_same(shard, key);
    if (same != nullptr) return same->status == 0 && same->branches == 0;
    const uint64_t parts[] = {key.hash,          hash_text(key.branch),      hash_text(key.via_host),
                              key.via_port,      hash_text(key.method_name), hash_text(key.from_tag),
                              hash_text(key.uri)};
    return !claim_request(shard, hash_bytes(parts, sizeof parts));
}

bool look_up_request(script::Run& run) {
    Current& c = current(run);
    RequestKey key;
    if (c.id || !read_key(run.message(), key)) return static_cast<bool>(c.id);
    const Locked shard(key.shard());
    const Transaction* const same = find_same(shard, key);
    if (same == nullptr) return false;
    c.id = same->id;
    c.foreign = true;
    return true;
}

void request_done(script::Run& run) {
    release_request();
    const Current& c = current(run);
    if (!c.id || c.foreign || c.relayed || c.answered) return;
    Locked shard(c.id);
    if (Transaction* t = shard.find(c.id.label)) {
        if (t->branches == 0 && t->resolving == 0) expire_unanswered(*t, clock::now_ms());
        (void)shard.settle(t);
    }
}

}  // namespace kahu::tm
