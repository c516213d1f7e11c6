// core/script/variable.h -- one use of a pseudo-variable in the script: $name, $name(inner), $(name(inner)[index]).
//
// WHY    Everything that can be known at start (inner name, index, header id) is worked out once, in
//        Variable::prepare; Variable::get only reads.
// LIVES  Part of the compiled program: read-only after start, in every process.
// FAILS  get() returns a null value for what the message does not have; set() returns why not.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/script/value.h"

namespace kahu {
struct Variable;
}

namespace kahu::script {

class Run;
class Expression;

struct VariableUse {
    enum class Index : uint8_t { none, constant, expression, all };  // all: [*]

    const Variable* row = nullptr;
    std::string name;   // as written, without "$"
    std::string inner;  // text between the parentheses; "" when there are none
    bool has_inner = false;
    std::shared_ptr<const Expression> inner_format;  // set if variables stand in `inner`
    Index index_kind = Index::none;
    int64_t index_number = 0;                            // kind constant; negative counts from the end
    std::shared_ptr<const Expression> index_expression;  // kind expression
    std::string where;                                   // "kahu.cfg:12:7"

    // For prepare() and get() of the row: meaning is theirs.
    int64_t number = 0;
    std::shared_ptr<void> prepared;

    std::string_view inner_text(Run& run) const;  // `inner`, or what its format gives for this message
    // nullopt: no index was written (or [*]).
    std::optional<int64_t> index(Run& run) const;
    // The index applied to a list of `count` elements: 0 without index; npos when out of range.
    static constexpr size_t npos = static_cast<size_t>(-1);
    size_t position(Run& run, size_t count) const;
};

}  // namespace kahu::script
