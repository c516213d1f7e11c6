#include "tls/static_audit.h"

#include <pthread.h>

#include <cstring>
#include <vector>

#include "mem/segment.h"
#include "tls/loaded_library.h"

namespace kahu::tls {

IntSetting tls_audit{0};

namespace {

struct Snapshot {
    AddressRange range;
    std::vector<uintptr_t> words;
};
std::vector<Snapshot> g_snapshots;

}  // namespace

void take_audit_snapshot() {
    if (g_snapshots.empty())
        for (const std::string_view name : {"libcrypto.so", "libssl.so"})
            for (const AddressRange& range : variables_of(name))
                g_snapshots.push_back({range, std::vector<uintptr_t>((range.end - range.begin) / sizeof(uintptr_t))});
    for (Snapshot& shot : g_snapshots)
        std::memcpy(shot.words.data(), reinterpret_cast<const void*>(shot.range.begin),
                    shot.words.size() * sizeof(uintptr_t));
}

AuditResult audit_statics() {
    AuditResult result;
    for (const Snapshot& shot : g_snapshots) {
        const auto* now = reinterpret_cast<const uintptr_t*>(shot.range.begin);
        for (size_t i = 0; i < shot.words.size(); ++i) {
            ++result.compared;
            if (now[i] == shot.words[i]) continue;
            ++result.changed;
            if (mem::segment_contains(reinterpret_cast<const void*>(now[i]))) ++result.pointers;
        }
    }
    return result;
}

int thread_locals_in_segment() {
    int found = 0;
    for (pthread_key_t key = 0; key < 32; ++key)
        if (mem::segment_contains(pthread_getspecific(key))) ++found;
    return found;
}

}  // namespace kahu::tls
