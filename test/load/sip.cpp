#include "test/load/sip.h"

#include <fmt/format.h>

#include <charconv>

#include "core/base/text.h"

namespace kahu::load {
namespace {

void write_nine_digits(std::string& text, size_t at, uint32_t value) {
    for (size_t i = 9; i-- > 0; value /= 10) text[at + i] = static_cast<char>('0' + value % 10);
}

uint64_t leading_number(std::string_view value) {
    uint64_t number = 0;
    value = text::trim(value);
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

}  // namespace

RequestTemplate::RequestTemplate(const std::string& method, Transport transport, const SocketAddress& target,
                                 unsigned connection, uint32_t users)
    : users_(users), first_user_(kFirst + connection * users) {
    const std::string host = target.ip_in_uri();
    if (method == "GET") {
        text_ = fmt::format("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", host);
        return;
    }
    text_ = fmt::format("{} sip:{}:{};transport={} SIP/2.0\r\nVia: SIP/2.0/{} {}:{};branch=z9hG4bK{}-", method, host,
                        target.port(), name_of(transport), upper_name_of(transport), host, 5060, connection);
    branch_at_ = text_.size();
    const std::string user = users == 0 ? fmt::format("load{}", connection) : "load000000000";
    const auto add_user = [&](std::string_view before) {
        text_.append(before).append(user);
        if (users_ != 0) user_at_.push_back(text_.size() - 9);
    };
    text_ += "000000000;rport\r\nMax-Forwards: 70\r\n";
    add_user("From: <sip:");
    text_ += fmt::format("@{}>;tag=l{}\r\n", host, connection);
    add_user("To: <sip:");
    text_ += fmt::format("@{1}>\r\nCall-ID: {0}.kahu-load@{1}\r\nCSeq: ", connection, host);
    cseq_at_ = text_.size();
    text_ += fmt::format("000000000 {}\r\n", method);
    if (method == "REGISTER") {
        add_user("Contact: <sip:");
        text_ += fmt::format("@{}:5060;transport={}>\r\nExpires: 600\r\n", host, name_of(transport));
    }
    text_ += "User-Agent: kahu-load\r\nContent-Length: 0\r\n\r\n";
}

std::string_view RequestTemplate::numbered(uint32_t number) {
    if (has_number()) {
        write_nine_digits(text_, branch_at_, kFirst + number);
        write_nine_digits(text_, cseq_at_, kFirst + number);
        for (const size_t at : user_at_) write_nine_digits(text_, at, first_user_ + number % users_);
    }
    return text_;
}

long read_answer(std::string_view bytes, Answer& out) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    size_t start = 0;
    while (start + 1 < bytes.size() && bytes[start] == '\r' && bytes[start + 1] == '\n') start += 2;  // keep-alive pong
    const size_t end = bytes.find(kEnd, start);
    if (end == bytes.npos) return 0;
    std::string_view head = bytes.substr(start, end + 2 - start);
    if (!head.starts_with("SIP/2.0 ") && !head.starts_with("HTTP/1.1 ")) return -1;
    out = Answer{};
    out.status = static_cast<int>(leading_number(head.substr(head.find(' '), 5)));
    uint64_t body = 0;
    for (size_t line = head.find('\n') + 1; line < head.size(); line = head.find('\n', line) + 1) {
        const char first = text::lower(head[line]);
        if (first != 'c' && first != 'l') continue;
        const size_t colon = head.find(':', line);
        if (colon == head.npos) continue;
        const std::string_view name = head.substr(line, colon - line);
        const std::string_view value = head.substr(colon + 1, 20);
        if (text::iequals(name, "Content-Length") || text::iequals(name, "l")) body = leading_number(value);
        if (!text::iequals(name, "CSeq")) continue;
        out.has_number = true;
        out.number = static_cast<uint32_t>(leading_number(value)) - RequestTemplate::kFirst;
    }
    if (body > (1u << 20)) return -1;
    const size_t whole = end + kEnd.size() + body;
    return whole > bytes.size() ? 0 : static_cast<long>(whole);
}

}  // namespace kahu::load
