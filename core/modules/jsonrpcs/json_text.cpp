#include "core/modules/jsonrpcs/json_text.h"

#include <fmt/format.h>

#include <cmath>

namespace kahu::jsonrpcs {
namespace {

// Length of the UTF-8 sequence at the start of `s`, 0 if it is none (RFC 3629: shortest form, no surrogates).
size_t utf8_length(std::string_view s) {
    const auto at = [&](size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
    const auto tail = [&](size_t i) { return (at(i) & 0xc0) == 0x80; };
    const unsigned c = at(0);
    if (c < 0x80) return 1;
    if (c >= 0xc2 && c <= 0xdf) return tail(1) ? 2 : 0;
    if (c >= 0xe0 && c <= 0xef) {
        const bool overlong = c == 0xe0 && at(1) < 0xa0, surrogate = c == 0xed && at(1) > 0x9f;
        return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        const bool overlong = c == 0xf0 && at(1) < 0x90, beyond = c == 0xf4 && at(1) > 0x8f;
        return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

void append_escaped(std::string_view s, std::string& out) {
    while (!s.empty()) {
        const size_t length = utf8_length(s);
        const char c = s.front();
        if (length == 0) out.append("\\ufffd");
        else if (c == '"' || c == '\\') out.append({'\\', c});
        else if (c == '\n') out.append("\\n");
        else if (c == '\r') out.append("\\r");
        else if (c == '\t') out.append("\\t");
        else if (length == 1 && (c < 0x20 || c == 0x7f)) out.append(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
        else out.append(s.substr(0, length));
        s.remove_prefix(length == 0 ? 1 : length);
    }
}

}  // namespace

void JsonWriter::line(size_t depth) {
    if (!pretty_) return;
    out_.push_back('\n');
    out_.append(depth, '\t');
}

void JsonWriter::begin_object() {
    out_.push_back('{');
    ++depth_;
    first_ = true;
}

void JsonWriter::key(std::string_view name) {
    if (!first_) out_.push_back(',');
    first_ = false;
    line(depth_);
    text(name);
    out_.append(pretty_ ? ":\t" : ":");
}

void JsonWriter::end_object() {
    --depth_;
    line(depth_);
    out_.push_back('}');
    first_ = false;
}

void JsonWriter::text(std::string_view value) {
    out_.push_back('"');
    append_escaped(value, out_);
    out_.push_back('"');
}

void JsonWriter::number(double value) {
    if (!std::isfinite(value)) out_.append("null");
    else if (std::fabs(value) < 1e15 && value == std::floor(value)) out_.append(fmt::format("{:.0f}", value));
    else out_.append(fmt::format("{}", value));
}

void JsonWriter::array(const RpcArray& values) {
    out_.push_back('[');
    ++depth_;
    bool first = true;
    for (const RpcValue& item : values) {
        if (!first) out_.append(pretty_ ? ", " : ",");
        first = false;
        value(item);
    }
    --depth_;
    out_.push_back(']');
}

void JsonWriter::value(const RpcValue& given) {
    const auto& data = given.data();
    if (const auto* whole = std::get_if<int64_t>(&data)) raw(std::to_string(*whole));
    else if (const auto* fraction = std::get_if<double>(&data)) number(*fraction);
    else if (const auto* words = std::get_if<std::string>(&data)) text(*words);
    else if (const auto* list = std::get_if<RpcArray>(&data)) array(*list);
    else {
        begin_object();
        for (const auto& [name, member] : std::get<RpcStruct>(data)) {
            key(name);
            value(member);
        }
        end_object();
    }
}

}  // namespace kahu::jsonrpcs
