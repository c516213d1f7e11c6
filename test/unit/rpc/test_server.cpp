#include "test/unit/rpc/test_server.h"

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/net/connection_table.h"
#include "core/net/dns_cache.h"
#include "core/net/net_counters.h"
#include "core/proc/process_table.h"
#include "core/stats/counters.h"
#include "core/stats/registry.h"
#include "mem/segment.h"
#include "mem/slot.h"
#include "rpc/api.h"
#include "rpc/binrpc.h"
#include "rpc/server.h"
#include "rpc/server_facts.h"
#include "rpc/settings.h"

namespace kahu::rpc::testing_server {
namespace {

// An answer of any size, and one that takes a while to make.
void large(RpcCall& call) {
    const auto bytes = call.next_int();
    if (bytes) call.add(std::string(static_cast<size_t>(*bytes), 'x'));
}
constexpr Command kTestCommands[] = {{"test.large", "bytes", "Answers a long text.", large}};

[[noreturn]] void serve_in_child(int ready) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    mem::attach_slot(0);
    const mem::Part parts[] = {
        {"processes", proc::process_table_bytes(), proc::construct_process_table},
        {"counters", stats::layout_bytes(), stats::construct},
        {"connections", net::connection_table_bytes(), net::construct_connection_table},
        {"dns", net::dns_cache_bytes(), net::construct_dns_cache},
    };
    std::string why;
    if (!mem::create_segment(16 << 20, parts, why)) std::_Exit(10);
    proc::add_process(ProcessKind::supervisor, 0, -1, "main process - attendant");
    proc::add_process(ProcessKind::rpc, 0, -1, "ctl handler");
    proc::process(0).pid = ::getpid();
    stats::register_counters(net::net_counters());
    server_facts().version = "1.2.3";
    server_facts().arguments = {"kahu", "-f", "x.cfg"};
    server_facts().modules = {"ctl", "tls"};
    server_facts().defines = {{"WITH_TLS", ""}, {"PORT", "5060"}};
    settings.write_timeout.set(3);  // a busy machine may stop a client that reads for a second
    settings.max_clients.set(8);
    settings.queue_kilobytes.set(256);
    event_base* base = event_base_new();
    if (!open_listeners() || !register_commands(kTestCommands) || !register_commands(kModule.commands) || !serve(base))
        std::_Exit(11);
    if (::write(ready, "r", 1) != 1) std::_Exit(12);
    event_base_dispatch(base);
    std::_Exit(13);
}

}  // namespace

TestServer::TestServer() {
    char folder[] = "/tmp/kahu-rpc-test-XXXXXX";
    folder_ = ::mkdtemp(folder);
    settings.addresses.clear();
    for (const std::string& address :
         {"unixs:" + stream(), "unixd:" + datagram(), "fifo:" + fifo(), "tcp:127.0.0.1:" + std::to_string(kTcpPort),
          "udp:127.0.0.1:" + std::to_string(kUdpPort)})
        settings.addresses.push_back(*parse_address(address));
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) != 0) std::abort();
    child_ = ::fork();
    if (child_ == 0) serve_in_child(ready[1]);
    ::close(ready[1]);
    char byte = 0;
    if (::read(ready[0], &byte, 1) != 1) std::fprintf(stderr, "the test server did not start\n");
    ::close(ready[0]);
}

TestServer::~TestServer() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

bool TestServer::alive() const { return ::waitpid(child_, nullptr, WNOHANG) == 0; }

UniqueFd connect_to(const std::string& path, int type) {
    UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strncpy(at.sun_path, path.c_str(), sizeof at.sun_path - 1);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) fd.reset();
    return fd;
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        pollfd room{fd, POLLOUT, 0};
        if (::poll(&room, 1, 3000) != 1) return false;
        const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
}

std::string receive_packet(int fd, int milliseconds) {
    std::string in;
    for (;;) {
        binrpc::Header header;
        if (binrpc::read_header(in, header) == binrpc::HeaderStatus::complete && in.size() >= header.packet_bytes())
            return in;
        pollfd data{fd, POLLIN, 0};
        if (::poll(&data, 1, milliseconds) != 1) return {};
        // Header first, so that of pipelined answers only one is taken.
        size_t want = 1;
        if (binrpc::read_header(in, header) == binrpc::HeaderStatus::complete) want = header.packet_bytes() - in.size();
        std::string buffer(want, '\0');
        int type = 0;
        socklen_t size = sizeof type;
        if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM) buffer.resize(1 << 16);
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n <= 0) return {};
        in.append(buffer, 0, static_cast<size_t>(n));
    }
}

Outcome outcome_of(const std::string& packet) {
    Outcome outcome;
    binrpc::Header header;
    std::string why;
    if (binrpc::read_header(packet, header) != binrpc::HeaderStatus::complete) {
        outcome.fault = "no answer";
        return outcome;
    }
    const std::string_view body = std::string_view(packet).substr(header.header_bytes, header.body_bytes);
    if (header.type == binrpc::PacketType::fault) {
        binrpc::Fault fault;
        binrpc::read_fault(body, fault, why);
        outcome.fault = std::to_string(fault.code) + " " + fault.reason;
    } else if (!binrpc::read_values(body, {}, outcome.values, why)) {
        outcome.fault = "unreadable: " + why;
    }
    return outcome;
}

Outcome ask(const std::string& path, const std::string& method, const std::vector<RpcCall::Param>& params) {
    const UniqueFd fd = connect_to(path, SOCK_STREAM);
    if (!fd || !send_all(fd.get(), binrpc::write_request(77, method, params))) return {{}, "no connection"};
    return outcome_of(receive_packet(fd.get()));
}

std::string run(const std::string& command, int* status) {
    std::FILE* pipe = ::popen((command + " 2>&1 </dev/null").c_str(), "re");
    std::string out;
    char buffer[4096];
    while (const size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
    const int rc = ::pclose(pipe);
    if (status != nullptr) *status = WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
    return out;
}

}  // namespace kahu::rpc::testing_server
