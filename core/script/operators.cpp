#include "core/script/operators.h"

#include "core/base/text.h"
#include "core/script/run.h"
#include "mem/contract.h"

namespace kahu::script {
namespace {

using config::BinaryOp;
using config::UnaryOp;

// Wraps around instead of being undefined: a script cannot crash the server with 2^63.
constexpr int64_t wrap(uint64_t bits) { return static_cast<int64_t>(bits); }

// An expression that is true or false: truth() is the cheap way, value() gives 1 or 0.
class Condition : public Expression {
  public:
    Value value(Run& run) const final { return Value::of(int64_t{truth(run)}); }
    bool holds(Run& run) const final { return truth(run); }
};

class Not : public Condition {
  public:
    explicit Not(ExpressionPtr operand) : operand_(std::move(operand)) {}
    bool truth(Run& run) const override { return !operand_->truth(run); }

  private:
    ExpressionPtr operand_;
};

// A route called in the left side may have ended the script: then the right side must not run.
class And : public Condition {
  public:
    And(ExpressionPtr left, ExpressionPtr right) : left_(std::move(left)), right_(std::move(right)) {}
    bool truth(Run& run) const override { return left_->truth(run) && run.flow == Flow::next && right_->truth(run); }

  private:
    ExpressionPtr left_, right_;
};

class Or : public Condition {
  public:
    Or(ExpressionPtr left, ExpressionPtr right) : left_(std::move(left)), right_(std::move(right)) {}
    bool truth(Run& run) const override { return left_->truth(run) || (run.flow == Flow::next && right_->truth(run)); }

  private:
    ExpressionPtr left_, right_;
};

class Computed : public Expression {  // one operand
  public:
    using Compute = Value (*)(const Value& operand, Arena& arena);
    Computed(ExpressionPtr operand, Compute compute) : operand_(std::move(operand)), compute_(compute) {}
    Value value(Run& run) const override { return compute_(operand_->value(run), run.arena()); }

  private:
    ExpressionPtr operand_;
    Compute compute_;
};

class Arithmetic : public Expression {
  public:
    using Compute = int64_t (*)(int64_t left, int64_t right);
    Arithmetic(ExpressionPtr left, ExpressionPtr right, Compute compute)
        : left_(std::move(left)), right_(std::move(right)), compute_(compute) {}
    Value value(Run& run) const override { return Value::of(number(run)); }
    bool truth(Run& run) const override { return number(run) != 0; }

  private:
    int64_t number(Run& run) const {
        const int64_t left = to_integer(left_->value(run));
        return compute_(left, to_integer(right_->value(run)));
    }
    ExpressionPtr left_, right_;
    Compute compute_;
};

class Division : public Expression {
  public:
    Division(bool remainder, ExpressionPtr left, ExpressionPtr right)
        : remainder_(remainder), left_(std::move(left)), right_(std::move(right)) {}
    Value value(Run& run) const override {
        const int64_t left = to_integer(left_->value(run)), right = to_integer(right_->value(run));
        if (right == 0) {
            run.evaluation_failed = true;
            return Value::none();
        }
        if (right == -1) return Value::of(remainder_ ? 0 : wrap(0 - static_cast<uint64_t>(left)));
        return Value::of(remainder_ ? left % right : left / right);
    }

  private:
    bool remainder_;
    ExpressionPtr left_, right_;
};

class Equal : public Condition {
  public:
    Equal(bool wanted, ExpressionPtr left, ExpressionPtr right)
        : wanted_(wanted), left_(std::move(left)), right_(std::move(right)) {}
    bool truth(Run& run) const override {
        const Value left = left_->value(run);
        return equal_values(left, right_->value(run), run.arena()) == wanted_;
    }

  private:
    bool wanted_;
    ExpressionPtr left_, right_;
};

class TextEqual : public Condition {
  public:
    TextEqual(bool wanted, ExpressionPtr left, ExpressionPtr right)
        : wanted_(wanted), left_(std::move(left)), right_(std::move(right)) {}
    bool truth(Run& run) const override {
        const std::string_view left = to_text(left_->value(run), run.arena());
        return (left == to_text(right_->value(run), run.arena())) == wanted_;
    }

  private:
    bool wanted_;
    ExpressionPtr left_, right_;
};

class Add : public Expression {
  public:
    Add(ExpressionPtr left, ExpressionPtr right) : left_(std::move(left)), right_(std::move(right)) {}
    Value value(Run& run) const override {
        const Value left = left_->value(run), right = right_->value(run);
        const bool integers = left.is_integer() || (left.is_null() && right.is_integer());
        if (integers)
            return Value::of(static_cast<int64_t>(static_cast<uint64_t>(to_integer(left)) +
                                                  static_cast<uint64_t>(to_integer(right))));
        const std::string_view first = to_text(left, run.arena()), second = to_text(right, run.arena());
        return Value::of(TextBuilder(run.arena()).append(first).append(second).take());
    }

  private:
    ExpressionPtr left_, right_;
};

class Match : public Condition {
  public:
    Match(bool negated, ExpressionPtr text, std::shared_ptr<const Regex> regex, ExpressionPtr pattern)
        : negated_(negated), text_(std::move(text)), regex_(std::move(regex)), pattern_(std::move(pattern)) {}
    bool truth(Run& run) const override {
        const std::string_view text = to_text(text_->value(run), run.arena());
        if (regex_ != nullptr) return regex_->matches(text) != negated_;
        const auto regex = cached_regex(to_text(pattern_->value(run), run.arena()));
        return regex != nullptr && regex->matches(text) != negated_;
    }

