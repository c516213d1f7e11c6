// In a file of its own: inlined beside its callers, GCC takes new and free() for a mismatch.
#include "test/unit/script/allocation_count.h"

#include <cstdlib>
#include <new>

namespace {
size_t g_allocations = 0;
}

void* operator new(size_t bytes) {
    ++g_allocations;
    if (void* p = std::malloc(bytes)) return p;
    throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace kahu::script::test {
size_t allocations() { return g_allocations; }
}  // namespace kahu::script::test
