// core/net/mailbox.h -- short orders from one process to another: "connection 17 has something to send".
//
// WHY    Only its owner touches a connection; anybody may have something for it.
// LIVES  One queue per slot, a part of the segment.  A successor reads its predecessor's mail.
// FAILS  post() drops the order when the segment is full: the owner looks at its connections once a second anyway.
#pragma once
#include "core/net/inbound.h"
#include "mem/mpsc_queue.h"

namespace kahu::net {

enum class MailKind : uint8_t {
    flush,
    close,
    alias,  // to tcp main: `connection` may be used for sending to port `detail` of its peer (RFC 5923)
    keepalive,  // to the owner: `detail` seconds of silence before the first probe, `number` count << 16 | interval; 0: none
    failed,  // to a worker: the message with ticket `number` did not leave; `detail` is the SendFailure
};
struct Mail : mem::QueueNode {
    MailKind kind;
    uint16_t detail = 0;
    ConnectionId connection;
    uint64_t number = 0;
};

size_t mailboxes_bytes();
void construct_mailboxes(void* at, size_t bytes);
// Rings if the box was empty; slot < 0: nobody, dropped.
void post(int slot, MailKind kind, ConnectionId connection, uint16_t detail = 0, uint64_t number = 0);
mem::MpscQueue<Mail>& mailbox(int slot);

}  // namespace kahu::net
