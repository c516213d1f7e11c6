#include "tls/context.h"

#include <fmt/format.h>

#include <atomic>
#include <cstring>
#include <map>

#include "mem/contract.h"
#include "mem/slot.h"
#include "tls/domain_file.h"
#include "tls/private_key.h"
#include "tls/shared_openssl.h"

namespace kahu::tls {
namespace {

struct Entry {
    ContentHash hash;               // written before the context is published
    std::atomic<SSL_CTX*> context;  // null: free
};
struct Row {
    Entry entries[kMaxProfiles];
};
constexpr std::string_view kPartName = "tls.contexts";

// What this process knows of the generation it looked at last; index as in Generation::profiles.
struct View {
    uint64_t number = 0;
    std::vector<SSL_CTX*> by_profile;
};
View g_view;

Row* own_row() {
    auto* rows = static_cast<Row*>(mem::part(kPartName));
    const int slot = mem::current_slot();
    return rows != nullptr && slot >= 0 ? &rows[slot] : nullptr;
}

void drop(Entry& entry) {
    if (SSL_CTX* context = entry.context.exchange(nullptr)) SSL_CTX_free(context);
}

// Keeps the contexts of profiles that are unchanged, frees the others.
void follow(const Generation& generation) {
    if (generation.number == g_view.number) return;
    Row* row = own_row();
    REQUIRE(row != nullptr);
    std::map<ContentHash, SSL_CTX*> kept;
    for (const Profile& profile : generation.profiles) kept.emplace(profile.hash, nullptr);
    for (Entry& entry : row->entries) {
        if (entry.context.load() == nullptr) continue;
        const auto wanted = kept.find(entry.hash);
        if (wanted == kept.end() || wanted->second != nullptr) drop(entry);
        else wanted->second = entry.context.load();
    }
    g_view.by_profile.clear();
    for (const Profile& profile : generation.profiles) g_view.by_profile.push_back(kept[profile.hash]);
    g_view.number = generation.number;
}

void keep(const ContentHash& hash, SSL_CTX* context) {
    for (Entry& entry : own_row()->entries) {
        if (entry.context.load() != nullptr) continue;
        entry.hash = hash;
        entry.context.store(context);
        return;
    }
    REQUIRE(!"more contexts than profiles");
}

}  // namespace

mem::Part context_part() { return {kPartName, sizeof(Row) * mem::kMaxSlots, nullptr}; }

SSL_CTX* context_for(const Wanted& wanted, std::string& why) {
    const CurrentGeneration generation;
    if (!generation) {
        why = "no TLS configuration is loaded";
        return nullptr;
    }
    follow(*generation);
    const int index = select_profile(generation->keys, wanted);
    if (index < 0) {
        why = wanted.side == Side::server ? fmt::format("no server profile for {}", wanted.local.text())
                                          : fmt::format("no client profile for {}", wanted.peer.text());
        return nullptr;
    }
    SSL_CTX*& known = g_view.by_profile[static_cast<size_t>(index)];
    if (known != nullptr) return known;
    const Profile& profile = generation->profiles[static_cast<size_t>(index)];
    auto built = build_context(profile);
    if (!built) {
        why = built.error().text();
        return nullptr;
    }
    keep(profile.hash, *built);
    return known = *built;
}

void tidy_contexts() {
    if (g_view.number == 0 || g_view.number == current_generation_number()) return;
    const CurrentGeneration generation;
    if (generation) follow(*generation);
}

void adopt_contexts() {
    g_view = {};
    Row* row = own_row();
    if (row == nullptr) return;
    for (Entry& entry : row->entries) {
        // In private mode the pointer is one of the predecessor's memory.
        SSL_CTX* context = entry.context.exchange(nullptr);
        if (context == nullptr || !openssl_is_shared() || !mem::segment_contains(context)) continue;
        leave_keys_to_the_dead(context);
        SSL_CTX_free(context);
    }
}

void drop_contexts() {
    g_view = {};
    Row* row = own_row();
    if (row == nullptr) return;
    for (Entry& entry : row->entries) drop(entry);
}

int contexts_kept() {
    Row* row = own_row();
    int count = 0;
    if (row != nullptr)
        for (Entry& entry : row->entries) count += entry.context.load() != nullptr ? 1 : 0;
    return count;
}

}  // namespace kahu::tls
