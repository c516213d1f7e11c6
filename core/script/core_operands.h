// core/script/core_operands.h -- method, uri, src_ip, proto ... : what a script asks of a message without variables.
//
// WHY    They compare in ways of their own: uri == myself, src_ip == 10.0.0.0/8, proto == TLS, method == INVITE.
// LIVES  Compiled before the first fork; addresses and networks are parsed then.
// FAILS  At compile time, with what the operand can be compared to.
#pragma once
#include "core/base/result.h"
#include "core/config/ast.h"
#include "core/script/expression.h"

namespace kahu::script {

// The operand's value, where it stands alone or beside a variable.  `myself` has none.
Result<ExpressionPtr> make_core_operand(config::CoreOperand which);

// How the other side of a comparison was written.
struct OtherSide {
    enum class Kind : uint8_t { myself, word, address, text, number, expression };
    Kind kind = Kind::expression;
    std::string_view text;  // word, address, text
    int64_t number = 0;
    ExpressionPtr expression;  // kind text, number and expression
};

// operand == other, operand != other.  nullptr in the result: nothing special, compare as values.
Result<ExpressionPtr> make_core_comparison(config::CoreOperand which, bool negated, const OtherSide& other);

// Words that stand for numbers beside proto and af: TLS, INET6.
bool core_word(config::CoreOperand which, std::string_view word, int64_t& number);

}  // namespace kahu::script
