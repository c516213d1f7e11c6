#include "rpc/fifo_replies.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/log.h"
#include "core/base/text.h"
#include "rpc/settings.h"

namespace kahu::rpc {
namespace {

constexpr size_t kMostReplies = 64;  // waiting for their readers
constexpr clock::Millis kReaderTimeout = 2'000;
constexpr clock::Millis kReaderRetry = 25;

log::RateLimit g_log(5);

}  // namespace

void log_dropped_on_fifo(std::string_view reply_fifo, std::string_view why) {
    if (g_log.allow()) LOG(warn, "rpc.fifo.dropped", kv("reply_fifo", text::printable(reply_fifo)), kv("reason", why));
}

void FifoReplies::send(std::string path, std::string bytes) {
    if (replies_.size() >= kMostReplies) return log_dropped_on_fifo(path, "too many answers wait for their readers");
    auto fresh = std::make_unique<Reply>();
    fresh->owner = this;
    fresh->path = std::move(path);
    fresh->bytes = std::move(bytes);
    fresh->give_up_at = clock::read() + kReaderTimeout;
    fresh->event = make_event<&Reply::on_event>(base_, -1, 0, fresh.get());
    replies_.push_back(std::move(fresh));
    go_on(*replies_.back());
}

void FifoReplies::Reply::on_event(short what) {
    if ((what & EV_TIMEOUT) != 0 && fd) return owner->drop(*this, "its reader stopped reading");
    owner->go_on(*this);
}

// Opened without waiting and without following links.  errc timeout: there is no reader yet.
Status FifoReplies::open_reply(Reply& reply) const {
    UniqueFd fd(::open(reply.path.c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY));
    if (!fd && errno == ENXIO) return Error{Errc::timeout, "nobody reads it", ""};
    if (!fd) return errno_error("open", errno);
    struct stat file {
    }, requests{};
    if (::fstat(fd.get(), &file) != 0 || !S_ISFIFO(file.st_mode))
        return Error{Errc::invalid, "it is no FIFO", "make it with mkfifo"};
    ::fstat(requests_.fd.get(), &requests);
    if (file.st_dev == requests.st_dev && file.st_ino == requests.st_ino)
        return Error{Errc::invalid, "it is the request FIFO", ""};
    // Who could not write into our FIFO cannot have asked: it is somebody else's pipe.
    const bool others_may_ask = (requests.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    const bool of_who_may = file.st_uid == 0 || file.st_uid == ::geteuid() || file.st_uid == requests.st_uid;
    if (!of_who_may && !others_may_ask)
        return Error{Errc::invalid, "its owner may not write into the request FIFO", ""};
    reply.fd = std::move(fd);
    return {};
}

void FifoReplies::go_on(Reply& reply) {
    if (!reply.fd) {
        if (Status opened = open_reply(reply); !opened) {
            const bool wait = opened.error().code == Errc::timeout && clock::read() < reply.give_up_at;
            return wait ? arm(reply.event, kReaderRetry) : drop(reply, opened.error().text());
        }
        reply.event = make_event<&Reply::on_event>(base_, reply.fd.get(), EV_WRITE, &reply);
    }
    while (reply.sent < reply.bytes.size()) {
        const ssize_t n = ::write(reply.fd.get(), reply.bytes.data() + reply.sent, reply.bytes.size() - reply.sent);
        if (n >= 0) reply.sent += static_cast<size_t>(n);
        else if (errno == EAGAIN) return arm(reply.event, settings.write_timeout * 1000);
        else if (errno != EINTR) return drop(reply, errno_error("write", errno).text());
    }
    finish(reply);
}

void FifoReplies::drop(Reply& reply, const std::string& why) {
    log_dropped_on_fifo(reply.path, why);
    finish(reply);
}

void FifoReplies::finish(Reply& reply) {
    replies_.remove_if([&](const auto& held) { return held.get() == &reply; });
}

}  // namespace kahu::rpc
