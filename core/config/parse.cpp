#include "core/config/parse.h"

#include "core/config/preprocessor.h"
#include "core/config/token_stream.h"
#include "core/config/tree_builder.h"

namespace kahu::config {
namespace {

Result<Ast> parse(Preprocessor& source, Diagnostics& diagnostics) {
    Ast ast;
    TokenStream tokens(source, diagnostics);
    TreeBuilder tree(ast, diagnostics);
    Grammar grammar(tokens, tree);
    const bool accepted = grammar.parse() == 0;
    if (diagnostics.failed()) return diagnostics.as_error();
    if (!accepted) return Error{Errc::invalid, "the configuration could not be parsed", ""};
    ast.files = diagnostics.files;
    ast.script_type = source.script_type();
    ast.defines = source.defines().all();
    return ast;
}

}  // namespace

Result<Ast> parse_file(const std::string& path, const ParseOptions& options, Diagnostics& diagnostics) {
    Preprocessor source(options, diagnostics);
    if (!source.open_file(path)) return diagnostics.as_error();
    return parse(source, diagnostics);
}

Result<Ast> parse_text(std::string_view text, std::string_view name, const ParseOptions& options,
                       Diagnostics& diagnostics) {
    Preprocessor source(options, diagnostics);
    source.open_text(text, name);
    return parse(source, diagnostics);
}

}  // namespace kahu::config
