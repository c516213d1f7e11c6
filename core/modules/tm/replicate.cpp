#include "core/modules/tm/replicate.h"

#include <string>

#include "core/base/hash.h"
#include "core/modules/tm/match.h"
#include "core/modules/tm/originate.h"
#include "core/modules/tm/table.h"
#include "core/script/outgoing.h"

namespace kahu::tm {
namespace {

// The request as the script left it, but for where it goes.
void save_with_next_hop(script::Run& run, std::string_view uri, std::string& saved) {
    static script::Run copy;
    run.save(saved);
    copy.begin(run.message(), run.inbound(), kRequestRoute);
    copy.restore(saved);
    copy.set_destination_uri(uri);
    saved.clear();
    copy.save(saved);
}

const Transaction* find_replica(const Locked& shard, uint64_t proof) {
    for (const Transaction* t = shard.first(); t != nullptr; t = t->next)
        if (t->replica && t->proof == proof) return t;
    return nullptr;
}

}  // namespace

bool replicate(script::Run& run, std::string_view uri) {
    RequestKey key;
    sip::Uri parsed;
    const sip::Uri* const hop =
        uri.empty() ? script::next_hop(run, parsed) : script::next_hop(run.request_uri(), uri, parsed);
    if (hop == nullptr || !read_key(run.message(), key) || key.method == sip::Method::ack) return false;
    // The same for each copy of the request that comes in, and for each server it goes to.
    const uint64_t parts[] = {proof_of(run.message(), key), hash_text(key.branch), hash_text(uri)};
    const uint64_t proof = hash_bytes(parts, sizeof parts);

    std::string saved;
    if (uri.empty()) run.save(saved);
    else save_with_next_hop(run, uri, saved);
    Locked shard(key.shard());
    if (find_replica(shard, proof) != nullptr) return true;
    Transaction* t = make_local(run.message(), run.inbound());
    if (t == nullptr) return false;
    t->replica = t->released = true;
    t->proof = proof;
    if (!replace_block(t->context, saved)) {
        destroy(t);
        return false;
    }
    shard.insert(t);
    (void)shard.settle(t);
    return true;
}

}  // namespace kahu::tm
