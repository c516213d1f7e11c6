// rpc/client/session.h -- runs commands: one from the command line, or many from a prompt.
#pragma once
#include <string>
#include <vector>

#include "rpc/client/connection.h"
#include "rpc/client/options.h"

namespace kahu::client {

// Prints the answer to standard output, errors to standard error.  Returns an ExitCode.
int run_command(Connection& connection, const Options& options, const std::vector<std::string>& words);
// Until "quit" or the end of the input.
int run_prompt(Connection connection, const Options& options);
// What the last of `words` may become, one a line: for the shell's completion.
int run_completion(Connection& connection, std::vector<std::string> words);

// Words of a line as a shell would see them: blanks separate, 'single' and "double" quotes keep them together.
std::vector<std::string> split_words(std::string_view line);

}  // namespace kahu::client
