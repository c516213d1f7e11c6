// What the token stream says about a syntax error, and where it goes on behind one.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/config/token_stream.h"

namespace kahu::config {
namespace {

constexpr size_t kMaxExpected = 4;  // a longer list explains nothing

std::string describe(const RawToken& token) {
    switch (token.kind) {
    case RawKind::end: return "the end of the file";
    case RawKind::text: return fmt::format("the string \"{}\"", text::printable(token.text, 40));
    case RawKind::punctuation: return fmt::format("'{}'", token.text);
    case RawKind::regex: return fmt::format("/{}/", text::printable(token.text, 40));
    case RawKind::integer:
    case RawKind::address: return fmt::format("'{}'", text::printable(token.spelling, 60));
    default: return fmt::format("'{}'", text::printable(token.text, 60));
    }
}

std::string listed(const std::vector<std::string>& names) {
    std::string out;
    for (size_t i = 0; i < names.size(); ++i) {
        if (i != 0) out += i + 1 == names.size() ? " or " : ", ";
        const bool described = names[i].find(' ') != std::string::npos;
        out += described ? names[i] : '\'' + names[i] + '\'';
    }
    return out;
}

bool has(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void TokenStream::syntax_error(const std::vector<std::string>& expected) {
    if (stopped_ || diagnostics_.full()) return;
    recovering_ = true;
    error_depth_ = depth_before_;
    if (explain_statement(expected) || explain_missing(expected)) return;
    std::string message = "unexpected " + describe(current_);
    if (!expected.empty() && expected.size() <= kMaxExpected) message += ", expected " + listed(expected);
    std::string hint;
    const bool after_call = is_statement_start(previous_);
    if (error_depth_ != 0 && after_call && statement_word_.kind == RawKind::word &&
        !find_script_word(statement_word_.text))
        hint = did_you_mean_script(statement_word_.text);
    diagnostics_.error(current_.at, std::move(message), std::move(hint));
}

// The statement's first word is no statement.
bool TokenStream::explain_statement(const std::vector<std::string>& expected) {
    const bool before_last = previous_.at == prior_word_.at && previous_.text == prior_word_.text;
    const bool last = previous_.at == statement_word_.at && previous_.text == statement_word_.text;
    if (previous_.kind != RawKind::word || (!last && !before_last)) return false;
    const std::string& word = previous_.text;
    if (error_depth_ == 0 && before_last && find_top_word(word)) return false;
    if (error_depth_ == 0 && (before_last || !statement_)) {
        if (current_.is("(")) {
            diagnostics_.error(previous_.at, fmt::format("{}() is called outside of a route", word),
                               "statements stand inside of request_route { ... } or another route");
            return true;
        }
        std::string hint = did_you_mean_top(word);
        if (hint.empty()) hint = fmt::format("a parameter is set by '{} = value'", word);
        diagnostics_.error(previous_.at, fmt::format("unknown statement '{}'", word), std::move(hint));
        return true;
    }
    if (error_depth_ == 0 || place_ == Place::socket || !has(expected, ";") || find_script_word(word)) return false;
    std::string hint = did_you_mean_script(word);
    if (current_.is("=") || current_.is("+="))
        hint = "only variables can be assigned to: $var(name), $avp(name), $ru, ...";
    else if (hint.empty()) hint = fmt::format("a function is called by '{}(...);'", word);
    diagnostics_.error(previous_.at, fmt::format("unknown statement '{}'", word), std::move(hint));
    return true;
}

bool TokenStream::explain_missing(const std::vector<std::string>& expected) {
    if (current_.kind == RawKind::end && depth_ != 0) {
        diagnostics_.error(current_.at,
                           fmt::format("the file ends inside of {}, which begins at {}", block_name_,
                                       diagnostics_.files.text(block_at_)),
                           "'}' is missing");
        return true;
    }
    if (error_depth_ != 0 && current_.is("=") && !has(expected, "=")) {
        diagnostics_.error(current_.at, "'=' assigns and is no comparison", "equality is tested by '=='");
        return true;
    }
    const bool ends = current_.is("{") || current_.is(";") || current_.kind == RawKind::end;
    if (has(expected, ")") && (ends || current_.is("}")) && !has(expected, ";")) {
        diagnostics_.error(current_.at, fmt::format("')' is missing before {}", describe(current_)));
        return true;
    }
    if (has(expected, ";") && (current_.line_start || current_.is("}")) && error_depth_ != 0) {
        diagnostics_.error(previous_.end, fmt::format("';' is missing behind {}", describe(previous_)));
        return true;
    }
    return false;
}

bool TokenStream::is_statement_start(const RawToken& before) { return before.is(")") || before.kind == RawKind::word; }

// --- going on ----------------------------------------------------------------------------------------
void TokenStream::recover() {
    recovering_ = false;
    brackets_ = address_call_ = 0;
    value_next_ = address_next_ = false;
    statement_start_ = true;
    if (current_.kind == RawKind::end) return;
    if (error_depth_ == 0) recover_top();
    else if (!current_.is(";") && !current_.is("}")) recover_script();
}

// To the first token of a line outside of all blocks; the one in error may be it.
void TokenStream::recover_top() {
    statement_ = nullptr;
    const bool can_begin = current_.is(";") || (current_.line_start && current_.kind == RawKind::word);
    if (can_begin && current_.at != retried_at_) {
        retried_at_ = current_.at;
        ahead_.push_front(current_);
        return;
    }
    for (;;) {
        const RawToken& token = peek();
        if (token.kind == RawKind::end || diagnostics_.full()) break;
        if (depth_ == 0 && token.line_start) break;
        const RawToken skipped = take();
        if (skipped.is("{")) ++depth_;
        if (skipped.is("}") && depth_ != 0) --depth_;
    }
    if (peek().kind == RawKind::end) depth_ = 0;
    place_ = Place::top;
}

// To the ';' or the block's end that closes the statement in error.
void TokenStream::recover_script() {
    while (!diagnostics_.full()) {
        if (peek().kind == RawKind::end || (place_ == Place::script && route_begins_inside(peek()))) return;
        RawToken token = take();
        if (token.is("{")) ++depth_;
        if (token.is("}")) {
            if (depth_ == error_depth_) {  // of the block around: the parser wants to see it
                ahead_.push_front(std::move(token));
                return;
            }
            if (--depth_ == error_depth_ && !peek().is_word("else")) {
                token.text = ";";
                ahead_.push_front(std::move(token));
                return;
            }
        }
        if (token.is(";") && depth_ == error_depth_) {
            ahead_.push_front(std::move(token));
            return;
        }
    }
}

// A route block that begins a line inside another one: the '}' of that one was forgotten.
bool TokenStream::route_begins_inside(const RawToken& token) {
    if (!token.line_start || token.kind != RawKind::word) return false;
    const TopWord* word = find_top_word(token.text);
    if (!word || word->follows != Follows::block) return false;
    const bool is_next = !ahead_.empty() && &ahead_.front() == &token;
    const RawToken& after = peek(is_next ? 1 : 0);
    return after.is("[") || (after.is("{") && token.text != "route");
}

void TokenStream::close_missing_braces(const RawToken& token) {
    diagnostics_.error(token.at,
                       fmt::format("{} begins inside of {}, which begins at {}", token.text, block_name_,
                                   diagnostics_.files.text(block_at_)),
                       "'}' is missing before it");
    ahead_.push_front(token);
    RawToken brace;
    brace.kind = RawKind::punctuation;
    brace.text = "}";
    brace.at = brace.end = token.at;
    for (size_t i = 0; i < depth_; ++i) ahead_.push_front(brace);
}

}  // namespace kahu::config
