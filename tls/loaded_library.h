// tls/loaded_library.h -- where libcrypto and libssl lie in this process's address space.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kahu::tls {

struct AddressRange {
    uintptr_t begin = 0, end = 0;
    bool contains(uintptr_t at) const { return at >= begin && at < end; }
};

// Executable code of the shared object whose file name begins with `name` ("libcrypto.so").  Empty: not loaded as one.
AddressRange code_of(std::string_view name);
// Its variables: writable segments without what the linker made read-only after relocation.
std::vector<AddressRange> variables_of(std::string_view name);

}  // namespace kahu::tls
