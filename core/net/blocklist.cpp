#include "core/net/blocklist.h"

#include <algorithm>
#include <vector>

#include "core/base/log.h"
#include "core/net/resolver.h"
#include "mem/contract.h"
#include "mem/guarded.h"

namespace kahu::net {

BlocklistSettings blocklist_settings;

namespace {

constexpr size_t kSets = 256, kWays = 8;
constexpr uint8_t kAnyTransport = 255;

struct Entry {
    SocketAddress address;
    uint8_t transport;
    uint8_t reasons;
    clock::Millis expires;  // 0: empty

    bool alive(clock::Millis now) const { return expires > now; }
    bool holds(uint8_t which, const SocketAddress& to) const { return transport == which && address == to; }
};
struct Set {
    Entry entry[kWays];
    bool repair() {
        for (Entry& e : entry) e.expires = 0;
        return true;
    }
};
using Sets = mem::Guarded<Set>;
Sets* g_sets = nullptr;

Sets& set_of(const SocketAddress& address) { return g_sets[(address.hash_ip() + address.port()) % kSets]; }
uint8_t number_of(std::optional<Transport> transport) {
    return transport ? static_cast<uint8_t>(*transport) : kAnyTransport;
}

bool is_blocked(Transport transport, const SocketAddress& address) {
    auto set = set_of(address).lock();
    const clock::Millis now = clock::now_ms();
    return std::any_of(std::begin(set->entry), std::end(set->entry), [&](const Entry& e) {
        return e.alive(now) && (e.holds(number_of(transport), address) || e.holds(kAnyTransport, address));
    });
}

using enum ParamKind;
constexpr Applies kRuntime = Applies::at_runtime;
// clang-format off
const Param kParams[] = {
    {.name = "use_dst_blocklist", .kind = boolean, .number = &blocklist_settings.use,
     .help = "Leaves out destinations that could not be reached lately, when a request is sent to what DNS says.", .applies = kRuntime},
    {.name = "dst_blocklist_expire", .number = &blocklist_settings.expire, .min = 1, .max = 86400, .unit = "seconds",
     .help = "For how long a destination is left out.", .applies = kRuntime},
    {.name = "dst_blocklist_ttl", .number = &blocklist_settings.expire, .min = 1, .max = 86400, .unit = "seconds",
     .help = "The same as dst_blocklist_expire.", .applies = kRuntime},
    {.name = "dst_blocklist_udp_imask", .number = &blocklist_settings.ignore[0], .min = 0, .max = 255,
     .help = "Reasons that do not count for UDP: 2 sending, 4 connecting, 16 no answer, added together.", .applies = kRuntime},
    {.name = "dst_blocklist_tcp_imask", .number = &blocklist_settings.ignore[1], .min = 0, .max = 255,
     .help = "Reasons that do not count for TCP.", .applies = kRuntime},
    {.name = "dst_blocklist_tls_imask", .number = &blocklist_settings.ignore[2], .min = 0, .max = 255,
     .help = "Reasons that do not count for TLS.", .applies = kRuntime},
};
// clang-format on

}  // namespace

std::span<const Param> blocklist_params() { return kParams; }

size_t blocklist_bytes() { return sizeof(Sets) * kSets; }
void construct_blocklist(void* at, size_t bytes) {
    REQUIRE(bytes >= blocklist_bytes());
    g_sets = static_cast<Sets*>(at);  // zero memory: unlocked and empty
}

void note_failed_destination(Transport transport, const SocketAddress& address, BlockReason why) {
    if (blocklist_settings.use == 0 || (blocklist_settings.ignore[static_cast<int>(transport)] & why) != 0) return;
    static log::RateLimit limit(2);
    if (limit.allow())
        LOG(info, "destination.blocked", kv("address", address.text()), kv("transport", name_of(transport)),
            kv("reason", int{why}), kv("suppressed", limit.suppressed()));
    add_blocked({address, transport, why, clock::now_ms() + blocklist_settings.expire * 1000});
}

bool leave_out_blocked(Destinations& found) {
    if (blocklist_settings.use == 0 || g_sets == nullptr || found.count == 0) return true;
    const auto end = std::remove_if(found.at.begin(), found.at.begin() + static_cast<std::ptrdiff_t>(found.count),
                                    [](const Destination& to) { return is_blocked(to.transport, to.address); });
    found.count = static_cast<size_t>(end - found.at.begin());
    return found.count > 0;
}

void for_each_blocked(const std::function<void(const Blocked&)>& see) {
    for (size_t i = 0; g_sets != nullptr && i < kSets; ++i) {
        std::vector<Blocked> seen;
        {
            auto set = g_sets[i].lock();
            for (const Entry& e : set->entry)
                if (e.alive(clock::now_ms()))
                    seen.push_back({e.address,
                                    e.transport == kAnyTransport
                                        ? std::nullopt
                                        : std::optional<Transport>(static_cast<Transport>(e.transport)),
                                    e.reasons, e.expires});
        }
        for (const Blocked& one : seen) see(one);
    }
}

bool add_blocked(const Blocked& wanted) {
    if (g_sets == nullptr) return false;
    const uint8_t transport = number_of(wanted.transport);
    auto set = set_of(wanted.address).lock();
    const auto worth = [](const Entry& e) {
        return (e.reasons & kBlockPermanent) != 0 && e.expires != 0 ? INT64_MAX : e.expires;
    };
    Entry* place = std::min_element(std::begin(set->entry), std::end(set->entry),
                                    [&](const Entry& a, const Entry& b) { return worth(a) < worth(b); });
    for (Entry& e : set->entry)
        if (e.expires != 0 && e.holds(transport, wanted.address)) place = &e;
    const bool same = place->expires != 0 && place->holds(transport, wanted.address);
    if (!same && worth(*place) == INT64_MAX) return false;
    if (same && worth(*place) == INT64_MAX && (wanted.reasons & kBlockPermanent) == 0) return true;
    const bool permanent = (wanted.reasons & kBlockPermanent) != 0;
    *place = {wanted.address, transport,
              static_cast<uint8_t>(wanted.reasons | (wanted.address.is_v6() ? kBlockIpv6 : 0)),
              permanent ? INT64_MAX : wanted.expires};
    return true;
}

void clear_blocked() {
    for (size_t i = 0; g_sets != nullptr && i < kSets; ++i) {
        auto set = g_sets[i].lock();
        for (Entry& e : set->entry)
            if ((e.reasons & kBlockPermanent) == 0) e.expires = 0;
    }
}

size_t blocked_entry_bytes() { return sizeof(Entry); }

}  // namespace kahu::net
