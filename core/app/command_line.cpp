#include "core/app/command_line.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/opensslv.h>

#include <algorithm>

#include "core/app/modules.h"
#include "core/base/text.h"
#include "core/sip/frame.h"
#include "mem/slot.h"
#include "tls/openssl_version.h"

namespace kahu::app {
namespace {

template <auto Member>
Status keep(Options& options, const std::string& argument) {
    options.*Member = argument;
    return {};
}
template <auto Member>
Status set(Options& options, const std::string&) {
    options.*Member = true;
    return {};
}
template <auto Member>
Status count(Options& options, const std::string&) {
    ++(options.*Member);
    return {};
}
template <auto Member>
Status append(Options& options, const std::string& argument) {
    (options.*Member).push_back(argument);
    return {};
}
template <auto Member, int64_t kMin, int64_t kMax>
Status number(Options& options, const std::string& argument) {
    const auto value = text::to_int(argument);
    if (!value || *value < kMin || *value > kMax)
        return Error{Errc::invalid, "'" + argument + "' is not valid",
                     fmt::format("expected a number from {} to {}", kMin, kMax)};
    options.*Member = static_cast<std::remove_reference_t<decltype(options.*Member)>>(*value);
    return {};
}
Status define(Options& options, const std::string& argument) {
    if (argument.empty() || argument[0] == '=')
        return Error{Errc::invalid, "-A needs a name", "-A NAME or -A NAME=VALUE"};
    options.defines.push_back(argument);
    return {};
}
Status yes_or_no(Options&, const std::string& argument) {
    if (text::iequals(argument, "yes") || text::iequals(argument, "no")) return {};
    return Error{Errc::invalid, "'" + argument + "' is not valid", "expected yes or no"};
}

// clang-format off
constexpr OptionRow kRows[] = {
    {"-a", "yes|no", "Same as auto_aliases= of the configuration.", keep<&Options::auto_aliases>},
    {"--alias", "NAME", "A name besides the listening addresses that means this server: host[:port]; repeatable.", append<&Options::alias>},
    {"--atexit", "yes|no", "Whether processes run exit handlers. Accepted for compatibility; processes always leave by _exit(), which is 'no'.", yes_or_no},
    {"-A", "NAME[=VALUE]", "Defines NAME for the configuration's preprocessor; repeatable.", define},
    {"-b", "BYTES", "Maximum receive buffer. Accepted, without effect: set udp_receive_buffer.", nullptr},
    {"-c", "", "Checks the configuration, certificates and listening addresses, says what is wrong and which files it could not make, and exits.", set<&Options::check_only>},
    {"--cfg-print", "", "Prints the configuration as the parser understood it, and exits.", set<&Options::dump_config>},
    {"-d", "", "Logs more; repeatable.", count<&Options::more_debug>},
    {"--debug", "LEVEL", "Log level, -5 to 3; goes before debug= of the configuration.", keep<&Options::debug_level>},
    {"-D", "", "Stays in the foreground; -DD the same, with worker processes all the same.", count<&Options::foreground>},
    {"-e", "", "Keeps standard error open in the background.", set<&Options::stderr_kept>},
    {"-E", "", "Logs to standard error.", set<&Options::stderr_log>},
    {"-f", "FILE", "Configuration file; without it the embedded default is used.", keep<&Options::config_file>},
    {"-g", "GROUP", "Group to run as, name or number.", keep<&Options::group>},
    {"-G", "FILE", "File to write the process group id to.", keep<&Options::group_pid_file>},
    {"-h", "", "This help.", nullptr},
    {"--help", "", "This help.", nullptr},
    {"-I", "", "Prints the version, defaults, bounds and modules that the program was built with.", nullptr},
    {"-K", "", "Verifies the Via of replies. Accepted, without effect: they always are.", nullptr},
    {"-l", "ADDRESS", "Also listens on [proto:]address[:port]; repeatable.", append<&Options::listen>},
    {"--loadmodule", "NAME", "Loads a module before those of the configuration; repeatable.", append<&Options::load_modules>},
    {"--log-engine", "NAME", "stderr or syslog.", keep<&Options::log_engine>},
    {"-L", "PATH", "Directory of modules. Accepted, without effect: modules are part of the program.", keep<&Options::module_path>},
    {"-m", "MB", "Size of the shared segment's heap, 1024 unless given; pages are taken from the system when they are needed.", number<&Options::shm_megabytes, 8, 1 << 20>},
    {"--man", "PAGE", "Prints a manual page made from the program's own tables; 'list' lists them.", keep<&Options::man_page>},
    {"--modparam", "MODULE:NAME:TYPE:VALUE", "A module parameter; TYPE is s (text) or i (integer); repeatable.", append<&Options::modparams>},
    {"-M", "MB", "Private memory of a process. Accepted, without effect: it is not limited.", nullptr},
    {"-n", "NUMBER", "UDP workers for each socket; goes before children=.", number<&Options::udp_children, 1, 48>},
    {"-N", "NUMBER", "Workers for TCP and TLS; goes before tcp_children=.", number<&Options::tcp_children, 1, 48>},
    {"-O", "NUMBER", "Script optimisation level. Accepted, without effect.", nullptr},
    {"-P", "FILE", "Writes the supervisor's process id to FILE.", keep<&Options::pid_file>},
    {"-Q", "NUMBER", "Workers for SCTP. Accepted, without effect: SCTP is not supported.", nullptr},
    {"-r", "", "Uses DNS for the host part of Via. Accepted, without effect.", nullptr},
    {"-R", "", "Uses reverse DNS for the host part of Via. Accepted, without effect.", nullptr},
    {"--server-id", "NUMBER", "Number of this server among several; goes before server_id=.", number<&Options::server_id, 1, INT32_MAX>},
    {"--subst", "EXPRESSION", "As #!subst of the configuration; repeatable.", append<&Options::subst>},
    {"--substdef", "EXPRESSION", "As #!substdef of the configuration; repeatable.", append<&Options::substdef>},
    {"--substdefs", "EXPRESSION", "As #!substdefs of the configuration; repeatable.", append<&Options::substdefs>},
    {"-S", "", "Disables SCTP. Accepted: SCTP is not supported.", nullptr},
    {"-t", "DIRECTORY", "Changes the root directory after start.", keep<&Options::chroot>},
    {"-T", "", "Disables TCP and TLS.", set<&Options::no_tcp>},
    {"-u", "USER", "User to run as, name or number.", keep<&Options::user>},
    {"-v", "", "Prints the version.", nullptr},
    {"-V", "", "Prints the version.", nullptr},
    {"--version", "", "Prints the version.", nullptr},
    {"-x", "NAME", "Memory manager. Accepted, without effect: there is one.", nullptr},
    {"-X", "NAME", "Private memory manager. Accepted, without effect.", nullptr},
    {"-Y", "DIRECTORY", "Directory of control sockets and FIFOs.", keep<&Options::rundir>},
    {"-w", "DIRECTORY", "Working directory.", keep<&Options::workdir>},
    {"-W", "NAME", "Poll method. Accepted, without effect: epoll is used.", nullptr},
};
// clang-format on

const OptionRow* find_row(std::string_view spelled) {
    const auto* row =
        std::find_if(std::begin(kRows), std::end(kRows), [&](const OptionRow& r) { return r.spelled == spelled; });
    return row == std::end(kRows) ? nullptr : row;
}

Error unknown_option(std::string_view spelled) {
    std::vector<std::string_view> known;
    for (const OptionRow& row : kRows) known.push_back(row.spelled);
    const std::string_view near = spelled.starts_with("--") ? text::nearest(spelled, known) : std::string_view{};
    return {Errc::invalid, fmt::format("unknown option {}", text::printable(spelled)),
            near.empty() ? "kahu --help lists them" : fmt::format("did you mean {}?", near)};
}

Status apply_row(const OptionRow& row, const std::string& argument, Options& into) {
    if (row.apply == nullptr) return {};
    if (Status applied = row.apply(into, argument); !applied)
        return std::move(applied).error().context(fmt::format("option {}", row.spelled));
    return {};
}

bool prints_and_exits(std::string_view spelled) {
    const std::string* text = nullptr;
    static const std::string help = help_text(), version = version_text(), properties = properties_text();
    if (spelled == "-h" || spelled == "--help") text = &help;
    if (spelled == "-v" || spelled == "-V" || spelled == "--version") text = &version;
    if (spelled == "-I") text = &properties;
    if (text) fmt::print("{}", *text);
    return text != nullptr;
}

}  // namespace

std::span<const OptionRow> option_rows() { return kRows; }

std::string version_text() {
    return fmt::format("version: kahu {} (x86_64/linux)\nOpenSSL: built with {}, running with {}\n", KAHU_VERSION,
                       OPENSSL_VERSION_TEXT, OpenSSL_version(OPENSSL_VERSION));
}

std::string properties_text() {
    std::string text = version_text();
    const auto line = [&text](std::string_view name, const auto& value) {
        text += fmt::format("{:<26}{}\n", name, value);
    };
    line("Default configuration:", "built in; -f names another");
    line("Shared segment:", fmt::format("{} MB", kDefaultMegabytes));
    line("Processes at most:", mem::kMaxSlots);
    line("Message at most:", fmt::format("{} bytes", sip::FrameLimits{}.max_message_bytes));
    line("Poll method:", "epoll");
    const bool is_shared = tls::kShimsCompiledIn && tls::is_shareable(OpenSSL_version_num());
    line("TLS state:",
         is_shared ? "in shared memory" : "private to each worker: the OpenSSL at hand is none of 3.0 and 3.1");
    line("Compiled with:", __VERSION__);
    text += "Modules:\n";
    for (const ModuleDescriptor* module : all_modules())
        text += fmt::format("  {:<16}{}\n", module->name, module->summary);
    return text;
}

std::string help_text() {
    std::string text =
        "Usage: kahu [options]\n\nKahu is a SIP server for TLS. Its options are those of Kamailio.\n\nOptions:\n";
    for (const OptionRow& row : kRows) {
        const std::string_view joint = row.argument.empty() ? "" : row.spelled.starts_with("--") ? "=" : " ";
        text += fmt::format("  {:<38}{}\n", fmt::format("{}{}{}", row.spelled, joint, row.argument), row.help);
    }
    text += "\nFiles: /etc/kahu/kahu.cfg, /run/kahu/kahu_ctl. See kahu(8), kahu.cfg(5), tls.cfg(5), kahucmd(1).\n";
    return text;
}

// Not getopt: the table is the one place, and single letters may be joined (-DDE) with the last one's argument.
Result<Outcome> parse_command_line(int argc, char** argv, Options& into) {
    for (int i = 0; i < argc; ++i) into.arguments.emplace_back(argv[i]);
    const auto& words = into.arguments;
    for (size_t i = 1; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word.size() < 2 || word[0] != '-')
            return Error{Errc::invalid, "unexpected argument " + text::printable(word),
                         "kahu --help lists the options"};
        if (word[1] == '-') {
            const size_t equals = word.find('=');
            const OptionRow* row = find_row(std::string_view(word).substr(0, equals));
            if (row == nullptr) return unknown_option(word.substr(0, equals));
            if (prints_and_exits(row->spelled)) return Outcome::done;
            std::string argument = equals == word.npos ? "" : word.substr(equals + 1);
            if (!row->argument.empty() && equals == word.npos) {
                if (++i == words.size())
                    return Error{Errc::invalid, word + " needs an argument", std::string(row->argument)};
                argument = words[i];
            }
            if (Status applied = apply_row(*row, argument, into); !applied) return std::move(applied).error();
            continue;
        }
        for (size_t at = 1; at < word.size(); ++at) {
            const OptionRow* row = find_row(std::string{'-', word[at]});
            if (row == nullptr) return unknown_option(std::string{'-', word[at]});
            if (prints_and_exits(row->spelled)) return Outcome::done;
            std::string argument;
            if (!row->argument.empty()) {
                argument = word.substr(at + 1);
                if (argument.empty() && ++i == words.size())
                    return Error{Errc::invalid, std::string(row->spelled) + " needs an argument",
                                 std::string(row->argument)};
                if (argument.empty()) argument = words[i];
                at = word.size();
            }
            if (Status applied = apply_row(*row, argument, into); !applied) return std::move(applied).error();
        }
    }
    return Outcome::run;
}

}  // namespace kahu::app
