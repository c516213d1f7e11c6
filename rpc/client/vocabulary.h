// rpc/client/vocabulary.h -- short names of commands, and what may come next on a command line.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rpc/client/connection.h"

namespace kahu::client {

struct Alias {
    std::string_view name, command;
};
// The command itself where there is no short name.
std::string_view full_name(std::string_view word);
// The command that the line begins with, and of how many of its words the name consists: "user add" is two.
struct Named {
    std::string_view command;
    size_t words;
};
Named named_in(const std::vector<std::string>& line);  // REQUIRES: at least one word
// "user add|list|remove" for "user", which is half a command; "" for the others.
std::string phrases_of(std::string_view word);
// How kamcmd prints a command whose answer is a flat list of pairs; "" for the others.
std::string_view usual_format(std::string_view command);

// Asks the server once for each list it needs; a server that does not know a list just has nothing to propose.
class Vocabulary {
  public:
    explicit Vocabulary(Connection& connection) : connection_(connection) {}
    // What the unfinished word may become; `before` are the words in front of it.
    std::vector<std::string> candidates(const std::vector<std::string>& before, const std::string& unfinished);
    // The command that a misspelt one may mean; "": none.
    std::string nearest_command(std::string_view word);
    // "tls.kill id": what to write; "" from a server that does not tell.
    std::string signature(const std::string& command);

  private:
    const std::vector<std::string>& ask(const std::string& method, const std::string& argument = {});
    std::vector<std::string> next_words(const std::vector<std::string>& before);
    std::vector<std::string> settings(const std::string& group);

    Connection& connection_;
    std::map<std::string, std::vector<std::string>> answers_;
};

}  // namespace kahu::client
