// core/app/command_line.h -- Kamailio's options, one row each: parsing, --help and the manual come from it.
//
// FAILS  What is wrong with an option is told with its remedy. Those that mean nothing here are accepted, and say so.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace kahu::app {

inline constexpr long kDefaultMegabytes = 1024;  // of the shared segment's heap

struct Options {
    std::string config_file;                // -f; empty: the embedded default
    bool check_only = false;                // -c
    bool dump_config = false;               // --cfg-print
    int foreground = 0;                     // how many -D
    bool stderr_log = false;                // -E
    bool stderr_kept = false;               // -e: standard error stays open in the background
    std::string debug_level;                // --debug
    int more_debug = 0;                     // -d
    std::vector<std::string> defines;       // -A: NAME or NAME=VALUE
    std::vector<std::string> listen;        // -l
    std::vector<std::string> alias;         // --alias
    std::vector<std::string> load_modules;  // --loadmodule
    std::vector<std::string> modparams;     // --modparam
    std::vector<std::string> subst, substdef, substdefs;
    std::string module_path;                 // -L
    long shm_megabytes = 0;                  // -m
    int udp_children = 0, tcp_children = 0;  // -n, -N
    long server_id = 0;                      // --server-id
    bool no_tcp = false;                     // -T
    std::string auto_aliases;                // -a
    std::string log_engine;
    std::string user, group, pid_file, group_pid_file, workdir, chroot, rundir;
    std::string man_page;                // --man
    std::vector<std::string> arguments;  // as given, for core.arg
};

enum class Outcome { run, done };  // done: --help, --version: printed, exit with 0
Result<Outcome> parse_command_line(int argc, char** argv, Options& into);

struct OptionRow {
    std::string_view spelled;   // "-f", "--debug"
    std::string_view argument;  // "FILE", "" when it takes none
    std::string_view help;
    Status (*apply)(Options&, const std::string& argument);  // nullptr: prints and exits, or ignored
};
std::span<const OptionRow> option_rows();
std::string help_text();
std::string version_text();
std::string properties_text();  // -I: the version, defaults and bounds that this program was built with

}  // namespace kahu::app
