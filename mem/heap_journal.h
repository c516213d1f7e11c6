// mem/heap_journal.h -- how a heap operation is announced and ended, and its accounts.  Inside mem only.
#pragma once
#include "mem/contract.h"
#include "mem/heap_layout.h"
#include "mem/lock_journal.h"

namespace kahu::mem::detail {

inline Account& account_of(SlotHeap& heap, Tag tag) noexcept {
    INVARIANT(tag < Tag::count_);
    return heap.accounts[static_cast<int>(tag)];
}

// Only the slot's process writes its accounts: no read-modify-write is needed.
inline void charge(SlotHeap& heap, Tag tag, int64_t bytes, int64_t blocks) noexcept {
    Account& account = account_of(heap, tag);
    account.bytes.store(account.bytes.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
    account.blocks.store(account.blocks.load(std::memory_order_relaxed) + blocks, std::memory_order_relaxed);
}

inline void enter(SlotHeap& heap, HeapStep step) noexcept {
    in_this_order();
    heap.journal.step.store(step, std::memory_order_relaxed);
    in_this_order();
}

inline void note_account(SlotHeap& heap, Tag tag) noexcept {
    const Account& account = account_of(heap, tag);
    heap.journal.tag = static_cast<uint8_t>(tag);
    heap.journal.bytes_before = account.bytes.load(std::memory_order_relaxed);
    heap.journal.blocks_before = account.blocks.load(std::memory_order_relaxed);
}

inline void announce(SlotHeap& heap, HeapStep step, Tag tag, Block* block) noexcept {
    heap.journal.block = block;
    note_account(heap, tag);
    enter(heap, step);
}

inline void finish(SlotHeap& heap) noexcept { enter(heap, HeapStep::none); }

// The slot's list of spans of a class that have free blocks.  Torn by a death, it is made anew.
inline void list_span(SlotHeap& heap, Span& span) noexcept {
    Span*& head = heap.current[span.size_class];
    span.prev = head;  // behind the head: the head is warm in the cache
    span.next = head ? head->next : nullptr;
    if (span.next) span.next->prev = &span;
    (head ? head->next : head) = &span;
    span.listed = true;
}

inline void unlist_span(SlotHeap& heap, Span& span) noexcept {
    if (span.next) span.next->prev = span.prev;
    (span.prev ? span.prev->next : heap.current[span.size_class]) = span.next;
    span.listed = false;
}

}  // namespace kahu::mem::detail
