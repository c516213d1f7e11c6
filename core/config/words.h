// core/config/words.h -- the words of the language, by the place where they are words and not names.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "core/config/ast.h"

namespace kahu::config {

// What must follow for a word outside of routes to begin its statement; elsewhere it may be a setting's name.
enum class Follows : uint8_t { equals, text_or_equals, text_or_bracket, bracket, name, block };

struct TopWord {
    std::string_view word;
    int token;  // Grammar's
    Follows follows;
    RouteKind route = RouteKind::request;  // follows block
};
struct ScriptWord {
    std::string_view word;
    int token;
};
struct OperandWord {
    std::string_view word;
    CoreOperand operand;
};

std::span<const TopWord> top_words();
const TopWord* find_top_word(std::string_view word);
const ScriptWord* find_script_word(std::string_view word);
std::optional<CoreOperand> find_operand(std::string_view word);
// yes, on, true, enable(d): 1; no, off, false, disable(d): 0.
std::optional<int64_t> find_truth(std::string_view word);
// Functions whose arguments are addresses without quotes: forward(10.0.0.1:5060), force_send_socket(udp:10.0.0.1:5060).
bool takes_addresses(std::string_view function);
// Grammar's token of "&&", "(", ...; 0: none.
int punctuation_token(std::string_view punctuation);

// "did you mean 'x'?" or "".
std::string did_you_mean_top(std::string_view word);
std::string did_you_mean_script(std::string_view word);

}  // namespace kahu::config
