#include "rpc/fifo_protocol.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "rpc/argument.h"

namespace kahu::rpc {
namespace {

constexpr size_t kLongestName = 255;
constexpr size_t kMostParams = 256;

FifoRequest broken(const char* why) {
    FifoRequest request;
    request.what = FifoRequest::What::broken;
    request.why = why;
    return request;
}

std::string unquote(std::string_view quoted) {
    std::string out;
    for (size_t i = 1; i + 1 < quoted.size(); ++i) {
        if (quoted[i] != '\\' || i + 2 >= quoted.size()) {
            out += quoted[i];
            continue;
        }
        switch (quoted[++i]) {
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        default: out += quoted[i];
        }
    }
    return out;
}

// ":command:reply_name\n" param "\n" ... "\n"
FifoRequest read_text(std::string_view input, size_t longest) {
    FifoRequest request;
    size_t at = input.find('\n');
    if (at == input.npos) return input.size() > longest ? broken("the line is too long") : request;
    const std::string_view first = text::trim(input.substr(1, at - 1), "\r");
    const size_t colon = first.rfind(':');
    if (colon == first.npos || colon == 0) return broken("expected :command:reply_name");
    request.method = std::string(first.substr(0, colon));
    request.reply_name = first.substr(colon + 1);
    for (++at; at < input.size();) {
        const size_t end = input.find('\n', at);
        if (end == input.npos) break;
        const std::string_view line = text::trim(input.substr(at, end - at), "\r");
        at = end + 1;
        if (line.empty()) {
            request.what = FifoRequest::What::text;
            request.bytes = at;
            return request;
        }
        if (request.params.size() == kMostParams) return broken("too many parameters");
        const bool quoted = line.size() >= 2 && line.front() == '"' && line.back() == '"';
        request.params.push_back(quoted ? RpcCall::Param(unquote(line)) : param_from_text(line));
    }
    return input.size() > longest ? broken("the request is too long") : request;
}

FifoRequest read_binary(std::string_view input, size_t longest) {
    FifoRequest request;
    const size_t end = input.substr(0, kLongestName + 2).find('\n');
    if (end == input.npos)
        return input.size() > kLongestName + 1 ? broken("expected a line with the reply FIFO's name") : request;
    request.reply_name = text::trim(input.substr(0, end), "\r");
    const std::string_view rest = input.substr(end + 1);
    switch (binrpc::read_header(rest, request.header)) {
    case binrpc::HeaderStatus::need_more: return request;
    case binrpc::HeaderStatus::corrupt: return broken("no binrpc packet follows the name");
    case binrpc::HeaderStatus::complete: break;
    }
    if (request.header.type != binrpc::PacketType::request) return broken("the packet is no request");
    if (request.header.body_bytes > longest) return broken("the request is too long");
    if (request.header.packet_bytes() > rest.size()) return request;
    request.packet = rest.substr(0, request.header.packet_bytes());
    request.bytes = end + 1 + request.packet.size();
    request.what = FifoRequest::What::binary;
    return request;
}

// --- text answers ----------------------------------------------------------------------------------

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case ':': out += "\\o"; break;
        case ',': out += "\\c"; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        case '\0': out += "\\0"; break;
        default: out += c;
        }
    }
    return out;
}

struct OneLine {
    bool inside;  // of a struct: escape
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return number_text(v); }
    std::string operator()(const std::string& v) const {
        if (inside) return escaped(v);
        std::string line = v;
        std::replace(line.begin(), line.end(), '\n', ' ');
        return line;
    }
    std::string operator()(const RpcStruct& members) const {
        std::string line;
        for (const auto& [name, value] : members)
            line += (line.empty() ? "" : ",") + (name.empty() ? "" : escaped(name) + ":") +
                    std::visit(OneLine{true}, value.data());
        return inside ? "{" + line + "}" : line;
    }
    std::string operator()(const RpcArray& values) const {
        std::string line;
        for (const RpcValue& value : values)
            line += (line.empty() ? "" : ",") + std::visit(OneLine{true}, value.data());
        return inside ? "[" + line + "]" : line;
    }
};

}  // namespace

bool is_plain_file_name(std::string_view name) {
    if (name.empty() || name.size() > kLongestName || name.front() == '.') return false;
    return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '/'; });
}

FifoRequest read_fifo_request(std::string_view input, size_t longest) {
    // Blank lines between requests are nobody's.
    size_t blank = 0;
    while (blank < input.size() && (input[blank] == '\n' || input[blank] == '\r')) ++blank;
    const std::string_view rest = input.substr(blank);
    if (rest.empty()) return {};
    FifoRequest request = rest.front() == ':' ? read_text(rest, longest) : read_binary(rest, longest);
    if (request.what == FifoRequest::What::need_more || request.what == FifoRequest::What::broken) return request;
    if (!is_plain_file_name(request.reply_name)) return broken("the reply FIFO's name must be a plain file name");
    request.bytes += blank;
    return request;
}

std::string text_answer(const RpcCall& call) {
    if (const auto& fault = call.faulted()) return fmt::format("{} {}\n", fault->first, OneLine{false}(fault->second));
    std::string answer = "200 OK\n";
    for (const RpcValue& value : call.results()) answer += std::visit(OneLine{false}, value.data()) + "\n";
    return answer;
}

}  // namespace kahu::rpc
