// An answer as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rpc/client/print.h"

namespace kahu::client {
namespace {

// Length of the UTF-8 character at the front; 0: these bytes are none (RFC 3629).
size_t utf8_length(std::string_view text) {
    const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const unsigned first = byte(0);
    const size_t length = first < 0x80                    ? 1
                          : first >= 0xC2 && first < 0xE0 ? 2
                          : first >= 0xE0 && first < 0xF0 ? 3
                          : first >= 0xF0 && first < 0xF5 ? 4
                                                          : 0;
    for (size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
    const bool beyond = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
    return overlong || beyond ? 0 : length;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const size_t length = utf8_length(text);
        const auto c = static_cast<unsigned char>(text[0]);
        if (length == 0) out += "\\ufffd";
        else if (c == '"' || c == '\\') (out += '\\') += text[0];
        else if (c == '\n') out += "\\n";
        else if (c == '\t') out += "\\t";
        else if (c == '\r') out += "\\r";
        else if (c < 0x20 || c == 0x7f) out += fmt::format("\\u{:04x}", c);
        else out += text.substr(0, length);
        text.remove_prefix(std::max<size_t>(1, length));
    }
    return out + '"';
}

struct JsonWriter {
    std::string& out;
    int depth = 0;

    void operator()(int64_t v) const { out += std::to_string(v); }
    void operator()(double v) const {
        const bool whole = v == std::floor(v) && std::fabs(v) < 1e15;
        out += !std::isfinite(v) ? "null" : whole ? fmt::format("{:.0f}", v) : fmt::format("{}", v);
    }
    void operator()(const std::string& v) const { out += quoted(v); }
    void operator()(const RpcArray& values) const {
        if (values.empty()) {
            out += "[]";
            return;
        }
        for (size_t i = 0; i < values.size(); ++i) {
            out += i == 0 ? "[" : ",";
            new_line(depth + 1);
            std::visit(JsonWriter{out, depth + 1}, values[i].data());
        }
        new_line(depth);
        out += "]";
    }
    void operator()(const RpcStruct& members) const {
        if (members.empty()) {
            out += "{}";
            return;
        }
        bool first = true;
        for (auto member = members.begin(); member != members.end(); ++member) {
            const auto same = [&](const auto& other) { return other.first == member->first; };
            if (std::any_of(members.begin(), member, same)) continue;  // written with the first one
            out += first ? "{" : ",";
            first = false;
            new_line(depth + 1);
            out += quoted(member->first) + ": ";
            RpcArray all;
            for (auto other = member; other != members.end(); ++other)
                if (same(*other)) all.push_back(other->second);
            if (all.size() == 1) std::visit(JsonWriter{out, depth + 1}, member->second.data());
            else (JsonWriter{out, depth + 1})(all);
        }
        new_line(depth);
        out += "}";
    }
    void new_line(int indent) const { out += "\n" + std::string(static_cast<size_t>(indent) * 2, ' '); }
};

}  // namespace

std::string as_json(const std::vector<RpcValue>& values, bool list) {
    std::string out;
    if (values.size() == 1 && !list) std::visit(JsonWriter{out}, values[0].data());
    else (JsonWriter{out})(values);
    return out + "\n";
}

std::string fault_as_json(int code, std::string_view reason) {
    return fmt::format("{{\"error\": {{\"code\": {}, \"message\": {}}}}}\n", code, quoted(reason));
}

}  // namespace kahu::client
