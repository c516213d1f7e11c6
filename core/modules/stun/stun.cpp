#include "core/modules/stun/stun.h"

#include <cstring>

namespace kahu::stun {
namespace {

constexpr uint16_t kBindingRequest = 0x0001, kBindingResponse = 0x0101, kBindingError = 0x0111;
constexpr uint16_t kMappedAddress = 0x0001, kErrorCode = 0x0009, kUnknownAttributes = 0x000a,
                   kXorMappedAddress = 0x0020;
constexpr uint16_t kFirstOptional = 0x8000;  // attributes from here on may be ignored
constexpr std::string_view kMagic = "\x21\x12\xa4\x42";
constexpr std::string_view kUnknown = "Unknown Attribute";
constexpr size_t kMostUnknown = 16;

uint16_t number_at(std::string_view bytes, size_t at) {
    return static_cast<uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                 static_cast<unsigned char>(bytes[at + 1]));
}
void put(uint16_t number, std::string& out) {
    out += static_cast<char>(number >> 8);
    out += static_cast<char>(number & 255);
}
void begin_attribute(uint16_t type, size_t bytes, std::string& out) {
    put(type, out);
    put(static_cast<uint16_t>(bytes), out);
}

// Family, port and address; `mask` is the magic cookie and the transaction, or empty.
void put_address(uint16_t type, const SocketAddress& address, std::string_view mask, std::string& out) {
    const bool v6 = address.is_v6();
    const size_t bytes = v6 ? 16 : 4;
    begin_attribute(type, 4 + bytes, out);
    put(v6 ? 2 : 1, out);
    put(static_cast<uint16_t>(address.port() ^ (mask.empty() ? 0 : number_at(mask, 0))), out);
    const size_t at = out.size();
    if (v6)
        out.append(reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr),
                   bytes);
    else
        out.append(reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in*>(address.raw())->sin_addr),
                   bytes);
    for (size_t i = 0; i < bytes && !mask.empty(); ++i) out[at + i] = static_cast<char>(out[at + i] ^ mask[i]);
}

// The attributes that must be understood: none of a Binding request without credentials.  False: not well-formed.
bool read_attributes(std::string_view attributes, std::string& unknown) {
    while (!attributes.empty()) {
        if (attributes.size() < 4) return false;
        const uint16_t type = number_at(attributes, 0);
        const size_t padded = 4 + (size_t{number_at(attributes, 2)} + 3) / 4 * 4;
        if (padded > attributes.size()) return false;
        if (type < kFirstOptional && unknown.size() < 2 * kMostUnknown) put(type, unknown);
        attributes.remove_prefix(padded);
    }
    return true;
}

void put_error(std::string_view unknown, std::string& out) {
    begin_attribute(kErrorCode, 4 + kUnknown.size(), out);
    out.append(std::string_view("\0\0\4\24", 4)).append(kUnknown);  // class 4, number 20
    out.append((4 - kUnknown.size() % 4) % 4, '\0');
    begin_attribute(kUnknownAttributes, unknown.size(), out);
    out.append(unknown).append((4 - unknown.size() % 4) % 4, '\0');
}

}  // namespace

bool answer(std::string_view request, const SocketAddress& from, std::string& out) {
    if (!looks_like_stun(request) || number_at(request, 0) != kBindingRequest) return false;
    if (number_at(request, 2) != request.size() - kHeaderBytes || request.size() % 4 != 0) return false;
    const bool modern = request.substr(4, kMagic.size()) == kMagic;
    std::string unknown;
    if (!read_attributes(request.substr(kHeaderBytes), unknown)) return false;
    // RFC 3489 had CHANGE-REQUEST and others that a keep-alive may carry; they are not asked for here.
    const bool refused = modern && !unknown.empty();
    out.clear();
    put(refused ? kBindingError : kBindingResponse, out);
    put(0, out);
    out.append(request.substr(4, 16));
    if (refused) put_error(unknown, out);
    else if (modern) put_address(kXorMappedAddress, from, request.substr(4, 16), out);
    else put_address(kMappedAddress, from, {}, out);
    const auto body = static_cast<uint16_t>(out.size() - kHeaderBytes);
    out[2] = static_cast<char>(body >> 8);
    out[3] = static_cast<char>(body & 255);
    return true;
}

}  // namespace kahu::stun
