// core/net/link.h -- a connection as its owner sees it: the row in the segment plus what cannot be shared.
//
// LIVES  Process-private, in the owning worker.  A successor makes new links from the rows and from the descriptors
//        that tcp main kept.
#pragma once
#include <event2/event_struct.h>

#include "core/net/connection.h"
#include "core/net/sent_tickets.h"

namespace kahu::net {

class TcpWorker;

struct Link {
    Connection* row = nullptr;
    ConnectionId id = ConnectionId::none;
    int fd = -1;
    TcpWorker* worker = nullptr;
    event readable{};
    event writable{};
    bool waits_to_write = false;
    clock::Millis connect_deadline = 0;    // of connect(); 0: none is going on
    clock::Millis handshake_deadline = 0;  // 0: none is going on
    SentTickets sent;                      // told if the connection ends
};

}  // namespace kahu::net
