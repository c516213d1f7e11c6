// mem/tag.h -- what a block is used for: the accounts of the heap.  One row per use.
#pragma once
#include <cstdint>
#include <iterator>
#include <string_view>

namespace kahu::mem {

enum class Tag : uint8_t {
    openssl,
    connection,
    outbound,
    message,
    transaction,
    contact,
    config,
    rpc,
    script,
    other,
    count_
};

inline constexpr int kTags = static_cast<int>(Tag::count_);

inline constexpr std::string_view kTagNames[] = {"openssl", "connection", "outbound", "message", "transaction",
                                                 "contact", "config",     "rpc",      "script",  "other"};
static_assert(std::size(kTagNames) == kTags, "one name per Tag, in enum order");

inline constexpr std::string_view tag_name(Tag tag) { return kTagNames[static_cast<int>(tag)]; }

}  // namespace kahu::mem