  private:
    bool negated_;
    ExpressionPtr text_;
    std::shared_ptr<const Regex> regex_;
    ExpressionPtr pattern_;
};

Arithmetic::Compute arithmetic(BinaryOp op) {
    using I = int64_t;
    switch (op) {
    case BinaryOp::int_equal: return [](I a, I b) -> I { return a == b; };
    case BinaryOp::int_not_equal: return [](I a, I b) -> I { return a != b; };
    case BinaryOp::less: return [](I a, I b) -> I { return a < b; };
    case BinaryOp::less_equal: return [](I a, I b) -> I { return a <= b; };
    case BinaryOp::greater: return [](I a, I b) -> I { return a > b; };
    case BinaryOp::greater_equal: return [](I a, I b) -> I { return a >= b; };
    case BinaryOp::subtract:
        return [](I a, I b) -> I { return wrap(static_cast<uint64_t>(a) - static_cast<uint64_t>(b)); };
    case BinaryOp::multiply:
        return [](I a, I b) -> I { return wrap(static_cast<uint64_t>(a) * static_cast<uint64_t>(b)); };
    case BinaryOp::bit_and: return [](I a, I b) -> I { return a & b; };
    case BinaryOp::bit_or: return [](I a, I b) -> I { return a | b; };
    case BinaryOp::bit_xor: return [](I a, I b) -> I { return a ^ b; };
    case BinaryOp::shift_left:
        return [](I a, I b) -> I { return b < 0 || b > 63 ? 0 : wrap(static_cast<uint64_t>(a) << b); };
    case BinaryOp::shift_right:
        return [](I a, I b) -> I { return b < 0 || b > 63 ? 0 : wrap(static_cast<uint64_t>(a) >> b); };
    default: return nullptr;
    }
}

}  // namespace

bool equal_values(const Value& left, const Value& right, Arena& arena) {
    const Value& decides = left.is_null() ? right : left;
    if (decides.is_integer()) return to_integer(left) == to_integer(right);
    return to_text(left, arena) == to_text(right, arena);
}

const Value* constant_of(const Expression& expression) {
    const auto* constant = dynamic_cast<const Constant*>(&expression);
    return constant == nullptr ? nullptr : &constant->constant();
}

ExpressionPtr make_unary(UnaryOp op, ExpressionPtr operand) {
    const auto computed = [&](Computed::Compute compute) { return std::make_shared<Computed>(operand, compute); };
    switch (op) {
    case UnaryOp::logical_not: return std::make_shared<Not>(std::move(operand));
    case UnaryOp::minus:
        return computed(
            [](const Value& v, Arena&) { return Value::of(wrap(0 - static_cast<uint64_t>(to_integer(v)))); });
    case UnaryOp::bit_not: return computed([](const Value& v, Arena&) { return Value::of(~to_integer(v)); });
    case UnaryOp::to_int: return computed([](const Value& v, Arena&) { return Value::of(to_integer(v)); });
    case UnaryOp::to_text: return computed([](const Value& v, Arena& arena) { return Value::of(to_text(v, arena)); });
    case UnaryOp::defined: return computed([](const Value& v, Arena&) { return Value::of(int64_t{!v.is_null()}); });
    case UnaryOp::strempty:
        return computed([](const Value& v, Arena& arena) { return Value::of(int64_t{to_text(v, arena).empty()}); });
    case UnaryOp::strlen:
        return computed(
            [](const Value& v, Arena& arena) { return Value::of(static_cast<int64_t>(to_text(v, arena).size())); });
    }
    return nullptr;
}

ExpressionPtr make_binary(BinaryOp op, ExpressionPtr left, ExpressionPtr right) {
    switch (op) {
    case BinaryOp::logical_and: return std::make_shared<And>(std::move(left), std::move(right));
    case BinaryOp::logical_or: return std::make_shared<Or>(std::move(left), std::move(right));
    case BinaryOp::equal: return std::make_shared<Equal>(true, std::move(left), std::move(right));
    case BinaryOp::not_equal: return std::make_shared<Equal>(false, std::move(left), std::move(right));
    case BinaryOp::text_equal: return std::make_shared<TextEqual>(true, std::move(left), std::move(right));
    case BinaryOp::text_not_equal: return std::make_shared<TextEqual>(false, std::move(left), std::move(right));
    case BinaryOp::add: return std::make_shared<Add>(std::move(left), std::move(right));
    case BinaryOp::divide: return std::make_shared<Division>(false, std::move(left), std::move(right));
    case BinaryOp::modulo: return std::make_shared<Division>(true, std::move(left), std::move(right));
    default: break;
    }
    const Arithmetic::Compute compute = arithmetic(op);
    REQUIRE(compute != nullptr);
    return std::make_shared<Arithmetic>(std::move(left), std::move(right), compute);
}

ExpressionPtr make_match(bool negated, ExpressionPtr text, std::shared_ptr<const Regex> regex, ExpressionPtr pattern) {
    return std::make_shared<Match>(negated, std::move(text), std::move(regex), std::move(pattern));
}

}  // namespace kahu::script
