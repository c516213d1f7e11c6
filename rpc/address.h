// rpc/address.h -- where RPC is spoken: "[proto:]name[:port]", as modparam("ctl", "binrpc", ...) and kahucmd -s write
// it.
//
//   unix:/run/x  unixs:/run/x  /run/x      unix stream socket (a name with a slash, or none of the forms below)
//   unixd:/run/x                           unix datagram socket
//   fifo:/run/x                            named pipe
//   tcp:host:port  tcp:[::1]:port          port 2049 if there is none
//   udp:host:port  host:port  host         (a bare host only where `bare_host`: kahucmd)
//
// Header only: the server and kahucmd share it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/text.h"

namespace kahu::rpc {

enum class AddressKind : uint8_t { unix_stream, unix_datagram, tcp, udp, fifo };
constexpr uint16_t kDefaultPort = 2049;

struct Address {
    AddressKind kind = AddressKind::unix_stream;
    std::string name;   // path, host name or IP address without brackets
    uint16_t port = 0;  // tcp, udp

    bool is_path() const { return kind != AddressKind::tcp && kind != AddressKind::udp; }
    std::string text() const;  // "unixs:/run/kahu/kahu_ctl", "tcp:[::1]:2049"
};

// As ctl.listen and ctl.who name it.
constexpr std::string_view listed_name(AddressKind kind) {
    constexpr std::string_view names[] = {"unix_stream", "unix_dgram", "tcp", "udp", "fifo"};
    return names[static_cast<int>(kind)];
}

namespace address_detail {
struct Prefix {
    std::string_view text;
    AddressKind kind;
};
constexpr Prefix kPrefixes[] = {
    {"unixs:", AddressKind::unix_stream}, {"unix:", AddressKind::unix_stream}, {"unixd:", AddressKind::unix_datagram},
    {"fifo:", AddressKind::fifo},         {"tcp:", AddressKind::tcp},          {"udp:", AddressKind::udp},
};

inline Error wrong(std::string_view given, std::string_view why) {
    return {Errc::invalid, "'" + text::printable(given) + "' is no RPC address: " + std::string(why),
            "expected [unixs:|unixd:|fifo:]path or tcp:host[:port] or udp:host[:port]"};
}

// host[:port], [v6]:port, or * for every address.
inline Result<Address> parse_host(std::string_view given, std::string_view rest, Address address) {
    std::string_view host = rest, port;
    if (!rest.empty() && rest.front() == '[') {
        const size_t close = rest.find(']');
        if (close == rest.npos) return wrong(given, "no ']'");
        host = rest.substr(1, close - 1);
        port = rest.substr(close + 1);
        if (!port.empty() && port.front() != ':') return wrong(given, "garbage after ']'");
        if (!port.empty()) port.remove_prefix(1);
    } else if (const size_t colon = rest.find(':'); colon != rest.npos) {
        if (rest.find(':', colon + 1) != rest.npos) return wrong(given, "an IPv6 address stands in brackets");
        host = rest.substr(0, colon);
        port = rest.substr(colon + 1);
    }
    if (host.empty()) return wrong(given, "no host");
    address.name = std::string(host);
    address.port = kDefaultPort;
    if (!port.empty()) {
        const auto number = text::to_int(port);
        if (!number || *number < 1 || *number > 65535) return wrong(given, "the port is no number from 1 to 65535");
        address.port = static_cast<uint16_t>(*number);
    }
    return address;
}
}  // namespace address_detail

inline Result<Address> parse_address(std::string_view given, bool bare_host = false) {
    using namespace address_detail;
    constexpr size_t kLongestPath = 107;  // sun_path
    std::string_view rest = given;
    Address address;
    bool prefixed = false;
    for (const Prefix& prefix : kPrefixes) {
        if (prefixed || rest.size() < prefix.text.size() ||
            !text::iequals(rest.substr(0, prefix.text.size()), prefix.text))
            continue;
        address.kind = prefix.kind;
        rest.remove_prefix(prefix.text.size());
        prefixed = true;
    }
    const bool looks_like_path = rest.find('/') != rest.npos;
    if (!prefixed && !looks_like_path && (rest.find(':') != rest.npos || bare_host)) address.kind = AddressKind::udp;
    if (rest.empty()) return wrong(given, "nothing after the protocol");
    if (rest.find('\0') != rest.npos) return wrong(given, "it has a NUL byte");
    if (!address.is_path()) return parse_host(given, rest, std::move(address));
    if (rest.size() > kLongestPath) return wrong(given, "a path of more than 107 bytes");
    address.name = std::string(rest);
    return address;
}

inline std::string Address::text() const {
    constexpr std::string_view names[] = {"unixs", "unixd", "tcp", "udp", "fifo"};
    std::string out(names[static_cast<int>(kind)]);
    out += ':';
    if (is_path()) return out + name;
    const bool v6 = name.find(':') != name.npos;
    return out + (v6 ? "[" + name + "]" : name) + ":" + std::to_string(port);
}

}  // namespace kahu::rpc
