#include "rpc/fifo_server.h"

#include <sys/stat.h>

#include "rpc/answer.h"
#include "rpc/registry.h"
#include "rpc/settings.h"

namespace kahu::rpc {
namespace {

constexpr size_t kReadAtOnce = 16 * 1024;
constexpr clock::Millis kHalfRequestTimeout = 2'000;
constexpr std::string_view kTextReplyDirectory = "/tmp/";  // where clients of Kamailio's text protocol make them

std::string directory_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == path.npos ? "./" : path.substr(0, slash + 1);
}

bool is_fifo(const std::string& path) {
    struct stat file {};
    return ::lstat(path.c_str(), &file) == 0 && S_ISFIFO(file.st_mode);
}

}  // namespace

FifoServer::FifoServer(event_base* base, const ListenSocket& socket) : socket_(socket), replies_(base, socket) {
    readable_ = make_event<&FifoServer::on_readable>(base, socket.fd.get(), EV_READ, this);
    arm(readable_);
}

// One read each turn, so that whoever writes without end does not keep the others waiting.
void FifoServer::on_readable(short what) {
    if (what & EV_TIMEOUT) {
        log_dropped_on_fifo("", "half a request, and then nothing");
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
            log_dropped_on_fifo("", request.why);
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
        return replies_.send(path_of(request), answer_request(request.header, request.packet, client));
    RpcCall call(request.method, request.params);
    call.client = client;
    execute(call);
    replies_.send(path_of(request), text_answer(call));
}

std::string FifoServer::path_of(const FifoRequest& request) const {
    std::string beside = directory_of(socket_.address.name) + std::string(request.reply_name);
    if (request.what != FifoRequest::What::text || is_fifo(beside)) return beside;
    return std::string(kTextReplyDirectory) + std::string(request.reply_name);
}

}  // namespace kahu::rpc
