#include "test/load/call_text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <vector>

#include "core/base/text.h"

namespace kahu::load {
namespace {

constexpr uint32_t kFirst = 100'000'000;  // nine digits from the start: the length never changes
constexpr std::string_view kBody =
    "v=0\r\no=phone 2890844526 2890844526 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 49172 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

uint64_t leading_number(std::string_view value) {
    uint64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

// Calls visit(name, value, line) for each header line.
template <class Visit>
void each_header(std::string_view head, Visit visit) {
    for (size_t at = head.find('\n') + 1; at < head.size();) {
        const size_t end = head.find('\n', at) + 1;
        if (end == 0) return;
        const std::string_view line = head.substr(at, end - at);
        const size_t colon = line.find(':');
        if (colon != line.npos) visit(text::trim(line.substr(0, colon)), text::trim(line.substr(colon + 1)), line);
        at = end;
    }
}

std::string_view uri_of(std::string_view value) {
    const size_t open = value.find('<'), close = value.find('>');
    return open == value.npos || close == value.npos || close < open ? value : value.substr(open + 1, close - open - 1);
}

bool read_start_line(CallMessage& out) {
    constexpr std::string_view kVersion = "SIP/2.0 ";
    if (out.head.starts_with(kVersion)) {
        out.status = static_cast<int>(leading_number(out.head.substr(kVersion.size(), 3)));
        return out.status >= 100;
    }
    const std::string_view line = out.head.substr(0, out.head.find('\r'));
    return line.ends_with(" SIP/2.0");
}

}  // namespace

long read_call_message(std::string_view bytes, CallMessage& out) {
    size_t start = 0;
    while (bytes.substr(start).starts_with("\r\n")) start += 2;  // keep-alives
    const size_t end = bytes.find("\r\n\r\n", start);
    if (end == bytes.npos) return 0;
    out = CallMessage{};
    out.head = bytes.substr(start, end + 2 - start);
    if (!read_start_line(out)) return -1;
    uint64_t body = 0;
    each_header(out.head, [&](std::string_view name, std::string_view value, std::string_view) {
        switch (text::lower(name[0])) {
        case 'c':
            if (text::iequals(name, "CSeq")) out.method = text::trim(value.substr(value.find(' ') + 1));
            else if (text::iequals(name, "Call-ID")) out.number = static_cast<uint32_t>(leading_number(value)) - kFirst;
            else if (text::iequals(name, "Contact")) out.contact = uri_of(value);
            else if (text::iequals(name, "Content-Length")) body = leading_number(value);
            break;
        case 't':
            if (text::iequals(name, "To")) out.to = value;
            break;
        default: break;
        }
    });
    if (body > (1u << 20) || out.method.empty()) return -1;
    const size_t whole = end + 4 + body;
    return whole > bytes.size() ? 0 : static_cast<long>(whole);
}

std::string echo_of(const CallMessage& request, std::string_view tag) {
    constexpr std::string_view kRepeated[] = {"Via", "Record-Route", "From", "Call-ID", "CSeq"};
    std::string echo;
    each_header(request.head, [&](std::string_view name, std::string_view value, std::string_view line) {
        if (text::iequals(name, "To") && value.find(";tag=") == value.npos)
            return void(echo.append("To: ").append(value).append(";tag=").append(tag).append("\r\n"));
        if (text::iequals(name, "To")) return void(echo += line);
        for (const std::string_view known : kRepeated)
            if (text::iequals(name, known)) return void(echo += line);
    });
    return echo;
}

std::string routes_of(const CallMessage& answer) {
    std::vector<std::string_view> routes;
    each_header(answer.head, [&](std::string_view name, std::string_view value, std::string_view) {
        if (!text::iequals(name, "Record-Route")) return;
        for (size_t at = 0; at < value.size();) {  // no comma is inside < > in what the servers write
            const size_t comma = std::min(value.find(',', at), value.size());
            routes.push_back(text::trim(value.substr(at, comma - at)));
            at = comma + 1;
        }
    });
    std::string lines;
    for (size_t i = routes.size(); i-- > 0;) lines.append("Route: ").append(routes[i]).append("\r\n");
    return lines;
}

CallerText::CallerText(Transport transport, std::string callee_uri)
    : upper_(upper_name_of(transport)),
      lower_(name_of(transport)),
      callee_uri_(std::move(callee_uri)),
      run_(fmt::format("{}", getpid())) {}

std::string CallerText::invite(uint32_t number) const {
    return fmt::format(
        "INVITE {0} SIP/2.0\r\nVia: SIP/2.0/{1} 127.0.0.1:5060;branch=z9hG4bK{2}-{6};rport\r\nMax-Forwards: 70\r\n"
        "From: \"Caller\" <sip:caller@127.0.0.1>;tag=a{2}\r\nTo: <{0}>\r\nCall-ID: {2}.{6}.kahu-call@127.0.0.1\r\n"
        "CSeq: 1 INVITE\r\nContact: <sip:caller@127.0.0.1:5060;transport={3}>\r\nUser-Agent: kahu-load\r\n"
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nContent-Type: application/sdp\r\nContent-Length: {4}\r\n\r\n{5}",
        callee_uri_, upper_, kFirst + number, lower_, kBody.size(), kBody, run_);
}

std::string CallerText::in_dialog(std::string_view method, uint32_t number, std::string_view to,
                                  std::string_view contact, std::string_view routes) const {
    return fmt::format(
        "{0} {1} SIP/2.0\r\nVia: SIP/2.0/{2} 127.0.0.1:5060;branch=z9hG4bK{3}-{7}-{0};rport\r\nMax-Forwards: 70\r\n{4}"
        "From: \"Caller\" <sip:caller@127.0.0.1>;tag=a{3}\r\nTo: {5}\r\nCall-ID: {3}.{7}.kahu-call@127.0.0.1\r\n"
        "CSeq: {6} {0}\r\nUser-Agent: kahu-load\r\nContent-Length: 0\r\n\r\n",
        method, contact, upper_, kFirst + number, routes, to, method == "ACK" ? 1 : 2, run_);
}

std::string callee_answer(std::string_view status, const std::string& echo, const std::string& contact_uri,
                          bool with_body) {
    std::string text =
        fmt::format("SIP/2.0 {}\r\n{}Contact: <{}>\r\nUser-Agent: kahu-load\r\n", status, echo, contact_uri);
    if (!with_body) return text += "Content-Length: 0\r\n\r\n";
    return text += fmt::format("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}", kBody.size(), kBody);
}

}  // namespace kahu::load
