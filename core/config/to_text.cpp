// The tree as configuration text again.
#include <fmt/format.h>

#include <algorithm>

#include "core/config/ast.h"

namespace kahu::config {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

struct Symbol {
    BinaryOp op;
    std::string_view text;
};
constexpr Symbol kSymbols[] = {
    {BinaryOp::logical_or, "||"}, {BinaryOp::logical_and, "&&"},
    {BinaryOp::equal, "=="},      {BinaryOp::not_equal, "!="},
    {BinaryOp::match, "=~"},      {BinaryOp::not_match, "!~"},
    {BinaryOp::text_equal, "eq"}, {BinaryOp::text_not_equal, "ne"},
    {BinaryOp::int_equal, "ieq"}, {BinaryOp::int_not_equal, "ine"},
    {BinaryOp::less, "<"},        {BinaryOp::less_equal, "<="},
    {BinaryOp::greater, ">"},     {BinaryOp::greater_equal, ">="},
    {BinaryOp::add, "+"},         {BinaryOp::subtract, "-"},
    {BinaryOp::multiply, "*"},    {BinaryOp::divide, "/"},
    {BinaryOp::modulo, "mod"},    {BinaryOp::bit_and, "&"},
    {BinaryOp::bit_or, "|"},      {BinaryOp::bit_xor, "^"},
    {BinaryOp::shift_left, "<<"}, {BinaryOp::shift_right, ">>"},
};

std::string unary_text(const Unary& unary) {
    const std::string operand = to_text(*unary.operand);
    switch (unary.op) {
    case UnaryOp::logical_not: return '!' + operand;
    case UnaryOp::minus: return '-' + operand;
    case UnaryOp::bit_not: return '~' + operand;
    case UnaryOp::to_int: return "(int)" + operand;
    case UnaryOp::to_text: return "(str)" + operand;
    case UnaryOp::defined: return "defined " + operand;
    case UnaryOp::strempty: return "strempty(" + operand + ')';
    case UnaryOp::strlen: return "strlen(" + operand + ')';
    }
    return operand;
}

std::string call_text(const Call& call) {
    if (call.bare) return call.name;
    std::string out = call.name + '(';
    for (size_t i = 0; i < call.arguments.size(); ++i) {
        if (i != 0) out += ", ";
        out += to_text(*call.arguments[i]);
    }
    return out + ')';
}

// IPv6 in brackets, so that ':' is not taken for a separator; a mask stays outside.
std::string address_text(const std::string& text) {
    const size_t slash = text.find('/');
    const std::string host = text.substr(0, slash);
    if (std::count(host.begin(), host.end(), ':') < 2 || host[0] == '[') return text;
    if (host.find_first_not_of("0123456789abcdefABCDEF:.") != host.npos) return text;
    return '[' + host + ']' + (slash == text.npos ? "" : text.substr(slash));
}

std::string condition_text(const Expression& expression) {
    const bool bracketed = std::holds_alternative<Binary>(expression.node);
    return bracketed ? to_text(expression) : '(' + to_text(expression) + ')';
}

std::string value_text(const Value& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
    return quoted(std::get<std::string>(value));
}

class StatementPrinter {
  public:
    explicit StatementPrinter(int indent) : indent_(indent) {}

    void block(const Block& statements) {
        for (const Statement& statement : statements)
            std::visit([&](const auto& node) { print(node); }, statement.node);
    }
    std::string take() { return std::move(out_); }

  private:
    void line(std::string_view text) {
        out_ += std::string(static_cast<size_t>(indent_) * 4, ' ').append(text) += '\n';
    }
    void body(const Block& statements) {
        ++indent_;
        block(statements);
        --indent_;
    }
    void leave(std::string_view word, const ExpressionPtr& value) {
        line(value ? fmt::format("{} {};", word, to_text(*value)) : fmt::format("{};", word));
    }
    void print(const CallStatement& node) { line(to_text(*node.call) + ';'); }
    void print(const Assignment& node) {
        line(fmt::format("{} {} {};", to_text(*node.target),
                         node.op == AssignOp::set ? "=" : "+=", to_text(*node.value)));
    }
    void print(const If& node) {
        line("if " + condition_text(*node.condition) + " {");
        body(node.then_block);
        if (!node.else_block.empty()) {
            line("} else {");
            body(node.else_block);
        }
        line("}");
    }
    void print(const While& node) {
        line("while " + condition_text(*node.condition) + " {");
        body(node.body);
        line("}");
    }
    void print(const Switch& node) {
        line("switch " + condition_text(*node.subject) + " {");
        for (const Case& one : node.cases) {
            switch (one.kind) {
            case CaseKind::number: line(fmt::format("case {}:", one.number)); break;
            case CaseKind::text: line(fmt::format("case {}:", quoted(one.text))); break;
            case CaseKind::regex: line(fmt::format("case /{}/{}:", slashes_escaped(one.text), one.flags)); break;
            case CaseKind::otherwise: line("default:"); break;
            }
            body(one.body);
        }
        line("}");
    }
    void print(const Return& node) { leave("return", node.value); }
    void print(const Exit& node) { leave("exit", node.value); }
    void print(const Drop& node) { leave("drop", node.value); }
    void print(const Break&) { line("break;"); }
    void print(const BlockStatement& node) {
        line("{");
        body(node.body);
        line("}");
    }
    static std::string slashes_escaped(std::string_view pattern) {
        std::string out;
        for (char c : pattern) out += c == '/' ? std::string("\\/") : std::string(1, c);
        return out;
    }

