// core/net/tcp_worker.h -- owns its share of the TCP and TLS connections.
//
// WHY    Only the owner touches a connection's socket and TLS state, so nothing is locked around crypto.
// LIVES  Links are private; everything else is in the connection's row.
// DEATH  The successor asks tcp main for the duplicates of its predecessor's descriptors and goes on with every row but
//        the one that says that its predecessor was inside it.
#pragma once

namespace kahu::net {
int run_tcp_worker(int slot);
}
