#include "core/script/text_codecs.h"

#include <openssl/evp.h>

#include <array>
#include <cstring>

namespace kahu::script {
namespace {

constexpr char kLowerHex[] = "0123456789abcdef";
constexpr char kUpperHex[] = "0123456789ABCDEF";
constexpr std::string_view kBase64Standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr size_t kBase58Most = 512;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

std::string_view escape_percent(std::string_view text, std::string_view also_allowed, bool blank_is_plus,
                                Arena& arena) {
    TextBuilder out(arena);
    for (const char c : text) {
        if (blank_is_plus && c == ' ') out.append('+');
        else if (is_alphanumeric(c) || also_allowed.find(c) != also_allowed.npos) out.append(c);
        else out.append('%').append(kUpperHex[static_cast<unsigned char>(c) >> 4]).append(kUpperHex[c & 15]);
    }
    return out.take();
}

}  // namespace

std::string_view encode_hex(std::string_view text, Arena& arena) {
    TextBuilder out(arena);
    for (const char c : text) out.append(kLowerHex[static_cast<unsigned char>(c) >> 4]).append(kLowerHex[c & 15]);
    return out.take();
}

std::optional<std::string_view> decode_hex(std::string_view text, Arena& arena) {
    if (text.size() % 2 != 0) return std::nullopt;
    TextBuilder out(arena);
    for (size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out.append(static_cast<char>(high << 4 | low));
    }
    return out.take();
}

std::string_view encode_base64(std::string_view text, Base64 alphabet, bool padded, Arena& arena) {
    const std::string_view symbols = alphabet == Base64::url ? kBase64Url : kBase64Standard;
    TextBuilder out(arena);
    for (size_t i = 0; i < text.size(); i += 3) {
        const size_t have = std::min<size_t>(3, text.size() - i);
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < have ? static_cast<unsigned char>(text[i + k]) : 0u);
        for (size_t k = 0; k < 4; ++k) {
            if (k <= have) out.append(symbols[bits >> (18 - 6 * k) & 63]);
            else if (padded) out.append('=');
        }
    }
    return out.take();
}

std::optional<std::string_view> decode_base64(std::string_view text, Base64 alphabet, Arena& arena) {
    const std::string_view symbols = alphabet == Base64::url ? kBase64Url : kBase64Standard;
    while (!text.empty() && text.back() == '=') text.remove_suffix(1);
    if (text.size() % 4 == 1) return std::nullopt;
    TextBuilder out(arena);
    uint32_t bits = 0;
    int have = 0;
    for (const char c : text) {
        const size_t symbol = symbols.find(c);
        if (symbol == symbols.npos) return std::nullopt;
        bits = bits << 6 | static_cast<uint32_t>(symbol);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out.append(static_cast<char>(bits >> have & 255));
        }
    }
    return out.take();
}

std::string_view encode_base58(std::string_view text, Arena& arena) {
    if (text.size() > kBase58Most) return {};
    std::array<unsigned char, kBase58Most * 138 / 100 + 1> digits;  // log(256) / log(58) = 1.3657
    size_t used = 0, zeros = 0;
    while (zeros < text.size() && text[zeros] == '\0') ++zeros;
    for (const char c : text.substr(zeros)) {
        unsigned carry = static_cast<unsigned char>(c);
        for (size_t i = 0; i < used; ++i) {
            carry += digits[i] * 256u;
            digits[i] = static_cast<unsigned char>(carry % 58);
            carry /= 58;
        }
        for (; carry != 0; carry /= 58) digits[used++] = static_cast<unsigned char>(carry % 58);
    }
    TextBuilder out(arena);
    for (size_t i = 0; i < zeros; ++i) out.append('1');
    for (size_t i = used; i-- > 0;) out.append(kBase58[digits[i]]);
    return out.take();
}

std::optional<std::string_view> decode_base58(std::string_view text, Arena& arena) {
    if (text.size() > kBase58Most) return std::nullopt;
    std::array<unsigned char, kBase58Most> bytes;
    size_t used = 0, ones = 0;
    while (ones < text.size() && text[ones] == '1') ++ones;
    for (const char c : text.substr(ones)) {
        const size_t symbol = kBase58.find(c);
        if (symbol == kBase58.npos) return std::nullopt;
        unsigned carry = static_cast<unsigned>(symbol);
        for (size_t i = 0; i < used; ++i) {
            carry += bytes[i] * 58u;
            bytes[i] = static_cast<unsigned char>(carry & 255);
            carry >>= 8;
        }
        for (; carry != 0; carry >>= 8) bytes[used++] = static_cast<unsigned char>(carry & 255);
    }
    TextBuilder out(arena);
    for (size_t i = 0; i < ones; ++i) out.append('\0');
    for (size_t i = used; i-- > 0;) out.append(static_cast<char>(bytes[i]));
    return out.take();
}

