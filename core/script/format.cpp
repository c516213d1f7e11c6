#include "core/script/format.h"

#include "core/script/scope.h"
#include "core/script/variable_expression.h"
#include "core/script/variable_parser.h"

namespace kahu::script {
namespace {

bool is_transformed(const Expression& expression) {
    const auto* const variable = dynamic_cast<const VariableExpression*>(&expression);
    return variable != nullptr ? variable->transformed()
                               : dynamic_cast<const TransformedExpression*>(&expression) != nullptr;
}

}  // namespace

Result<std::shared_ptr<const Format>> Format::compile(std::string_view text, const Scope& scope,
                                                      std::string_view where) {
    auto format = std::make_shared<Format>();
    std::string plain;
    for (size_t at = 0; at < text.size();) {
        const size_t dollar = text.find('$', at);
        plain.append(text.substr(at, dollar - at));
        if (dollar == text.npos) break;
        if (dollar + 1 < text.size() && text[dollar + 1] == '$') {
            plain += '$';
            at = dollar + 2;
            continue;
        }
        size_t used = 0;
        auto variable = compile_variable(text.substr(dollar), used, scope, where);
        if (!variable) return std::move(variable).error();
        if (!plain.empty()) format->pieces_.push_back({std::move(plain), nullptr});
        plain.clear();
        const bool transformed = is_transformed(**variable);
        format->pieces_.push_back({{}, std::move(*variable), transformed});
        at = dollar + used;
    }
    if (!plain.empty()) format->pieces_.push_back({std::move(plain), nullptr});
    if (format->pieces_.size() > kMaxPieces)
        return Error{Errc::invalid, "too many variables in one text", "at most 128: split it"};
    return std::shared_ptr<const Format>(std::move(format));
}

bool Format::is_constant() const {
    return pieces_.empty() || (pieces_.size() == 1 && pieces_.front().variable == nullptr);
}

std::string_view Format::constant() const {
    return pieces_.empty() ? std::string_view() : std::string_view(pieces_.front().text);
}

Value Format::value(Run& run) const {
    if (pieces_.size() == 1 && pieces_.front().variable != nullptr) return pieces_.front().variable->value(run);
    return Value::of(text(run));
}

std::string_view Format::text(Run& run) const {
    if (is_constant()) return constant();
    const auto text_of = [&](const Piece& piece) {
        const Value value = piece.variable->value(run);
        if (value.is_null()) return std::string_view(piece.transformed ? "" : "<null>");
        return to_text(value, run.arena());
    };
    if (pieces_.size() == 1) return text_of(pieces_.front());
    // All values first: evaluating one may take arena memory, and the builder wants its end for itself.
    std::string_view parts[kMaxPieces];
    for (size_t i = 0; i < pieces_.size(); ++i)
        parts[i] = pieces_[i].variable == nullptr ? std::string_view(pieces_[i].text) : text_of(pieces_[i]);
    TextBuilder out(run.arena());
    for (size_t i = 0; i < pieces_.size(); ++i) out.append(parts[i]);
    return out.take();
}

}  // namespace kahu::script
