#include "core/net/listener.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/net/reverse_lookup.h"
#include "core/net/settings.h"
#include "core/net/subdomains.h"

namespace kahu::net {
namespace {

std::vector<Listener> g_listeners;
std::vector<Alias> g_aliases, g_subdomain_aliases;

struct LocalAddress {
    std::string interface;
    bool loopback = false;
    SocketAddress address;
};

std::vector<LocalAddress> local_addresses() {
    std::vector<LocalAddress> found;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return found;
    for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
        if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_UP) == 0) continue;
        const SocketAddress address = SocketAddress::from(at->ifa_addr);
        if (address.empty()) continue;
        const auto* v6 = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr);
        if (address.is_v6() && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) continue;
        found.push_back({at->ifa_name, (at->ifa_flags & IFF_LOOPBACK) != 0, address});
    }
    ::freeifaddrs(list);
    return found;
}

// An address, an interface's name or a host name.
Result<std::vector<SocketAddress>> resolve(const ListenSpec& spec) {
    std::vector<SocketAddress> found;
    if (const auto ip = SocketAddress::parse_ip(spec.host)) return std::vector{*ip};
    for (const LocalAddress& local : local_addresses())
        if (local.interface == spec.host && (!local.address.is_v6() || settings.auto_bind_ipv6))
            found.push_back(local.address);
    if (!found.empty()) return found;
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* list = nullptr;
    if (const int code = ::getaddrinfo(spec.host.c_str(), nullptr, &hints, &list); code != 0)
        return Error{Errc::not_found,
                     spec.where + ": listen address '" + spec.host +
                         "' is no address, interface or host name: " + ::gai_strerror(code),
                     "use an IP address of this machine"};
    for (const addrinfo* at = list; at != nullptr; at = at->ai_next) found.push_back(SocketAddress::from(at->ai_addr));
    ::freeaddrinfo(list);
    return found;
}

void add_listener(const ListenSpec& spec, Transport transport, SocketAddress address) {
    const int64_t fallback = transport == Transport::tls ? settings.tls_port_no.get() : settings.port.get();
    address.set_port(spec.port != 0 ? spec.port : static_cast<uint16_t>(fallback));
    if (find_listener(transport, address) != nullptr) return;
    Listener listener;
    listener.index = static_cast<uint16_t>(g_listeners.size());
    listener.transport = transport;
    listener.address = address;
    const bool own = !spec.advertise_host.empty();
    listener.advertise_host = own ? spec.advertise_host : settings.advertised_address.get();
    listener.advertise_port = own ? spec.advertise_port : static_cast<uint16_t>(settings.advertised_port.get());
    listener.name = spec.name;
    listener.is_virtual = spec.is_virtual || settings.ip_free_bind != 0;
    listener.workers = spec.workers != 0 ? spec.workers : static_cast<int>(settings.children);
    listener.where = spec.where;
    g_listeners.push_back(std::move(listener));
}

std::vector<ListenSpec> all_local_addresses() {
    std::vector<ListenSpec> specs;
    for (const LocalAddress& local : local_addresses()) {
        if (local.address.is_v6() && !settings.auto_bind_ipv6) continue;
        ListenSpec spec;
        spec.any_transport = true;
        spec.host = local.address.ip();
        spec.where = "default (all local addresses)";
        specs.push_back(std::move(spec));
    }
    return specs;
}

Status set_option(const Listener& listener, int level, int name, int value, const char* what) {
    if (::setsockopt(listener.fd.get(), level, name, &value, sizeof value) == 0) return {};
    return errno_error(listener.where + ": could not set " + what + " on " + listener.text(), errno);
}

