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

bool in_free_list(const Span& span, const Block* block) noexcept {
    uint32_t left = span.limit / span.block_bytes;
    for (const Block* b = span.free; b && left > 0; b = b->next, --left) {
        if (b == block) return true;
        if (!plausible_block(span, b)) return false;
    }
    return false;
}

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

// collect: if the block still is first in `fetched`, nothing had happened yet.
bool settle_collect(SlotHeap& heap, int slot) noexcept {
    const Span* const span = announced_span(heap.journal, slot);
    if (!span) return false;
    if (heap.fetched[span->size_class] == heap.journal.block) return true;
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
    case HeapStep::none:
    case HeapStep::give_remote:  // whether it was pushed nobody can tell: at worst it is lost, and stays counted
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
        if (!heap.fetched[size_class]) continue;
        uint64_t left = uint64_t{heap_geometry.spans} * (kSpanBytes / kClassBytes[0]);
        const Block* block = heap.remote[size_class].load(std::memory_order_acquire);
        for (; block && block != heap.fetched[size_class]; block = block->next) {
            if (!span_of(block) || !aligned(block) || left-- == 0) return false;
        }
        if (block) heap.fetched[size_class] = nullptr;
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
