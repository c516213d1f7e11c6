#include "core/script/addresses.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <bit>
#include <cstring>

#include "core/base/text.h"

namespace kahu::script {
namespace {

const void* address_bytes(const SocketAddress& address) {
    if (address.is_v6()) return &reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr;
    return &reinterpret_cast<const sockaddr_in*>(address.raw())->sin_addr;
}

// The length of a netmask such as 255.255.0.0; none if its ones are not in front.
std::optional<unsigned> mask_length(const SocketAddress& mask) {
    uint32_t bits;
    std::memcpy(&bits, address_bytes(mask), sizeof bits);
    bits = ntohl(bits);
    const auto length = static_cast<unsigned>(std::countl_one(bits));
    if (length < 32 && bits << length != 0) return std::nullopt;
    return length;
}

char* put_octet(unsigned octet, char* to) {
    if (octet >= 100) *to++ = static_cast<char>('0' + octet / 100);
    if (octet >= 10) *to++ = static_cast<char>('0' + octet / 10 % 10);
    *to++ = static_cast<char>('0' + octet % 10);
    return to;
}

}  // namespace

// Each message asks for it, and inet_ntop() is a sprintf() for IPv4.
std::string_view ip_text(const SocketAddress& address, char* into) {
    if (!address.empty() && !address.is_v6()) {
        const auto* const octets = static_cast<const unsigned char*>(address_bytes(address));
        char* end = into;
        for (int i = 0; i < 4; ++i) {
            if (i != 0) *end++ = '.';
            end = put_octet(octets[i], end);
        }
        *end = '\0';
        return {into, static_cast<size_t>(end - into)};
    }
    if (address.empty() || ::inet_ntop(address.family(), address_bytes(address), into, kIpTextBytes) == nullptr)
        return {};
    return into;
}

std::optional<Network> Network::parse(std::string_view text) {
    const size_t slash = text.find('/');
    const auto base = SocketAddress::parse_ip(text::trim(text.substr(0, slash)));
    if (!base) return std::nullopt;
    Network out;
    out.v6_ = base->is_v6();
    const unsigned most = out.v6_ ? 128 : 32;
    out.bits_ = most;
    if (slash != text.npos) {
        const std::string_view mask = text::trim(text.substr(slash + 1));
        if (const auto length = text::to_int(mask)) {
            if (*length < 0 || *length > most) return std::nullopt;
            out.bits_ = static_cast<unsigned>(*length);
        } else {
            const auto dotted = SocketAddress::parse_ip(mask);
            if (!dotted || dotted->is_v6() || out.v6_) return std::nullopt;
            const auto mask_bits = mask_length(*dotted);
            if (!mask_bits) return std::nullopt;
            out.bits_ = *mask_bits;
        }
    }
    std::memcpy(out.bytes_.data(), address_bytes(*base), most / 8);
    return out;
}

bool Network::contains(const SocketAddress& address) const {
    const SocketAddress plain = v6_ ? address : address.unmapped();
    if (plain.empty() || plain.is_v6() != v6_) return false;
    const auto* bytes = static_cast<const unsigned char*>(address_bytes(plain));
    const unsigned whole = bits_ / 8, rest = bits_ % 8;
    if (std::memcmp(bytes, bytes_.data(), whole) != 0) return false;
    if (rest == 0) return true;
    const auto mask = static_cast<unsigned char>(0xff << (8 - rest));
    return ((bytes[whole] ^ bytes_[whole]) & mask) == 0;
}

std::vector<Network> networks_of_host(const std::string& name) {
    std::vector<Network> found;
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* list = nullptr;
    if (::getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return found;
    char text[kIpTextBytes];
    for (const addrinfo* at = list; at != nullptr; at = at->ai_next)
        if (const auto network = Network::parse(ip_text(SocketAddress::from(at->ai_addr), text)))
            found.push_back(*network);
    ::freeaddrinfo(list);
    return found;
}

}  // namespace kahu::script
