#include "core/modules/jsonrpcs/fifo.h"

#include <unistd.h>

#include "core/modules/jsonrpcs/protocol.h"
#include "core/modules/jsonrpcs/settings.h"
#include "rpc/fifo_protocol.h"

namespace kahu::jsonrpcs {
namespace {

constexpr size_t kReadAtOnce = 16 * 1024;
constexpr size_t kLongest = 32 * 1024;
constexpr clock::Millis kHalfRequestTimeout = 2'000;

}  // namespace

Fifo::Fifo(event_base* base, const rpc::ListenSocket& socket) : socket_(socket), replies_(base, socket) {
    readable_ = rpc::make_event<&Fifo::on_readable>(base, socket.fd.get(), EV_READ, this);
    arm(readable_);
}

// One read each turn, so that whoever writes without end does not keep the others waiting.
void Fifo::on_readable(short what) {
    if (what & EV_TIMEOUT) {
        rpc::log_dropped_on_fifo("", "half a JSON document, and then nothing");
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

void Fifo::answer_waiting() {
    std::string_view rest = in_;
    for (;;) {
        const Framed framed = frame_document(rest, kLongest);
        if (framed.what == Framed::What::need_more) break;
        if (framed.what == Framed::What::broken) {
            rpc::log_dropped_on_fifo("", "no JSON document, or one of more than 32 KB");
        } else {
            answer_one(rest.substr(0, framed.bytes));
        }
        rest.remove_prefix(framed.bytes);
    }
    in_.erase(0, in_.size() - rest.size());
    if (in_.find_first_not_of(" \t\r\n") == in_.npos) in_.clear();
}

void Fifo::answer_one(std::string_view document) {
    Answer made = answer(document, "jsonrpc fifo", settings.pretty_format != 0);
    if (made.reply_name.empty()) return;
    if (!rpc::is_plain_file_name(made.reply_name))
        return rpc::log_dropped_on_fifo(made.reply_name, "reply_name is no plain file name");
    replies_.send(settings.fifo_reply_dir.get() + "/" + made.reply_name, std::move(made.text));
}

}  // namespace kahu::jsonrpcs
