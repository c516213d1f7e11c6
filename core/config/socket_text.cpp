#include "core/config/socket_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/address.h"
#include "core/base/text.h"

namespace kahu::config {
namespace {

constexpr std::string_view kTransports[] = {"udp", "tcp", "tls", "sctp", "ws", "wss"};
constexpr size_t kMaxHost = 255;

bool is_transport(std::string_view word) {
    return std::ranges::any_of(kTransports, [&](std::string_view t) { return text::iequals(t, word); });
}

Error shape() {
    return {Errc::invalid, "a socket is written [transport:]host[:port]",
            "udp:10.0.0.1:5060, tls:[::1]:5061, tcp:eth0"};
}

Status take_host(std::string_view text, std::string& host) {
    text = text::trim(text);
    if (text.size() > 1 && text.front() == '[' && text.back() == ']') {
        text = text.substr(1, text.size() - 2);
        const auto address = SocketAddress::parse_ip(text);
        if (!address || !address->is_v6())
            return Error{Errc::invalid, fmt::format("[{}] is no IPv6 address", text::printable(text, 60)), ""};
    }
    const auto address = SocketAddress::parse_ip(text);
    const bool named = std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == '_' || c == '*';
    });
    if (text.empty() || (!address && !named) || text.size() > kMaxHost)
        return Error{Errc::invalid, fmt::format("'{}' is no address, host or interface", text::printable(text, 60)),
                     shape().hint};
    host = text;
    return {};
}

Status take_hosts(std::string_view text, SocketText& out) {
    if (text.size() < 2 || text.front() != '(' || text.back() != ')') return take_host(text, out.host);
    const auto hosts = text::split(text.substr(1, text.size() - 2), ',');
    for (std::string_view host : hosts) {
        std::string one;
        if (Status taken = take_host(host, one); !taken) return taken;
        if (out.host.empty()) out.host = one;
        else out.more_hosts.push_back(one);
    }
    return {};
}

Status take_port(std::string_view text, int64_t& port) {
    const auto number = text::to_int(text);
    if (!number || *number < 1 || *number > 65535)
        return Error{Errc::invalid, fmt::format("'{}' is no port", text::printable(text, 40)),
                     "a port is a number from 1 to 65535"};
    port = *number;
    return {};
}

}  // namespace

Result<SocketText> parse_socket_text(std::string_view text) {
    SocketText out;
    std::string_view rest = text::trim(text);
    if (rest.empty()) return shape();
    if (SocketAddress::parse_ip(rest)) {  // "::1", "10.0.0.1": before ':' is taken for a separator
        if (Status taken = take_hosts(rest, out); !taken) return taken.error();
        return out;
    }
    const size_t first = rest.find(':');
    if (first != rest.npos && is_transport(rest.substr(0, first))) {
        out.transport = text::lowered(rest.substr(0, first));
        rest = rest.substr(first + 1);
    }
    const bool plain = !rest.empty() && !SocketAddress::parse_ip(rest);
    const size_t last = plain ? rest.rfind(':') : rest.npos;
    const size_t bracket = rest.rfind(']');
    if (last != rest.npos && (bracket == rest.npos || last > bracket)) {
        if (out.transport.empty() && first != last && rest.front() != '[') {
            const std::string_view word = rest.substr(0, first);
            const std::string_view meant =
                word.size() < 2 ? std::string_view() : text::nearest(text::lowered(word), kTransports);
            return Error{Errc::invalid, fmt::format("unknown transport '{}'", text::printable(word, 40)),
                         meant.empty() ? "udp, tcp or tls" : fmt::format("did you mean '{}'?", meant)};
        }
        if (Status taken = take_port(rest.substr(last + 1), out.port); !taken) return taken.error();
        rest = rest.substr(0, last);
    }
    if (Status taken = take_hosts(rest, out); !taken) return taken.error();
    return out;
}

}  // namespace kahu::config
