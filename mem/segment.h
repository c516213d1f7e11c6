// mem/segment.h -- the one shared mapping, at the same address in every process.
//
// WHY    Two phases: every part says how big it is, the segment is mapped once, then every part is
//        constructed.  Nothing is added later, so no process can be left without a mapping.
// LIVES  Made once by the supervisor before the first fork; children inherit it.  Left out of core dumps
//        (MADV_DONTDUMP): private keys live in it.  Pages are taken from the kernel when first touched.
// FAILS  create_segment() returns false and says why and what to do; nothing is left behind.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kahu::mem {

struct Part {
    std::string_view name;                      // unique; shown by statistics; must outlive the segment
    size_t bytes;                               // fixed for the life of the segment
    void (*construct)(void* at, size_t bytes);  // may be null; memory is zero, 64-byte aligned
};

// Maps header, slots, parts and heap, and constructs the parts in order.  construct() may use the heap if
// a slot is attached.  REQUIREs that there is no segment yet.
[[nodiscard]] bool create_segment(size_t heap_bytes, std::span<const Part> parts, std::string& why);

// Unmaps it in this process.  For tests, and before a fresh segment is made after damage.
void destroy_segment() noexcept;

namespace detail {
inline constinit uintptr_t segment_begin = 0, segment_end = 0;
}

// Two compares; false when there is no segment.
inline bool segment_contains(const void* p) noexcept {
    const auto at = reinterpret_cast<uintptr_t>(p);
    return at >= detail::segment_begin && at < detail::segment_end;
}

// Where a part lies, or nullptr if there is no part of that name.
void* part(std::string_view name) noexcept;

struct PartInfo {
    std::string_view name;
    const void* at;
    size_t bytes;
};

struct SegmentInfo {
    const void* base = nullptr;  // null: no segment
    size_t bytes = 0;            // of the whole mapping
    size_t heap_bytes = 0;       // of the heap's spans
    std::vector<PartInfo> parts;
};
SegmentInfo segment_info();

}  // namespace kahu::mem
