#include "core/modules/tm/match.h"

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/modules/tm/branch_id.h"

namespace kahu::tm {
namespace {

bool is_rfc3261(std::string_view branch) { return branch.size() > 7 && branch.substr(0, 7) == "z9hG4bK"; }

// 17.2.3: branch and sent-by; the method is the caller's matter.
bool same_branch(const Transaction& t, const RequestKey& key) {
    return t.piece(t.via_branch) == key.branch && t.via_port == key.via_port &&
           text::iequals(t.piece(t.via_host), key.via_host);
}

// RFC 2543 peers: everything that identifies a request, but for CSeq's method and To-tag.
bool same_old_style(const Transaction& t, const RequestKey& key) {
    return t.cseq == key.cseq && t.piece(t.call_id) == key.call_id && t.piece(t.from_tag) == key.from_tag &&
           t.piece(t.uri) == key.uri && t.piece(t.via) == key.via;
}

bool same_transaction(const Transaction& t, const RequestKey& key) {
    if (key.rfc3261 != is_rfc3261(t.piece(t.via_branch))) return false;
    return key.rfc3261 ? same_branch(t, key) : same_old_style(t, key);
}

bool has_method(const Transaction& t, const RequestKey& key) {
    if (t.method != key.method) return false;
    return key.method != sip::Method::other || text_of(t.request).starts_with(key.method_name);
}

template <class F>
Transaction* first_that(const Locked& shard, F&& fits) {
    for (Transaction* t = shard.first(); t != nullptr; t = t->next)
        if (!t->local && fits(*t)) return t;
    return nullptr;
}

}  // namespace

uint64_t hash_of_call(std::string_view call_id, uint32_t cseq) {
    const uint64_t parts[] = {hash_text(call_id), cseq};
    return hash_bytes(parts, sizeof parts);
}

bool read_key(const sip::Message& request, RequestKey& out) {
    const sip::Via* const via = request.top_via();
    const sip::CSeq* const cseq = request.cseq();
    const sip::NameAddr* const from = request.from();
    const sip::NameAddr* const to = request.to();
    if (via == nullptr || cseq == nullptr || from == nullptr || to == nullptr || request.call_id().empty())
        return false;
    out.method = request.method();
    out.method_name = request.method_name();
    out.branch = via->branch;
    out.via_host = via->host;
    out.via_port = via->port;
    out.via = via->text;
    out.call_id = request.call_id();
    out.from_tag = from->tag;
    out.to_tag = to->tag;
    out.uri = request.request_uri();
    out.cseq = cseq->number;
    out.rfc3261 = via->has_rfc3261_branch();
    out.hash = hash_of_call(out.call_id, out.cseq);
    return true;
}

Transaction* find_same(const Locked& shard, const RequestKey& key) {
    return first_that(shard, [&](const Transaction& t) {
        return has_method(t, key) && same_transaction(t, key) && (key.rfc3261 || t.piece(t.to_tag) == key.to_tag);
    });
}

Transaction* find_target(const Locked& shard, const RequestKey& key) {
    return first_that(shard, [&](const Transaction& t) {
        const bool fits = key.method == sip::Method::ack ? t.is_invite() : t.method != sip::Method::cancel;
        if (!fits || !same_transaction(t, key)) return false;
        // 17.2.3: an old-style ACK carries the To-tag of the reply that it acknowledges.
        return key.rfc3261 || key.method != sip::Method::ack || text_of(t.reply_tag).empty() ||
               text_of(t.reply_tag) == key.to_tag;
    });
}

namespace {
bool is_accepted(const Transaction& t, const RequestKey& ack) {
    return t.is_invite() && t.status >= 200 && t.status < 300 && t.cseq == ack.cseq &&
           t.piece(t.call_id) == ack.call_id && t.piece(t.from_tag) == ack.from_tag;
}
}  // namespace

Transaction* find_answered(const Locked& shard, const RequestKey& key) {
    return first_that(shard,
                      [&](const Transaction& t) { return is_accepted(t, key) && text_of(t.reply_tag) == key.to_tag; });
}
Transaction* find_accepted(const Locked& shard, const RequestKey& key) {
    return first_that(shard, [&](const Transaction& t) { return is_accepted(t, key); });
}

uint64_t proof_of(const sip::Message& request, const RequestKey& key) {
    using sip::HeaderId;
    uint64_t parts[] = {key.hash, hash_text(key.from_tag), hash_text(key.to_tag), hash_text(key.uri), 0};
    for (const HeaderId id : {HeaderId::route, HeaderId::proxy_require, HeaderId::proxy_authorization})
        for (const sip::HeaderField* field = request.first(id); field != nullptr; field = request.next(field))
            parts[4] = parts[4] * 31 + hash_text(field->value);
    return hash_bytes(parts, sizeof parts);
}

bool loops(const sip::Message& request, uint64_t proof) {
    char digits[kProofBytes];
    const std::string_view wanted = write_hex(proof, kProofBytes, digits);
    for (const sip::HeaderField* field = request.first(sip::HeaderId::via); field != nullptr;
         field = request.next(field))
        if (field->value.find(wanted) != field->value.npos) return true;
    return false;
}

}  // namespace kahu::tm
