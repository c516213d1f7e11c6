#include "core/script/substitution.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/script/scope.h"

namespace kahu::script {
namespace {

// Up to the next separator that no backslash precedes; `\` + separator becomes the separator.
bool take_field(std::string_view& rest, char separator, std::string& out) {
    for (size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size()) {
            if (rest[i + 1] != separator) out += rest[i];
            out += rest[++i];
        } else if (rest[i] == separator) {
            rest.remove_prefix(i + 1);
            return true;
        } else {
            out += rest[i];
        }
    }
    return false;
}

}  // namespace

Result<Substitution> Substitution::parse(std::string_view text, const Scope* scope) {
    constexpr std::string_view kHint = "\"/pattern/replacement/flags\"";
    std::string pattern, replacement;
    if (text.empty()) return Error{Errc::invalid, "the substitution is empty", std::string(kHint)};
    const char separator = text.front();
    std::string_view rest = text.substr(1);
    if (!take_field(rest, separator, pattern) || !take_field(rest, separator, replacement))
        return Error{Errc::invalid, fmt::format("\"{}\" is no substitution", text::printable(text, 80)),
                     std::string(kHint)};
    Substitution out;
    bool either_case = false, by_line = true;
    for (const char flag : rest) {
        if (flag == 'g') out.all_ = true;
        else if (flag == 'i') either_case = true;
        else if (flag == 's') by_line = false;
        else return Error{Errc::invalid, fmt::format("flag '{}' of a substitution is not known", flag), "g, i or s"};
    }
    auto regex = Regex::compile(pattern, either_case, by_line);
    if (!regex) return std::move(regex).error();
    out.regex_ = std::move(*regex);
    if (Status read = out.read_replacement(replacement, scope); !read) return std::move(read).error();
    return out;
}

Status Substitution::add_text(std::string& plain, const Scope* scope) {
    if (plain.empty()) return {};
    std::string text = plain;
    if (scope == nullptr)  // "$$" is one "$" in a format
        for (size_t at = 0; (at = text.find('$', at)) != text.npos; at += 2) text.insert(at, 1, '$');
    static const Scope nothing({}, {});
    auto format = Format::compile(text, scope == nullptr ? nothing : *scope, "substitution");
    if (!format) return std::move(format).error();
    pieces_.push_back({*format, 0});
    plain.clear();
    return {};
}

Status Substitution::read_replacement(std::string_view text, const Scope* scope) {
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            plain += text[i];
            continue;
        }
        const char next = text[++i];
        if (next >= '0' && next <= '9') {
            if (Status added = add_text(plain, scope); !added) return added;
            pieces_.push_back({nullptr, static_cast<size_t>(next - '0')});
        } else {
            plain += next == 'n' ? '\n' : next == 'r' ? '\r' : next == 't' ? '\t' : next;
        }
    }
    return add_text(plain, scope);
}

std::string_view Substitution::replacement(Run& run, std::string_view text, const Regex::Match& match) const {
    std::string out;
    for (const Piece& piece : pieces_)
        out += piece.text != nullptr ? piece.text->text(run)
                                     : text.substr(match[piece.group].at, match[piece.group].length);
    return run.arena().copy(out);
}

bool Substitution::apply(Run& run, std::string_view text, std::string_view& out) const {
    std::string changed;
    size_t copied = 0;
    const size_t count = each(run, text, [&](size_t at, size_t length, std::string_view replacement) {
        changed.append(text.substr(copied, at - copied)).append(replacement);
        copied = at + length;
    });
    changed.append(text.substr(copied));
    out = run.arena().copy(changed);
    return count != 0;
}

}  // namespace kahu::script
