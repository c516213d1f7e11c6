#include "core/script/regex.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/text.h"

namespace kahu::script {

Result<std::shared_ptr<const Regex>> Regex::compile(std::string_view pattern, bool ignore_case, bool by_line) {
    std::shared_ptr<Regex> out(new Regex);
    const std::string terminated(pattern);
    const int flags = REG_EXTENDED | (ignore_case ? REG_ICASE : 0) | (by_line ? REG_NEWLINE : 0);
    const int rc = ::regcomp(&out->compiled_, terminated.c_str(), flags);
    if (rc != 0) {
        char why[128];
        ::regerror(rc, &out->compiled_, why, sizeof why);
        // regfree() in the destructor of what regcomp() refused would be undefined.
        out->compiled_ = {};
        return Error{Errc::invalid, fmt::format("regular expression \"{}\": {}", text::printable(pattern, 80), why),
                     "POSIX extended syntax: [[:digit:]] instead of \\d"};
    }
    return std::shared_ptr<const Regex>(std::move(out));
}

Regex::~Regex() { ::regfree(&compiled_); }

bool Regex::find(std::string_view text, size_t& at, size_t& length) const {
    // A copy with a NUL behind it: not every regexec() heeds REG_STARTEND (ASan's reads on to a NUL, musl's stops at
    // one). The string keeps its memory, and copying costs little beside matching.
    static std::string copy;
    copy.assign(text);
    regmatch_t match{0, static_cast<regoff_t>(copy.size())};
    if (::regexec(&compiled_, copy.c_str(), 1, &match, REG_STARTEND) != 0) return false;
    at = static_cast<size_t>(match.rm_so);
    length = static_cast<size_t>(match.rm_eo - match.rm_so);
    return true;
}

void Regex::find_all(std::string_view text, size_t most, std::vector<Match>& out) const {
    out.clear();
    static std::string copy;  // as in find()
    copy.assign(text);
    for (size_t from = 0; out.size() < most && from <= copy.size();) {
        regmatch_t groups[std::tuple_size_v<Match>];
        groups[0] = {static_cast<regoff_t>(from), static_cast<regoff_t>(copy.size())};
        if (::regexec(&compiled_, copy.c_str(), std::size(groups), groups, REG_STARTEND) != 0) return;
        Match match;
        for (size_t i = 0; i < match.size(); ++i)
            if (groups[i].rm_so >= 0)
                match[i] = {static_cast<size_t>(groups[i].rm_so),
                            static_cast<size_t>(groups[i].rm_eo - groups[i].rm_so)};
        out.push_back(match);
        from = match[0].at + std::max<size_t>(match[0].length, 1);
    }
}

bool Regex::matches(std::string_view text) const {
    size_t at, length;
    return find(text, at, length);
}

std::shared_ptr<const Regex> cached_regex(std::string_view pattern, bool by_line) {
    struct Entry {
        std::string pattern;
        bool by_line = false;
        std::shared_ptr<const Regex> regex;
    };
    static std::array<Entry, 16> cache;
    static size_t next = 0;
    for (const Entry& entry : cache)
        if (entry.regex != nullptr && entry.by_line == by_line && entry.pattern == pattern) return entry.regex;
    auto compiled = Regex::compile(pattern, true, by_line);
    if (!compiled) return nullptr;
    Entry& slot = cache[next++ % cache.size()];
    slot.pattern = pattern;
    slot.by_line = by_line;
    slot.regex = *compiled;
    return slot.regex;
}

}  // namespace kahu::script
