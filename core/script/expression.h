// core/script/expression.h -- a compiled expression: what the interpreter walks.
//
// WHY    Each operator is a small class; the compiler picks the class by what it knows of the operands, so that
//        evaluating one costs an indirect call and no decision that could have been taken at start.
// LIVES  Made before the first fork, read-only afterwards.
// FAILS  Never: what cannot be evaluated is null, 0, "" or false.
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
    virtual bool truth(Run& run) const { return to_truth(value(run)); }
};
using ExpressionPtr = std::shared_ptr<const Expression>;

}  // namespace kahu::script
