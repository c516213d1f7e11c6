// core/script/statements.h -- what a route is made of, compiled.
//
// HOW    A statement that does not just go on sets run.flow; whoever runs statements looks at it after each one.
//        break_ ends at the next while or switch, return_ at the route, exit_ and drop at the message.
// FAILS  Bounds end what would not end: max_while_loops, Run::kMaxRouteDepth.  Each is logged once a second at most.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/module/descriptor.h"
#include "core/script/expression.h"
#include "core/script/function.h"
#include "core/script/regex.h"
#include "core/script/run.h"
#include "core/script/trace.h"

namespace kahu::script {

struct VariableUse;

class Statement {
  public:
    virtual ~Statement() = default;
    virtual void run(Run& run) const = 0;
};

class Block {
  public:
    void add(std::unique_ptr<const Statement> statement) { statements_.push_back(std::move(statement)); }
    bool empty() const { return statements_.empty(); }
    void run(Run& run) const {
        for (const auto& statement : statements_) {
            statement->run(run);
            if (run.flow != Flow::next) return;
        }
    }

  private:
    std::vector<std::unique_ptr<const Statement>> statements_;
};

// A function of a module; as an expression it is true when it returned more than 0.
class FunctionCall : public Expression {
  public:
    // `point`: where a debugger looks in; nullptr: nowhere.
    FunctionCall(const Function& row, Args args, std::string where, TracePointPtr point = nullptr)
        : row_(row), args_(std::move(args)), where_(std::move(where)), point_(std::move(point)) {}
    int call(Run& run) const;
    Value value(Run& run) const override { return Value::of(int64_t{truth(run)}); }
    bool truth(Run& run) const override { return call(run) > 0; }
    bool holds(Run& run) const override { return call(run) > 0; }
    Value result(Run& run) const override { return Value::of(int64_t{call(run)}); }

  private:
    const Function& row_;
    Args args_;
    std::string where_;
    TracePointPtr point_;
};

// route(NAME): `number` is the route's, or -1 with a name to be looked up for each message.
class RouteCall : public Expression {
  public:
    RouteCall(int number, ExpressionPtr name, std::string where, TracePointPtr point = nullptr)
        : number_(number), name_(std::move(name)), where_(std::move(where)), point_(std::move(point)) {}
    int call(Run& run) const;
    Value value(Run& run) const override { return Value::of(int64_t{truth(run)}); }
    bool truth(Run& run) const override { return call(run) > 0; }
    bool holds(Run& run) const override { return call(run) > 0; }
    Value result(Run& run) const override { return Value::of(int64_t{call(run)}); }

  private:
    int number_;
    ExpressionPtr name_;
    std::string where_;
    TracePointPtr point_;
};

template <class Call>
class CallStatement : public Statement {
  public:
    explicit CallStatement(std::shared_ptr<const Call> call) : call_(std::move(call)) {}
    void run(Run& run) const override { run.last_value = call_->call(run); }

  private:
    std::shared_ptr<const Call> call_;
};

// Stands before a statement that is no call, in a script that is debugged.
class TraceStatement : public Statement {
  public:
    explicit TraceStatement(TracePointPtr point) : point_(std::move(point)) {}
    void run(Run& run) const override;

  private:
    TracePointPtr point_;
};

class Assign : public Statement {
  public:
    // `target` holds the variable; the row has a setter.
    Assign(ExpressionPtr target, const VariableUse& use, ExpressionPtr value)
        : target_(std::move(target)), use_(use), value_(std::move(value)) {}
    void run(Run& run) const override;

  private:
    ExpressionPtr target_;
    const VariableUse& use_;
    ExpressionPtr value_;
};

class IfStatement : public Statement {
  public:
    IfStatement(ExpressionPtr condition, Block then_block, Block else_block)
        : condition_(std::move(condition)), then_(std::move(then_block)), else_(std::move(else_block)) {}
    void run(Run& run) const override {
        const bool yes = condition_->holds(run) && !run.evaluation_failed;
        run.evaluation_failed = false;
        run.last_value = 1;
        if (run.flow == Flow::next) (yes ? then_ : else_).run(run);
    }

  private:
    ExpressionPtr condition_;
    Block then_, else_;
};

class WhileStatement : public Statement {
  public:
    WhileStatement(ExpressionPtr condition, Block body, std::string where)
        : condition_(std::move(condition)), body_(std::move(body)), where_(std::move(where)) {}
    void run(Run& run) const override;

  private:
    ExpressionPtr condition_;
    Block body_;
    std::string where_;
};

class SwitchStatement : public Statement {
  public:
    struct Case {
        enum class Kind : uint8_t { number, text, regex, otherwise } kind = Kind::otherwise;
        int64_t number = 0;
        std::string text;  // of kind number too: a switch that has a text compares all as text
        std::shared_ptr<const Regex> regex;
        Block body;
    };
    SwitchStatement(ExpressionPtr subject, std::vector<Case> cases);
    void run(Run& run) const override;

  private:
    bool matches(const Case& one, const Value& subject, std::string_view text) const;
    ExpressionPtr subject_;
    std::vector<Case> cases_;
    bool as_text_ = false;
};

class BlockStatement : public Statement {
  public:
    explicit BlockStatement(Block body) : body_(std::move(body)) {}
    void run(Run& run) const override { body_.run(run); }

  private:
    Block body_;
};

// return, exit, drop, break.  A return of 0 ends the script, as Kamailio's does.
class FlowStatement : public Statement {
  public:
    FlowStatement(Flow flow, ExpressionPtr value) : flow_(flow), value_(std::move(value)) {}
    void run(Run& run) const override;

  private:
    Flow flow_;
    ExpressionPtr value_;
};

}  // namespace kahu::script
