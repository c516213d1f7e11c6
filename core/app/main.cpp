// kahu -- the server.  Options and files to processes; see README.md for the reading order.
#include <fmt/format.h>
#include <syslog.h>
#include <unistd.h>

#include <filesystem>

#include "core/app/command_line.h"
#include "core/app/configuration.h"
#include "core/app/manual_pages.h"
#include "core/app/server.h"
#include "core/base/log.h"
#include "core/net/listener.h"
#include "core/proc/child.h"
#include "core/proc/settings.h"
#include "core/proc/supervisor.h"
#include "rpc/server_facts.h"

namespace kahu::app {
namespace {

int fail(const Error& error) {
    fmt::print(stderr, "{}\n", error.text());
    return 1;
}

void open_log() {
    const auto& s = proc::settings;
    const std::string& name = s.log_name.get();
    log::open(s.log_stderror != 0 ? log::Sink::standard_error : log::Sink::syslog,
              proc::syslog_facility(s.log_facility.get()), name.empty() ? "kahu" : name);
    log::set_level(static_cast<log::Level>(s.debug.get()));
}

void fill_facts(const Options& options, const Configuration& configuration) {
    rpc::ServerFacts& facts = rpc::server_facts();
    facts.arguments = options.arguments;
    facts.version = KAHU_VERSION;
    facts.started_unix = clock::unix_seconds();
    std::error_code ignored;
    facts.working_directory = std::filesystem::current_path(ignored).string();
    for (const config::LoadModule& module : configuration.ast.modules) facts.modules.push_back(module.name());
    for (const config::Define& define : configuration.ast.defines)
        facts.defines.emplace_back(define.name, define.value);
}

int run(int argc, char** argv) {
    Options options;
    auto outcome = parse_command_line(argc, argv, options);
    if (!outcome) return fail(outcome.error());
    if (*outcome == Outcome::done) return 0;
    if (!options.man_page.empty()) return print_manual_page(options.man_page);
    proc::remember_arguments(argc, argv);
    proc::block_supervisor_signals();
    auto configuration = load_configuration(options);
    if (!configuration) return fail(configuration.error());
    if (options.dump_config) {
        fmt::print("{}", config::to_text((*configuration)->ast));
        return 0;
    }
    if (options.check_only) {
        fmt::print(stderr, "config file ok: {} ({} listening sockets)\n", (*configuration)->file,
                   net::listeners().size());
        return 0;
    }
    fill_facts(options, **configuration);
    open_log();
    return run_server(options, **configuration);
}

}  // namespace
}  // namespace kahu::app

int main(int argc, char** argv) { return kahu::app::run(argc, argv); }
