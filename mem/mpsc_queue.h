// mem/mpsc_queue.h -- lock-free queue in the segment, many producers, one consumer, kill-safe on both sides.
//
// WHY    Anyone may queue a message for a connection; its owner sends it.  Either may be killed at any
//        instruction: nothing that was pushed is lost, and at most one node is handled a second time (when
//        the consumer died between the effect and the `done` mark).
// LIVES  Nodes come from make<T>(tag) and are destroy()ed by consume().  One process consumes; after its death
//        (and recover_slot()) its successor calls consume() once without waiting for a ring.
// LOCKS  None.  Bounds (count, bytes) are the caller's: a call costs time in proportion to what is queued.
// FAILS  Never.
//
// Newest first: head -> n3 -> n2 -> n1 -> null.  The consumer does not take the list off before it has handled
// it.  It works from the oldest on, marks each node done, notes in `retired_` which part is done, cuts that part
// off, and frees it.
#pragma once
#include <atomic>
#include <cstddef>
#include <type_traits>

#include "mem/failure.h"
#include "mem/heap.h"

namespace kahu::mem {

struct QueueNode {
    std::atomic<QueueNode*> next{nullptr};   // older; written by the producer, cut by the consumer
    std::atomic<QueueNode*> newer{nullptr};  // consumer only; made anew from `next` at each call
    std::atomic<bool> done{false};           // consumer only: its effect has happened
};

// The part that does not depend on the type of the node.  All zero = empty.
class QueueCore {
  public:
    bool push(QueueNode* node) noexcept;
    bool empty() const noexcept { return head_.load(std::memory_order_acquire) == nullptr; }

    // Consumer only.
    QueueNode* oldest() noexcept;                      // sets all `newer`; nullptr: empty
    void retire(QueueNode* newest_of_batch) noexcept;  // it and all older are done: cuts them off
    void finish_interrupted_retire() noexcept;         // what a killed predecessor was about to do
    QueueNode* next_retired() noexcept;                // takes one to be freed; nullptr: none left

  private:
    void cut(QueueNode* newest_of_batch) noexcept;
    std::atomic<QueueNode*> head_{nullptr};
    std::atomic<QueueNode*> retired_{nullptr};
};

template <class T>
class MpscQueue {
    static_assert(std::is_base_of_v<QueueNode, T>, "nodes derive from QueueNode");

  public:
    explicit MpscQueue(Tag tag) noexcept : tag_(tag) {}
    MpscQueue(const MpscQueue&) = delete;
    MpscQueue& operator=(const MpscQueue&) = delete;

    // True if the queue was empty: ring the consumer's eventfd.  The node is the consumer's from now on.
    bool push(T* node) noexcept { return core_.push(node); }

    bool empty() const noexcept { return core_.empty(); }

    // Hands nodes to `handle(T&)`, oldest first, at most `at_most`, and destroys them.  `handle` returns void, or
    // bool: false = not now, keep this one and all newer.  Returns how many were handled.
    // If the queue is not empty afterwards, call again without waiting for a ring: whoever pushes onto a
    // queue that is not empty does not ring.
    template <class F>
    size_t consume(F&& handle, size_t at_most) {
        core_.finish_interrupted_retire();
        free_retired();
        size_t handled = 0;
        QueueNode* last = nullptr;
        for (QueueNode* node = core_.oldest(); node && handled < at_most;) {
            if (!node->done.load(std::memory_order_relaxed)) {
                if (!call(handle, static_cast<T&>(*node))) break;
                injection_point(Point::queue);
                node->done.store(true, std::memory_order_release);
                injection_point(Point::queue);
            }
            ++handled;
            last = node;
            node = node->newer.load(std::memory_order_relaxed);
        }
        if (last) core_.retire(last);
        free_retired();
        return handled;
    }

  private:
    template <class F>
    static bool call(F& handle, T& node) {
        if constexpr (std::is_same_v<decltype(handle(node)), bool>) {
            return handle(node);
        } else {
            handle(node);
            return true;
        }
    }
    void free_retired() noexcept {
        while (QueueNode* node = core_.next_retired()) destroy(static_cast<T*>(node), tag_);
    }
    QueueCore core_;
    Tag tag_;
};

}  // namespace kahu::mem
