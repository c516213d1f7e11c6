#include "core/net/half_open.h"

#include <algorithm>

namespace kahu::net {
namespace {

bool under_way(const Connection& row) {
    const ConnectionState state = row.state.load();
    return row.transport == Transport::tls &&
           (state == ConnectionState::accepted || state == ConnectionState::handshaking);
}

}  // namespace

void HalfOpen::add(ConnectionId id) {
    entries_.push_back({id, clock::now_ms()});
    if (entries_.size() <= 2 * connection_capacity()) return;
    std::erase_if(entries_, [](const Entry& each) {
        const Connection* const row = find_connection(each.id);
        return row == nullptr || !under_way(*row);
    });
}

const Connection* HalfOpen::take_oldest(clock::Millis older_than) {
    for (; !entries_.empty(); entries_.pop_front()) {
        const auto [id, since] = entries_.front();
        const Connection* const row = find_connection(id);
        if (row == nullptr || !under_way(*row)) continue;
        if (clock::now_ms() - since < older_than) return nullptr;
        entries_.pop_front();
        return row;
    }
    return nullptr;
}

}  // namespace kahu::net
