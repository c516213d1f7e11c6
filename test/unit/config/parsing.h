// test/unit/config/parsing.h -- a text parsed for a test, with what was said about it.
#pragma once
#include <optional>
#include <string>

#include "core/config/parse.h"

namespace kahu::config {

struct Parsed {
    std::optional<Ast> ast;
    std::string said;  // all diagnostics, one per line
    std::string text() const { return ast ? to_text(*ast) : "failed: " + said; }
};

inline Parsed parsed(std::string_view text, ParseOptions options = {}) {
    Diagnostics diagnostics;
    auto ast = parse_text(text, "t.cfg", options, diagnostics);
    Parsed out;
    if (ast) out.ast = *std::move(ast);
    out.said = diagnostics.text();
    return out;
}

// The body of a request_route that holds `statements`, printed, without its indentation of one level.
inline std::string statements(std::string_view statements) {
    const Parsed got = parsed("request_route {\n" + std::string(statements) + "\n}\n");
    return got.ast ? to_text(got.ast->routes.at(0).body) : "failed: " + got.said;
}

// The expression of `return <expression>;`
inline std::string expression(std::string_view expression) {
    const Parsed got = parsed("request_route { return " + std::string(expression) + "; }");
    if (!got.ast) return "failed: " + got.said;
    return to_text(*std::get<Return>(got.ast->routes.at(0).body.at(0).node).value);
}

}  // namespace kahu::config
