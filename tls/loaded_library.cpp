#include "tls/loaded_library.h"

#include <link.h>
#include <unistd.h>

#include <algorithm>

namespace kahu::tls {
namespace {

struct Search {
    std::string_view name;
    AddressRange code;
    std::vector<AddressRange> writable, read_only_later;
};

int look_at(dl_phdr_info* info, size_t, void* data) {
    auto& search = *static_cast<Search*>(data);
    std::string_view path = info->dlpi_name ? info->dlpi_name : "";
    path.remove_prefix(path.find_last_of('/') + 1);
    if (!path.starts_with(search.name)) return 0;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto& part = info->dlpi_phdr[i];
        const uintptr_t begin = info->dlpi_addr + part.p_vaddr;
        const AddressRange range{begin, begin + part.p_memsz};
        if (part.p_type == PT_GNU_RELRO) search.read_only_later.push_back(range);
        if (part.p_type != PT_LOAD) continue;
        if (part.p_flags & PF_X) search.code = range;
        if (part.p_flags & PF_W) search.writable.push_back(range);
    }
    return 1;
}

Search look_for(std::string_view name) {
    Search search{name, {}, {}, {}};
    dl_iterate_phdr(look_at, &search);
    return search;
}

}  // namespace

AddressRange code_of(std::string_view name) { return look_for(name).code; }

std::vector<AddressRange> variables_of(std::string_view name) {
    const Search search = look_for(name);
    const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    std::vector<AddressRange> variables;
    for (AddressRange range : search.writable) {
        for (const AddressRange& hidden : search.read_only_later) {
            const uintptr_t protected_end = hidden.end & ~(page - 1);  // the dynamic linker protects whole pages
            if (range.contains(hidden.begin) || hidden.contains(range.begin))
                range.begin = std::max(range.begin, protected_end);
        }
        range.begin = (range.begin + 7) & ~uintptr_t{7};
        range.end &= ~uintptr_t{7};
        if (range.begin < range.end) variables.push_back(range);
    }
    return variables;
}

}  // namespace kahu::tls