std::string_view encode_7bit(std::string_view text, Arena& arena) {
    TextBuilder out(arena);
    unsigned bits = 0;
    int have = 0;
    const auto flush = [&] { out.append(kUpperHex[bits >> 4 & 15]).append(kUpperHex[bits & 15]); };
    for (const char c : text) {
        bits |= (static_cast<unsigned char>(c) & 0x7fu) << have;
        have += 7;
        if (have >= 8) {
            flush();
            bits >>= 8, have -= 8;
        }
    }
    if (have > 0) flush();
    return out.take();
}

std::optional<std::string_view> decode_7bit(std::string_view text, Arena& arena) {
    const auto packed = decode_hex(text, arena);
    if (!packed) return std::nullopt;
    TextBuilder out(arena);
    unsigned bits = 0;
    int have = 0;
    for (const char c : *packed) {
        bits |= static_cast<unsigned>(static_cast<unsigned char>(c)) << have;
        have += 8;
        while (have >= 7) {
            out.append(static_cast<char>(bits & 0x7f));
            bits >>= 7, have -= 7;
        }
    }
    return out.take();
}

std::string_view escape_user(std::string_view text, Arena& arena) {
    return escape_percent(text, "-_.!~*'()&=+$,;?/", false, arena);
}

std::string_view escape_param(std::string_view text, Arena& arena) {
    return escape_percent(text, "-_.!~*'()[]/:&+$", false, arena);
}

std::string_view escape_form(std::string_view text, Arena& arena) { return escape_percent(text, "-_.~", true, arena); }

std::optional<std::string_view> unescape_percent(std::string_view text, bool plus_is_blank, Arena& arena) {
    TextBuilder out(arena);
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.append(plus_is_blank && text[i] == '+' ? ' ' : text[i]);
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out.append(static_cast<char>(high << 4 | low));
        i += 2;
    }
    return out.take();
}

std::string_view escape_quotes(std::string_view text, Arena& arena) {
    TextBuilder out(arena);
    for (const char c : text) {
        if (c == '\'' || c == '"' || c == '\\') out.append('\\');
        if (c == '\0') out.append("\\0");
        else out.append(c);
    }
    return out.take();
}

std::string_view unescape_quotes(std::string_view text, Arena& arena) {
    TextBuilder out(arena);
    for (size_t i = 0; i < text.size(); ++i) {
        const bool escaped = text[i] == '\\' && i + 1 < text.size();
        if (escaped) ++i;
        out.append(escaped && text[i] == '0' ? '\0' : text[i]);
    }
    return out.take();
}

std::string_view escape_csv(std::string_view text, Arena& arena) {
    TextBuilder out(arena);
    out.append('"');
    for (const char c : text) {
        if (c == '"') out.append('"');
        out.append(c);
    }
    return out.append('"').take();
}

std::string_view escape_crlf(std::string_view text, Arena& arena) {
    TextBuilder out(arena);
    for (const char c : text) {
        if (c == '\r') out.append("\\r");
        else if (c == '\n') out.append("\\n");
        else out.append(c);
    }
    return out.take();
}

std::string_view unescape_crlf(std::string_view text, Arena& arena) {
    TextBuilder out(arena);
    for (size_t i = 0; i < text.size(); ++i) {
        const char following = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
        if (following == 'r' || following == 'n') {
            out.append(following == 'r' ? '\r' : '\n');
            ++i;
        } else {
            out.append(text[i]);
        }
    }
    return out.take();
}

uint32_t core_hash(std::string_view text) {
    uint32_t sum = 0;
    // Words of four bytes, the first one highest; the last may be short.
    for (size_t at = 0; at < text.size(); at += 4) {
        uint32_t word = 0;
        for (const char c : text.substr(at, 4)) word = (word << 8) + static_cast<uint32_t>(static_cast<signed char>(c));
        sum += word ^ word >> 3;
    }
    return sum + (sum >> 11) + (sum >> 13) + (sum >> 23);
}

std::string_view digest(std::string_view text, const char* algorithm, Arena& arena) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    size_t size = 0;
    if (EVP_Q_digest(nullptr, algorithm, nullptr, text.data(), text.size(), bytes, &size) != 1) return {};
    return encode_hex({reinterpret_cast<const char*>(bytes), size}, arena);
}

}  // namespace kahu::script
