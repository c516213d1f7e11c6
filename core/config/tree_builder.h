// core/config/tree_builder.h -- the actions of the grammar: what each rule adds to the tree.
//
// WHY    Keeps C++ out of grammar.yy, and is where a value is checked that the grammar cannot check.
// FAILS  Reports to Diagnostics and builds something harmless in place of what is wrong.
#pragma once
#include <string>
#include <vector>

#include "core/config/ast.h"
#include "core/config/diagnostic.h"

namespace kahu::config {

class TreeBuilder {
  public:
    TreeBuilder(Ast& ast, Diagnostics& diagnostics) : ast_(ast), diagnostics_(diagnostics) {}

    // top level
    void setting(const Location& at, std::string name, Value value, const Location& value_at);
    void custom_setting(const Location& at, std::string group, std::optional<int64_t> instance, std::string name,
                        Value value, const Location& value_at, std::string description);
    void load_module(const Location& at, std::string path, std::string options, bool with_variables);
    void module_path(const Location& at, std::string path);
    void engine(const std::string& name, const Location& at);
    void modparam(const Location& at, std::string modules, std::string name, Value value, const Location& value_at,
                  bool with_variables);
    void listen(const Location& at, const std::string& text, const Location& text_at, SocketStatement tail);
    void advertise(SocketStatement& socket, const std::string& text, const Location& at);
    void socket(const Location& at, SocketStatement socket);
    void socket_attribute(SocketStatement& socket, const std::string& name, const Location& at, const Value& value,
                          const Location& value_at);
    void alias(const Location& at, const std::string& text);
    void flags(std::vector<FlagDeclaration> flags, bool avp);
    void route(const Location& at, RouteKind kind, std::string name, Block body);

    // statements
    void append(Block& block, Statement statement);
    Statement block(const Location& at, Block body);
    Block body(Statement statement);  // of `if` and `while`: { ... } is its statements
    Statement if_else(const Location& at, ExpressionPtr condition, Block then_block, Block else_block);
    Statement while_loop(const Location& at, ExpressionPtr condition, Block body);
    Statement switch_on(const Location& at, ExpressionPtr subject, std::vector<Case> cases);
    Statement call_statement(const Location& at, ExpressionPtr call);
    template <class Target>
    Statement assign(const Location& at, Target target, AssignOp op, ExpressionPtr value) {
        return assignment(at, leaf(at, std::move(target)), op, std::move(value));
    }
    template <class Leave>
    Statement leave(const Location& at, ExpressionPtr value) {
        const uint32_t height = 1 + height_of(value);
        return limited({at, Leave{std::move(value)}, height});
    }
    Case case_value(const Location& at, ExpressionPtr value);
    Case case_regex(const Location& at, std::string pattern, std::string flags);
    Case case_default(const Location& at);
    void add_case(std::vector<Case>& cases, Case head, Block body);

    // expressions
    template <class Leaf>
    ExpressionPtr leaf(const Location& at, Leaf node) {
        return std::make_unique<Expression>(Expression{at, std::move(node)});
    }
    ExpressionPtr unary(const Location& at, UnaryOp op, ExpressionPtr operand);
    ExpressionPtr binary(const Location& at, BinaryOp op, ExpressionPtr left, ExpressionPtr right);
    ExpressionPtr call(const Location& at, std::string name, std::vector<ExpressionPtr> arguments);
    ExpressionPtr bare_call(const Location& at, std::string name);
    ExpressionPtr route_call(const Location& at, ExpressionPtr name);
    int64_t negated(int64_t value) const { return static_cast<int64_t>(0 - static_cast<uint64_t>(value)); }

  private:
    static uint32_t height_of(const ExpressionPtr& expression) { return expression ? expression->height : 0; }
    static uint32_t height_of(const Block& block);
    Statement assignment(const Location& at, ExpressionPtr target, AssignOp op, ExpressionPtr value);
    Statement limited(Statement statement);
    ExpressionPtr limited(Expression expression);
    void too_deep(const Location& at);
    bool report_socket(SocketStatement& socket, const std::string& text, const Location& at);

    Ast& ast_;
    Diagnostics& diagnostics_;
    uint32_t order_ = 0;
};

}  // namespace kahu::config
