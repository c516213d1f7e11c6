// core/net/blocklist.h -- destinations that lately took nothing: left out for a while (use_dst_blocklist).
//
// WHY    A server that is down costs each request a timeout before the next one is tried.
// LIVES  A part of the segment: a table of fixed size; in a full set the one that expires first gives way.
// LOCKS  One robust lock per set of entries.  A set whose writer died is emptied.
// RULES  Only what RFC 3263 found is left out; connections that are open are used, replies go their way.  If all
//        destinations of a name are on the list it cannot be reached, as in Kamailio.
#pragma once
#include <functional>
#include <optional>
#include <span>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/module/descriptor.h"

namespace kahu::net {

struct Destinations;

// Why: bits, with the numbers that Kamailio shows and its dst_blocklist_*_imask take.
enum BlockReason : uint8_t {
    kBlockIpv6 = 1,  // no reason: the address has 16 octets
    kBlockSend = 2,
    kBlockConnect = 4,
    kBlockTimeout = 16,
    kBlockAdministrator = 64,
    kBlockPermanent = 128,
};

struct BlocklistSettings {
    IntSetting use{0};
    IntSetting expire{60};                                                 // seconds
    IntSetting ignore[3] = {IntSetting{0}, IntSetting{0}, IntSetting{0}};  // by Transport: reasons that do not count
};
extern BlocklistSettings blocklist_settings;
std::span<const Param> blocklist_params();

size_t blocklist_bytes();
void construct_blocklist(void* at, size_t bytes);

// Something failed there.  Nothing happens unless use_dst_blocklist is on and the reason counts.
void note_failed_destination(Transport transport, const SocketAddress& address, BlockReason why);
// Leaves out what is blocked; true if anything is left (or nothing was there).
bool leave_out_blocked(Destinations& found);

// --- what administrators see and do (dst_blocklist.*) ----------------------------------------------------
struct Blocked {
    SocketAddress address;
    std::optional<Transport> transport;  // nullopt: any
    uint8_t reasons = 0;
    clock::Millis expires = 0;
};
void for_each_blocked(const std::function<void(const Blocked&)>& see);
bool add_blocked(const Blocked& entry);  // false: there is no place but permanent ones
void clear_blocked();                    // but for permanent ones
size_t blocked_entry_bytes();

}  // namespace kahu::net
