#include "rpc/fifo_requests.h"

#include <unistd.h>

namespace kahu::rpc {
namespace {
constexpr size_t kReadAtOnce = 16 * 1024;
constexpr clock::Millis kHalfRequestTimeout = 2'000;
}  // namespace

FifoRequests::FifoRequests(event_base* base, const ListenSocket& socket) : socket_(socket), replies_(base, socket) {
    readable_ = make_event<&FifoRequests::on_readable>(base, socket.fd.get(), EV_READ, this);
    arm(readable_);
}

void FifoRequests::on_readable(short what) {
    if (what & EV_TIMEOUT) {
        log_dropped_on_fifo("", "half a request, and then nothing");
        in_.clear();
    } else {
        char buffer[kReadAtOnce];
        const ssize_t got = ::read(socket_.fd.get(), buffer, sizeof buffer);
        if (got > 0) in_.append(buffer, static_cast<size_t>(got));
        in_.erase(0, in_.size() - answer_all(in_));
        if (in_.find_first_not_of(" \t\r\n") == in_.npos) in_.clear();
    }
    if (in_.empty()) arm(readable_);
    else arm(readable_, kHalfRequestTimeout);
}

}  // namespace kahu::rpc
