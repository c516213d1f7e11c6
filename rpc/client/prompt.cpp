// The interactive mode.  readline's hooks are plain functions, so what they need stands in one static.
#include <fmt/format.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>

#include "rpc/client/session.h"
#include "rpc/client/vocabulary.h"

namespace kahu::client {
namespace {

struct Prompt {
    Connection connection;
    const Options& options;
    Vocabulary vocabulary{connection};
    std::vector<std::string> found;  // by the completion that readline asks for, one after the other
};
Prompt* g_prompt = nullptr;

constexpr const char* kOwnCommands[] = {"help", "quit", "exit"};

char* next_candidate(const char*, int state) {
    static size_t next = 0;
    if (state == 0) next = 0;
    return next < g_prompt->found.size() ? ::strdup(g_prompt->found[next++].c_str()) : nullptr;
}

char** complete(const char* unfinished, int start, int) {
    ::rl_attempted_completion_over = 1;  // never file names
    const std::vector<std::string> before = split_words(std::string_view(::rl_line_buffer, static_cast<size_t>(start)));
    g_prompt->found = g_prompt->vocabulary.candidates(before, unfinished);
    if (before.empty())
        for (const char* own : kOwnCommands)
            if (std::strncmp(own, unfinished, std::strlen(unfinished)) == 0) g_prompt->found.emplace_back(own);
    return ::rl_completion_matches(unfinished, next_candidate);
}

// nullopt at the end of the input.
std::optional<std::string> read_line() {
    if (::isatty(STDIN_FILENO) == 0) {
        std::string line;
        return std::getline(std::cin, line) ? std::optional(line) : std::nullopt;
    }
    const std::unique_ptr<char, decltype(&std::free)> line(::readline("kahucmd> "), std::free);
    if (!line) return std::nullopt;
    if (*line != '\0') ::add_history(line.get());
    return std::string(line.get());
}

void reconnect(Prompt& prompt) {
    auto again = Connection::open(prompt.options);
    if (again) prompt.connection = std::move(*again);
    else fmt::print(stderr, "kahucmd: {}\n", again.error().text());
}

}  // namespace

int run_prompt(Connection connection, const Options& options) {
    Prompt prompt{std::move(connection), options};
    g_prompt = &prompt;
    ::rl_readline_name = "kahucmd";
    ::rl_attempted_completion_function = complete;
    ::rl_completer_word_break_characters = const_cast<char*>(" \t");
    if (::isatty(STDIN_FILENO) != 0)
        fmt::print("Connected to {}. TAB completes; help lists the commands; quit ends.\n",
                   prompt.connection.address().text());
    int status = kDone;
    while (const auto line = read_line()) {
        std::vector<std::string> words = split_words(*line);
        if (words.empty()) continue;
        if (words[0] == "quit" || words[0] == "exit") break;
        if (words[0] == "help" || words[0] == "?")
            words = words.size() > 1 ? std::vector<std::string>{"system.methodHelp", words[1]}
                                     : std::vector<std::string>{"ls"};
        status = run_command(prompt.connection, options, words);
        std::fflush(stdout);
        if (status == kNoConnection) reconnect(prompt);
    }
    g_prompt = nullptr;
    return status;
}

}  // namespace kahu::client
