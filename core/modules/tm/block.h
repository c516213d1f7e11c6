// core/modules/tm/block.h -- a piece of text in the segment: a request, a reply, a URI.
//
// WHY    Replacing one is a single store of a pointer, so a process killed in between leaves the old or the new one.
// LIVES  mem::Tag::transaction, one allocation each: size, then bytes.
// FAILS  make_block() returns nullptr when the segment is full.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "mem/heap.h"

namespace kahu::tm {

struct Block {
    uint32_t bytes;
    char* data() { return reinterpret_cast<char*>(this + 1); }
    std::string_view text() const { return {reinterpret_cast<const char*>(this + 1), bytes}; }
};
inline std::string_view text_of(const Block* block) { return block == nullptr ? std::string_view() : block->text(); }

inline Block* make_block(std::string_view text) {
    auto* block = static_cast<Block*>(mem::allocate(sizeof(Block) + text.size(), mem::Tag::transaction));
    if (block == nullptr) return nullptr;
    block->bytes = static_cast<uint32_t>(text.size());
    std::memcpy(block->data(), text.data(), text.size());
    return block;
}
inline void drop_block(Block*& block) { mem::deallocate(std::exchange(block, nullptr), mem::Tag::transaction); }
// False: out of memory, the old text stays.
inline bool replace_block(Block*& block, std::string_view text) {
    Block* fresh = make_block(text);
    if (fresh == nullptr) return false;
    mem::deallocate(std::exchange(block, fresh), mem::Tag::transaction);
    return true;
}

}  // namespace kahu::tm
