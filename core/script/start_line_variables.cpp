// core/script/start_line_variables.cpp -- the start line, the message as a whole, and the Request-URI.
#include <fmt/format.h>

#include "core/base/text.h"
#include "core/script/core_variables.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/uri_edit.h"
#include "core/script/variable.h"

namespace kahu::script {
namespace {

using Use = VariableUse;

// Absent and empty are the same here: null.
Value text_or_none(std::string_view text) { return text.empty() ? Value::none() : Value::of(text); }

template <Value (*part)(Run&, const sip::Uri&)>
Value of_request_uri(Run& run, const Use&) {
    const sip::Uri* const uri = run.parsed_request_uri();
    return uri == nullptr ? Value::none() : part(run, *uri);
}
template <Value (*part)(Run&, const sip::Uri&)>
Value of_original_uri(Run& run, const Use&) {
    const sip::Uri* const uri = run.is_request() ? run.message().parsed_request_uri() : nullptr;
    return uri == nullptr ? Value::none() : part(run, *uri);
}

Value user_of(Run&, const sip::Uri& uri) { return text_or_none(uri.user); }
Value host_of(Run&, const sip::Uri& uri) { return text_or_none(uri.host); }
Value port_of(Run& run, const sip::Uri& uri) { return Value::digits(run.arena().decimal(uri_port(uri))); }
Value transport_of(Run&, const sip::Uri& uri) { return text_or_none(shown_transport(uri)); }
Value scheme_of(Run&, const sip::Uri& uri) { return Value::of(uri.scheme_name); }

Value request_uri(Run& run, const Use&) { return run.is_request() ? Value::of(run.request_uri()) : Value::none(); }
Value original_uri(Run& run, const Use&) {
    return run.is_request() ? Value::of(run.message().request_uri()) : Value::none();
}

Status only_requests() { return Error{Errc::invalid, "a reply has no Request-URI", ""}; }

Status set_request_uri(Run& run, const Use&, const Value& value) {
    if (!run.is_request()) return only_requests();
    const std::string_view text = to_text(value, run.arena());
    sip::Uri uri;
    if (parse_into(text, uri) == nullptr)
        return Error{Errc::invalid, fmt::format("\"{}\" is not a URI", text::printable(text)), ""};
    run.set_request_uri(text);
    return {};
}
template <UriPart part>
Status set_part(Run& run, const Use&, const Value& value) {
    if (!run.is_request()) return only_requests();
    return set_request_uri_part(run, part, to_text(value, run.arena()));
}

Value method(Run& run, const Use&) { return text_or_none(method_name_of(run.message())); }
Value method_number(Run& run, const Use&) {
    const sip::Method known = method_of(run.message());
    return Value::of(known == sip::Method::other ? int64_t{0} : int64_t{sip::mask_of(known)});
}
Value version(Run& run, const Use&) { return text_or_none(run.message().version()); }
Value status(Run& run, const Use&) {
    return run.is_request() ? Value::none() : Value::of(int64_t{run.message().status()});
}
Value reason(Run& run, const Use&) { return run.is_request() ? Value::none() : Value::of(run.message().reason()); }
Value message_type(Run& run, const Use&) { return Value::of(int64_t{run.is_request() ? 1 : 2}); }
Value message_length(Run& run, const Use&) { return Value::of(static_cast<int64_t>(run.message().bytes().size())); }
Value whole_message(Run& run, const Use&) { return Value::of(run.message().bytes()); }
Value body(Run& run, const Use&) { return Value::of(run.message().body()); }
Value body_size(Run& run, const Use&) { return Value::of(static_cast<int64_t>(run.message().body().size())); }

// $msg(len), $msg(buf) ...
enum MessagePart : int64_t {
    kLength,
    kBuffer,
    kBody,
    kBodyLength,
    kHeaders,
    kHeadersLength,
    kFirstLine,
    kToBody,
    kAfterFirstLine
};
struct PartName {
    std::string_view name;
    MessagePart part;
};
constexpr PartName kParts[] = {{"len", kLength},
                               {"buf", kBuffer},
                               {"body", kBody},
                               {"body_len", kBodyLength},
                               {"bodylen", kBodyLength},
                               {"hdrs", kHeaders},
                               {"hdrs_len", kHeadersLength},
                               {"hdrslen", kHeadersLength},
                               {"lpart", kAfterFirstLine},
                               {"fpart", kToBody},
                               {"fline", kFirstLine}};

Status prepare_message_part(Use& use) {
    for (const PartName& row : kParts)
        if (row.name == use.inner) {
            use.number = row.part;
            return {};
        }
    return Error{Errc::invalid, fmt::format("\"{}\" is no part of a message", use.inner),
                 "len, buf, body, body_len, hdrs, hdrs_len, fline, fpart or lpart"};
}
Value message_part(Run& run, const Use& use) {
    const sip::Message& message = run.message();
    const size_t head = message.head().size(), line = message.start_line().size();
    switch (use.number) {
    case kLength: return Value::of(static_cast<int64_t>(message.bytes().size()));
    case kBuffer: return Value::of(message.bytes());
    case kBody: return Value::of(message.body());
    case kBodyLength: return Value::of(static_cast<int64_t>(message.body().size()));
    case kHeaders: return Value::of(text::trim(message.head().substr(line)));
    case kToBody: return Value::of(text::trim(message.head()));
    case kAfterFirstLine: return Value::of(message.bytes().substr(line));
    case kHeadersLength: return Value::of(static_cast<int64_t>(head - line));
    default: return Value::of(text::trim(message.start_line()));
    }
}

constexpr Variable kVariables[] = {
    {"ru", "The Request-URI as it is now.", request_uri, set_request_uri},
    {"ruri", "The same as $ru.", request_uri, set_request_uri},
    {"rU", "User of the Request-URI.", of_request_uri<user_of>, set_part<UriPart::user>},
    {"ruri.user", "The same as $rU.", of_request_uri<user_of>, set_part<UriPart::user>},
    {"rd", "Host of the Request-URI.", of_request_uri<host_of>, set_part<UriPart::host>},
    {"ruri.domain", "The same as $rd.", of_request_uri<host_of>, set_part<UriPart::host>},
    {"rp", "Port of the Request-URI, or the default of its transport.", of_request_uri<port_of>,
     set_part<UriPart::port>},
    {"rP", "Transport the Request-URI asks for.", of_request_uri<transport_of>},
    {"rz", "Scheme of the Request-URI.", of_request_uri<scheme_of>},
    {"ou", "The Request-URI as it was received.", original_uri},
    {"ouri", "The same as $ou.", original_uri},
    {"oU", "User of the received Request-URI.", of_original_uri<user_of>},
    {"od", "Host of the received Request-URI.", of_original_uri<host_of>},
    {"op", "Port of the received Request-URI.", of_original_uri<port_of>},
    {"oP", "Transport of the received Request-URI.", of_original_uri<transport_of>},
    {"rm", "Method of the request, or of the request a reply belongs to.", method},
    {"rmid", "Method as a number; 0 if it is not a known one.", method_number},
    {"rv", "SIP version of the start line.", version},
    {"rs", "Status of a reply.", status},
    {"rr", "Reason phrase of a reply.", reason},
    {"mt", "1 for a request, 2 for a reply.", message_type},
    {"ml", "Length of the message in bytes.", message_length},
    {"mb", "The whole message.", whole_message},
    {"rb", "The body.", body},
    {"bs", "Length of the body in bytes.", body_size},
    {"msg", "Parts of the message: len, buf, body, body_len, hdrs, hdrs_len, fline, fpart, lpart.", message_part,
     nullptr, prepare_message_part},
};

}  // namespace

std::span<const Variable> start_line_variables() { return kVariables; }

}  // namespace kahu::script
