// What the token stream says about a syntax error, and where it goes on behind one.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

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
    if (explain_torn_string() || explain_outside() || explain_statement(expected) || explain_missing(expected)) return;
    std::string message = "unexpected " + describe(current_);
    if (!expected.empty() && expected.size() <= kMaxExpected) message += ", expected " + listed(expected);
    std::string hint;
    const bool after_call = is_statement_start(previous_);
    if (error_depth_ != 0 && after_call && statement_word_.kind == RawKind::word &&
        !find_script_word(statement_word_.text))
        hint = did_you_mean_script(statement_word_.text);
    if (hint.empty()) hint = hint_of_neighbours();
    diagnostics_.error(current_.at, std::move(message), std::move(hint));
}

// A string that was not closed ends where the next one begins: from there on text and code have changed places.
bool TokenStream::explain_torn_string() {
    const bool ends_here = torn_end_.file == current_.at.file && torn_end_.line == current_.at.line;
    if (torn_end_.line == 0 || !ends_here) return false;
    for (const RawToken& token : ahead_)  // the last string of the file is not closed then
        if (token.kind == RawKind::text) diagnostics_.withdraw(token.at);
    diagnostics_.error(
        torn_at_,
        fmt::format("this string goes on to line {}, where {} is unexpected", torn_end_.line, describe(current_)),
        "is the quote missing that closes it?");
    stopped_ = true;
    return true;
}

// A statement of a script outside of all blocks. One '}' too many makes all that follow it such.
bool TokenStream::explain_outside() {
    if (error_depth_ != 0 || previous_.kind != RawKind::word) return false;
    const TopWord* top = find_top_word(previous_.text);
    const bool call = current_.is("(") && (!top || top->follows == Follows::block);
    if (!call && !find_script_word(previous_.text)) return false;
    if (std::exchange(outside_told_, true)) return true;
    std::string hint = "statements stand inside of request_route { ... } or another route";
    if (block_end_.line != 0)
        hint = fmt::format("{} ends at {}: is that a '}}' too many?", block_name_, diagnostics_.files.text(block_end_));
    diagnostics_.error(previous_.at, fmt::format("{}{} is called outside of a route", previous_.text, call ? "()" : ""),
                       std::move(hint));
    return true;
}

// What two tokens that cannot stand side by side often mean.
std::string TokenStream::hint_of_neighbours() const {
    constexpr std::pair<std::string_view, std::string_view> kOtherLanguages[] = {
        {"AND", "&&"}, {"OR", "||"},        {"NOT", "!"},         {"And", "&&"},         {"Or", "||"},
        {"Not", "!"},  {"elif", "else if"}, {"elsif", "else if"}, {"elseif", "else if"}, {"then", "{"}};
    const bool words = current_.kind == RawKind::word && !current_.line_start;
    for (const auto& [word, ours] : kOtherLanguages)
        if (words && current_.text == word) return fmt::format("'{}' is written '{}'", word, ours);
    const bool touching = !current_.space_before && (words || current_.kind == RawKind::integer);
    if (previous_.kind == RawKind::text && touching) return "is a quote missing or one too many?";
    if (error_depth_ == 0 && statement_ && statement_->word == "modparam")
        return "modparam(\"module\", \"parameter\", value)";
    if (brackets_ != 0 && words && previous_.kind == RawKind::word) return "a text stands between two \"";
    return {};
}

// The statement's first word is no statement.
bool TokenStream::explain_statement(const std::vector<std::string>& expected) {
    const bool before_last = previous_.at == prior_word_.at && previous_.text == prior_word_.text;
    const bool last = previous_.at == statement_word_.at && previous_.text == statement_word_.text;
    if (previous_.kind != RawKind::word || (!last && !before_last)) return false;
    const std::string& word = previous_.text;
    if (error_depth_ == 0 && before_last && find_top_word(word)) return false;
    if (error_depth_ == 0 && (before_last || !statement_)) {
        std::string hint = did_you_mean_top(word);
        if (hint.empty() && current_.kind != RawKind::text)
            hint = fmt::format("a parameter is set by '{} = value'", word);
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
    const bool next_line = current_.line_start && error_depth_ == 0;
    if (has(expected, ")") && next_line) {
        diagnostics_.error(previous_.end, fmt::format("')' is missing behind {}", describe(previous_)));
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
    const Location torn_before = torn_at_;
    brackets_ = address_call_ = 0;
    value_next_ = address_next_ = false;
    statement_start_ = true;
    if (current_.kind == RawKind::end) return;
    if (error_depth_ == 0) recover_top();
    else if (!current_.is(";") && !current_.is("}")) recover_script();
    if (torn_at_ != torn_before) stopped_ = true;  // a quote is missing: what follows cannot be told from text
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

// `request_route` or `route[NAME]` with nothing behind it on its line: read on as if '{' were there.
void TokenStream::supply_brace() {
    const RawToken& after = peek();
    if (!after.line_start || after.is("{") || after.is("[") || after.kind == RawKind::end) return;
    diagnostics_.error(current_.end, fmt::format("'{{' is missing behind '{}'", block_name_));
    RawToken brace;
    brace.kind = RawKind::punctuation;
    brace.text = "{";
    brace.at = brace.end = current_.end;
    ahead_.push_front(brace);
}

}  // namespace kahu::config
