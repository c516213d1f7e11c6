#include "core/config/words.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/config/grammar.tab.h"

namespace kahu::config {
namespace {

using Token = Grammar::token;

constexpr TopWord kTopWords[] = {
    {"listen", Token::TOK_LISTEN, Follows::equals},
    {"socket", Token::TOK_SOCKET, Follows::equals},
    {"alias", Token::TOK_ALIAS, Follows::equals},
    {"loadpath", Token::TOK_MODULE_PATH, Follows::text_or_equals},
    {"mpath", Token::TOK_MODULE_PATH, Follows::text_or_equals},
    {"loadmodule", Token::TOK_LOADMODULE, Follows::text_or_bracket},
    {"loadmodulex", Token::TOK_LOADMODULEX, Follows::text_or_bracket},
    {"modparam", Token::TOK_MODPARAM, Follows::bracket},
    {"modparamx", Token::TOK_MODPARAMX, Follows::bracket},
    {"cfgengine", Token::TOK_CFGENGINE, Follows::text_or_equals},
    {"flags", Token::TOK_FLAGS, Follows::name},
    {"bool", Token::TOK_FLAGS, Follows::name},
    {"avpflags", Token::TOK_AVPFLAGS, Follows::name},
    {"request_route", Token::TOK_ROUTE, Follows::block, RouteKind::request},
    {"route", Token::TOK_ROUTE, Follows::block, RouteKind::request},
    {"reply_route", Token::TOK_ROUTE, Follows::block, RouteKind::reply},
    {"onreply_route", Token::TOK_ROUTE, Follows::block, RouteKind::reply},
    {"failure_route", Token::TOK_ROUTE, Follows::block, RouteKind::failure},
    {"branch_route", Token::TOK_ROUTE, Follows::block, RouteKind::branch},
    {"onsend_route", Token::TOK_ROUTE, Follows::block, RouteKind::onsend},
    {"event_route", Token::TOK_ROUTE, Follows::block, RouteKind::event},
};

constexpr ScriptWord kScriptWords[] = {
    {"if", Token::TOK_IF},
    {"else", Token::TOK_ELSE},
    {"switch", Token::TOK_SWITCH},
    {"case", Token::TOK_CASE},
    {"default", Token::TOK_DEFAULT},
    {"while", Token::TOK_WHILE},
    {"return", Token::TOK_RETURN},
    {"exit", Token::TOK_EXIT},
    {"drop", Token::TOK_DROP},
    {"break", Token::TOK_BREAK},
    {"route", Token::TOK_ROUTE_CALL},
    {"defined", Token::TOK_DEFINED},
    {"strlen", Token::TOK_STRLEN},
    {"strempty", Token::TOK_STREMPTY},
    {"and", Token::TOK_AND},
    {"or", Token::TOK_OR},
    {"not", Token::TOK_NOT},
    {"mod", Token::TOK_MODULO},
    {"eq", Token::TOK_TEXT_EQUAL},
    {"ne", Token::TOK_TEXT_NOT_EQUAL},
    {"streq", Token::TOK_TEXT_EQUAL},
    {"strne", Token::TOK_TEXT_NOT_EQUAL},
    {"ieq", Token::TOK_INT_EQUAL},
    {"ine", Token::TOK_INT_NOT_EQUAL},
};

constexpr OperandWord kOperandWords[] = {
    {"method", CoreOperand::method},       {"uri", CoreOperand::uri},
    {"from_uri", CoreOperand::from_uri},   {"to_uri", CoreOperand::to_uri},
    {"src_ip", CoreOperand::src_ip},       {"src_port", CoreOperand::src_port},
    {"dst_ip", CoreOperand::dst_ip},       {"dst_port", CoreOperand::dst_port},
    {"proto", CoreOperand::proto},         {"af", CoreOperand::af},
    {"msg:len", CoreOperand::msg_len},     {"max_len", CoreOperand::max_len},
    {"status", CoreOperand::status},       {"retcode", CoreOperand::retcode},
    {"snd_ip", CoreOperand::snd_ip},       {"snd_port", CoreOperand::snd_port},
    {"snd_proto", CoreOperand::snd_proto}, {"snd_af", CoreOperand::snd_af},
    {"to_ip", CoreOperand::to_ip},         {"to_port", CoreOperand::to_port},
    {"myself", CoreOperand::myself},
};

constexpr std::pair<std::string_view, int> kTruths[] = {
    {"yes", 1}, {"on", 1},  {"true", 1},  {"enable", 1},  {"enabled", 1},
    {"no", 0},  {"off", 0}, {"false", 0}, {"disable", 0}, {"disabled", 0},
};

constexpr std::string_view kAddressFunctions[] = {
    "forward",         "forward_udp",       "forward_tcp",
    "forward_tls",     "forward_sctp",      "send",
    "send_tcp",        "force_send_socket", "set_advertised_address",
    "set_send_socket",
};

constexpr ScriptWord kPunctuation[] = {
    {"(", Token::TOK_LPAREN},       {")", Token::TOK_RPAREN},     {"{", Token::TOK_LBRACE},
    {"}", Token::TOK_RBRACE},       {"[", Token::TOK_LBRACKET},   {"]", Token::TOK_RBRACKET},
    {",", Token::TOK_COMMA},        {";", Token::TOK_SEMICOLON},  {":", Token::TOK_COLON},
    {".", Token::TOK_DOT},          {"=", Token::TOK_ASSIGN},     {"+=", Token::TOK_ADD_ASSIGN},
    {"||", Token::TOK_OR},          {"&&", Token::TOK_AND},       {"|", Token::TOK_BIT_OR},
    {"&", Token::TOK_BIT_AND},      {"^", Token::TOK_BIT_XOR},    {"<<", Token::TOK_SHIFT_LEFT},
    {">>", Token::TOK_SHIFT_RIGHT}, {"==", Token::TOK_EQUAL},     {"!=", Token::TOK_NOT_EQUAL},
    {"=~", Token::TOK_MATCH},       {"!~", Token::TOK_NOT_MATCH}, {"<", Token::TOK_LESS},
    {"<=", Token::TOK_LESS_EQUAL},  {">", Token::TOK_GREATER},    {">=", Token::TOK_GREATER_EQUAL},
    {"+", Token::TOK_PLUS},         {"-", Token::TOK_MINUS},      {"*", Token::TOK_STAR},
    {"/", Token::TOK_SLASH},        {"%", Token::TOK_MODULO},     {"!", Token::TOK_NOT},
    {"~", Token::TOK_BIT_NOT},
};

template <class Table>
auto find(const Table& table, std::string_view word) -> decltype(&table[0]) {
    for (const auto& row : table)
        if (row.word == word) return &row;
    return nullptr;
}

template <class Table>
std::string did_you_mean(const Table& table, std::string_view word, std::vector<std::string_view> words = {}) {
    for (const auto& row : table) words.push_back(row.word);
    const std::string_view nearest = text::nearest(word, words);
    return nearest.empty() ? std::string() : fmt::format("did you mean '{}'?", nearest);
}

}  // namespace

std::span<const TopWord> top_words() { return kTopWords; }
const TopWord* find_top_word(std::string_view word) { return find(kTopWords, word); }
const ScriptWord* find_script_word(std::string_view word) { return find(kScriptWords, word); }

std::optional<CoreOperand> find_operand(std::string_view word) {
    const OperandWord* row = find(kOperandWords, word);
    return row ? std::optional(row->operand) : std::nullopt;
}

std::string_view name_of(CoreOperand operand) {
    for (const OperandWord& row : kOperandWords)
        if (row.operand == operand) return row.word;
    return "";
}

std::optional<int64_t> find_truth(std::string_view word) {
    for (const auto& [name, value] : kTruths)
        if (text::iequals(name, word)) return value;
    return std::nullopt;
}

bool takes_addresses(std::string_view function) {
    return std::ranges::find(kAddressFunctions, function) != std::end(kAddressFunctions);
}

int punctuation_token(std::string_view punctuation) {
    const ScriptWord* row = find(kPunctuation, punctuation);
    return row ? row->token : 0;
}

std::string did_you_mean_top(std::string_view word) {
    return did_you_mean(kTopWords, word, {"include_file", "import_file"});
}
std::string did_you_mean_script(std::string_view word) { return did_you_mean(kScriptWords, word); }

}  // namespace kahu::config
