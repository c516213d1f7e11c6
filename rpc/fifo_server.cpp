#include "rpc/fifo_server.h"

#include <sys/stat.h>

#include "rpc/answer.h"
#include "rpc/settings.h"
#include "rpc/unfinished.h"

namespace kahu::rpc {
namespace {

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

size_t FifoServer::answer_all(std::string_view in) {
    const size_t longest = static_cast<size_t>(settings.body_kilobytes.get()) * 1024;
    for (;;) {
        const FifoRequest request = read_fifo_request(in, longest);
        if (request.what == FifoRequest::What::need_more) return in.size();
        if (request.what == FifoRequest::What::broken) {
            log_dropped_on_fifo("", request.why);
            return 0;
        }
        answer(request);
        in.remove_prefix(request.bytes);
    }
}

void FifoServer::answer(const FifoRequest& request) {
    const std::string client = "fifo:" + std::string(request.reply_name);
    if (request.what == FifoRequest::What::binary)
        return answer_request(request.header, request.packet, client,
                              [this, path = path_of(request)](std::string made) { reply(path, std::move(made)); });
    RpcCall call(request.method, request.params);
    call.client = client;
    run_command(std::move(call),
                [this, path = path_of(request)](const RpcCall& done) { reply(path, text_answer(done)); });
}

std::string FifoServer::path_of(const FifoRequest& request) const {
    std::string beside = directory_of(socket().address.name) + std::string(request.reply_name);
    if (request.what != FifoRequest::What::text || is_fifo(beside)) return beside;
    return std::string(kTextReplyDirectory) + std::string(request.reply_name);
}

}  // namespace kahu::rpc