    std::string out_;
    int indent_;
};

std::string socket_text(const SocketStatement& socket) {
    const auto shown = [](const std::string& host) { return host.find(':') == host.npos ? host : '[' + host + ']'; };
    std::string hosts = shown(socket.host);
    for (const std::string& more : socket.more_hosts) hosts += ", " + shown(more);
    if (!socket.more_hosts.empty()) hosts = '(' + hosts + ')';
    std::string out = fmt::format("socket = {{ bind = {}{}{}{};", socket.transport, socket.transport.empty() ? "" : ":",
                                  hosts, socket.port != 0 ? fmt::format(":{}", socket.port) : "");
    if (!socket.advertise_host.empty())
        out += fmt::format(" advertise = {}{};", shown(socket.advertise_host),
                           socket.advertise_port != 0 ? fmt::format(":{}", socket.advertise_port) : "");
    if (!socket.name.empty()) out += fmt::format(" name = {};", quoted(socket.name));
    if (!socket.agname.empty()) out += fmt::format(" agname = {};", quoted(socket.agname));
    if (socket.workers != 0) out += fmt::format(" workers = {};", socket.workers);
    if (socket.is_virtual) out += " virtual = yes;";
    return out + " }\n";
}

std::string alias_text(const AliasStatement& alias) {
    const std::string host = alias.host.find(':') == alias.host.npos ? alias.host : '[' + alias.host + ']';
    return fmt::format("alias = {}{}{}{}\n", alias.transport, alias.transport.empty() ? "" : ":", host,
                       alias.port != 0 ? fmt::format(":{}", alias.port) : "");
}

std::string flags_text(std::string_view word, const std::vector<FlagDeclaration>& flags) {
    std::string out;
    for (const FlagDeclaration& flag : flags)
        out += fmt::format("{} {}{}\n", word, flag.name, flag.number ? fmt::format(":{}", *flag.number) : "");
    return out;
}

std::string route_text(const Route& route) {
    std::string head(name_of(route.kind));
    if (!route.name.empty())
        head = fmt::format("{}[{}]", route.kind == RouteKind::request ? "route" : head, quoted(route.name));
    return head + " {\n" + to_text(route.body, 1) + "}\n";
}

}  // namespace

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        switch (c) {
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        default: out += c;
        }
    }
    return out + '"';
}

std::string_view symbol_of(BinaryOp op) {
    for (const Symbol& symbol : kSymbols)
        if (symbol.op == op) return symbol.text;
    return "";
}

std::string_view name_of(RouteKind kind) {
    constexpr std::string_view names[] = {"request_route", "reply_route",  "failure_route",
                                          "branch_route",  "onsend_route", "event_route"};
    return names[static_cast<size_t>(kind)];
}

std::string LoadModule::name() const {
    const size_t slash = path.rfind('/');
    std::string out = slash == path.npos ? path : path.substr(slash + 1);
    if (out.ends_with(".so")) out.resize(out.size() - 3);
    return out;
}

std::string to_text(const Expression& expression) {
    return std::visit(Overloaded{
                          [](const IntLiteral& node) { return std::to_string(node.value); },
                          [](const TextLiteral& node) { return quoted(node.text); },
                          [](const PseudoVariable& node) { return node.text; },
                          [](const Select& node) { return node.text; },
                          [](const AddressLiteral& node) { return address_text(node.text); },
                          [](const Word& node) { return node.text; },
                          [](const CoreOperandUse& node) { return std::string(name_of(node.which)); },
                          [](const Unary& node) { return unary_text(node); },
                          [](const Binary& node) {
                              return fmt::format("({} {} {})", to_text(*node.left), symbol_of(node.op),
                                                 to_text(*node.right));
                          },
                          [](const Call& node) { return call_text(node); },
                          [](const RouteCall& node) { return fmt::format("route({})", to_text(*node.name)); },
                      },
                      expression.node);
}

std::string to_text(const Block& block, int indent) {
    StatementPrinter printer(indent);
    printer.block(block);
    return printer.take();
}

std::string to_text(const Ast& ast) {
    std::string out;
    for (const Setting& s : ast.settings) out += fmt::format("{} = {}\n", s.name, value_text(s.value));
    for (const CustomSetting& s : ast.custom_settings)
        out += fmt::format("{}{}.{} = {}{}\n", s.group, s.instance ? fmt::format("[{}]", *s.instance) : "", s.name,
                           value_text(s.value), s.description.empty() ? "" : " desc " + quoted(s.description));
    out += flags_text("flags", ast.flags) + flags_text("avpflags", ast.avpflags);
    for (const SocketStatement& socket : ast.sockets) out += socket_text(socket);
    for (const AliasStatement& alias : ast.aliases) out += alias_text(alias);
    for (const ModulePath& path : ast.module_paths) out += fmt::format("mpath {}\n", quoted(path.path));
    for (const LoadModule& m : ast.modules)
        out += fmt::format("{}({}{})\n", m.with_variables ? "loadmodulex" : "loadmodule", quoted(m.path),
                           m.options.empty() ? "" : ", " + quoted(m.options));
    for (const ModParam& p : ast.modparams)
        out += fmt::format("{}({}, {}, {})\n", p.with_variables ? "modparamx" : "modparam", quoted(p.modules),
                           quoted(p.name), value_text(p.value));
    for (const Route& route : ast.routes) out += route_text(route);
    return out;
}

}  // namespace kahu::config
