#include <fmt/format.h>

#include "core/base/text.h"
#include "core/module/manual.h"
#include "core/script/compiler.h"
#include "core/script/format.h"
#include "core/script/operators.h"
#include "core/script/program.h"
#include "core/script/selects.h"
#include "core/script/variable_parser.h"

namespace kahu::script {
namespace {

using config::BinaryOp;
using config::CoreOperand;

template <class Node>
const Node* as(const config::Expression& expression) {
    return std::get_if<Node>(&expression.node);
}

const CoreOperand* core_operand(const config::Expression& expression) {
    const auto* use = as<config::CoreOperandUse>(expression);
    return use == nullptr ? nullptr : &use->which;
}

bool is_null(const config::Expression& expression) {
    const auto* const variable = as<config::PseudoVariable>(expression);
    return variable != nullptr && (variable->text == "$null" || variable->text == "$(null)");
}
bool is_empty_text(const config::Expression& expression) {
    const auto* const text = as<config::TextLiteral>(expression);
    return text != nullptr && text->text.empty();
}

std::string count_text(uint8_t least, uint8_t most) {
    if (least == most) return fmt::format("{} argument{}", least, least == 1 ? "" : "s");
    return fmt::format("{} to {} arguments", least, most);
}

}  // namespace

ExpressionPtr Compiler::expression(const config::Expression& node, const Place& place) {
    if (const auto* number = as<config::IntLiteral>(node)) return std::make_shared<Constant>(number->value);
    if (const auto* text = as<config::TextLiteral>(node)) return std::make_shared<Constant>(text->text);
    if (const auto* address = as<config::AddressLiteral>(node)) return std::make_shared<Constant>(address->text);
    if (const auto* pv = as<config::PseudoVariable>(node)) return variable(node, pv->text);
    if (const auto* plain = as<config::Word>(node)) return word(node, *plain);
    if (const auto* function = as<config::Call>(node)) return call(node, *function, place);
    if (const auto* route = as<config::RouteCall>(node)) return route_call(node, *route, place);
    if (const auto* pair = as<config::Binary>(node)) return binary(node, *pair, place);
    if (const auto* single = as<config::Unary>(node)) {
        ExpressionPtr operand = expression(*single->operand, place);
        return operand == nullptr ? nullptr : make_unary(single->op, std::move(operand));
    }
    if (const CoreOperand* which = core_operand(node)) {
        auto operand = make_core_operand(*which);
        if (!operand) error(node.at, operand.error());
        return operand ? *operand : nullptr;
    }
    const auto* select = as<config::Select>(node);
    if (select == nullptr) return nullptr;
    auto compiled = compile_select(select->text, scope_, where(node.at));
    if (!compiled) error(node.at, compiled.error());
    return compiled ? *compiled : nullptr;
}

ExpressionPtr Compiler::variable(const config::Expression& node, std::string_view text) {
    size_t used = 0;
    auto compiled = compile_variable(text, used, scope_, where(node.at));
    if (!compiled) {
        error(node.at, compiled.error());
        return nullptr;
    }
    if (used != text.size()) {
        found_.error(node.at, fmt::format("\"{}\" behind variable {} was not expected", text.substr(used),
                                          text.substr(0, used)));
        return nullptr;
    }
    if (tracer() != nullptr) traced_variables().push_back({std::string(text), *compiled});
    return *compiled;
}

// A bare word is a flag that `flags` declared; elsewhere it is a mistake (or a text without its quotes).
ExpressionPtr Compiler::word(const config::Expression& node, const config::Word& word) {
    for (size_t i = 0; i < ast_.flags.size(); ++i)
        if (ast_.flags[i].name == word.text)
            return std::make_shared<Constant>(ast_.flags[i].number.value_or(static_cast<int64_t>(i)));
    if (const auto near = text::nearest(word.text, std::vector<std::string_view>{"myself"}); !near.empty())
        found_.error(node.at, fmt::format("unknown word {}", word.text), fmt::format("did you mean {}?", near));
    else
        found_.error(node.at, fmt::format("unknown word {}", word.text),
                     fmt::format("a text needs quotes: \"{}\"; a name needs #!define", word.text));
    return nullptr;
}

ExpressionPtr Compiler::binary(const config::Expression& node, const config::Binary& binary, const Place& place) {
    const bool matching = binary.op == BinaryOp::match || binary.op == BinaryOp::not_match;
    if (matching) return match(node, binary, place);
    if (core_operand(*binary.left) != nullptr || core_operand(*binary.right) != nullptr)
        return comparison(node, binary, place);
    ExpressionPtr left = expression(*binary.left, place), right = expression(*binary.right, place);
    if (left == nullptr || right == nullptr) return nullptr;
    const bool equal = binary.op == BinaryOp::equal;
    if (equal || binary.op == BinaryOp::not_equal) {
        // "" and 0 are no $null: the question is whether there is something.  Nor is 0 the same as "".
        ExpressionPtr question;
        if (is_null(*binary.right)) {
            question = make_unary(config::UnaryOp::defined, std::move(left));
            return equal ? make_unary(config::UnaryOp::logical_not, std::move(question)) : question;
        }
        if (is_empty_text(*binary.right)) {
            question = make_unary(config::UnaryOp::strempty, std::move(left));
            return equal ? question : make_unary(config::UnaryOp::logical_not, std::move(question));
        }
    }
    return make_binary(binary.op, std::move(left), std::move(right));
}

// The side beside a core operand: there TLS and INET6 are numbers and INVITE is a text.
ExpressionPtr Compiler::core_operand_side(const config::Expression& node, const CoreOperand* beside,
                                          const Place& place) {
    const auto* const plain = as<config::Word>(node);
    if (beside == nullptr || (plain == nullptr && as<config::TextLiteral>(node) == nullptr))
        return expression(node, place);
    const std::string& text = plain != nullptr ? plain->text : as<config::TextLiteral>(node)->text;
    int64_t number = 0;
    if (core_word(*beside, text, number)) return std::make_shared<Constant>(number);
    if (plain == nullptr || *beside == CoreOperand::method) return std::make_shared<Constant>(text);
    return word(node, *plain);
}

OtherSide Compiler::other_side(const config::Expression& node, ExpressionPtr compiled) const {
    OtherSide side;
    side.expression = std::move(compiled);
    if (const CoreOperand* which = core_operand(node); which != nullptr && *which == CoreOperand::myself)
        side.kind = OtherSide::Kind::myself;
    if (const auto* number = as<config::IntLiteral>(node))
        side.kind = OtherSide::Kind::number, side.number = number->value;
    if (const auto* text = as<config::TextLiteral>(node)) side.kind = OtherSide::Kind::text, side.text = text->text;
    if (const auto* word = as<config::Word>(node)) side.kind = OtherSide::Kind::word, side.text = word->text;
    if (const auto* address = as<config::AddressLiteral>(node))
        side.kind = OtherSide::Kind::address, side.text = address->text;
    return side;
}

// At least one side is a core operand.
ExpressionPtr Compiler::comparison(const config::Expression& node, const config::Binary& binary, const Place& place) {
    const CoreOperand *left = core_operand(*binary.left), *right = core_operand(*binary.right);
    const bool swap = left == nullptr || *left == CoreOperand::myself;
    const config::Expression& here = swap ? *binary.right : *binary.left;
    const config::Expression& there = swap ? *binary.left : *binary.right;
    const CoreOperand* const which = swap ? right : left;
    const CoreOperand* const other = swap ? left : right;
    const bool equality = binary.op == BinaryOp::equal || binary.op == BinaryOp::not_equal;
    if (equality && which != nullptr && *which != CoreOperand::myself) {
        const bool to_myself = other != nullptr && *other == CoreOperand::myself;
        ExpressionPtr compiled = to_myself ? nullptr : core_operand_side(there, which, place);
        if (!to_myself && compiled == nullptr) return nullptr;
        auto special = make_core_comparison(*which, binary.op == BinaryOp::not_equal, other_side(there, compiled));
        if (!special) {
            error(node.at, special.error());
            return nullptr;
        }
        if (*special != nullptr) return *special;
        ExpressionPtr operand = expression(here, place);
        return operand == nullptr ? nullptr : make_binary(binary.op, std::move(operand), std::move(compiled));
    }
    ExpressionPtr first =
        left != nullptr ? expression(*binary.left, place) : core_operand_side(*binary.left, right, place);
    ExpressionPtr second =
        right != nullptr ? expression(*binary.right, place) : core_operand_side(*binary.right, left, place);
    if (first == nullptr || second == nullptr) return nullptr;
    return make_binary(binary.op, std::move(first), std::move(second));
}

ExpressionPtr Compiler::match(const config::Expression& node, const config::Binary& binary, const Place& place) {
    ExpressionPtr text = expression(*binary.left, place), pattern = expression(*binary.right, place);
    if (text == nullptr || pattern == nullptr) return nullptr;
    std::shared_ptr<const Regex> regex;
    if (const Value* constant = constant_of(*pattern); constant != nullptr) {
        auto compiled = Regex::compile(constant->is_text() ? constant->text : std::to_string(constant->number));
        if (!compiled) {
            error(node.at, compiled.error());
            return nullptr;
        }
        regex = *compiled;
    }
    return make_match(binary.op == BinaryOp::not_match, std::move(text), std::move(regex), std::move(pattern));
}

std::shared_ptr<const FunctionCall> Compiler::call(const config::Expression& node, const config::Call& call,
                                                   const Place& place) {
    const Function* const row = scope_.function(call.name);
    if (row == nullptr) {
        error(node.at, scope_.unknown_function(call.name));
        return nullptr;
    }
    if ((row->where & place.callable) == 0) {
        found_.error(node.at, fmt::format("{}() cannot be called in {}", row->name, config::name_of(place.kind)),
                     "only in: " + manual::route_names(row->where));
        return nullptr;
    }
    const size_t given = call.arguments.size();
    if (given < row->min_args || given > row->max_args) {
        found_.error(node.at,
                     fmt::format("{}() takes {}, {} given", row->name, count_text(row->min_args, row->max_args), given),
                     fmt::format("{}{}", row->name, row->args.empty() ? "()" : row->args));
        return nullptr;
    }
    Args args;
    bool good = true;
    for (size_t i = 0; i < given; ++i) good = add_argument(*call.arguments[i], *row, i, place, args) && good;
    if (!good) return nullptr;
    if (row->names_route != 0) look_for_route(node, *row, args);
    if (row->prepare != nullptr)
        if (Status prepared = row->prepare(args); !prepared) {
            error(node.at, std::move(prepared).error().context(fmt::format("{}()", row->name)));
            return nullptr;
        }
    return std::make_shared<FunctionCall>(
        *row, std::move(args), where(node.at),
        trace_point(node.at, static_cast<int>(TracedAction::call) + static_cast<int>(given), row->name));
}

// Only a warning: Kamailio starts with such a file, and the call may never be reached.
void Compiler::look_for_route(const config::Expression& node, const Function& row, const Args& args) {
    const Value* const name = args.constant(0);
    if (name == nullptr || !name->is_text() || name->text.empty() || name->text == "0") return;
    std::vector<std::string_view> names;
    for (const CompiledRoute& known : routes_.all) {
        if (route_mask(known.kind) != row.names_route || known.name.empty()) continue;
        if (known.name == name->text) return;
        names.push_back(known.name);
    }
    const std::string_view near = text::nearest(name->text, names);
    std::string_view kind = "route";
    for (const auto each : {config::RouteKind::failure, config::RouteKind::branch, config::RouteKind::reply})
        if (route_mask(each) == row.names_route) kind = config::name_of(each);
    found_.warning(node.at, fmt::format("{}(): there is no {}[{}]", row.name, kind, text::printable(name->text)),
                   near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

bool Compiler::add_argument(const config::Expression& node, const Function& row, size_t i, const Place& place,
                            Args& args) {
    const auto* const literal = as<config::TextLiteral>(node);
    const auto* const plain = as<config::Word>(node);
    const bool as_it_stands = (row.literal_args >> i & 1) != 0;
    ExpressionPtr compiled;
    if (literal != nullptr && !as_it_stands && literal->text.find('$') != std::string::npos) {
        auto format = Format::compile(literal->text, scope_, where(node.at));
        if (!format) {
            error(node.at, std::move(format).error().context(fmt::format("{}(), argument {}", row.name, i + 1)));
            return false;
        }
        if ((*format)->is_constant()) compiled = std::make_shared<Constant>(std::string((*format)->constant()));
        else compiled = *format;
    } else if (plain != nullptr) {
        // L_INFO, a route's name, a flag: functions decide what a word means; declared flags are numbers.
        bool flag = false;
        for (const auto& declared : ast_.flags) flag = flag || declared.name == plain->text;
        compiled = flag ? word(node, *plain) : std::make_shared<Constant>(plain->text);
    } else {
        compiled = expression(node, place);
    }
    if (compiled == nullptr) return false;
    const Value* const constant = constant_of(*compiled);
    args.add(compiled, constant == nullptr ? std::nullopt : std::optional<Value>(*constant));
    return true;
}

std::shared_ptr<const RouteCall> Compiler::route_call(const config::Expression& node, const config::RouteCall& call,
                                                      const Place& place) {
    TracePointPtr point = trace_point(node.at, static_cast<int>(TracedAction::route), "route");
    std::string name;
    if (const auto* plain = as<config::Word>(*call.name)) {
        name = plain->text;
    } else if (const auto* text = as<config::TextLiteral>(*call.name)) {
        name = text->text;
    } else if (const auto* number = as<config::IntLiteral>(*call.name)) {
        name = std::to_string(number->value);
    } else {
        ExpressionPtr dynamic = expression(*call.name, place);
        return dynamic == nullptr
                   ? nullptr
                   : std::make_shared<RouteCall>(-1, std::move(dynamic), where(node.at), std::move(point));
    }
    const int route = routes_.find(config::RouteKind::request, name == "0" ? "" : name);
    if (route < 0) {
        std::vector<std::string_view> names;
        for (const CompiledRoute& known : routes_.all)
            if (known.kind == config::RouteKind::request && !known.name.empty()) names.push_back(known.name);
        const std::string_view near = text::nearest(name, names);
        found_.error(node.at, fmt::format("there is no route[{}]", name),
                     near.empty() ? "" : fmt::format("did you mean route({})?", near));
        return nullptr;
    }
    return std::make_shared<RouteCall>(route, nullptr, where(node.at), std::move(point));
}

}  // namespace kahu::script
