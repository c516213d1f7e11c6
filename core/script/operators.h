// core/script/operators.h -- constants and operators as expressions.
//
// RULES  Kamailio's: the left operand decides whether == and + work on integers or on text; null takes the type of the
//        other side; everything else converts to integers.  && and || do not evaluate their right side when the
//        left one decides.
#pragma once
#include <memory>
#include <string>

#include "core/config/ast.h"
#include "core/script/expression.h"
#include "core/script/regex.h"

namespace kahu::script {

class Constant : public Expression {
  public:
    explicit Constant(int64_t number) : value_(Value::of(number)) {}
    explicit Constant(std::string text) : text_(std::move(text)), value_(Value::of(std::string_view(text_))) {}
    Value value(Run&) const override { return value_; }
    const Value& constant() const { return value_; }

  private:
    std::string text_;
    Value value_;
};

// nullptr if the expression is not a Constant.
const Value* constant_of(const Expression& expression);

ExpressionPtr make_unary(config::UnaryOp op, ExpressionPtr operand);
// Every operator but match and not_match.
ExpressionPtr make_binary(config::BinaryOp op, ExpressionPtr left, ExpressionPtr right);
// regex nullptr: the pattern is what `pattern` evaluates to, for each message.
ExpressionPtr make_match(bool negated, ExpressionPtr text, std::shared_ptr<const Regex> regex, ExpressionPtr pattern);

// == as the script knows it.
bool equal_values(const Value& left, const Value& right, Arena& arena);

}  // namespace kahu::script
