// core/script/expression.h -- a compiled expression: what the interpreter walks.
//
// WHY    Each operator is a small class; the compiler picks the class by what it knows of the operands, so that
//        evaluating one costs an indirect call and no decision that could have been taken at start.
// LIVES  Made before the first fork, read-only afterwards.
// FAILS  What cannot be evaluated is null, 0, "" or false.  A division by zero also sets Run::evaluation_failed: the
//        statement around it is then not carried out.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/script/value.h"

namespace kahu::script {

class Run;

class Expression {
  public:
    virtual ~Expression() = default;
    virtual Value value(Run& run) const = 0;
    // As an operand of &&, || and !.
    virtual bool truth(Run& run) const { return to_truth(value(run)); }
    // As the condition of if and while: more than 0, so that a function's -1 kept in $var is "no".
    virtual bool holds(Run& run) const { return to_integer(value(run)) > 0; }
    // What `$var(x) = ...` keeps of it: a function's own return code, where an operand is only true or false.
    virtual Value result(Run& run) const { return value(run); }
};
using ExpressionPtr = std::shared_ptr<const Expression>;

}  // namespace kahu::script
