#include "core/config/token_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kahu::config {
namespace {

using Token = Grammar::token;

constexpr size_t kMaxNesting = 300;            // brackets and braces together
constexpr size_t kMaxStatementTokens = 20000;  // between two of ; { }
constexpr size_t kMaxElses = 5000;             // in one route block

bool is_one_of(const RawToken& token, std::initializer_list<std::string_view> punctuation) {
    if (token.kind != RawKind::punctuation) return false;
    return std::find(punctuation.begin(), punctuation.end(), token.text) != punctuation.end();
}

}  // namespace

const RawToken& TokenStream::peek(size_t ahead) {
    while (ahead_.size() <= ahead) ahead_.push_back(source_.next());
    return ahead_[ahead];
}

RawToken TokenStream::take() {
    RawToken token;
    if (ahead_.empty()) {
        token = source_.next();
    } else {
        token = std::move(ahead_.front());
        ahead_.pop_front();
    }
    if (token.kind == RawKind::text && token.at.line != token.end.line) {
        torn_at_ = token.at;
        torn_end_ = token.end;
    }
    return token;
}

void TokenStream::stop(const Location& at, std::string message) {
    if (!stopped_) diagnostics_.error(at, std::move(message));
    stopped_ = true;
}

Grammar::symbol_type TokenStream::next() {
    if (flags_pending_) {
        flags_pending_ = false;
        return Grammar::make_REGEX_FLAGS(std::move(regex_flags_), current_.at);
    }
    if (recovering_ && !stopped_) recover();
    for (;;) {
        if (stopped_ || diagnostics_.full()) return Grammar::make_END(current_.at);
        RawToken token = take();
        if (!within_limits(token)) continue;
        if (place_ == Place::script && route_begins_inside(token)) {
            close_missing_braces(token);
            continue;
        }
        if (token.is("}") && depth_ == 0) {
            if (!std::exchange(outside_told_, true))
                diagnostics_.error(token.at, "this '}' closes nothing", "there are more '}' than '{'");
            continue;
        }
        depth_before_ = depth_;
        previous_ = std::move(current_);
        current_ = token;
        return symbol(std::move(token));
    }
}

bool TokenStream::within_limits(const RawToken& token) {
    if (token.kind == RawKind::end) return true;
    if (is_one_of(token, {";", "{", "}"}) || (place_ == Place::top && token.line_start && brackets_ == 0))
        statement_tokens_ = 0;
    if (++statement_tokens_ > kMaxStatementTokens)
        stop(token.at, fmt::format("a statement of more than {} words", kMaxStatementTokens));
    if (depth_ + brackets_ > kMaxNesting)
        stop(token.at, fmt::format("brackets are nested deeper than {}", kMaxNesting));
    if (place_ == Place::top) elses_ = 0;
    else if (token.is_word("else") && ++elses_ > kMaxElses)
        stop(token.at, fmt::format("more than {} 'else' in one block", kMaxElses));
    return !stopped_;
}

Grammar::symbol_type TokenStream::symbol(RawToken token) {
    const bool value = value_next_;
    const bool wants_address = std::exchange(address_next_, false);
    if (!is_one_of(token, {"-"})) value_next_ = false;
    if (wants_address && token.kind != RawKind::variable && token.kind != RawKind::select &&
        token.kind != RawKind::end &&
        (token.kind != RawKind::punctuation || token.is("*") || (token.is("(") && place_ != Place::script)))
        return address(std::move(token));
    switch (token.kind) {
    case RawKind::end: return Grammar::make_END(token.at);
    case RawKind::integer:
        if (value && joins_value(peek())) return Grammar::make_ADDRESS(compose_address(std::move(token)), current_.at);
        statement_start_ = false;
        return Grammar::make_INTEGER(token.number, token.at);
    case RawKind::text: statement_start_ = false; return text(std::move(token));
    case RawKind::variable: statement_start_ = false; return Grammar::make_VARIABLE(std::move(token.text), token.at);
    case RawKind::select: statement_start_ = false; return Grammar::make_SELECT(std::move(token.text), token.at);
    case RawKind::address:
        if (value && joins_value(peek())) return Grammar::make_ADDRESS(compose_address(std::move(token)), current_.at);
        return Grammar::make_ADDRESS(std::move(token.text), token.at);
    case RawKind::regex:
        flags_pending_ = true;
        regex_flags_ = std::move(token.extra);
        return Grammar::make_REGEX(std::move(token.text), token.at);
    case RawKind::word:
        if (value) return value_word(token);
        if (place_ == Place::top) return top_word(token);
        return place_ == Place::script ? script_word(token) : socket_word(token);
    case RawKind::punctuation: return punctuation(token);
    case RawKind::directive: break;  // never leaves the preprocessor
    }
    return Grammar::make_END(token.at);
}

// Neighbouring strings are one string.
Grammar::symbol_type TokenStream::text(RawToken token) {
    while (peek().kind == RawKind::text) token.text += take().text;
    return Grammar::make_TEXT(std::move(token.text), token.at);
}

