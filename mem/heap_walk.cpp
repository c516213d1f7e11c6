// mem/heap_walk.cpp -- walk_heap(): believes nothing that is in the segment before it has checked it.
#include <unistd.h>

#include <algorithm>
#include <bitset>
#include <vector>

#include "mem/heap_repair.h"
#include "mem/heap_stats.h"
#include "mem/slot_record.h"

namespace kahu::mem {
namespace {

using namespace detail;

constexpr size_t kMostBlocks = kSpanBytes / kClassBytes[0];
using Pending = std::vector<uintptr_t>;  // blocks on remote and fetched lists, sorted

class Walk {
  public:
    explicit Walk(Others others) : running_(others == Others::running) {}

    WalkResult run() {
        if (!slot_records) {
            result_.reason = "there is no segment";
            return std::move(result_);
        }
        linked_.assign(heap_geometry.spans, false);
        result_.valid = (running_ || (collect_pending() && check_lists())) && check_spans();
        return std::move(result_);
    }

  private:
    bool bad(uint32_t span, const char* what) {
        result_.reason = "span " + std::to_string(span) + ": " + what;
        return false;
    }
    bool bad_list(int slot, int size_class, const char* what) {
        result_.reason = "slot " + std::to_string(slot) + ", blocks of " + std::to_string(kClassBytes[size_class]) +
                         " bytes: " + what;
        return false;
    }

    static uint8_t mark_of(uint32_t index) { return heap_geometry.map[index].load(std::memory_order_acquire); }

    bool follow_pending(int slot, int size_class, const Block* block) {
        for (; block; block = block->next) {
            const Span* const span = span_of(block);
            if (!span || mark_of(span_index(span)) != small_mark(slot) || !plausible_small_span(*span, slot) ||
                span->size_class != size_class || !plausible_block(*span, block)) {
                return bad_list(slot, size_class, "a block freed by others is none of this slot's blocks");
            }
            if (pending_.size() > kMostBlocks * heap_geometry.spans) {
                return bad_list(slot, size_class, "the list of blocks freed by others does not end");
            }
            pending_.push_back(reinterpret_cast<uintptr_t>(block));
        }
        return true;
    }

    bool collect_pending() {
        for (int slot = 0; slot < kMaxSlots; ++slot) {
            const SlotHeap& heap = slot_records[slot].heap;
            for (int c = 0; c < kSizeClasses; ++c) {
                if (!follow_pending(slot, c, heap.fetched[c].load(std::memory_order_acquire))) return false;
                if (!follow_pending(slot, c, heap.remote[c].load(std::memory_order_acquire))) return false;
            }
        }
        std::sort(pending_.begin(), pending_.end());
        if (std::adjacent_find(pending_.begin(), pending_.end()) != pending_.end()) {
            result_.reason = "a block was freed twice by others";
            return false;
        }
        result_.pending = pending_.size();
        return true;
    }

    // The lists of spans with free blocks: in range, of the right slot and class, no span twice.
    bool check_lists() {
        for (int slot = 0; slot < kMaxSlots; ++slot) {
            for (int c = 0; c < kSizeClasses; ++c) {
                const Span* previous = nullptr;
                for (const Span* span = slot_records[slot].heap.current[c]; span; span = span->next) {
                    if (!check_link(slot, c, span, previous)) return false;
                    previous = span;
                }
            }
        }
        return true;
    }

    bool check_link(int slot, int size_class, const Span* span, const Span* previous) {
        const uintptr_t offset = reinterpret_cast<uintptr_t>(span) - reinterpret_cast<uintptr_t>(heap_geometry.span);
        if (offset % sizeof(Span) != 0 || offset / sizeof(Span) >= heap_geometry.spans) {
            return bad_list(slot, size_class, "the list of spans leaves the heap");
        }
        const auto index = static_cast<uint32_t>(offset / sizeof(Span));
        if (linked_[index]) return bad(index, "listed twice");
        linked_[index] = true;
        if (mark_of(index) != small_mark(slot) || span->size_class != size_class || !span->listed) {
            return bad(index, "listed where it does not belong");
        }
        return span->prev == previous || bad(index, "its backward link is wrong");
    }

