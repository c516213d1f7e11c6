// core/modules/tm/match.h -- which transaction a request belongs to (RFC 3261 17.2.3, 9.2).
//
// LIVES  Views into the message.
// LOCKS  find_*() look through one shard, which the caller holds.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/modules/tm/table.h"
#include "core/sip/message.h"

namespace kahu::tm {

struct RequestKey {
    sip::Method method = sip::Method::other;
    std::string_view method_name, branch, via_host, via, call_id, from_tag, to_tag, uri;
    uint16_t via_port = 0;
    uint32_t cseq = 0;
    uint64_t hash = 0;     // of Call-ID and CSeq number: the shard
    bool rfc3261 = false;  // its branch identifies it alone

    uint32_t shard() const { return shard_of(hash); }
};
// False: it lacks what identifies a request.
bool read_key(const sip::Message& request, RequestKey& out);
uint64_t hash_of_call(std::string_view call_id, uint32_t cseq);

// The request itself, received before: a retransmission.
Transaction* find_same(const Locked& shard, const RequestKey& key);
// For an ACK to a negative reply, or a CANCEL: the INVITE (CANCEL: any request) it belongs to.
Transaction* find_target(const Locked& shard, const RequestKey& key);
// For an ACK to a 2xx: the INVITE of the same call that was answered here.
Transaction* find_answered(const Locked& shard, const RequestKey& key);

// For an ACK to a 2xx: the INVITE of the same call that was answered with 2xx, here or elsewhere.
Transaction* find_accepted(const Locked& shard, const RequestKey& key);

// The keyed hash of what decides about a request's way (RFC 5393 4.2.1).
uint64_t proof_of(const sip::Message& request, const RequestKey& key);
// One of its Vias carries that proof: it was here, unchanged.
bool loops(const sip::Message& request, uint64_t proof);

}  // namespace kahu::tm
