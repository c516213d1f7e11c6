// mem/segment.cpp -- see segment.h.
#include "mem/segment.h"

#include <string.h>
#include <sys/mman.h>

#include <cerrno>
#include <new>

#include "mem/contract.h"
#include "mem/slot_record.h"

namespace kahu::mem {
namespace {

constexpr size_t kMinSpans = 16;
constexpr size_t kLine = 64;

constexpr size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

// Offsets from the start of the mapping, in this order: slots, pool, span map, spans, parts, heap.
struct Layout {
    size_t slots, pool, map, spans, parts, heap, end;
    uint32_t span_count;
};

Layout plan(size_t heap_bytes, std::span<const Part> parts) {
    Layout plan{};
    plan.span_count = static_cast<uint32_t>(round_up(heap_bytes, kSpanBytes) / kSpanBytes);
    plan.pool = plan.slots + round_up(sizeof(detail::SlotRecord) * kMaxSlots, kLine);
    plan.map = plan.pool + round_up(sizeof(detail::SpanPool), kLine);
    plan.spans = plan.map + round_up(plan.span_count, kLine);
    plan.parts = plan.spans + sizeof(detail::Span) * plan.span_count;
    plan.heap = plan.parts;
    for (const Part& part : parts) plan.heap += round_up(part.bytes, kLine);
    plan.heap = round_up(plan.heap, kSpanBytes);
    plan.end = plan.heap + plan.span_count * kSpanBytes;
    return plan;
}

bool acceptable(size_t heap_bytes, std::span<const Part> parts, std::string& why) {
    constexpr size_t kMax = size_t{1} << 46;
    if (heap_bytes < kMinSpans * kSpanBytes || heap_bytes > kMax) {
        why = "shared memory of " + std::to_string(heap_bytes) + " bytes: at least 1 MB and at most 64 TB (option -m)";
        return false;
    }
    size_t total = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].bytes > kMax || (total += parts[i].bytes) > kMax) {
            why = "segment part " + std::string(parts[i].name) + " is too large";
            return false;
        }
        for (size_t k = 0; k < i; ++k) {
            if (parts[k].name != parts[i].name) continue;
            why = "segment part " + std::string(parts[i].name) + " is listed twice";
            return false;
        }
    }
    return true;
}

struct Mapping {
    std::byte* raw = nullptr;  // as mmap gave it
    size_t raw_bytes = 0;
    std::byte* base = nullptr;  // aligned to a span
    Layout layout{};
    std::vector<PartInfo> parts;
};
Mapping& mapping() {  // process-private, inherited by fork()
    static Mapping the_one;
    return the_one;
}

bool map_memory(Mapping& target, std::string& why) {
    target.raw_bytes = target.layout.end + kSpanBytes;
    void* at =
        mmap(nullptr, target.raw_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        why = "could not map " + std::to_string(target.raw_bytes >> 20) + " MB of shared memory: " + strerror(errno) +
              ". Lower -m, or see sysctl vm.overcommit_memory and ulimit -v";
        return false;
    }
    madvise(at, target.raw_bytes, MADV_DONTDUMP);  // refused by no kernel we run on; without it all else works
    target.raw = static_cast<std::byte*>(at);
    const auto address = reinterpret_cast<uintptr_t>(at);
    target.base = target.raw + (round_up(address, kSpanBytes) - address);
    return true;
}

// A sixteenth of the heap may stay in memory though free, between 4 and 64 MB.
uint32_t warm_limit(uint32_t spans) {
    const uint32_t share = spans / 16;
    return share < 64 ? 64 : share > 1024 ? 1024 : share;
}

void publish(const Mapping& from) noexcept {
    const Layout& layout = from.layout;
    detail::slot_records = reinterpret_cast<detail::SlotRecord*>(from.base + layout.slots);
    detail::HeapGeometry& heap = detail::heap_geometry;
    heap.begin = reinterpret_cast<uintptr_t>(from.base + layout.heap);
    heap.spans = layout.span_count;
    heap.warm_limit = warm_limit(layout.span_count);
    heap.span = reinterpret_cast<detail::Span*>(from.base + layout.spans);
    heap.map = reinterpret_cast<std::atomic<uint8_t>*>(from.base + layout.map);
    heap.pool = reinterpret_cast<detail::SpanPool*>(from.base + layout.pool);
    detail::segment_begin = reinterpret_cast<uintptr_t>(from.base);
    detail::segment_end = detail::segment_begin + layout.end;
    detail::refresh_own_record();
}

}  // namespace

// Slots, pool, map and spans need no construction: all of them start as zero, which is what the kernel gives.
bool create_segment(size_t heap_bytes, std::span<const Part> parts, std::string& why) {
    REQUIRE(detail::segment_begin == 0);
    if (!acceptable(heap_bytes, parts, why)) return false;
    Mapping fresh;
    fresh.layout = plan(heap_bytes, parts);
    if (!map_memory(fresh, why)) return false;
    std::byte* at = fresh.base + fresh.layout.parts;
    for (const Part& part : parts) {
        fresh.parts.push_back({part.name, at, part.bytes});
        at += round_up(part.bytes, kLine);
    }
    mapping() = std::move(fresh);
    publish(mapping());
    for (size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].construct) parts[i].construct(const_cast<void*>(mapping().parts[i].at), parts[i].bytes);
    }
    return true;
}

void destroy_segment() noexcept {
    if (detail::segment_begin == 0) return;
    munmap(mapping().raw, mapping().raw_bytes);
    mapping() = Mapping{};
    detail::slot_records = nullptr;
    detail::heap_geometry = {};
    detail::segment_begin = detail::segment_end = 0;
    detail::refresh_own_record();
}

void* part(std::string_view name) noexcept {
    for (const PartInfo& info : mapping().parts) {
        if (info.name == name) return const_cast<void*>(info.at);
    }
    return nullptr;
}

SegmentInfo segment_info() {
    const Mapping& now = mapping();
    if (!now.base) return {};
    return {now.base, now.layout.end, size_t{now.layout.span_count} * kSpanBytes, now.parts};
}

}  // namespace kahu::mem
