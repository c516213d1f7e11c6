#include "core/script/function.h"

#include "core/script/expression.h"
#include "core/script/format.h"
#include "core/script/run.h"
#include "core/script/variable.h"
#include "core/script/variable_expression.h"

namespace kahu::script {

void Args::add(std::shared_ptr<const Expression> expression, std::optional<Value> constant) {
    items_.push_back({std::move(expression), constant});
}

const Value* Args::constant(size_t i) const {
    return i < items_.size() && items_[i].constant ? &*items_[i].constant : nullptr;
}

Value Args::value(Run& run, size_t i) const {
    if (i >= items_.size()) return Value::none();
    return items_[i].constant ? *items_[i].constant : items_[i].expression->value(run);
}

std::string_view Args::text(Run& run, size_t i) const { return to_text(value(run, i), run.arena()); }

std::string_view Args::printed(Run& run, size_t i) const {
    if (i < items_.size() && !items_[i].constant)
        if (const auto* format = dynamic_cast<const Format*>(items_[i].expression.get())) return format->text(run);
    const Value v = value(run, i);
    return v.is_null() ? "<null>" : to_text(v, run.arena());
}

std::optional<int64_t> Args::integer(Run& run, size_t i) const {
    const Value v = value(run, i);
    if (v.is_integer()) return v.number;
    int64_t number = 0;
    if (v.is_text() && spells_integer(v.text, number)) return number;
    return std::nullopt;
}

namespace {
const VariableUse* variable_of(const Expression* expression) {
    if (const auto* format = dynamic_cast<const Format*>(expression)) expression = format->single_variable();
    const auto* const variable = dynamic_cast<const VariableExpression*>(expression);
    return variable == nullptr || variable->transformed() || variable->use().row->set == nullptr ? nullptr
                                                                                                 : &variable->use();
}
}  // namespace

bool Args::is_assignable(size_t i) const {
    return i < items_.size() && variable_of(items_[i].expression.get()) != nullptr;
}

Status Args::require_assignable(size_t i) const {
    if (is_assignable(i)) return {};
    return Error{Errc::invalid, "argument " + std::to_string(i + 1) + " is no variable that can be assigned to",
                 "\"$var(name)\""};
}

Status Args::assign(Run& run, size_t i, const Value& value) const {
    const VariableUse* const use = i < items_.size() ? variable_of(items_[i].expression.get()) : nullptr;
    if (use == nullptr) return Error{Errc::invalid, "not a variable that can be assigned to", ""};
    return use->row->set(run, *use, value);
}

int64_t Args::number(Run& run, size_t i, int64_t otherwise) const { return integer(run, i).value_or(otherwise); }

}  // namespace kahu::script
