#include "core/script/branch_text.h"

#include <charconv>

namespace kahu::script {
namespace {

constexpr char kSeparator = '\n';  // cannot be part of a URI or a header value that was accepted

std::string_view take_field(std::string_view& text) {
    const size_t end = text.find(kSeparator);
    const std::string_view field = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return field;
}
template <class T>
T take_number(std::string_view& text) {
    const std::string_view field = take_field(text);
    int64_t number = 0;
    (void)std::from_chars(field.data(), field.data() + field.size(), number);
    return static_cast<T>(number);
}

}  // namespace

std::string pack(const Branch& b) {
    std::string out;
    for (const std::string_view part : {b.uri, b.dst_uri, b.path, b.instance, b.ruid, b.user_agent})
        out.append(part) += kSeparator;
    for (const int64_t number : {int64_t{b.q}, int64_t{b.socket}, static_cast<int64_t>(b.connection), int64_t{b.flags},
                                 int64_t{b.reg_id}, int64_t{b.flow_only}})
        out.append(std::to_string(number)) += kSeparator;
    return out;
}

Branch unpack(std::string_view packed) {
    std::string_view text = packed;
    Branch b;
    for (std::string_view* part : {&b.uri, &b.dst_uri, &b.path, &b.instance, &b.ruid, &b.user_agent})
        *part = take_field(text);
    b.q = take_number<int16_t>(text);
    b.socket = take_number<uint16_t>(text);
    b.connection = take_number<net::ConnectionId>(text);
    b.flags = take_number<uint32_t>(text);
    b.reg_id = take_number<uint32_t>(text);
    b.flow_only = take_number<int>(text) != 0;
    return b;
}

}  // namespace kahu::script
