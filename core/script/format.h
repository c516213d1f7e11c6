// core/script/format.h -- text with variables in it: "call $ci from $fu to $(ru{s.tolower})", compiled once.
//
// WHY    xlog, function arguments, log_prefix and modparams share one notation.
// SYNTAX $name, $name(inner), $(name), $(name(inner)), $(name[index]), $(name{transformation}...); "$$" is one "$".
//        null prints as "<null>", and as "" behind a transformation, as in Kamailio.
// LIVES  Compiled before the first fork, read-only afterwards.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/script/expression.h"
#include "core/script/run.h"

namespace kahu::script {

class Scope;  // core/script/scope.h: which variables exist

class Format : public Expression {
  public:
    static constexpr size_t kMaxPieces = 256;  // variables and the texts between them
    // On failure the error says which variable is wrong and why.
    static Result<std::shared_ptr<const Format>> compile(std::string_view text, const Scope& scope,
                                                         std::string_view where);
    bool is_constant() const;                    // no variables in it
    std::string_view constant() const;           // REQUIRES: is_constant()
    const Expression* single_variable() const {  // nullptr: there is more, or less, than one variable in it
        return pieces_.size() == 1 ? pieces_.front().variable.get() : nullptr;
    }
    // Into the run's arena; when the format is one text or one variable that has text, without a copy.
    std::string_view text(Run& run) const;
    // Of a text that is one variable and nothing else, the variable's own value: it may be null or an integer.
    Value value(Run& run) const override;

  private:
    struct Piece {
        std::string text;  // used when there is no variable
        ExpressionPtr variable;
        bool transformed = false;  // then null prints as ""
    };
    std::vector<Piece> pieces_;
};

}  // namespace kahu::script