Status set_stream_options(const Listener& listener) {
    struct Option {
        int64_t wanted;
        int level, name;
        const char* what;
    };
    const bool keepalive = settings.tcp_keepalive != 0;
    const Option options[] = {
        {1, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR"},
        {settings.tcp_reuse_port, SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT"},
        {1, IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY"},  // inherited by what is accepted
        {settings.tcp_keepalive, SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE"},
        {keepalive ? settings.tcp_keepidle.get() : 0, IPPROTO_TCP, TCP_KEEPIDLE, "tcp_keepidle"},
        {keepalive ? settings.tcp_keepintvl.get() : 0, IPPROTO_TCP, TCP_KEEPINTVL, "tcp_keepintvl"},
        {keepalive ? settings.tcp_keepcnt.get() : 0, IPPROTO_TCP, TCP_KEEPCNT, "tcp_keepcnt"},
        {settings.tcp_linger2, IPPROTO_TCP, TCP_LINGER2, "tcp_linger2"},
        {settings.tcp_defer_accept, IPPROTO_TCP, TCP_DEFER_ACCEPT, "tcp_defer_accept"},
    };
    for (const Option& option : options)
        if (option.wanted != 0)
            if (Status set =
                    set_option(listener, option.level, option.name, static_cast<int>(option.wanted), option.what);
                !set)
                return set;
    return {};
}

int buffer_bytes(const Listener& listener, int which) {
    int bytes = 0;
    socklen_t size = sizeof bytes;
    return ::getsockopt(listener.fd.get(), SOL_SOCKET, which, &bytes, &size) == 0 ? bytes / 2 : 0;  // socket(7)
}

Status set_datagram_options(const Listener& listener) {
    struct Buffer {
        int64_t wanted;
        int which;
        const char* what;
        bool only_raised;
    };
    const Buffer buffers[] = {
        {settings.udp_receive_buffer, SO_RCVBUF, "udp_receive_buffer", false},
        {settings.maxbuffer, SO_RCVBUF, "maxbuffer", true},
        {settings.maxsndbuffer, SO_SNDBUF, "maxsndbuffer", true},
    };
    for (const Buffer& buffer : buffers) {
        if (buffer.wanted == 0 || (buffer.only_raised && buffer.wanted <= buffer_bytes(listener, buffer.which)))
            continue;
        if (Status set = set_option(listener, SOL_SOCKET, buffer.which, static_cast<int>(buffer.wanted), buffer.what);
            !set)
            return set;
    }
    const bool discover = settings.pmtu_discovery != 0;
    if (listener.address.is_v6())
        return set_option(listener, IPPROTO_IPV6, IPV6_MTU_DISCOVER, discover ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT,
                          "pmtu_discovery");
    return set_option(listener, IPPROTO_IP, IP_MTU_DISCOVER, discover ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT,
                      "pmtu_discovery");
}

Error bind_error(const Listener& listener, int number) {
    Error error = errno_error(listener.where + ": could not bind " + listener.text(), number);
    if (number == EADDRINUSE)
        error.hint =
            "is another instance running? See: ss -lntup 'sport = :" + std::to_string(listener.address.port()) + "'";
    if (number == EADDRNOTAVAIL)
        error.hint = "this machine does not have that address; add 'virtual' to listen for it all the same";
    if (number == EACCES) error.hint = "ports below 1024 need root or CAP_NET_BIND_SERVICE";
    return error;
}

Status open_listener(Listener& listener) {
    const bool stream = is_stream(listener.transport);
    listener.fd.reset(
        ::socket(listener.address.family(), (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!listener.fd) return errno_error("could not open a socket for " + listener.text(), errno);
    if (listener.address.is_v6())
        if (Status set = set_option(listener, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY"); !set) return set;
    if (listener.is_virtual)
        if (Status set = set_option(listener, IPPROTO_IP, IP_FREEBIND, 1, "IP_FREEBIND"); !set) return set;
    set_type_of_service(listener.fd.get(), listener.address.is_v6());
    if (Status set = stream ? set_stream_options(listener) : set_datagram_options(listener); !set) return set;
    if (::bind(listener.fd.get(), listener.address.raw(), listener.address.raw_size()) != 0)
        return bind_error(listener, errno);
    if (stream && ::listen(listener.fd.get(), static_cast<int>(settings.tcp_listen_backlog)) != 0)
        return bind_error(listener, errno);
    return {};
}

}  // namespace

void set_type_of_service(int fd, bool is_v6) {
    const int tos = static_cast<int>(settings.tos);
    if (is_v6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    else ::setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
}

std::span<Listener> listeners() { return g_listeners; }

const Listener* find_listener(Transport transport, const SocketAddress& address) {
    for (const Listener& listener : g_listeners)
        if (listener.transport == transport && listener.address == address) return &listener;
    return nullptr;
}

Status plan_listeners(std::span<const ListenSpec> specs, bool with_tcp, bool with_tls) {
    g_listeners.clear();
    std::vector<ListenSpec> defaults;
    if (specs.empty()) {
        defaults = all_local_addresses();
        specs = defaults;
    }
    for (const ListenSpec& spec : specs) {
        auto addresses = resolve(spec);
        if (!addresses) return std::move(addresses).error();
        for (const SocketAddress& address : *addresses) {
            for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
                const bool wanted = spec.any_transport ? transport != Transport::tls || spec.port == 0 ||
                                                             spec.port == settings.tls_port_no
                                                       : transport == spec.transport;
                const bool possible =
                    transport == Transport::udp || (with_tcp && (transport != Transport::tls || with_tls));
                if (wanted && possible) add_listener(spec, transport, address);
                else if (wanted && !spec.any_transport)
                    return Error{Errc::invalid,
                                 spec.where + ": cannot listen on " + std::string(name_of(transport)) + ":" + spec.host,
                                 with_tcp ? "add enable_tls=yes and loadmodule \"tls.so\"" : "disable_tcp=yes is set"};
            }
        }
    }
    if (g_listeners.empty())
        return Error{Errc::invalid, "there is no address to listen on", "add listen=udp:ADDRESS:PORT"};
    if (g_listeners.size() > 256)
        return Error{Errc::invalid, "more than 256 listening sockets", "name the addresses wanted with listen="};
    return {};
}

Status check_addresses() {
    for (const Listener& listener : g_listeners) {
        if (listener.is_virtual) continue;
        SocketAddress any_port = listener.address;
        any_port.set_port(0);
        const UniqueFd probe(::socket(any_port.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (!probe) return errno_error(listener.where + ": could not open a socket for " + listener.text(), errno);
        if (::bind(probe.get(), any_port.raw(), any_port.raw_size()) != 0) return bind_error(listener, errno);
    }
    return {};
}

Status bind_listeners() {
    for (Listener& listener : g_listeners)
        if (Status opened = open_listener(listener); !opened) return opened;
    return {};
}

std::vector<Alias>& aliases() { return g_aliases; }
std::vector<Alias>& subdomain_aliases() { return g_subdomain_aliases; }

void add_names_of_listeners() {
    constexpr clock::Millis kPatience = 1000;
    std::vector<SocketAddress> addresses;
    for (const Listener& listener : g_listeners)
        if (std::ranges::none_of(addresses, [&](const SocketAddress& a) { return a.same_ip(listener.address); }))
            addresses.push_back(listener.address);
    const ReverseNames found = names_of(addresses, kPatience);
    if (!found.in_time)
        LOG(warn, "net.own_names_unknown", kv("milliseconds", kPatience),
            kv("hint", "the name server is slow: auto_aliases=no and alias= need none"));
    for (const Listener& listener : g_listeners)
        for (size_t i = 0; i < addresses.size(); ++i)
            if (addresses[i].same_ip(listener.address) && !found.names[i].empty())
                g_aliases.push_back({true, listener.transport, found.names[i], listener.address.port()});
}

bool is_myself(std::string_view host, uint16_t port, const Transport* transport) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    const auto ip = SocketAddress::parse_ip(host);
    for (const Listener& listener : g_listeners) {
        if (transport != nullptr && listener.transport != *transport) continue;
        if (ip && listener.address.same_ip(*ip) && (port == 0 || port == listener.address.port())) return true;
        if (!listener.advertise_host.empty() && text::iequals(listener.advertise_host, host) &&
            (port == 0 || port == listener.public_port()))
            return true;
    }
    const auto fits = [&](const Alias& alias, std::string_view name) {
        if (transport != nullptr && alias.transport_given && alias.transport != *transport) return false;
        return text::iequals(alias.host, name) && (alias.port == 0 || port == 0 || alias.port == port);
    };
    if (std::any_of(g_aliases.begin(), g_aliases.end(), [&](const Alias& alias) { return fits(alias, host); }))
        return true;
    return std::any_of(g_subdomain_aliases.begin(), g_subdomain_aliases.end(), [&](const Alias& alias) {
        if (host.size() > alias.host.size() + 1 && host[host.size() - alias.host.size() - 1] == '.')
            return fits(alias, host.substr(host.size() - alias.host.size()));
        return fits(alias, host);
    });
}

}  // namespace kahu::net
