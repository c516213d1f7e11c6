// rpc/server.h -- the rpc process: every configured address, in one libevent loop.
//
// WHY    Sockets are opened with the privileges of the start, and served by a child that may be replaced.
// LIVES  open_listeners() in the supervisor before the first fork; serve() in the rpc process; remove_sockets() in the
//        supervisor at the end.
// FAILS  open_listeners() names the address; nothing stays behind.  While serving nothing fails for more than one
// client.
#pragma once
#include <list>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "rpc/listen_socket.h"
#include "rpc/stream_session.h"

struct event_base;

namespace kahu::rpc {

Status open_listeners();         // those of modparam ctl (rpc/settings.h)
Status serve(event_base* base);  // registers the server's own commands; returns when set up
void stop_serving();             // before the loop is freed
void remove_sockets();           // only what this process opened

// For modules that speak another protocol in the rpc process (JSON-RPC).  open_for_module() in their hook `open`: the
// socket is removed at the end with the others, and the reference stays valid.  begin() is called by serve(), end() by
// stop_serving().
Result<const ListenSocket*> open_for_module(const Address& address, const FileOwnership& ownership);
struct Service {
    void (*begin)(event_base* base);
    void (*end)();
};
void add_service(const Service& service);

const std::vector<ListenSocket>& listening();
// Open stream connections, oldest first.
const std::list<std::unique_ptr<StreamSession>>& sessions();

}  // namespace kahu::rpc
