#include "rpc/server.h"

#include <unistd.h>

#include <csignal>

#include "rpc/datagram_server.h"
#include "rpc/fifo_server.h"
#include "rpc/registry.h"
#include "rpc/settings.h"
#include "rpc/stream_server.h"
#include "rpc/unfinished.h"

namespace kahu::rpc {
namespace {

std::vector<ListenSocket> g_listening;
std::list<ListenSocket> g_of_modules;  // their addresses stay
std::vector<Service> g_services;
pid_t g_opened_by = -1;

struct Serving {
    explicit Serving(event_base* base) : streams(base) {}
    StreamServer streams;
    std::vector<std::unique_ptr<DatagramServer>> datagrams;
    std::vector<std::unique_ptr<FifoServer>> fifos;
};
std::unique_ptr<Serving> g_serving;

}  // namespace

Status open_listeners() {
    g_opened_by = ::getpid();
    const FileOwnership ownership{settings.mode, settings.user, settings.group};
    for (const Address& address : addresses()) {
        auto opened = open_listen_socket(address, ownership, settings.remote != 0);
        if (!opened) {
            remove_sockets();
            return std::move(opened).error();
        }
        g_listening.push_back(std::move(*opened));
    }
    return {};
}

Result<const ListenSocket*> open_for_module(const Address& address, const FileOwnership& ownership) {
    g_opened_by = ::getpid();
    auto opened = open_listen_socket(address, ownership, false);
    if (!opened) return std::move(opened).error();
    return &g_of_modules.emplace_back(std::move(*opened));
}

void add_service(const Service& service) { g_services.push_back(service); }

Status serve(event_base* base) {
    if (Status registered = register_own_commands(); !registered) return registered;
    std::signal(SIGPIPE, SIG_IGN);  // a reply FIFO whose reader left: write() says so
    g_serving = std::make_unique<Serving>(base);
    for (const ListenSocket& socket : g_listening) {
        switch (socket.address.kind) {
        case AddressKind::unix_stream:
        case AddressKind::tcp: g_serving->streams.listen(socket); break;
        case AddressKind::unix_datagram:
        case AddressKind::udp: g_serving->datagrams.push_back(std::make_unique<DatagramServer>(base, socket)); break;
        case AddressKind::fifo: g_serving->fifos.push_back(std::make_unique<FifoServer>(base, socket)); break;
        }
    }
    for (const Service& service : g_services) service.begin(base);
    return {};
}

void stop_serving() {
    stop_waiting();
    for (const Service& service : g_services) service.end();
    g_serving.reset();
}

void remove_sockets() {
    if (g_opened_by != ::getpid()) return;
    for (const ListenSocket& socket : g_listening) remove_socket_file(socket);
    for (const ListenSocket& socket : g_of_modules) remove_socket_file(socket);
    g_listening.clear();
    g_of_modules.clear();
}

const std::vector<ListenSocket>& listening() { return g_listening; }

const std::list<std::unique_ptr<StreamSession>>& sessions() {
    static const std::list<std::unique_ptr<StreamSession>> none;
    return g_serving ? g_serving->streams.sessions() : none;
}

}  // namespace kahu::rpc
