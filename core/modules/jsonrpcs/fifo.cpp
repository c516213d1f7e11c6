#include "core/modules/jsonrpcs/fifo.h"

#include "core/modules/jsonrpcs/protocol.h"
#include "core/modules/jsonrpcs/settings.h"
#include "rpc/fifo_protocol.h"

namespace kahu::jsonrpcs {
namespace {
constexpr size_t kLongest = 32 * 1024;
}  // namespace

size_t Fifo::answer_all(std::string_view in) {
    for (;;) {
        const Framed framed = frame_document(in, kLongest);
        if (framed.what == Framed::What::need_more) return in.size();
        if (framed.what == Framed::What::broken)
            rpc::log_dropped_on_fifo("", "no JSON document, or one of more than 32 KB");
        else answer_one(in.substr(0, framed.bytes));
        in.remove_prefix(framed.bytes);
    }
}

void Fifo::answer_one(std::string_view document) {
    answer(document, "jsonrpc fifo", settings.pretty_format != 0, [this](Answer made) { deliver(std::move(made)); });
}

void Fifo::deliver(Answer made) {
    if (made.reply_name.empty()) return;
    if (!rpc::is_plain_file_name(made.reply_name))
        return rpc::log_dropped_on_fifo(made.reply_name, "reply_name is no plain file name");
    reply(settings.fifo_reply_dir.get() + "/" + made.reply_name, std::move(made.text));
}

}  // namespace kahu::jsonrpcs
