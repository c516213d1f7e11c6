// mem/heap.h -- malloc for the segment: any process allocates, any process frees, any process may be
// killed at any instruction.
//
// WHY    A heap per slot, made of 64 KiB spans of one size class each.  The owner allocates and frees
//        without an atomic read-modify-write; others push onto the owner's lock-free remote lists.
// LIVES  Blocks outlive the process that made them.  A dead process's heap is made sane by recover_slot()
//        and used on by its successor; at most one block is lost per death, and it is still counted.
// LOCKS  None anywhere: there is no lock whose holder could die.
// FAILS  nullptr when the heap is exhausted or a FailAllocation fires.  REQUIREs an attached slot, and that
//        a pointer handed back came from here.
#pragma once
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "mem/heap_stats.h"
#include "mem/tag.h"

namespace kahu::mem {

// 16-byte aligned.  Size 0 gives a block of 16 bytes.  Up to 32 KiB from a size class, else whole spans.
[[nodiscard]] void* allocate(size_t bytes, Tag tag) noexcept;

// Null is ignored.  `tag` must be the one it was allocated with, or the accounts go wrong (not the heap).
void deallocate(void* block, Tag tag) noexcept;

// As realloc(): stays in place within the size class; on nullptr the old block is untouched.
// reallocate(p, 0) frees and returns nullptr.
[[nodiscard]] void* reallocate(void* block, size_t bytes, Tag tag) noexcept;

// What may be used of the block: its size rounded up to its class.
size_t usable_size(const void* block) noexcept;

// Takes back what others have freed for this slot and returns empty spans.  allocate() does that by itself
// where it runs short; an idle process should call this now and then (once a second is plenty).
void tidy_heap() noexcept;

template <class T, class... Args>
[[nodiscard]] T* make(Tag tag, Args&&... args) {
    static_assert(alignof(T) <= 16, "blocks are aligned to 16 bytes");
    void* at = allocate(sizeof(T), tag);
    return at ? ::new (at) T(std::forward<Args>(args)...) : nullptr;
}

template <class T>
void destroy(T* object, Tag tag) noexcept {
    if (!object) return;
    object->~T();
    deallocate(object, tag);
}

}  // namespace kahu::mem
