// mem/heap_repair.cpp -- see heap_repair.h.
#include "mem/heap_repair.h"

#include "mem/heap_journal.h"
#include "mem/slot_record.h"
#include "mem/span_pool.h"

namespace kahu::mem::detail {
namespace {

// The journal's span of small blocks, if what it says can be true.
Span* announced_span(const HeapJournal& journal, int slot) noexcept {
    Span* const span = span_of(journal.block);
    if (!span || heap_geometry.map[span_index(span)].load() != small_mark(slot)) return nullptr;
    return plausible_small_span(*span, slot) ? span : nullptr;
}

bool aligned(const Block* block) noexcept { return reinterpret_cast<uintptr_t>(block) % kClassBytes[0] == 0; }

bool recount(Span& span) noexcept {
    const int64_t free = count_free(span);
    if (free < 0) return false;
    span.used = span.fresh / span.block_bytes - static_cast<uint32_t>(free);
    return true;
}

// take is undone, give and collect are completed: in all three the block ends in the span's free list.  A block
// that is still fresh needs nothing.
bool free_announced_block(HeapJournal& journal, int slot) noexcept {
    Span* const span = announced_span(journal, slot);
    if (!span) return false;
    if (count_free(*span) < 0) return false;
    if (plausible_block(*span, journal.block) && !in_free_list(*span, journal.block)) {
        journal.block->next = span->free;
        in_this_order();
        span->free = journal.block;
    }
    return recount(*span);
}

bool is_slot_heap(const SlotHeap* heap) noexcept {
    for (int slot = 0; slot < kMaxSlots; ++slot) {
        if (heap == &slot_records[slot].heap) return true;
    }
    return false;
}

enum class Found : uint8_t { yes, no, unclear };

// Looks for `wanted` in a list that its owner may be taking apart: every pointer is checked, every walk ends.
Found search(const Block* list, const Block* wanted) noexcept {
    uint64_t left = uint64_t{heap_geometry.spans} * (kSpanBytes / kClassBytes[0]);
    for (const Block* block = list; block; block = block->next) {
        if (block == wanted) return Found::yes;
        if (!span_of(block) || !aligned(block) || left-- == 0) return Found::unclear;
    }
    return Found::no;
}

// Whether the block that the dead process was giving back reached its owner.  The owner clears `pushed_by` when
// it takes it; until then it is on `remote`, or after that on `fetched`, which the owner may shorten under our
// eyes: then look again.  Undecided after many looks it counts as not pushed: lost, but never given twice.
bool reached_owner(const Block* block, int slot) noexcept {
    constexpr int kLooks = 1000;
    const Span* const span = span_of(block);
    if (!span || !aligned(block)) return false;
    const auto still_ours = [&] { return block->pushed_by.load(std::memory_order_acquire) == pusher(slot); };
    for (int look = 0; look < kLooks; ++look) {
        const SlotHeap* const owner = span->heap;
        const uint8_t size_class = span->size_class;
        if (!still_ours()) return true;  // taken back; its span may be something else by now
        if (size_class >= kSizeClasses || !is_slot_heap(owner)) return false;
        if (search(owner->remote[size_class].load(std::memory_order_acquire), block) == Found::yes) return true;
        const std::atomic<Block*>& fetched = owner->fetched[size_class];
        const Block* const from = fetched.load(std::memory_order_acquire);
        const Found found = search(from, block);
        if (found == Found::yes) return true;
        const bool undisturbed = fetched.load(std::memory_order_acquire) == from;
        if (found == Found::no && undisturbed && still_ours()) return false;
    }
    return false;
}

// collect: if the block still is first in `fetched`, nothing had happened yet.
bool settle_collect(SlotHeap& heap, int slot) noexcept {
    const Span* const span = announced_span(heap.journal, slot);
    if (!span) return false;
    if (heap.fetched[span->size_class].load() == heap.journal.block) return true;
    return free_announced_block(heap.journal, slot);
}

bool plausible_run(const HeapJournal& journal) noexcept {
    return journal.first < heap_geometry.spans && journal.count <= heap_geometry.spans - journal.first;
}

void set_account(SlotHeap& heap, int64_t change_bytes, int64_t change_blocks) noexcept {
    Account& account = heap.accounts[heap.journal.tag];
    account.bytes.store(heap.journal.bytes_before + change_bytes, std::memory_order_relaxed);
    account.blocks.store(heap.journal.blocks_before + change_blocks, std::memory_order_relaxed);
}

bool settle_run(SlotHeap& heap, HeapStep step) noexcept {
    HeapJournal& journal = heap.journal;
    if (!plausible_run(journal)) return false;
    const int64_t bytes = static_cast<int64_t>(journal.count * kSpanBytes);
    if (step == HeapStep::take_over) {
        for (uint32_t i = 0; i < journal.count; ++i) heap_geometry.map[journal.first + i].store(journal.mark);
        enter(heap, HeapStep::release_large);
    }
    if (step == HeapStep::claim_large) set_account(heap, 0, 0);
    if (step == HeapStep::take_over || step == HeapStep::release_large) set_account(heap, -bytes, -1);
    release_marked(journal.first, journal.count, journal.mark);
    return true;
}

bool settle(SlotHeap& heap, int slot, HeapStep step) noexcept {
    const Span* const span = span_of(heap.journal.block);
    if (heap.journal.tag >= kTags) return false;
    switch (step) {
    case HeapStep::none: return true;
    case HeapStep::give_remote:
        if (reached_owner(heap.journal.block, slot)) set_account(heap, -int64_t{heap.journal.count}, -1);
        return true;
    case HeapStep::take: set_account(heap, 0, 0); return free_announced_block(heap.journal, slot);
    case HeapStep::give:
        if (span) set_account(heap, -int64_t{span->block_bytes}, -1);
        return free_announced_block(heap.journal, slot);
    case HeapStep::gave_remote: set_account(heap, -int64_t{heap.journal.count}, -1); return true;
    case HeapStep::collect: return settle_collect(heap, slot);
    case HeapStep::claim:
    case HeapStep::claim_large:
    case HeapStep::release:
    case HeapStep::take_over:
    case HeapStep::release_large: return settle_run(heap, step);
    }
    return false;
}

// fetched[] was noted but not taken off yet if it is still part of the remote list.  Others only prepend.
bool settle_fetched(SlotHeap& heap) noexcept {
    for (int size_class = 0; size_class < kSizeClasses; ++size_class) {
        std::atomic<Block*>& fetched = heap.fetched[size_class];
        if (!fetched.load(std::memory_order_relaxed)) continue;
        const Found found = search(heap.remote[size_class].load(std::memory_order_acquire), fetched.load());
        if (found == Found::unclear) return false;
        if (found == Found::yes) fetched.store(nullptr, std::memory_order_relaxed);
    }
    return true;
}

bool relink_spans(int slot, SlotHeap& heap) noexcept {
    bool sane = true;
    for (Span*& head : heap.current) head = nullptr;
    for (uint32_t i = 0; i < heap_geometry.spans; ++i) {
        if (heap_geometry.map[i].load(std::memory_order_relaxed) != small_mark(slot)) continue;
        Span& span = heap_geometry.span[i];
        span.listed = false;
        if (!plausible_small_span(span, slot)) {
            sane = false;
            continue;
        }
        if (span.free || span.fresh < span.limit) list_span(heap, span);
    }
    return sane;
}

}  // namespace

bool plausible_small_span(const Span& span, int slot) noexcept {
    if (span.size_class >= kSizeClasses || span.heap != &slot_records[slot].heap) return false;
    const uint32_t bytes = kClassBytes[span.size_class];
    return span.block_bytes == bytes && span.limit == kSpanBytes / bytes * bytes && span.fresh <= span.limit &&
           span.fresh % bytes == 0 && span.used <= span.fresh / bytes;
}

bool plausible_block(const Span& span, const Block* block) noexcept {
    const uintptr_t offset = reinterpret_cast<uintptr_t>(block) - span_begin(&span);
    return offset < span.fresh && offset % span.block_bytes == 0;
}

bool in_free_list(const Span& span, const Block* block) noexcept {
    uint32_t left = span.limit / span.block_bytes;
    for (const Block* b = span.free; b && left > 0; b = b->next, --left) {
        if (b == block) return true;
        if (!plausible_block(span, b)) return false;
    }
    return false;
}

int64_t count_free(const Span& span) noexcept {
    const int64_t most = span.fresh / span.block_bytes;
    int64_t count = 0;
    for (const Block* block = span.free; block; block = block->next) {
        if (!plausible_block(span, block) || ++count > most) return -1;
    }
    return count;
}

bool repair_heap(int slot, SlotHeap& heap, bool& settled) noexcept {
    const HeapStep step = heap.journal.step.load(std::memory_order_acquire);
    settled = step != HeapStep::none;
    bool sane = settle(heap, slot, step);
    enter(heap, HeapStep::none);
    sane &= settle_fetched(heap);
    sane &= relink_spans(slot, heap);
    if (settled) recount_pool();
    return sane;
}

}  // namespace kahu::mem::detail
