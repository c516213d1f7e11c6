#include "tls/domain_select.h"

#include "core/base/text.h"

namespace kahu::tls {
namespace {

std::string_view without_final_dot(std::string_view name) {
    if (name.size() > 1 && name.back() == '.') name.remove_suffix(1);
    return name;
}

bool covers(const SocketAddress& profile, const SocketAddress& actual) {
    return !actual.empty() && profile.same_ip(actual) && (profile.port() == 0 || profile.port() == actual.port());
}

bool address_matches(const ProfileKey& key, const Wanted& wanted) {
    if (key.scope != Scope::address) return key.scope == Scope::any;
    if (wanted.side == Side::client && covers(key.address, wanted.peer.unmapped())) return true;
    return covers(key.address, wanted.local.unmapped());
}

bool same_name(std::string_view a, std::string_view b) {
    return text::iequals(without_final_dot(a), without_final_dot(b));
}

// Larger is better, 0 does not fit; the order of the header's list.
int rank(const ProfileKey& key, const Wanted& wanted, bool has_fallback) {
    if (key.side != wanted.side) return 0;
    if (!wanted.server_id.empty() && text::iequals(key.server_id, wanted.server_id)) return 100;
    if (key.scope == Scope::fallback) return 10;
    if (!address_matches(key, wanted)) return 0;
    const int own_address = key.scope == Scope::address ? 1 : 0;
    if (key.server_name.empty()) return 40 + own_address;
    if (!wanted.server_name.empty()) {
        // A client profile's server_name is what is sent to that very address, whatever the peer is called here.
        if (wanted.side == Side::client && own_address) return 70;
        if (key.server_name_mode != ServerNameMode::subdomains && same_name(key.server_name, wanted.server_name))
            return 60 + own_address;
        if (server_name_matches(key.server_name, key.server_name_mode, wanted.server_name)) return 50 + own_address;
    } else if (own_address) {
        return 20;
    }
    return has_fallback ? 0 : 1 + own_address;
}

}  // namespace

bool server_name_matches(std::string_view pattern, ServerNameMode mode, std::string_view sni) {
    pattern = without_final_dot(pattern);
    sni = without_final_dot(sni);
    if (pattern.empty() || sni.empty()) return false;
    if (mode != ServerNameMode::subdomains && text::iequals(pattern, sni)) return true;
    if (mode == ServerNameMode::exact || sni.size() < pattern.size() + 2) return false;
    const size_t at = sni.size() - pattern.size();
    return sni[at - 1] == '.' && text::iequals(sni.substr(at), pattern);
}

int select_profile(std::span<const ProfileKey> profiles, const Wanted& wanted) {
    bool has_fallback = false;
    for (const ProfileKey& key : profiles) has_fallback |= key.side == wanted.side && key.scope == Scope::fallback;
    int best = -1, best_rank = 0;
    for (size_t i = 0; i < profiles.size(); ++i) {
        const int r = rank(profiles[i], wanted, has_fallback);
        if (r == 0 || r < best_rank) continue;
        best = static_cast<int>(i);
        best_rank = r;
    }
    return best;
}

}  // namespace kahu::tls