// --- words -------------------------------------------------------------------------------------------
bool TokenStream::begins_statement(const TopWord& word, const RawToken& token) {
    const RawToken& after = peek();
    switch (word.follows) {
    case Follows::equals: return after.is("=");
    case Follows::text_or_equals: return after.is("=") || after.kind == RawKind::text || token.line_start;
    case Follows::text_or_bracket:
        return after.kind == RawKind::text || after.is("(") || (token.line_start && !after.is("="));
    case Follows::bracket: return after.is("(") || (token.line_start && !after.is("="));
    case Follows::name: return after.kind == RawKind::word;
    case Follows::block: return is_one_of(after, {"{", "["}) || (token.line_start && !after.is("="));
    }
    return false;
}

Grammar::symbol_type TokenStream::top_word(const RawToken& token) {
    if (brackets_ != 0 || is_one_of(previous_, {".", ","})) return Grammar::make_WORD(token.text, token.at);
    const RawToken& after = peek();
    if (statement_ && statement_->token == Token::TOK_LISTEN && !after.is("=") && !token.line_start) {
        address_next_ = token.text == "advertise";
        if (token.text == "advertise") return plain(Token::TOK_ADVERTISE);
        if (token.text == "name") return plain(Token::TOK_NAME);
        if (token.text == "agname") return plain(Token::TOK_AGNAME);
        if (token.text == "virtual") return plain(Token::TOK_VIRTUAL);
    }
    if (!statement_ && after.kind == RawKind::text &&
        (token.text == "desc" || token.text == "descr" || token.text == "description"))
        return plain(Token::TOK_DESC);
    if (statement_ && (statement_->token == Token::TOK_FLAGS || statement_->token == Token::TOK_AVPFLAGS) &&
        (previous_.is(",") || previous_.is_word(statement_->word)))
        return Grammar::make_WORD(token.text, token.at);
    prior_word_ = std::exchange(statement_word_, token);
    const TopWord* word = find_top_word(token.text);
    statement_ = word && begins_statement(*word, token) ? word : nullptr;
    if (!statement_) return Grammar::make_WORD(token.text, token.at);
    if (word->follows != Follows::block) return plain(word->token);
    if (!peek().is("(")) {
        block_name_ = token.text;
        block_at_ = token.at;
        outside_told_ = false;
        supply_brace();
    }
    return Grammar::make_ROUTE(word->route, token.at);
}

Grammar::symbol_type TokenStream::value_word(const RawToken& token) {
    if (token.line_start && place_ == Place::top && brackets_ == 0 && peek().is("=")) {  // the next parameter already
        diagnostics_.error(previous_.end, fmt::format("the value of '{}' is missing", statement_word_.text));
        ahead_.push_front(token);
        return Grammar::make_INTEGER(0, previous_.at);
    }
    if (joins_value(peek())) return Grammar::make_ADDRESS(compose_address(token), current_.at);
    if (const auto truth = find_truth(token.text)) return Grammar::make_INTEGER(*truth, token.at);
    return Grammar::make_WORD(token.text, token.at);
}

Grammar::symbol_type TokenStream::socket_word(const RawToken& token) {
    statement_word_ = token;
    return Grammar::make_WORD(token.text, token.at);
}

Grammar::symbol_type TokenStream::script_word(const RawToken& token) {
    const bool starts = std::exchange(statement_start_, false);
    if (starts) statement_word_ = token;
    if (token.text == "case") {  // before anything is read ahead
        source_.allow_regex();
        return plain(Token::TOK_CASE);
    }
    const bool called = peek().is("(");
    if (const ScriptWord* word = find_script_word(token.text)) {
        const bool function = word->token == Token::TOK_STRLEN || word->token == Token::TOK_STREMPTY;
        if (!function || called) {
            if (word->token == Token::TOK_ELSE) statement_start_ = true;
            return plain(word->token);
        }
    }
    if (called) {
        if (takes_addresses(token.text)) address_call_ = brackets_ + 1;
        return Grammar::make_WORD(token.text, token.at);
    }
    if (const auto operand = find_operand(token.text)) return Grammar::make_OPERAND(*operand, token.at);
    if (const auto truth = find_truth(token.text); truth && !starts) return Grammar::make_INTEGER(*truth, token.at);
    return Grammar::make_WORD(token.text, token.at);
}

// --- addresses ---------------------------------------------------------------------------------------
bool TokenStream::joins_value(const RawToken& token) {
    return !token.space_before && is_one_of(token, {":", ".", "-", "/"});
}

bool TokenStream::joins_address(const RawToken& token) {
    switch (token.kind) {
    case RawKind::word:
    case RawKind::integer:
    case RawKind::address:
    case RawKind::text: return true;
    case RawKind::punctuation: return is_one_of(token, {":", ".", "-", "*", "/"});
    default: return false;
    }
}

