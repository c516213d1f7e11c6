// mem/hazard.h -- one hazard pointer per slot: read a published object without a lock while somebody else may
// replace it.
//
// WHY    Reader:    Config* c = protect(published);  ... use c, take a reference ...  clear_hazard();
//        Publisher: old = published.exchange(fresh);  wait until !anyone_protects(old);  free old.
// LIVES  One object at a time per process.  A dead process's hazard is cleared by recover_slot().
// FAILS  REQUIREs an attached slot.
#pragma once
#include <atomic>

namespace kahu::mem {

namespace detail {
std::atomic<const void*>& own_hazard() noexcept;
}

// Null is returned as it is.
template <class T>
T* protect(const std::atomic<T*>& source) noexcept {
    std::atomic<const void*>& hazard = detail::own_hazard();
    T* seen = source.load(std::memory_order_acquire);
    for (;;) {
        hazard.store(seen, std::memory_order_seq_cst);  // must be visible before the second look
        T* again = source.load(std::memory_order_seq_cst);
        if (again == seen) return seen;
        seen = again;
    }
}

void clear_hazard() noexcept;
bool anyone_protects(const void* object) noexcept;

}  // namespace kahu::mem
