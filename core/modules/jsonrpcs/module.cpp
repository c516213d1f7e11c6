// core/modules/jsonrpcs/module.cpp -- read this file to know what jsonrpcs offers.
#include "core/modules/jsonrpcs/module.h"

#include <memory>

#include "core/modules/jsonrpcs/datagram.h"
#include "core/modules/jsonrpcs/fifo.h"
#include "core/modules/jsonrpcs/settings.h"
#include "rpc/server.h"

namespace kahu::jsonrpcs {
namespace {

const rpc::ListenSocket* g_fifo_socket = nullptr;
const rpc::ListenSocket* g_datagram_socket = nullptr;
std::unique_ptr<Fifo> g_fifo;
std::unique_ptr<Datagrams> g_datagrams;

void begin(event_base* base) {
    if (g_fifo_socket != nullptr) g_fifo = std::make_unique<Fifo>(base, *g_fifo_socket);
    if (g_datagram_socket != nullptr) g_datagrams = std::make_unique<Datagrams>(base, *g_datagram_socket);
}
void end() {
    g_fifo.reset();
    g_datagrams.reset();
}

Status check() {
    if (auto address = fifo_address(); !address) return std::move(address).error().context("modparam fifo_name");
    if (auto address = datagram_address(); !address) return std::move(address).error().context("modparam dgram_socket");
    const std::string& directory = settings.fifo_reply_dir.get();
    if (directory.empty() || directory.front() != '/')
        return Error{Errc::invalid, "modparam fifo_reply_dir: '" + directory + "' is no absolute path",
                     "as in \"/tmp/\""};
    return {};
}

std::vector<WantedFile> files() {
    std::vector<WantedFile> made;
    if (wanted(kFifo)) made.push_back({fifo_address()->name});
    if (wanted(kDatagram) && datagram_address()->is_path()) made.push_back({datagram_address()->name});
    return made;
}

Status open() {
    if (wanted(kFifo)) {
        auto opened = rpc::open_for_module(*fifo_address(), settings.fifo);
        if (!opened) return std::move(opened).error();
        g_fifo_socket = *opened;
    }
    if (wanted(kDatagram)) {
        auto opened = rpc::open_for_module(*datagram_address(), settings.datagram);
        if (!opened) return std::move(opened).error();
        g_datagram_socket = *opened;
    }
    rpc::add_service({begin, end});
    return {};
}

void echo(RpcCall& call) {
    while (call.more()) {
        const auto given = call.next_any();
        if (!given) return;
        std::visit([&](const auto& value) { call.add(RpcValue(value)); }, *given);
    }
}

constexpr Command kCommands[] = {{"jsonrpc.echo", "[value ...]", "Returns its parameters.", echo}};

}  // namespace

const ModuleDescriptor kModule{
    .name = "jsonrpcs",
    .summary = "Control of the running server: JSON-RPC 2.0 over a FIFO and a datagram socket.",
    .params = params(),
    .commands = kCommands,
    .hooks = {.check = check, .files = files, .open = open},
    .description =
        "The same commands as over binary RPC (module ctl), for kamctl, which uses the FIFO, and kamcli, which uses "
        "the "
        "datagram socket; both work without options.\n\n"
        "Over the FIFO a request names in reply_name the FIFO that the client made in fifo_reply_dir. Nothing waits "
        "for "
        "a client: an answer that nobody reads within two seconds is dropped.\n\n"
        "A request that is no JSON is answered with error -32700, one that is no JSON-RPC 2.0 with -32600, an unknown "
        "method with 500. An array of up to 64 requests is answered with the array of their answers.",
};

}  // namespace kahu::jsonrpcs