// "udp:" "eth0" ":" "5060" become one text. Blanks separate, except around ':' and inside a bracketed list of hosts.
std::string TokenStream::compose_address(RawToken first) {
    std::string out;
    RawToken last = std::move(first);
    for (;;) {
        out += last.kind == RawKind::text ? last.text : last.spelling;
        if (last.is("(") && place_ != Place::script) {
            while (peek().kind != RawKind::end && !peek().line_start && !peek().is(")") && !peek().is("{")) {
                const RawToken inner = take();
                out += inner.kind == RawKind::text ? inner.text : inner.spelling;
            }
            if (peek().is(")")) out += take().text;
        }
        const RawToken& after = peek();
        const bool near = !after.space_before || ((last.is(":") || after.is(":")) && !after.line_start);
        if (!near || (!joins_address(after) && !(after.is("(") && last.is(":") && place_ != Place::script))) return out;
        last = take();
    }
}

Grammar::symbol_type TokenStream::address(RawToken first) {
    const RawToken& after = peek();
    const bool alone = after.space_before ? !after.is(":") : !joins_address(after);
    if (place_ == Place::script && alone &&
        first.kind != RawKind::address) {  // forward("10.0.0.1"), forward(uri, 5060)
        address_next_ = false;
        value_next_ = false;
        return symbol(std::move(first));
    }
    const Location at = first.at;
    const bool list = place_ == Place::top && statement_ && statement_->token == Token::TOK_ALIAS;
    std::string text = first.kind == RawKind::address && alone ? first.text : compose_address(std::move(first));
    if (place_ == Place::script && !alone && !peek().is(",") && !peek().is(")"))
        diagnostics_.error(at, fmt::format("'{}' is an address and cannot be part of an expression", text));
    const RawToken& behind = peek();
    address_next_ = list && !behind.line_start && joins_address(behind) && !peek(1).is("=");
    return Grammar::make_ADDRESS(std::move(text), at);
}

// The brackets behind `route` and its like, with all that is between them: [RELAY], [tm:local-request], [1], ["x"].
Grammar::symbol_type TokenStream::route_name() {
    std::string name;
    while (!peek().line_start && (joins_address(peek()))) {
        const RawToken part = take();
        name += part.kind == RawKind::text ? part.text : part.spelling;
    }
    if (peek().is("]")) current_ = take();
    else diagnostics_.error(current_.at, "this '[' is not closed", fmt::format("{}[NAME] {{ ... }}", block_name_));
    block_name_ += '[' + name + ']';
    supply_brace();
    return Grammar::make_ROUTE_NAME(std::move(name), current_.at);
}

// --- brackets ----------------------------------------------------------------------------------------
void TokenStream::open_brace(const RawToken& token) {
    if (depth_++ == 0) {
        const bool socket = statement_ && statement_->token == Token::TOK_SOCKET;
        place_ = socket ? Place::socket : Place::script;
        if (socket) {
            block_name_ = "socket";
            block_at_ = token.at;
        }
    }
    brackets_ = address_call_ = 0;
    statement_start_ = true;
}

void TokenStream::close_brace() {
    brackets_ = address_call_ = 0;
    statement_start_ = true;
    if (--depth_ == 0) {
        block_end_ = current_.at;
        place_ = Place::top;
        statement_ = nullptr;
    }
}

Grammar::symbol_type TokenStream::punctuation(const RawToken& token) {
    statement_start_ = false;
    if (token.is("{")) {
        open_brace(token);
    } else if (token.is("}")) {
        close_brace();
    } else if (token.is("(") && place_ == Place::script && peek(0).kind == RawKind::word && peek(1).is(")") &&
               (peek(0).text == "int" || peek(0).text == "str")) {
        const UnaryOp op = take().text == "int" ? UnaryOp::to_int : UnaryOp::to_text;
        (void)take();
        return Grammar::make_CAST(op, token.at);
    } else if (token.is("[") && place_ == Place::top && statement_ && statement_->follows == Follows::block) {
        return route_name();
    } else if (is_one_of(token, {"(", "["})) {
        ++brackets_;
        address_next_ = address_call_ != 0 && brackets_ == address_call_;
    } else if (is_one_of(token, {")", "]"})) {
        if (brackets_ != 0) --brackets_;
        if (brackets_ < address_call_) address_call_ = 0;
        statement_start_ = brackets_ == 0 && place_ == Place::script;  // behind `if (...)`
    } else if (token.is(",")) {
        value_next_ = place_ == Place::top && brackets_ != 0;
        address_next_ = address_call_ != 0 && brackets_ == address_call_;
    } else if (token.is("=") && place_ != Place::script) {
        const bool top = place_ == Place::top;
        address_next_ =
            top ? statement_ && (statement_->token == Token::TOK_LISTEN || statement_->token == Token::TOK_ALIAS)
                : statement_word_.text == "bind" || statement_word_.text == "advertise";
        value_next_ = !address_next_ && !(top && statement_);
    } else if (is_one_of(token, {";", ":"})) {
        if (token.is(";")) brackets_ = address_call_ = 0;
        statement_start_ = true;
        if (place_ == Place::top && token.is(";")) statement_ = nullptr;
    }
    return plain(punctuation_token(token.text));
}

}  // namespace kahu::config
