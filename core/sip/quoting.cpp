#include "core/sip/quoting.h"

#include "core/sip/scan.h"

namespace kahu::sip {

std::string_view unfold(std::string_view text, std::string& out) {
    if (text.find('\n') == text.npos) return text;
    out.clear();
    for (size_t i = 0; i < text.size();) {
        size_t end = i;
        while (end < text.size() && is_lws(text[end])) ++end;
        const std::string_view blanks = text.substr(i, end - i);
        if (blanks.find('\n') != blanks.npos) {
            out += ' ';
        } else {
            out += blanks;
        }
        for (i = end; i < text.size() && !is_lws(text[i]); ++i) out += text[i];
    }
    return out;
}

std::string_view unquote(std::string_view text, std::string& out) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return text;
    const std::string_view inner = text.substr(1, text.size() - 2);
    if (inner.find('\\') == inner.npos) return inner;
    out.clear();
    for (size_t i = 0; i < inner.size(); ++i) {
        if (inner[i] == '\\' && i + 1 < inner.size()) ++i;
        out += inner[i];
    }
    return out;
}

namespace {
unsigned hex_digit(char c) {
    if (is_digit(c)) return static_cast<unsigned>(c - '0');
    return static_cast<unsigned>((c | 0x20) - 'a') + 10;
}
}  // namespace

std::string_view unescape(std::string_view text, std::string& out) {
    if (text.find('%') == text.npos) return text;
    out.clear();
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2])) {
            out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

void append_quoted(std::string_view text, std::string& out) {
    out += '"';
    for (const char c : text) {
        if (c == '\r' || c == '\n') continue;  // a quoted-pair may not hold them, and a line end would break the header
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

}  // namespace kahu::sip
