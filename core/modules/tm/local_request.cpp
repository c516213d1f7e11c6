#include "core/modules/tm/local_request.h"

#include "core/sip/builder.h"

namespace kahu::tm {
namespace {

// Both have the Request-URI, top Via, Route, From, Call-ID and CSeq number of the INVITE.
bool build(std::string_view invite, std::string_view method, std::string_view to, std::string_view more,
           std::string& out) {
    using sip::HeaderId;
    static sip::Message message;  // per process; keeps its memory
    sip::Bad bad;
    if (!message.parse(invite, bad) || message.top_via() == nullptr || message.cseq() == nullptr) return false;
    const sip::HeaderField* const from = message.first(HeaderId::from);
    const sip::HeaderField* const own_to = message.first(HeaderId::to);
    if (from == nullptr || own_to == nullptr) return false;
    sip::Writer write(out);
    write.request_line(method, message.request_uri());
    write.header(HeaderId::via, message.top_via()->text);
    for (const auto* route = message.first(HeaderId::route); route != nullptr; route = message.next(route))
        write.header(HeaderId::route, route->value);
    write.header(HeaderId::max_forwards, "70");
    write.header(HeaderId::from, from->value);
    write.header(HeaderId::to, to.empty() ? own_to->value : to);
    write.header(HeaderId::call_id, message.call_id());
    write.text("CSeq: ").number(message.cseq()->number).text(" ").text(method).crlf();
    write.text(more).body({}, {});
    return true;
}

}  // namespace

bool build_cancel(std::string_view invite, std::string_view reason, std::string& out) {
    return build(invite, "CANCEL", {}, reason, out);
}
bool build_ack(std::string_view invite, std::string_view to, std::string& out) {
    return build(invite, "ACK", to, {}, out);
}

}  // namespace kahu::tm
