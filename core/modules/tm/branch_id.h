// core/modules/tm/branch_id.h -- the branch parameter of our Vias: names transaction and branch, proves it is ours,
// and shows loops.
//
//     z9hG4bK0a3f.5d1c9e02.0.7be8a1f09c3d5e64
//            shard label   n proof
//
// WHY    A reply finds its transaction without a search.  `proof` is a keyed hash of what decides about the way of the
//        request (RFC 5393 4.2.1): nobody who has not seen the request can guess it, and a request that comes back
//        with the same proof in one of its Vias is in a loop.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/modules/tm/transaction.h"

namespace kahu::tm {

inline constexpr size_t kBranchBytes = 7 + 4 + 1 + 8 + 1 + 1 + 1 + 16;
inline constexpr size_t kProofBytes = 16;

struct BranchId {
    Id id;
    int number = 0;
    uint64_t proof = 0;
};
std::string_view write_branch_id(const BranchId& id, char (&into)[kBranchBytes]);
// False: not one of ours.
bool parse_branch_id(std::string_view text, BranchId& out);
std::string_view write_hex(uint64_t number, size_t digits, char* into);

}  // namespace kahu::tm
