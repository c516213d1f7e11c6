#include "core/config/tree_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/config/socket_text.h"

namespace kahu::config {
namespace {

constexpr std::string_view kSocketAttributes[] = {"bind", "advertise", "name", "agname", "workers", "virtual"};

std::string as_text(const Value& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
    return std::get<std::string>(value);
}

}  // namespace

// --- top level ---------------------------------------------------------------------------------------
void TreeBuilder::setting(const Location& at, std::string name, Value value, const Location& value_at) {
    ast_.settings.push_back({std::move(name), std::move(value), at, value_at, ++order_});
}

void TreeBuilder::custom_setting(const Location& at, std::string group, std::optional<int64_t> instance,
                                 std::string name, Value value, const Location& value_at, std::string description) {
    ast_.custom_settings.push_back({std::move(group), std::move(name), instance, std::move(value),
                                    std::move(description), at, value_at, ++order_});
}

void TreeBuilder::load_module(const Location& at, std::string path, std::string options, bool with_variables) {
    LoadModule load{std::move(path), std::move(options), with_variables, at, ++order_};
    if (load.name().empty()) diagnostics_.error(at, "loadmodule without the name of a module");
    else ast_.modules.push_back(std::move(load));
}

void TreeBuilder::module_path(const Location& at, std::string path) {
    ast_.module_paths.push_back({std::move(path), at});
}

void TreeBuilder::engine(const std::string& name, const Location& at) {
    if (name == "native" || name == "default") return;
    diagnostics_.error(at, fmt::format("there is no engine '{}'", text::printable(name, 80)),
                       "\"native\": routes are written in this language");
}

void TreeBuilder::modparam(const Location& at, std::string modules, std::string name, Value value,
                           const Location& value_at, bool with_variables) {
    ast_.modparams.push_back(
        {std::move(modules), std::move(name), std::move(value), with_variables, at, value_at, ++order_});
}

bool TreeBuilder::report_socket(SocketStatement& socket, const std::string& text, const Location& at) {
    Result<SocketText> parsed = parse_socket_text(text);
    if (!parsed) {
        diagnostics_.error(at, parsed.error().what, parsed.error().hint);
        return false;
    }
    socket.transport = std::move(parsed->transport);
    socket.host = std::move(parsed->host);
    socket.more_hosts = std::move(parsed->more_hosts);
    socket.port = parsed->port;
    return true;
}

void TreeBuilder::listen(const Location& at, const std::string& text, const Location& text_at, SocketStatement tail) {
    if (!report_socket(tail, text, text_at)) return;
    tail.at = at;
    tail.order = ++order_;
    ast_.sockets.push_back(std::move(tail));
}

void TreeBuilder::advertise(SocketStatement& socket, const std::string& text, const Location& at) {
    Result<SocketText> parsed = parse_socket_text(text);
    if (parsed && (!parsed->transport.empty() || !parsed->more_hosts.empty() || parsed->host == "*"))
        parsed = Error{Errc::invalid, fmt::format("'{}' cannot be advertised", text::printable(text, 60)),
                       "advertise host[:port]"};
    if (!parsed) {
        diagnostics_.error(at, parsed.error().what, parsed.error().hint);
        return;
    }
    socket.advertise_host = std::move(parsed->host);
    socket.advertise_port = parsed->port;
}

void TreeBuilder::socket(const Location& at, SocketStatement socket) {
    if (socket.host.empty()) {
        diagnostics_.error(at, "a socket without bind", "socket = { bind = udp:10.0.0.1:5060; }");
        return;
    }
    socket.at = at;
    socket.order = ++order_;
    ast_.sockets.push_back(std::move(socket));
}

void TreeBuilder::socket_attribute(SocketStatement& socket, const std::string& name, const Location& at,
                                   const Value& value, const Location& value_at) {
    const auto* number = std::get_if<int64_t>(&value);
    if (name == "bind") {
        report_socket(socket, as_text(value), value_at);
    } else if (name == "advertise") {
        advertise(socket, as_text(value), value_at);
    } else if (name == "name") {
        socket.name = as_text(value);
    } else if (name == "agname") {
        socket.agname = as_text(value);
    } else if (name == "workers") {
        if (number && *number >= 0 && *number <= 1024) socket.workers = *number;
        else
            diagnostics_.error(value_at, fmt::format("workers = {} is not valid", text::printable(as_text(value), 40)),
                               "a number from 0 to 1024");
    } else if (name == "virtual") {
        if (number && (*number == 0 || *number == 1)) socket.is_virtual = *number == 1;
        else
            diagnostics_.error(value_at, fmt::format("virtual = {} is not valid", text::printable(as_text(value), 40)),
                               "yes or no");
    } else {
        const std::string_view meant = text::nearest(name, kSocketAttributes);
        diagnostics_.error(at, fmt::format("unknown socket attribute '{}'", text::printable(name, 60)),
                           meant.empty() ? "bind, advertise, name, agname, workers, virtual"
                                         : fmt::format("did you mean '{}'?", meant));
    }
}

void TreeBuilder::alias(const Location& at, const std::string& text) {
    Result<SocketText> parsed = parse_socket_text(text);
    if (!parsed) {
        diagnostics_.error(at, parsed.error().what, parsed.error().hint);
        return;
    }
    ast_.aliases.push_back({std::move(parsed->transport), text::lowered(parsed->host), parsed->port, at, ++order_});
}

void TreeBuilder::flags(std::vector<FlagDeclaration> flags, bool avp) {
    std::vector<FlagDeclaration>& known = avp ? ast_.avpflags : ast_.flags;
    for (FlagDeclaration& flag : flags) {
        if (flag.number && (*flag.number < 0 || *flag.number > 31))
            diagnostics_.error(flag.at, fmt::format("flag {} has number {}", flag.name, *flag.number),
                               "flags are numbered from 0 to 31");
        else if (std::ranges::any_of(known, [&](const FlagDeclaration& other) { return other.name == flag.name; }))
            diagnostics_.error(flag.at, fmt::format("flag {} is declared twice", flag.name));
        else known.push_back(std::move(flag));
    }
}

void TreeBuilder::route(const Location& at, RouteKind kind, std::string name, Block body) {
    if (name == "0") name.clear();  // SER's name of the main route
    if (kind == RouteKind::event && name.empty()) {
        diagnostics_.error(at, "event_route without a name", "event_route[tm:local-request]");
        return;
    }
    if ((kind == RouteKind::failure || kind == RouteKind::branch) && name.empty()) {
        diagnostics_.error(at, fmt::format("{} without a name", name_of(kind)), fmt::format("{}[NAME]", name_of(kind)));
        return;
    }
    for (const Route& other : ast_.routes) {
        if (other.kind != kind || other.name != name) continue;
        const std::string shown = name.empty()
                                      ? std::string(name_of(kind))
                                      : fmt::format("{}[{}]", kind == RouteKind::request ? "route" : name_of(kind),
                                                    text::printable(name, 60));
        diagnostics_.error(at, fmt::format("{} is defined twice", shown),
                           fmt::format("the other one is at {}", diagnostics_.files.text(other.at)));
        return;
    }
    ast_.routes.push_back({kind, std::move(name), std::move(body), at, ++order_});
}

// --- statements --------------------------------------------------------------------------------------
uint32_t TreeBuilder::height_of(const Block& block) {
    uint32_t height = 0;
    for (const Statement& statement : block) height = std::max(height, statement.height);
    return height;
}

void TreeBuilder::too_deep(const Location& at) {
    diagnostics_.error(at, fmt::format("statements or operators are nested deeper than {}", kMaxHeight),
                       "use a route of its own for a part");
}

// What is too deep goes at once: nobody may have to recurse through it, not even a destructor.
Statement TreeBuilder::limited(Statement statement) {
    if (statement.height <= kMaxHeight) return statement;
    too_deep(statement.at);
    return {statement.at, Break{}};
}

void TreeBuilder::append(Block& block, Statement statement) { block.push_back(std::move(statement)); }

Statement TreeBuilder::block(const Location& at, Block body) {
    const uint32_t height = 1 + height_of(body);
    return limited({at, BlockStatement{std::move(body)}, height});
}

Block TreeBuilder::body(Statement statement) {
    if (auto* inner = std::get_if<BlockStatement>(&statement.node)) return std::move(inner->body);
    Block out;
    out.push_back(std::move(statement));
    return out;
}

Statement TreeBuilder::if_else(const Location& at, ExpressionPtr condition, Block then_block, Block else_block) {
    const uint32_t height = 1 + std::max({height_of(condition), height_of(then_block), height_of(else_block)});
    return limited({at, If{std::move(condition), std::move(then_block), std::move(else_block)}, height});
}

Statement TreeBuilder::while_loop(const Location& at, ExpressionPtr condition, Block body) {
    const uint32_t height = 1 + std::max(height_of(condition), height_of(body));
    return limited({at, While{std::move(condition), std::move(body)}, height});
}

Statement TreeBuilder::switch_on(const Location& at, ExpressionPtr subject, std::vector<Case> cases) {
    uint32_t height = height_of(subject);
    const Case* otherwise = nullptr;
    for (const Case& one : cases) {
        height = std::max(height, height_of(one.body));
        if (one.kind == CaseKind::otherwise && std::exchange(otherwise, &one))
            diagnostics_.error(one.at, "a second 'default' in one switch");
    }
    return limited({at, Switch{std::move(subject), std::move(cases)}, 1 + height});
}

Statement TreeBuilder::call_statement(const Location& at, ExpressionPtr call) {
    const uint32_t height = 1 + height_of(call);
    return limited({at, CallStatement{std::move(call)}, height});
}

Statement TreeBuilder::assignment(const Location& at, ExpressionPtr target, AssignOp op, ExpressionPtr value) {
    const uint32_t height = 1 + height_of(value);
    return limited({at, Assignment{std::move(target), op, std::move(value)}, height});
}

Case TreeBuilder::case_value(const Location& at, ExpressionPtr value) {
    Case out{.at = at};
    const Expression* node = value.get();
    bool negative = false;
    if (const auto* minus = std::get_if<Unary>(&node->node); minus && minus->op == UnaryOp::minus) {
        negative = true;
        node = minus->operand.get();
    }
    if (const auto* number = std::get_if<IntLiteral>(&node->node)) {
        out.kind = CaseKind::number;
        out.number = negative ? negated(number->value) : number->value;
    } else if (const auto* text = std::get_if<TextLiteral>(&node->node); text && !negative) {
        out.kind = CaseKind::text;
        out.text = text->text;
    } else {
        diagnostics_.error(value->at, "a case is a number, a string or a regular expression",
                           "case 1: ... case \"text\": ... case /regex/:");
    }
    return out;
}

Case TreeBuilder::case_regex(const Location& at, std::string pattern, std::string flags) {
    return {.kind = CaseKind::regex, .text = std::move(pattern), .flags = std::move(flags), .at = at};
}

Case TreeBuilder::case_default(const Location& at) { return {.kind = CaseKind::otherwise, .at = at}; }

void TreeBuilder::add_case(std::vector<Case>& cases, Case head, Block body) {
    head.body = std::move(body);
    cases.push_back(std::move(head));
}

// --- expressions -------------------------------------------------------------------------------------
ExpressionPtr TreeBuilder::limited(Expression expression) {
    if (expression.height <= kMaxHeight) return std::make_unique<Expression>(std::move(expression));
    too_deep(expression.at);
    return leaf(expression.at, IntLiteral{0});
}

ExpressionPtr TreeBuilder::unary(const Location& at, UnaryOp op, ExpressionPtr operand) {
    const uint32_t height = 1 + height_of(operand);
    return limited({at, Unary{op, std::move(operand)}, height});
}

// `!uri == myself`: a part of the message is nothing without its comparison, so the `!` is about that.
namespace {
bool compares(BinaryOp op) {
    return op == BinaryOp::equal || op == BinaryOp::not_equal || op == BinaryOp::match || op == BinaryOp::not_match ||
           op == BinaryOp::less || op == BinaryOp::less_equal || op == BinaryOp::greater ||
           op == BinaryOp::greater_equal;
}
bool is_negated_operand(const ExpressionPtr& expression) {
    const auto* const unary = expression == nullptr ? nullptr : std::get_if<Unary>(&expression->node);
    if (unary == nullptr || unary->op != UnaryOp::logical_not || unary->operand == nullptr) return false;
    return std::holds_alternative<CoreOperandUse>(unary->operand->node) || is_negated_operand(unary->operand);
}
}  // namespace

ExpressionPtr TreeBuilder::binary(const Location& at, BinaryOp op, ExpressionPtr left, ExpressionPtr right) {
    if (compares(op) && is_negated_operand(left)) {
        auto& negation = std::get<Unary>(left->node);
        return unary(left->at, UnaryOp::logical_not, binary(at, op, std::move(negation.operand), std::move(right)));
    }
    const uint32_t height = 1 + std::max(height_of(left), height_of(right));
    return limited({at, Binary{op, std::move(left), std::move(right)}, height});
}

ExpressionPtr TreeBuilder::call(const Location& at, std::string name, std::vector<ExpressionPtr> arguments) {
    if (arguments.size() == 1 && !arguments[0]) arguments.clear();  // f()
    uint32_t height = 0;
    for (ExpressionPtr& argument : arguments) {
        if (!argument) argument = leaf(at, TextLiteral{});
        height = std::max(height, argument->height);
    }
    return limited({at, Call{std::move(name), std::move(arguments), false}, 1 + height});
}

ExpressionPtr TreeBuilder::bare_call(const Location& at, std::string name) {
    return leaf(at, Call{std::move(name), {}, true});
}

ExpressionPtr TreeBuilder::route_call(const Location& at, ExpressionPtr name) {
    const uint32_t height = 1 + height_of(name);
    return limited({at, RouteCall{std::move(name)}, height});
}

}  // namespace kahu::config
