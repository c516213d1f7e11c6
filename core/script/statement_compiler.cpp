#include <fmt/format.h>

#include "core/script/compiler.h"
#include "core/script/operators.h"
#include "core/script/script_place.h"
#include "core/script/variable_expression.h"

namespace kahu::script {

uint16_t route_mask(config::RouteKind kind) {
    switch (kind) {
    case config::RouteKind::request: return kRequestRoute;
    case config::RouteKind::reply: return kReplyRoute;
    case config::RouteKind::failure: return kFailureRoute;
    case config::RouteKind::branch: return kBranchRoute;
    case config::RouteKind::onsend: return kOnsendRoute;
    case config::RouteKind::event: return kEventRoute;
    }
    return kAnyRoute;
}

// Names first, bodies second: a route may call one that comes later in the file.
void Compiler::compile_routes() {
    for (const config::Route& route : ast_.routes) {
        if (routes_.find(route.kind, route.name) >= 0)
            found_.error(route.at, fmt::format("{}{} is defined twice", config::name_of(route.kind),
                                               route.name.empty() ? "" : fmt::format("[{}]", route.name)));
        routes_.all.push_back({route.kind, route.name, {}});
    }
    for (size_t i = 0; i < ast_.routes.size(); ++i) {
        const config::Route& route = ast_.routes[i];
        // route[X] is called from routes of every kind: what it may call is checked when it runs.
        const bool shared = route.kind == config::RouteKind::request && !route.name.empty();
        const Place place{route.kind, shared ? uint16_t{kAnyRoute} : route_mask(route.kind)};
        script_place().route = route.name;
        routes_.all[i].body = block(route.body, place);
    }
}

Block Compiler::block(const config::Block& nodes, const Place& place) {
    Block out;
    for (const config::Statement& node : nodes)
        if (auto compiled = statement(node, place)) {
            if (TracePointPtr point = trace_point(node)) out.add(std::make_unique<TraceStatement>(std::move(point)));
            out.add(std::move(compiled));
        }
    return out;
}

TracePointPtr Compiler::trace_point(const config::Location& at, int action, std::string_view name) const {
    if (tracer() == nullptr) return nullptr;
    const std::string& route = script_place().route;
    return std::make_shared<TracePoint>(TracePoint{.route = route.empty() ? "DEFAULT_ROUTE" : route,
                                                   .file = std::string(ast_.files.name(at.file)),
                                                   .line = at.line,
                                                   .action = action,
                                                   .name = std::string(name)});
}

// Calls carry theirs themselves, since they stand in conditions too.
TracePointPtr Compiler::trace_point(const config::Statement& node) const {
    const auto point = [&](TracedAction action, std::string_view name) {
        return trace_point(node.at, static_cast<int>(action), name);
    };
    if (std::get_if<config::Assignment>(&node.node)) return point(TracedAction::assign, "assign");
    if (std::get_if<config::If>(&node.node)) return point(TracedAction::branch, "if");
    if (std::get_if<config::While>(&node.node)) return point(TracedAction::loop, "while");
    if (std::get_if<config::Switch>(&node.node)) return point(TracedAction::choice, "switch");
    if (std::get_if<config::Return>(&node.node)) return point(TracedAction::leave, "return");
    if (std::get_if<config::Exit>(&node.node)) return point(TracedAction::leave, "exit");
    if (std::get_if<config::Drop>(&node.node)) return point(TracedAction::leave, "drop");
    if (std::get_if<config::CallStatement>(&node.node) || std::get_if<config::BlockStatement>(&node.node))
        return nullptr;
    return point(TracedAction::leave, "break");
}

std::unique_ptr<const Statement> Compiler::statement(const config::Statement& node, const Place& place) {
    if (const auto* call = std::get_if<config::CallStatement>(&node.node)) return call_statement(*call, place);
    if (const auto* assign = std::get_if<config::Assignment>(&node.node)) return assignment(node, *assign, place);
    if (const auto* branch = std::get_if<config::If>(&node.node)) return if_statement(*branch, place);
    if (const auto* loop = std::get_if<config::While>(&node.node)) return while_statement(node, *loop, place);
    if (const auto* choice = std::get_if<config::Switch>(&node.node)) return switch_statement(*choice, place);
    if (const auto* ret = std::get_if<config::Return>(&node.node))
        return flow_statement(Flow::return_, ret->value, place);
    if (const auto* exit = std::get_if<config::Exit>(&node.node))
        return flow_statement(Flow::exit_, exit->value, place);
    if (const auto* drop = std::get_if<config::Drop>(&node.node)) return flow_statement(Flow::drop, drop->value, place);
    if (const auto* inner = std::get_if<config::BlockStatement>(&node.node))
        return std::make_unique<BlockStatement>(block(inner->body, place));
    return std::make_unique<FlowStatement>(Flow::break_, nullptr);  // outside of loops it leaves the route
}

std::unique_ptr<const Statement> Compiler::call_statement(const config::CallStatement& node, const Place& place) {
    if (const auto* function = std::get_if<config::Call>(&node.call->node)) {
        auto compiled = call(*node.call, *function, place);
        if (compiled == nullptr) return nullptr;
        return std::make_unique<CallStatement<FunctionCall>>(std::move(compiled));
    }
    const auto* route = std::get_if<config::RouteCall>(&node.call->node);
    auto compiled = route == nullptr ? nullptr : route_call(*node.call, *route, place);
    if (compiled == nullptr) return nullptr;
    return std::make_unique<CallStatement<RouteCall>>(std::move(compiled));
}

std::unique_ptr<const Statement> Compiler::assignment(const config::Statement& at, const config::Assignment& node,
                                                      const Place& place) {
    ExpressionPtr value = expression(*node.value, place);
    if (std::get_if<config::PseudoVariable>(&node.target->node) == nullptr) {
        found_.error(at.at, "this cannot be assigned to", "only variables can: $var(name), $avp(name), $ru, ...");
        return nullptr;
    }
    ExpressionPtr target = expression(*node.target, place);
    if (value == nullptr || target == nullptr) return nullptr;
    const auto* const variable = dynamic_cast<const VariableExpression*>(target.get());
    if (variable == nullptr || variable->transformed()) {
        found_.error(node.target->at, "a transformed variable cannot be assigned to");
        return nullptr;
    }
    if (variable->use().row->set == nullptr) {
        found_.error(node.target->at, fmt::format("${} is read-only", variable->use().name));
        return nullptr;
    }
    if (node.op == config::AssignOp::add) value = make_binary(config::BinaryOp::add, target, std::move(value));
    return std::make_unique<Assign>(target, variable->use(), std::move(value));
}

std::unique_ptr<const Statement> Compiler::if_statement(const config::If& node, const Place& place) {
    ExpressionPtr condition = expression(*node.condition, place);
    Block yes = block(node.then_block, place), no = block(node.else_block, place);
    if (condition == nullptr) return nullptr;
    return std::make_unique<IfStatement>(std::move(condition), std::move(yes), std::move(no));
}

std::unique_ptr<const Statement> Compiler::while_statement(const config::Statement& at, const config::While& node,
                                                           const Place& place) {
    ExpressionPtr condition = expression(*node.condition, place);
    Block body = block(node.body, place);
    if (condition == nullptr) return nullptr;
    return std::make_unique<WhileStatement>(std::move(condition), std::move(body), where(at.at));
}

std::unique_ptr<const Statement> Compiler::switch_statement(const config::Switch& node, const Place& place) {
    ExpressionPtr subject = expression(*node.subject, place);
    std::vector<SwitchStatement::Case> cases;
    bool good = subject != nullptr;
    for (const config::Case& one : node.cases) {
        SwitchStatement::Case compiled;
        compiled.number = one.number;
        compiled.text = one.kind == config::CaseKind::number ? std::to_string(one.number) : one.text;
        switch (one.kind) {
        case config::CaseKind::number: compiled.kind = SwitchStatement::Case::Kind::number; break;
        case config::CaseKind::text: compiled.kind = SwitchStatement::Case::Kind::text; break;
        case config::CaseKind::regex: compiled.kind = SwitchStatement::Case::Kind::regex; break;
        case config::CaseKind::otherwise: compiled.kind = SwitchStatement::Case::Kind::otherwise; break;
        }
        if (one.kind == config::CaseKind::regex) {
            auto regex = Regex::compile(one.text, one.flags.find('i') != std::string::npos);
            if (!regex) error(one.at, regex.error());
            good = good && regex;
            if (regex) compiled.regex = *regex;
        }
        compiled.body = block(one.body, place);
        cases.push_back(std::move(compiled));
    }
    if (!good) return nullptr;
    return std::make_unique<SwitchStatement>(std::move(subject), std::move(cases));
}

std::unique_ptr<const Statement> Compiler::flow_statement(Flow flow, const config::ExpressionPtr& value,
                                                          const Place& place) {
    ExpressionPtr compiled;
    if (value != nullptr) {
        compiled = expression(*value, place);
        if (compiled == nullptr) return nullptr;
    }
    return std::make_unique<FlowStatement>(flow, std::move(compiled));
}

}  // namespace kahu::script
