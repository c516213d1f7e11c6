// rpc/client/options.h -- kahucmd's command line: kamcmd's options and some of its own.
#pragma once
#include <string>
#include <vector>

#include "core/base/result.h"

namespace kahu::client {

enum class Style : uint8_t { automatic, plain, table, json };

// What a shell script may rely on.
enum ExitCode : int { kDone = 0, kFault = 1, kUsage = 2, kNoConnection = 3 };

struct Options {
    std::string address;                   // -s; empty: the usual ones in turn
    std::string reply_socket;              // -R: unixd
    std::string reply_directory = "/tmp";  // -D: unixd
    std::string format;                    // -f, escapes resolved
    bool has_format = false;
    Style style = Style::automatic;
    int verbose = 0;
    double timeout_seconds = 10;
    bool show_version = false, show_help = false;
    bool complete = false;           // --complete: the words are a command line whose last word is unfinished
    std::vector<std::string> words;  // command and its arguments; none: interactive
};

// Options may stand after the command too; "--" ends them, and -5 or -0.5 are arguments.
Result<Options> parse_options(const std::vector<std::string>& arguments);
std::string usage();

}  // namespace kahu::client