    // Its owner is in the midst of an operation: it waits for a processor, or it was killed there and is not recovered
    // yet.
    static bool owner_is_busy(uint32_t index) {
        const uint8_t mark = mark_of(index);
        if (!is_small_mark(mark) && !is_large_mark(mark)) return false;
        const int slot = mark - (is_small_mark(mark) ? small_mark(0) : large_mark(0));
        return slot_records[slot].heap.journal.step.load(std::memory_order_acquire) != HeapStep::none;
    }

    bool check_spans() {
        // An owner that works on the span is seen between two stores now and then, but not again and again.
        constexpr int kQuickLooks = 20, kLooks = 200, kLooksAtBusy = 5000;
        for (uint32_t i = 0, length = 1; i < heap_geometry.spans; i += length) {
            for (int look = 1; !check_span(i, length); ++look) {
                if (!running_ || look >= kLooksAtBusy || (look >= kLooks && !owner_is_busy(i))) return false;
                result_.reason.clear();
                if (look > kQuickLooks) usleep(1000);
            }
        }
        return true;
    }

    bool check_span(uint32_t index, uint32_t& length) {
        const uint8_t mark = mark_of(index);
        length = 1;
        if (is_free_mark(mark)) return true;
        if (!is_small_mark(mark) && !is_large_mark(mark)) return bad(index, "its owner is no slot");
        if (is_small_mark(mark) ? !check_small(index, mark - 1) : !check_large(index, mark, length)) return false;
        result_.spans += length;
        return true;
    }

    bool check_large(uint32_t index, uint8_t mark, uint32_t& length) {
        const Span& span = heap_geometry.span[index];
        length = span.run;
        if (span.size_class != kLargeClass) return bad(index, "no large block begins here");
        if (length == 0 || length > heap_geometry.spans - index) return bad(index, "length of its run");
        for (uint32_t i = index; i < index + length; ++i) {
            if (mark_of(i) != mark) return bad(i, "in the middle of a large block, but not of its owner");
        }
        result_.used += length * kSpanBytes;
        ++result_.large_blocks;
        ++result_.blocks;
        return true;
    }

    bool check_small(uint32_t index, int slot) {
        const Span span = heap_geometry.span[index];  // a copy: the owner may change it meanwhile
        in_this_order();
        if (!plausible_small_span(span, slot)) return bad(index, "its header contradicts itself");
        const bool has_space = span.free || span.fresh < span.limit;
        if (!running_ && span.listed != linked_[index]) return bad(index, "listed in its header only");
        if (!running_ && !span.listed && has_space) return bad(index, "has free blocks, but no list");

        const uintptr_t begin = span_begin(&heap_geometry.span[index]);
        std::bitset<kMostBlocks> seen;
        uint32_t free = 0, pending = 0;
        for (const Block* block = span.free; block; block = block->next, ++free) {
            const uintptr_t offset = reinterpret_cast<uintptr_t>(block) - begin;
            if (offset >= span.fresh || offset % span.block_bytes != 0) {
                return bad(index, "its free list leaves the span");
            }
            if (seen[offset / span.block_bytes]) return bad(index, "a block is in its free list twice");
            seen[offset / span.block_bytes] = true;
        }
        auto from = std::lower_bound(pending_.begin(), pending_.end(), begin);
        for (; from != pending_.end() && *from < begin + kSpanBytes; ++from, ++pending) {
            if (seen[(*from - begin) / span.block_bytes]) {
                return bad(index, "a block is free twice, once by its owner and once by others");
            }
        }
        if (span.used != span.fresh / span.block_bytes - free) return bad(index, "its count of used blocks is wrong");
        const size_t blocks = span.used - pending;
        result_.blocks += blocks;
        result_.used += blocks * span.block_bytes;
        result_.blocks_by_class[span.size_class] += blocks;
        return true;
    }

    const bool running_;
    WalkResult result_;
    Pending pending_;
    std::vector<bool> linked_;
};

}  // namespace

WalkResult walk_heap(Others others) { return Walk(others).run(); }

}  // namespace kahu::mem
