#include "rpc/fifo_server.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/log.h"
#include "core/base/text.h"
#include "rpc/answer.h"
#include "rpc/registry.h"
#include "rpc/settings.h"

namespace kahu::rpc {
namespace {

constexpr size_t kReadAtOnce = 16 * 1024;
constexpr size_t kMostReplies = 64;  // waiting for their readers
constexpr clock::Millis kReaderTimeout = 2'000;
constexpr clock::Millis kReaderRetry = 25;
constexpr clock::Millis kHalfRequestTimeout = 2'000;
constexpr std::string_view kTextReplyDirectory = "/tmp/";  // where clients of Kamailio's text protocol make them

log::RateLimit g_log(5);

void log_dropped(std::string_view reply, std::string_view why) {
    if (g_log.allow()) LOG(warn, "rpc.fifo.dropped", kv("reply_fifo", text::printable(reply)), kv("reason", why));
}

std::string directory_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == path.npos ? "./" : path.substr(0, slash + 1);
}

bool is_fifo(const std::string& path) {
    struct stat file {};
    return ::lstat(path.c_str(), &file) == 0 && S_ISFIFO(file.st_mode);
}

}  // namespace

FifoServer::FifoServer(event_base* base, const ListenSocket& socket) : base_(base), socket_(socket) {
    readable_ = make_event<&FifoServer::on_readable>(base, socket.fd.get(), EV_READ, this);
    arm(readable_);
}

// One read each turn, so that whoever writes without end does not keep the others waiting.
void FifoServer::on_readable(short what) {
    if (what & EV_TIMEOUT) {
        log_dropped("", "half a request, and then nothing");
        in_.clear();
    } else {
        char buffer[kReadAtOnce];
        const ssize_t got = ::read(socket_.fd.get(), buffer, sizeof buffer);
        if (got > 0) in_.append(buffer, static_cast<size_t>(got));
        answer_waiting();
    }
    if (in_.empty()) arm(readable_);
    else arm(readable_, kHalfRequestTimeout);
}

void FifoServer::answer_waiting() {
    const size_t longest = static_cast<size_t>(settings.body_kilobytes.get()) * 1024;
    std::string_view rest = in_;
    for (;;) {
        const FifoRequest request = read_fifo_request(rest, longest);
        if (request.what == FifoRequest::What::need_more) break;
        if (request.what == FifoRequest::What::broken) {
            log_dropped("", request.why);
            rest = {};
            break;
        }
        answer(request);
        rest.remove_prefix(request.bytes);
    }
    in_.erase(0, in_.size() - rest.size());
    if (in_.find_first_not_of("\r\n") == in_.npos) in_.clear();
}

void FifoServer::answer(const FifoRequest& request) {
    const std::string client = "fifo:" + std::string(request.reply_name);
    if (request.what == FifoRequest::What::binary)
        return reply(request, answer_request(request.header, request.packet, client));
    RpcCall call(request.method, request.params);
    call.client = client;
    execute(call);
    reply(request, text_answer(call));
}

std::string FifoServer::path_of(const FifoRequest& request) const {
    std::string beside = directory_of(socket_.address.name) + std::string(request.reply_name);
    if (request.what != FifoRequest::What::text || is_fifo(beside)) return beside;
    return std::string(kTextReplyDirectory) + std::string(request.reply_name);
}

void FifoServer::reply(const FifoRequest& request, std::string bytes) {
    if (replies_.size() >= kMostReplies)
        return log_dropped(request.reply_name, "too many answers wait for their readers");
    auto fresh = std::make_unique<Reply>();
    fresh->server = this;
    fresh->path = path_of(request);
    fresh->bytes = std::move(bytes);
    fresh->give_up_at = clock::read() + kReaderTimeout;
    fresh->event = make_event<&Reply::on_event>(base_, -1, 0, fresh.get());
    replies_.push_back(std::move(fresh));
    go_on(*replies_.back());
}

void FifoServer::Reply::on_event(short what) {
    if ((what & EV_TIMEOUT) != 0 && fd) return server->drop(*this, "its reader stopped reading");
    server->go_on(*this);
}

// Opened without waiting and without following links.  errc timeout: there is no reader yet.
Status FifoServer::open_reply(Reply& reply) const {
    UniqueFd fd(::open(reply.path.c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY));
    if (!fd && errno == ENXIO) return Error{Errc::timeout, "nobody reads it", ""};
    if (!fd) return errno_error("open", errno);
    struct stat file {
    }, requests{};
    if (::fstat(fd.get(), &file) != 0 || !S_ISFIFO(file.st_mode))
        return Error{Errc::invalid, "it is no FIFO", "make it with mkfifo"};
    ::fstat(socket_.fd.get(), &requests);
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

void FifoServer::go_on(Reply& reply) {
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

void FifoServer::drop(Reply& reply, const std::string& why) {
    log_dropped(reply.path, why);
    finish(reply);
}

void FifoServer::finish(Reply& reply) {
    replies_.remove_if([&](const auto& held) { return held.get() == &reply; });
}

}  // namespace kahu::rpc
