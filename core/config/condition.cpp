#include "core/config/condition.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/config/scanner.h"

namespace kahu::config {
namespace {

constexpr int kMaxNesting = 50;
constexpr size_t kMaxText = 64 * 1024;

// Lowest first; operators of one row bind equally and to the left.
struct Row {
    std::string_view op;
    int level;
};
constexpr Row kOperators[] = {{"||", 1}, {"or", 1}, {"&&", 2}, {"and", 2}, {"|", 3},  {"^", 4},  {"&", 5},
                              {"==", 6}, {"!=", 6}, {"<", 7},  {"<=", 7},  {">", 7},  {">=", 7}, {"<<", 8},
                              {">>", 8}, {"+", 9},  {"-", 9},  {"*", 10},  {"/", 10}, {"%", 10}};

int64_t number(const Value& value) {
    if (const auto* n = std::get_if<int64_t>(&value)) return *n;
    return text::to_int(text::trim(std::get<std::string>(value)), 0).value_or(0);
}

std::string shown(const Value& value) {
    if (const auto* n = std::get_if<int64_t>(&value)) return std::to_string(*n);
    return std::get<std::string>(value);
}

int64_t wrapped(uint64_t value) { return static_cast<int64_t>(value); }

class Evaluator {
  public:
    Evaluator(std::string_view text, const Defines& defines) : scanner_(text, 0, ignored_), defines_(defines) {
        step();
    }

    Result<Value> whole() {
        Value value = binary(1);
        if (error_.empty() && token_.kind != RawKind::end) fail("what follows the expression does not belong to it");
        if (error_.empty() && ignored_.failed()) fail(ignored_.all().front().message);
        if (!error_.empty()) return Error{Errc::invalid, error_, ""};
        return value;
    }

  private:
    void step() { token_ = scanner_.next(); }
    Value fail(std::string why) {
        if (error_.empty()) error_ = std::move(why);
        return int64_t{0};
    }
    int level() const {
        for (const Row& row : kOperators)
            if (token_.is(row.op) || token_.is_word(row.op)) return row.level;
        return 0;
    }
    bool stop() const { return !error_.empty(); }

    Value binary(int lowest) {
        Value left = unary();
        for (int at = level(); !stop() && at >= lowest; at = level()) {
            const std::string op = token_.text;
            step();
            left = apply(op, std::move(left), binary(at + 1));
        }
        return left;
    }

    Value unary() {
        if (++nesting_ > kMaxNesting) return fail("the expression is nested too deeply");
        Value value = int64_t{0};
        const std::string op = token_.text;
        if (token_.is("!") || token_.is("-") || token_.is("~") || token_.is("+") || token_.is_word("not")) {
            step();
            const Value operand = unary();
            if (op == "!" || op == "not") value = int64_t{!truth(operand)};
            else if (op == "-") value = wrapped(0 - static_cast<uint64_t>(number(operand)));
            else if (op == "~") value = ~number(operand);
            else value = operand;
        } else {
            value = primary();
        }
        --nesting_;
        return value;
    }

    Value primary() {
        const RawToken token = token_;
        step();
        if (token.kind == RawKind::integer) return token.number;
        if (token.kind == RawKind::text) return token.text;
        if (token.kind == RawKind::word) return token.text == "defined" ? is_defined() : named(token.text);
        if (!token.is("(")) return fail("a number, a string or a name is expected");
        Value inside = binary(1);
        if (!stop() && !token_.is(")")) return fail("')' is missing");
        step();
        return inside;
    }

    Value is_defined() {
        const bool bracket = token_.is("(");
        if (bracket) step();
        if (token_.kind != RawKind::word) return fail("'defined' is followed by a name");
        const bool known = defines_.find(token_.text) != nullptr;
        step();
        if (bracket && !token_.is(")")) return fail("')' is missing");
        if (bracket) step();
        return int64_t{known};
    }

    Value named(std::string_view name) {
        const Define* define = defines_.find(name);
        if (!define) return int64_t{0};
        if (!define->has_value) return int64_t{1};
        Diagnostics ignored;
        Scanner value(define->value, 0, ignored);
        const RawToken first = value.next();
        if (value.next().kind == RawKind::end) {
            if (first.kind == RawKind::integer) return first.number;
            if (first.kind == RawKind::text) return first.text;
        }
        return evaluate_nested(define->value);
    }

    // A define made of others: `#!define SUM A + B`.
    Value evaluate_nested(std::string_view text) {
        if (++defines_followed_ > kMaxNesting) return fail("defines refer to each other in a circle or too often");
        Evaluator inner(text, defines_);
        inner.defines_followed_ = defines_followed_;
        inner.nesting_ = nesting_;
        Result<Value> value = inner.whole();
        defines_followed_ = inner.defines_followed_;
        if (!value) return fail(value.error().what);
        return *value;
    }

    Value apply(std::string_view op, Value left, Value right) {
        if (op == "||" || op == "or") return int64_t{truth(left) || truth(right)};
        if (op == "&&" || op == "and") return int64_t{truth(left) && truth(right)};
        const bool texts = std::holds_alternative<std::string>(left) || std::holds_alternative<std::string>(right);
        if (op == "==") return int64_t{texts ? shown(left) == shown(right) : left == right};
        if (op == "!=") return int64_t{texts ? shown(left) != shown(right) : left != right};
        if (op == "+" && texts) {
            std::string joined = shown(left) + shown(right);
            if (joined.size() > kMaxText) return fail("the text becomes too long");
            return joined;
        }
        return arithmetic(op, number(left), number(right));
    }

    Value arithmetic(std::string_view op, int64_t left, int64_t right) {
        const auto a = static_cast<uint64_t>(left), b = static_cast<uint64_t>(right);
        if (op == "<") return int64_t{left < right};
        if (op == "<=") return int64_t{left <= right};
        if (op == ">") return int64_t{left > right};
        if (op == ">=") return int64_t{left >= right};
        if (op == "|") return wrapped(a | b);
        if (op == "^") return wrapped(a ^ b);
        if (op == "&") return wrapped(a & b);
        if (op == "<<") return b > 63 ? int64_t{0} : wrapped(a << b);
        if (op == ">>") return b > 63 ? int64_t{0} : wrapped(a >> b);
        if (op == "+") return wrapped(a + b);
        if (op == "-") return wrapped(a - b);
        if (op == "*") return wrapped(a * b);
        if (right == 0) return fail("division by zero");
        if (right == -1) return op == "/" ? wrapped(0 - a) : int64_t{0};
        return op == "/" ? left / right : left % right;
    }

    Diagnostics ignored_;  // the scanner's complaints; the first becomes the error
    Scanner scanner_;
    const Defines& defines_;
    RawToken token_;
    std::string error_;
    int nesting_ = 0, defines_followed_ = 0;
};

}  // namespace

Result<Value> evaluate(std::string_view expression, const Defines& defines) {
    return Evaluator(expression, defines).whole();
}

bool truth(const Value& value) {
    if (const auto* n = std::get_if<int64_t>(&value)) return *n != 0;
    return !std::get<std::string>(value).empty();
}

}  // namespace kahu::config
