#include "core/config/substitution.h"

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/base/text.h"

namespace kahu::config {
namespace {

constexpr size_t kMaxPattern = 1024;
constexpr uint32_t kMatchLimit = 100000, kHeapLimitKilobytes = 1024;

// The field that ends at an unescaped separator; "\<separator>" stands for the separator itself.
bool take_field(std::string_view& rest, char separator, std::string& field) {
    for (size_t at = 0; at < rest.size(); ++at) {
        if (rest[at] == '\\' && at + 1 < rest.size()) {
            if (rest[at + 1] != separator) field += rest[at];
            field += rest[++at];
        } else if (rest[at] == separator) {
            rest.remove_prefix(at + 1);
            return true;
        } else {
            field += rest[at];
        }
    }
    return false;
}

}  // namespace

void Substitution::Free::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }

Result<Substitution> Substitution::parse(std::string_view text) {
    const Error shape{Errc::invalid, "a substitution is written \"/pattern/replacement/flags\"", "flags: i, g, s"};
    if (text.size() < 3) return shape;
    const char separator = text[0];
    std::string_view rest = text.substr(1);
    Substitution out;
    if (!take_field(rest, separator, out.pattern_) || !take_field(rest, separator, out.replacement_)) return shape;
    if (out.pattern_.empty() || out.pattern_.size() > kMaxPattern)
        return Error{Errc::invalid, fmt::format("the pattern must have 1 to {} bytes", kMaxPattern), ""};
    uint32_t options = PCRE2_NEVER_UTF;
    for (char flag : rest) {
        if (flag == 'g') out.global_ = true;
        else if (flag == 'i') options |= PCRE2_CASELESS;
        else if (flag == 's') options |= PCRE2_DOTALL;
        else
            return Error{Errc::invalid, fmt::format("unknown substitution flag '{}'", text::printable({&flag, 1})),
                         "flags: i, g, s"};
    }
    int code = 0;
    size_t at = 0;
    out.code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(out.pattern_.data()), out.pattern_.size(), options,
                                  &code, &at, nullptr));
    if (out.code_) return out;
    char why[120] = "";
    pcre2_get_error_message(code, reinterpret_cast<PCRE2_UCHAR*>(why), sizeof why);
    return Error{
        Errc::invalid,
        fmt::format("the pattern '{}' is not valid at offset {}: {}", text::printable(out.pattern_, 80), at, why), ""};
}

bool Substitution::expand(std::string_view subject, const size_t* groups, uint32_t count, std::string& out) const {
    for (size_t at = 0; at < replacement_.size(); ++at) {
        const bool reference = replacement_[at] == '\\' && at + 1 < replacement_.size();
        const char next = reference ? replacement_[at + 1] : '\0';
        if (reference && next >= '0' && next <= '9') {
            const auto group = static_cast<uint32_t>(next - '0');
            if (group < count && groups[2 * group] != PCRE2_UNSET && groups[2 * group] <= groups[2 * group + 1])
                out += subject.substr(groups[2 * group], groups[2 * group + 1] - groups[2 * group]);
            ++at;
        } else {
            out += replacement_[at];
        }
        if (out.size() > kMaxBytes) return false;
    }
    return true;
}

std::string Substitution::apply(std::string_view subject) const {
    const std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> match(pcre2_match_data_create(10, nullptr),
                                                                               pcre2_match_data_free);
    const std::unique_ptr<pcre2_match_context, void (*)(pcre2_match_context*)> limits(
        pcre2_match_context_create(nullptr), pcre2_match_context_free);
    pcre2_set_match_limit(limits.get(), kMatchLimit);
    pcre2_set_heap_limit(limits.get(), kHeapLimitKilobytes);
    std::string out;
    size_t from = 0;
    while (from <= subject.size()) {
        const int count = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), from,
                                      0, match.get(), limits.get());
        if (count < 0) break;
        const size_t* groups = pcre2_get_ovector_pointer(match.get());
        if (groups[0] < from || groups[1] < groups[0]) break;  // \K in a lookaround may do so
        out += subject.substr(from, groups[0] - from);
        if (!expand(subject, groups, count == 0 ? 10 : static_cast<uint32_t>(count), out)) return std::string(subject);
        from = groups[1];
        if (groups[0] == groups[1]) {  // an empty match: go on behind the next byte
            if (from < subject.size()) out += subject[from];
            ++from;
        }
        if (!global_) break;
    }
    if (from < subject.size()) out += subject.substr(from);
    return out.size() > kMaxBytes ? std::string(subject) : out;
}

}  // namespace kahu::config
