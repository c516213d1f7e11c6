#include <sys/socket.h>

#include <cerrno>

#include "core/net/blocklist.h"
#include "core/net/connect.h"
#include "core/net/connection_table.h"
#include "core/net/dispatch.h"
#include "core/net/event_loop.h"
#include "core/net/listener.h"
#include "core/net/mailbox.h"
#include "core/net/net_counters.h"
#include "core/net/stream.h"
#include "core/net/udp_worker.h"
#include "core/proc/crash_file.h"
#include "mem/contract.h"

namespace kahu::net {
namespace {
MessageHandler g_handler = nullptr;

Sent queue_for_owner(Connection& row, ConnectionId id, std::string_view bytes, uint64_t ticket) {
    bool was_empty = false;
    const Sent queued = queue_message(row, id, bytes, ticket, was_empty);
    if (was_empty) post(row.owner.load(std::memory_order_relaxed), MailKind::flush, id);
    return queued;
}
}  // namespace

void set_message_handler(MessageHandler handler) { g_handler = handler; }

void dispatch(std::string_view bytes, const Inbound& from) {
    stats::add(counters.messages_received);
    REQUIRE(g_handler != nullptr);
    const proc::MessageInHand in_hand(bytes, from.transport, from.source);
    g_handler(bytes, from);
    note_turn();
}

Sent send_on(ConnectionId connection, std::string_view bytes, uint64_t ticket) {
    Sent result = Sent::gone;
    if (const Link* link = working_on(); link != nullptr && link->id == connection)
        result = answer_in_turn(bytes, ticket);
    else if (Connection* row = find_connection(connection)) result = queue_for_owner(*row, connection, bytes, ticket);
    if (result == Sent::ok) stats::add(counters.messages_sent);
    return result;
}

Sent respond(const Inbound& from, const SocketAddress& to, std::string_view bytes) {
    return is_stream(from.transport) ? send_on(from.connection, bytes) : send_datagram(from.listener, to, bytes);
}

Sent send_datagram(uint16_t listener, const SocketAddress& to, std::string_view bytes) {
    if (answer_in_batch(listener, to, bytes)) return Sent::ok;
    const Listener& from = listeners()[listener];
    if (::sendto(from.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, to.raw(), to.raw_size()) < 0) {
        stats::add(counters.udp_send_failed);
        if (errno != EAGAIN) note_failed_destination(Transport::udp, to, kBlockSend);
        return Sent::failed;
    }
    stats::add(counters.udp_sent);
    stats::add(counters.messages_sent);
    return Sent::ok;
}

}  // namespace kahu::net
