// rpc/listen_socket.h -- the sockets and FIFOs that RPC is spoken on, opened with the privileges of the start.
//
// LIVES  Opened by the supervisor before it gives up its privileges and before any fork; every successor of a dead rpc
//        process goes on with the same descriptors, so that no client finds the address gone.
// FAILS  Errors name the address and what to do.  A socket or FIFO that a dead server left is replaced; one that a live
//        server answers on is an error.
#pragma once
#include <sys/types.h>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "rpc/address.h"

namespace kahu::rpc {

struct FileOwnership {  // of unix sockets and FIFOs
    mode_t mode = 0600;
    uid_t user = static_cast<uid_t>(-1);  // -1: whoever we are
    gid_t group = static_cast<gid_t>(-1);
};

struct ListenSocket {
    Address address;
    UniqueFd fd;       // non-blocking
    dev_t device = 0;  // of the file, so that only our own is removed
    ino_t inode = 0;
};

Result<ListenSocket> open_listen_socket(const Address& address, const FileOwnership& ownership, bool remote_allowed);
// Removes the file if it is still the one that was made.
void remove_socket_file(const ListenSocket& socket);

}  // namespace kahu::rpc
