// core/script/compiler.h -- from the syntax tree to routes that can be run.
//
// WHY    Every name is looked up here, every constant prepared, every mistake reported: all of a file at once.
// LIVES  For the duration of Program::compile().
// FAILS  A mistake is added to the diagnostics and compiling goes on; what could not be compiled is null.
#pragma once
#include <string>

#include "core/config/ast.h"
#include "core/config/diagnostic.h"
#include "core/script/core_operands.h"
#include "core/script/expression.h"
#include "core/script/routes.h"
#include "core/script/scope.h"
#include "core/script/statements.h"

namespace kahu::script {

class Compiler {
  public:
    Compiler(const config::Ast& ast, const Scope& scope, Routes& routes, config::Diagnostics& found)
        : ast_(ast), scope_(scope), routes_(routes), found_(found) {}
    void compile_routes();

  private:
    // Where a statement stands: what may be called there.
    struct Place {
        config::RouteKind kind;
        uint16_t callable;  // a function must allow one of these kinds
    };

    // expression_compiler.cpp
    ExpressionPtr expression(const config::Expression& node, const Place& place);
    ExpressionPtr variable(const config::Expression& node, std::string_view text);
    ExpressionPtr binary(const config::Expression& node, const config::Binary& binary, const Place& place);
    ExpressionPtr comparison(const config::Expression& node, const config::Binary& binary, const Place& place);
    ExpressionPtr match(const config::Expression& node, const config::Binary& binary, const Place& place);
    ExpressionPtr core_operand_side(const config::Expression& node, const config::CoreOperand* beside,
                                    const Place& place);
    OtherSide other_side(const config::Expression& node, ExpressionPtr compiled) const;
    ExpressionPtr word(const config::Expression& node, const config::Word& word);
    std::shared_ptr<const FunctionCall> call(const config::Expression& node, const config::Call& call,
                                             const Place& place);
    void look_for_route(const config::Expression& node, const Function& row, const Args& args);
    bool add_argument(const config::Expression& node, const Function& row, size_t i, const Place& place, Args& args);
    std::shared_ptr<const RouteCall> route_call(const config::Expression& node, const config::RouteCall& call,
                                                const Place& place);

    // statement_compiler.cpp
    Block block(const config::Block& nodes, const Place& place);
    std::unique_ptr<const Statement> statement(const config::Statement& node, const Place& place);
    std::unique_ptr<const Statement> call_statement(const config::CallStatement& node, const Place& place);
    std::unique_ptr<const Statement> assignment(const config::Statement& at, const config::Assignment& node,
                                                const Place& place);
    std::unique_ptr<const Statement> if_statement(const config::If& node, const Place& place);
    std::unique_ptr<const Statement> while_statement(const config::Statement& at, const config::While& node,
                                                     const Place& place);
    std::unique_ptr<const Statement> switch_statement(const config::Switch& node, const Place& place);
    std::unique_ptr<const Statement> flow_statement(Flow flow, const config::ExpressionPtr& value, const Place& place);

    // nullptr when nobody traces.
    TracePointPtr trace_point(const config::Location& at, int action, std::string_view name) const;
    TracePointPtr trace_point(const config::Statement& node) const;

    void error(const config::Location& at, const Error& why) { found_.error(at, why.what, why.hint); }
    std::string where(const config::Location& at) const { return ast_.files.text(at); }

    const config::Ast& ast_;
    const Scope& scope_;
    Routes& routes_;
    config::Diagnostics& found_;
};

uint16_t route_mask(config::RouteKind kind);

}  // namespace kahu::script
