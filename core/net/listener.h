// core/net/listener.h -- the sockets SIP is received on.
//
// WHY    One list, made from `listen=` (or from all local addresses), bound by the supervisor before
//        it gives up its privileges, inherited by every process, shown by core.sockets_list.
// LIVES  Process-private and read-only after start: every process has the same copy from the fork.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/address.h"
#include "core/base/fd.h"
#include "core/base/result.h"

namespace kahu::net {

struct ListenSpec {              // one `listen=` statement
    bool any_transport = false;  // "listen=10.0.0.1": udp and tcp (and tls with enable_tls)
    Transport transport = Transport::udp;
    std::string host;            // address, interface or host name
    uint16_t port = 0;           // 0: the default of the transport (port=, tls_port_no=)
    std::string advertise_host;  // empty: none
    uint16_t advertise_port = 0;
    std::string name;         // empty: none
    bool is_virtual = false;  // bind with IP_FREEBIND: the address may come later
    int workers = 0;          // 0: children=
    std::string where;        // "kahu.cfg:12"
};

struct Listener {
    uint16_t index = 0;
    Transport transport = Transport::udp;
    SocketAddress address;
    std::string advertise_host;  // as written; empty: none
    uint16_t advertise_port = 0;
    std::string name;
    bool is_virtual = false;
    int workers = 0;
    std::string where;
    UniqueFd fd;  // bound; -1 under `kahu -c`

    // What Via, Record-Route and $Ri-like variables show to the outside.
    std::string public_host() const { return advertise_host.empty() ? address.ip_in_uri() : advertise_host; }
    uint16_t public_port() const { return advertise_port != 0 ? advertise_port : address.port(); }
    // "tls:127.0.0.1:5061"
    std::string text() const { return std::string(kahu::name_of(transport)) + ':' + address.text(); }
};

std::span<Listener> listeners();
// nullptr if we do not listen there.
const Listener* find_listener(Transport transport, const SocketAddress& address);

// Resolves and expands the specs (all local addresses when empty) to the listener list; binds nothing.
// Errors name the statement's file and line.
Status plan_listeners(std::span<const ListenSpec> specs, bool with_tcp, bool with_tls);
// This machine has the addresses; ports are not touched, so that `kahu -c` works beside a running server.
Status check_addresses();
// tos=, for sockets of this server; what is accepted on one has it too.  A system that refuses it does without.
void set_type_of_service(int fd, bool is_v6);
Status bind_listeners();  // opens, binds, listens; "Is another instance running?"

// `alias=host[:port]`: names besides the listeners that mean this server.  transport_given false: any.
struct Alias {
    bool transport_given = false;
    Transport transport = Transport::udp;
    std::string host;   // lower case
    uint16_t port = 0;  // 0: any
};
std::vector<Alias>& aliases();
// auto_aliases: adds the names that the listening addresses have (/etc/hosts, PTR records), each for its listener.
// At start only: it waits for the name server, for a few seconds at most if that is silent.
void add_names_of_listeners();
// `myself` (script), for a host as written in a URI (no brackets), port 0: none given.
bool is_myself(std::string_view host, uint16_t port, const Transport* transport = nullptr);

}  // namespace kahu::net
