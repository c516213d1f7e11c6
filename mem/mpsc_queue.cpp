// mem/mpsc_queue.cpp -- see mpsc_queue.h.
#include "mem/mpsc_queue.h"

namespace kahu::mem {

bool QueueCore::push(QueueNode* node) noexcept {
    injection_point(Point::queue);
    QueueNode* head = head_.load(std::memory_order_relaxed);
    do {
        node->next.store(head, std::memory_order_relaxed);
        injection_point(Point::queue);
    } while (!head_.compare_exchange_weak(head, node, std::memory_order_acq_rel, std::memory_order_relaxed));
    injection_point(Point::queue);
    return head == nullptr;
}

QueueNode* QueueCore::oldest() noexcept {
    QueueNode* newer = nullptr;
    for (QueueNode* node = head_.load(std::memory_order_acquire); node;) {
        node->newer.store(newer, std::memory_order_relaxed);
        newer = node;
        node = node->next.load(std::memory_order_relaxed);
    }
    return newer;
}

void QueueCore::retire(QueueNode* newest_of_batch) noexcept {
    injection_point(Point::queue);
    retired_.store(newest_of_batch, std::memory_order_release);
    injection_point(Point::queue);
    cut(newest_of_batch);
    injection_point(Point::queue);
}

// If it is the head the queue becomes empty, unless somebody pushes meanwhile: then, as for any other node, the
// link that leads to it is cleared.
void QueueCore::cut(QueueNode* newest_of_batch) noexcept {
    QueueNode* head = newest_of_batch;
    if (head_.compare_exchange_strong(head, nullptr, std::memory_order_acq_rel, std::memory_order_acquire)) return;
    for (QueueNode* node = head; node;) {
        QueueNode* const next = node->next.load(std::memory_order_relaxed);
        if (next == newest_of_batch) {
            node->next.store(nullptr, std::memory_order_release);
            return;
        }
        node = next;
    }
}

// A predecessor that was killed before it cut leaves the batch still reachable; after it, cut() finds nothing to do.
// The noted node has not been freed, so nothing else can have its address.
void QueueCore::finish_interrupted_retire() noexcept {
    if (QueueNode* batch = retired_.load(std::memory_order_acquire)) cut(batch);
}

QueueNode* QueueCore::next_retired() noexcept {
    QueueNode* const node = retired_.load(std::memory_order_relaxed);
    if (!node) return nullptr;
    retired_.store(node->next.load(std::memory_order_relaxed), std::memory_order_release);
    injection_point(Point::queue);
    return node;
}

}  // namespace kahu::mem
