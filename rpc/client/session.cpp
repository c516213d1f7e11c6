#include "rpc/client/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/text.h"
#include "rpc/argument.h"
#include "rpc/client/print.h"
#include "rpc/client/vocabulary.h"
#include "rpc/list_methods.h"

namespace kahu::client {
namespace {

std::string shown(const Options& options, std::string_view command, const std::vector<RpcValue>& values) {
    if (options.has_format) return as_format(values, options.format);
    if (options.style == Style::json) return as_json(values, rpc::always_lists(command));
    if (const std::string_view format = usual_format(command); !format.empty()) return as_format(values, format);
    const bool table =
        options.style == Style::table || (options.style == Style::automatic && ::isatty(STDOUT_FILENO) != 0);
    return table ? as_table(values) : as_plain(values);
}

// What to write instead, for who types commands.
void print_remedy(Connection& connection, const std::string& command, const Answer& answer) {
    constexpr int kBadArguments = 400;
    Vocabulary vocabulary(connection);
    if (const std::string phrases = phrases_of(command); !phrases.empty()) {
        fmt::print(stderr, "usage: {}\n", phrases);
    } else if (answer.reason.find(command + " not found") != answer.reason.npos) {
        const std::string near = vocabulary.nearest_command(command);
        fmt::print(stderr, "{}`kahucmd ls` lists all commands\n",
                   near.empty() ? "" : fmt::format("did you mean {}? ", near));
    } else if (answer.code == kBadArguments) {
        const std::string usage = vocabulary.signature(command);
        if (!usage.empty()) fmt::print(stderr, "usage: {}\n", usage);
    }
}

int print_fault(Connection& connection, const Options& options, const std::string& command, const Answer& answer) {
    if (options.style == Style::json) {
        fmt::print("{}", fault_as_json(answer.code, answer.reason));
    } else {
        fmt::print(stderr, "error: {} - {}\n", answer.code, text::trim(answer.reason));
        print_remedy(connection, command, answer);
    }
    if (options.verbose > 0) fmt::print(stderr, "(answer to {})\n", command);
    return kFault;
}

}  // namespace

int run_command(Connection& connection, const Options& options, const std::vector<std::string>& words) {
    const Named named = named_in(words);
    const bool help_alone = words.size() == 1 && words[0] == "help";
    const std::string command(help_alone ? "system.listMethods" : named.command);
    std::vector<RpcCall::Param> params;
    for (size_t i = named.words; i < words.size(); ++i) params.push_back(rpc::param_from_text(words[i]));
    if (options.verbose > 0)
        fmt::print(stderr, "asking {}: {} with {} arguments\n", connection.address().text(), command, params.size());
    const auto answer = connection.ask(command, params);
    if (!answer) {
        fmt::print(stderr, "kahucmd: {}\n", answer.error().text());
        return kNoConnection;
    }
    if (answer->fault) return print_fault(connection, options, command, *answer);
    if (words[0] == "help" && words.size() > 1 && options.style != Style::json)
        if (const std::string usage = Vocabulary(connection).signature(words[1]); !usage.empty())
            fmt::print("{}\n", usage);
    const std::string out = shown(options, command, answer->values);
    std::fwrite(out.data(), 1, out.size(), stdout);
    return kDone;
}

int run_completion(Connection& connection, std::vector<std::string> words) {
    std::string unfinished;
    if (!words.empty()) {
        unfinished = std::move(words.back());
        words.pop_back();
    }
    for (const std::string& word : Vocabulary(connection).candidates(words, unfinished)) fmt::print("{}\n", word);
    return kDone;
}

std::vector<std::string> split_words(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool inside = false;
    char quote = '\0';
    for (const char c : line) {
        if (quote != '\0') {
            if (c == quote) quote = '\0';
            else word += c;
        } else if (c == '"' || c == '\'') {
            quote = c;
            inside = true;
        } else if (c == ' ' || c == '\t') {
            if (inside) words.push_back(std::move(word));
            word.clear();
            inside = false;
        } else {
            word += c;
            inside = true;
        }
    }
    if (inside) words.push_back(std::move(word));
    return words;
}

}  // namespace kahu::client
