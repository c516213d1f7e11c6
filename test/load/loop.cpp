#include "test/load/loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace kahu::load {
namespace {
volatile sig_atomic_t g_interrupted = 0;
void interrupt(int) { g_interrupted = 1; }
}  // namespace

Nanos now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    signal(SIGPIPE, SIG_IGN);
    struct sigaction action {};  // no SA_RESTART: the wait must end
    action.sa_handler = interrupt;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

void Loop::watch(int fd, Handler& handler) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = &handler;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return;
    std::perror("kahu-load: epoll_ctl");
    std::abort();
}

bool Loop::interrupted() { return g_interrupted != 0; }

void Loop::run(const Turn& turn) {
    constexpr Nanos kLongest = 100'000'000;
    epoll_event events[256];
    while (!interrupted()) {
        const Nanos at = now();
        const Nanos next = turn(at);
        if (next == kStop) return;
        const Nanos wait = std::clamp<Nanos>(next - at, 0, kLongest);
        const timespec timeout{0, static_cast<long>(wait)};
        const int n = epoll_pwait2(epoll_.get(), events, std::size(events), &timeout, nullptr);
        if (n < 0 && errno != EINTR) std::abort();
        for (int i = 0; i < n; ++i) static_cast<Handler*>(events[i].data.ptr)->ready();
    }
}

}  // namespace kahu::load
