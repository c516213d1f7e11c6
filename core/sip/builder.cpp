#include "core/sip/builder.h"

#include <charconv>

#include "core/base/text.h"
#include "core/sip/params.h"
#include "core/sip/scan.h"
#include "core/sip/status.h"
#include "mem/contract.h"

namespace kahu::sip {

Writer& Writer::number(uint64_t n) {
    char digits[20];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, n);
    out_.append(digits, static_cast<size_t>(end - digits));
    return *this;
}

Writer& Writer::header(std::string_view name, std::string_view value) {
    return text(name).text(": ").text(value).crlf();
}

Writer& Writer::request_line(std::string_view method, std::string_view uri) {
    return text(method).text(" ").text(uri).text(" SIP/2.0\r\n");
}

Writer& Writer::status_line(int status, std::string_view reason) {
    text("SIP/2.0 ").number(static_cast<uint64_t>(status)).text(" ");
    if (reason.empty()) reason = reason_phrase(status);
    // A phrase taken from a message must not be able to add header lines.
    for (const char c : reason) out_ += c == '\r' || c == '\n' ? ' ' : c;
    return crlf();
}

Writer& Writer::body(std::string_view content_type, std::string_view body) {
    if (!content_type.empty()) header(HeaderId::content_type, content_type);
    text(header_name(HeaderId::content_length)).text(": ").number(body.size()).crlf().crlf();
    return text(body);
}

void append_via_with_source(const Via& via, std::string_view received, uint16_t port, std::string& out,
                            bool force_rport) {
    Writer write(out);
    if (received.empty()) {
        write.text(via.text);
        return;
    }
    const bool answer_rport = (via.has_rport || force_rport) && port != 0;
    write.text(via.text.substr(0, via.text.size() - via.params.size()));
    ParamScanner scan(via.params);
    for (Param p; scan.next(p);) {
        if (text::iequals(p.name, "received")) continue;  // the sender has no say in where it was seen
        if (answer_rport && text::iequals(p.name, "rport")) {
            write.text(";rport=").number(port);
        } else {
            write.text(";").text(p.whole);
        }
    }
    if (answer_rport && !via.has_rport) write.text(";rport=").number(port);
    // RFC 3581 4: with rport, received is added even when it equals sent-by.
    if (answer_rport || !text::iequals(via.bare_host(), received)) write.text(";received=").text(received);
}

namespace {

// RFC 3261 12.1.1, RFC 6665 4.2.1.1, RFC 3515: requests whose answer may create a dialog.
constexpr MethodMask kDialogForming =
    mask_of(Method::invite) | mask_of(Method::subscribe) | mask_of(Method::refer) | mask_of(Method::notify);

void copy_vias(const Message& request, const ReplyOptions& options, Writer& write, std::string& out) {
    const HeaderField* field = request.first(HeaderId::via);
    const Via* top = request.top_via();
    if (field != nullptr && top != nullptr) {
        write.text("Via: ");
        append_via_with_source(*top, options.received, options.received_port, out, options.force_rport);
        const size_t behind = static_cast<size_t>(top->text.data() - field->value.data()) + top->text.size();
        write.text(field->value.substr(behind)).crlf();
        field = request.next(field);
    }
    for (; field != nullptr; field = request.next(field)) write.header(HeaderId::via, field->value);
}

void copy_all(const Message& request, HeaderId id, Writer& write) {
    for (const HeaderField* field = request.first(id); field != nullptr; field = request.next(field))
        write.header(id, field->value);
}

void copy_first(const Message& request, HeaderId id, Writer& write) {
    if (const HeaderField* field = request.first(id)) write.header(id, field->value);
}

void copy_to(const Message& request, int status, std::string_view to_tag, Writer& write) {
    const HeaderField* field = request.first(HeaderId::to);
    if (field == nullptr) return;
    write.text("To: ").text(field->value);
    const NameAddr* to = request.to();
    const bool has_tag = to != nullptr && !to->tag.empty();
    if (status != 100 && !has_tag && !to_tag.empty()) write.text(";tag=").text(to_tag);
    write.crlf();
}

}  // namespace

void build_reply(const Message& request, int status, std::string_view reason, const ReplyOptions& options,
                 std::string& out) {
    REQUIRE(request.can_be_answered() && status >= 100 && status <= 699);
    Writer write(out);
    write.status_line(status, reason);
    copy_vias(request, options, write, out);
    if (status > 100 && status < 300 && (kDialogForming & mask_of(request.method())) != 0)
        copy_all(request, HeaderId::record_route, write);
    copy_first(request, HeaderId::from, write);
    copy_to(request, status, options.to_tag, write);
    copy_first(request, HeaderId::call_id, write);
    copy_first(request, HeaderId::cseq, write);
    if (status == 100) copy_first(request, HeaderId::timestamp, write);  // 8.2.6.1
    if (!options.server_header.empty()) write.header(HeaderId::server, options.server_header);
    write.text(options.extra_headers);
    write.body(options.content_type, options.body);
}

}  // namespace kahu::sip
