// test/unit/script/allocation_count.h -- how often operator new was called in this test program.
#pragma once
#include <cstddef>

namespace kahu::script::test {
size_t allocations();
}
