// The ctl module: where RPC is spoken, and who is connected.
#include "rpc/api.h"
#include "rpc/commands.h"
#include "rpc/server.h"
#include "rpc/settings.h"

namespace kahu::rpc {
namespace {

constexpr std::string_view kDescription =
    "RPC is Kamailio's binary protocol, so that kamcmd works unchanged; kahucmd(1) speaks it too. Unix stream sockets "
    "are the "
    "default and the fastest. Datagrams hold one request and one answer each: an answer that does not fit becomes a "
    "fault.\n"
    "\n"
    "A client that does not read its answers costs the others nothing: answers wait in memory up to max_queue, and the "
    "client "
    "is dropped after write_timeout.\n"
    "\n"
    "Over a FIFO a client makes a FIFO of its own beside it, writes a line with that FIFO's name and after it the "
    "binrpc "
    "request, and reads the answer from its own FIFO. Lines ':command:reply_fifo', one parameter a line, and an empty "
    "line "
    "are the old text form; it is answered with '200 OK' and one value a line. Reply FIFOs of the text form may also "
    "be in /tmp.\n"
    "\n"
    "Sockets and FIFOs that a dead server left behind are replaced. One that a running server answers on stops the "
    "start.";

// Two modparams of one path would each think the other a running server.
Status check() {
    const std::vector<Address> all = addresses();
    for (size_t i = 0; i < all.size(); ++i)
        for (size_t j = 0; j < i; ++j)
            if (all[i].name == all[j].name && (all[i].is_path() || all[i].text() == all[j].text()))
                return Error{Errc::exists, "modparam ctl: " + all[i].text() + " is configured twice",
                             "remove one of the lines"};
    return {};
}

std::vector<WantedFile> files() {
    std::vector<WantedFile> made;
    for (const Address& address : addresses())
        if (address.is_path()) made.push_back({address.name});
    return made;
}

}  // namespace

const ModuleDescriptor kModule = {
    .name = "ctl",
    .summary = "Control of the running server: binary RPC over unix sockets, FIFOs, TCP and UDP.",
    .params = params(),
    .commands = ctl_commands(),
    .hooks = {.check = check, .files = files, .open = open_listeners},
    .description = kDescription,
};

}  // namespace kahu::rpc
