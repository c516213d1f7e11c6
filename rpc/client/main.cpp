// kahucmd -- sends RPC commands to a running server.  See man/kahucmd.1.
#include <fmt/format.h>

#include <exception>

#include "rpc/client/connection.h"
#include "rpc/client/options.h"
#include "rpc/client/session.h"

namespace kahu::client {
namespace {

int run(const std::vector<std::string>& arguments) {
    const auto options = parse_options(arguments);
    if (!options) {
        fmt::print(stderr, "kahucmd: {}\n", options.error().text());
        return kUsage;
    }
    if (options->show_help) {
        fmt::print("{}", usage());
        return kDone;
    }
    if (options->show_version) {
        fmt::print("kahucmd {}\n", KAHU_VERSION);
        return kDone;
    }
    auto connection = Connection::open(*options);
    if (!connection) {
        if (!options->complete) fmt::print(stderr, "kahucmd: {}\n", connection.error().text());
        return connection.error().code == Errc::invalid ? kUsage : kNoConnection;
    }
    if (options->complete) return run_completion(*connection, options->words);
    if (options->words.empty()) return run_prompt(std::move(*connection), *options);
    return run_command(*connection, *options, options->words);
}

}  // namespace
}  // namespace kahu::client

int main(int argc, char** argv) {
    try {
        return kahu::client::run({argv + 1, argv + argc});
    } catch (const std::exception& unexpected) {
        fmt::print(stderr, "kahucmd: {}\n", unexpected.what());
        return kahu::client::kNoConnection;
    }
}
