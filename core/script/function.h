// core/script/function.h -- the arguments of a script function, compiled.
//
// WHY    sl_send_reply("200", "OK"), sl_send_reply($var(code), "to $fu"): a function must not care whether its
//        argument was a constant, a text with variables in it, or an expression.
// LIVES  Made once per call site before the first fork, read-only afterwards.
// HOW    A text argument in which "$" appears is a format ("$ru", "$(hdr(Via)[1])", "$$"), unless the function's row
//        names it in literal_args (regular expressions end in "$").  Function::prepare runs once per call site: it
//        checks constants (constant()) and may keep a prepared form (keep()), which call() gets back from
//        prepared<T>().
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/script/value.h"

namespace kahu::script {

class Run;
class Expression;

// What a function returns to the script; 0 would end it.
constexpr int truth(bool yes) { return yes ? 1 : -1; }

class Args {
  public:
    size_t size() const { return items_.size(); }

    // --- while a message is routed; out of range is null, "", 0 -------------------------------------------
    Value value(Run& run, size_t i) const;
    std::string_view text(Run& run, size_t i) const;
    int64_t number(Run& run, size_t i, int64_t otherwise = 0) const;
    std::string_view printed(Run& run, size_t i) const;  // as log lines show it: null is "<null>"
    // nullopt when the argument is absent, null, or text that is no number.
    std::optional<int64_t> integer(Run& run, size_t i) const;

    // Gives a value to the variable that the argument is: "$var(x)".  An error if it is none, or read-only.
    Status assign(Run& run, size_t i, const Value& value) const;

    // --- in prepare() -------------------------------------------------------------------------------------
    // The argument's value if it is the same for every message, and nullptr otherwise.
    const Value* constant(size_t i) const;
    bool is_assignable(size_t i) const;  // one variable that can be assigned to, and nothing else
    // For rows whose argument i is the name of a variable to write to: the error when it is not.
    Status require_assignable(size_t i) const;
    template <class T>
    void keep(T value) {
        prepared_ = std::make_shared<T>(std::move(value));
    }
    // What keep() stored, nullptr if nothing.  REQUIRES: the same T.
    template <class T>
    const T* prepared() const {
        return static_cast<const T*>(prepared_.get());
    }

    // --- for the compiler ---------------------------------------------------------------------------------
    void add(std::shared_ptr<const Expression> expression, std::optional<Value> constant);

  private:
    struct Item {
        std::shared_ptr<const Expression> expression;
        std::optional<Value> constant;
    };
    std::vector<Item> items_;
    std::shared_ptr<void> prepared_;
};

}  // namespace kahu::script
