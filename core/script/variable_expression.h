// core/script/variable_expression.h -- a variable of the script as an expression, with its transformations.
#pragma once
#include <vector>

#include "core/module/descriptor.h"
#include "core/script/expression.h"
#include "core/script/transformation.h"
#include "core/script/variable.h"

namespace kahu::script {

class VariableExpression : public Expression {
  public:
    VariableExpression(VariableUse use, std::vector<TransformationUse> chain)
        : use_(std::move(use)), chain_(std::move(chain)) {}

    Value value(Run& run) const override {
        Value v = use_.row->get(run, use_);
        for (const TransformationUse& step : chain_) v = step.row->apply(run, step, v);
        return v;
    }
    const VariableUse& use() const { return use_; }
    bool transformed() const { return !chain_.empty(); }

  private:
    VariableUse use_;
    std::vector<TransformationUse> chain_;
};

// The same of what is no variable: a select.
class TransformedExpression : public Expression {
  public:
    TransformedExpression(ExpressionPtr base, std::vector<TransformationUse> chain)
        : base_(std::move(base)), chain_(std::move(chain)) {}

    Value value(Run& run) const override {
        Value v = base_->value(run);
        for (const TransformationUse& step : chain_) v = step.row->apply(run, step, v);
        return v;
    }

  private:
    ExpressionPtr base_;
    std::vector<TransformationUse> chain_;
};

}  // namespace kahu::script
