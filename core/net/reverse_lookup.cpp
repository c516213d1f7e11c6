#include "core/net/reverse_lookup.h"

#include <ares.h>
#include <poll.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/net/dns_settings.h"

namespace kahu::net {
namespace {

struct Question {
    std::string* name;
    size_t* open;
};

void on_answer(void* about, int status, int, char* node, char*) {
    auto& question = *static_cast<Question*>(about);
    --*question.open;
    if (status == ARES_SUCCESS && node != nullptr) *question.name = text::lowered(node);
}

// Waits for what the channel's sockets bring, at most until then.
void wait_for_answers(ares_channel channel, clock::Millis until) {
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    const unsigned which = static_cast<unsigned>(ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM));
    pollfd watched[ARES_GETSOCK_MAXNUM];
    nfds_t count = 0;
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
        const bool read = ARES_GETSOCK_READABLE(which, i), write = ARES_GETSOCK_WRITABLE(which, i);
        if (read || write)
            watched[count++] = {sockets[i], static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0)), 0};
    }
    const clock::Millis left = std::clamp<clock::Millis>(until - clock::read(), 0, 100);  // c-ares has timers, too
    if (::poll(watched, count, static_cast<int>(left)) <= 0)
        return ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (nfds_t i = 0; i < count; ++i)
        ares_process_fd(channel, (watched[i].revents & ~POLLOUT) != 0 ? watched[i].fd : ARES_SOCKET_BAD,
                        (watched[i].revents & POLLOUT) != 0 ? watched[i].fd : ARES_SOCKET_BAD);
}

}  // namespace

ReverseNames names_of(std::span<const SocketAddress> addresses, clock::Millis patience) {
    ReverseNames found;
    found.names.resize(addresses.size());
    ares_channel channel = nullptr;
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS || ares_init(&channel) != ARES_SUCCESS) {
        found.in_time = addresses.empty();
        return found;
    }
    const std::string& servers = dns_settings.servers.get();
    if (!servers.empty()) (void)ares_set_servers_ports_csv(channel, servers.c_str());
    size_t open = addresses.size();
    std::vector<Question> questions(addresses.size());
    for (size_t i = 0; i < addresses.size(); ++i) {
        questions[i] = {&found.names[i], &open};
        ares_getnameinfo(channel, addresses[i].raw(), static_cast<ares_socklen_t>(addresses[i].raw_size()),
                         ARES_NI_LOOKUPHOST | ARES_NI_NAMEREQD, on_answer, &questions[i]);
    }
    const clock::Millis until = clock::read() + patience;
    while (open != 0 && clock::read() < until) wait_for_answers(channel, until);
    found.in_time = open == 0;
    ares_destroy(channel);  // tells those that are open that they have no answer
    return found;
}

}  // namespace kahu::net
