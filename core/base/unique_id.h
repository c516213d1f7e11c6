// core/base/unique_id.h -- names of records that no other record has, in this start or a later one.
//
// WHY    Kamailio's tools and scripts show such a name for each contact and call ("ruid").
// LIVES  Start time, process and a count within it: no state is shared.
#pragma once
#include <cstddef>
#include <string_view>

namespace kahu {

inline constexpr size_t kUniqueIdBytes = 48;
// "PREFIX-5f0a1c2b-1c2-7".  `into` has kUniqueIdBytes.  REQUIRES: prefix of at most 8 bytes.
std::string_view make_unique_id(std::string_view prefix, char* into);

}  // namespace kahu
