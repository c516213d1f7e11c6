#include "core/app/manual_pages.h"

#include <fmt/format.h>

#include <functional>
#include <vector>

#include "core/app/command_line.h"
#include "core/app/modules.h"
#include "core/base/text.h"
#include "core/module/manual.h"
#include "core/net/net_counters.h"
#include "core/script/program.h"
#include "tls/api.h"

namespace kahu::app {
namespace {

std::string server_page() {
    std::string out = manual::title("kahu", 8, "SIP server for TLS");
    out +=
        ".SH SYNOPSIS\n.B kahu\n[\\fIoptions\\fR]\n"
        ".SH DESCRIPTION\n"
        "Kahu receives SIP over UDP, TCP and TLS and does with it what the routing script of kahu.cfg(5) says. It "
        "reads the\n"
        "configuration of Kamailio, takes its options, and answers its tools.\n"
        ".PP\n"
        "A supervisor forks worker processes over one shared memory segment, which holds connections and the TLS "
        "state. A\n"
        "worker that dies is replaced; its successor goes on with its connections.\n"
        ".SH OPTIONS\n";
    for (const OptionRow& row : option_rows()) {
        const std::string joint = row.argument.empty() ? "" : row.spelled.starts_with("--") ? "=" : " ";
        out += fmt::format(".TP\n.B {}{}{}\n{}\n", manual::text(row.spelled), joint, manual::text(row.argument),
                           manual::text(row.help));
    }
    out +=
        ".SH SIGNALS\n"
        ".TP\n.B SIGTERM, SIGINT\nEnds the server: all processes, in order. Those that are not gone after exit_timeout "
        "are killed.\n"
        ".TP\n.B SIGHUP\nOpens the logs anew. It does not reload: kahucmd tls.reload does.\n"
        ".TP\n.B SIGUSR1\nLogs statistics.\n"
        ".SH EXIT STATUS\n0 after SIGTERM or SIGINT, and after \\-c when nothing is wrong; 1 for an error, which "
        "standard error or the log\n"
        "tells.\n"
        ".SH FILES\n"
        ".TP\n.I /etc/kahu/kahu.cfg\nConfiguration; the program has a default built in.\n"
        ".TP\n.I /run/kahu/kahu_ctl\nControl socket; with a configuration whose first line is #!KAMAILIO it is\n"
        "/run/kamailio/kamailio_ctl, so that kamcmd and kamcli need no option.\n";
    out += manual::counters(net::net_counters());
    return out + ".SH SEE ALSO\nkahu.cfg(5), tls.cfg(5), kahucmd(1), kahu\\-kamailio(7)\n";
}

std::string configuration_page() {
    std::string out = manual::title("kahu.cfg", 5, "configuration of kahu(8)");
    out +=
        ".SH DESCRIPTION\n"
        "The language is that of kamailio.cfg: parameters, loadmodule and modparam statements, and routing blocks, "
        "with a\n"
        "preprocessor (#!define, #!ifdef, #!subst, include_file, ...). kahu \\-c checks a file and names each mistake "
        "with its\n"
        "file, line and column. Each module has a page of its own: kahu\\-tls(7), kahu\\-sl(7), ...\n";
    std::string heading;
    for (const CoreTable& table : core_tables())
        out += manual::parameters(
            table.rows, table.group == "core"
                            ? (heading.empty() ? (heading = "GENERAL PARAMETERS") : "SCRIPT AND REPLY PARAMETERS")
                        : table.group == "tcp" ? "SOCKETS AND CONNECTIONS"
                                               : "TLS");
    const ModuleDescriptor& core = script::core_module();
    out += manual::functions(core.functions) + manual::variables(core.variables);
    return out + ".SH SEE ALSO\nkahu(8), tls.cfg(5), kahucmd(1)\n";
}

struct Page {
    std::string name;  // as the file in man/
    std::function<std::string()> print;
};
std::vector<Page> pages() {
    std::vector<Page> all = {
        {"kahu.8", server_page}, {"kahu.cfg.5", configuration_page}, {"tls.cfg.5", tls::tls_cfg_manual}};
    for (const ModuleDescriptor* module : all_modules())
        all.push_back({fmt::format("kahu-{}.7", module->name), [module] { return manual::module_page(*module); }});
    return all;
}

}  // namespace

int print_manual_page(const std::string& wanted) {
    std::vector<std::string> names;
    for (const Page& page : pages()) {
        if (wanted == "list") {
            fmt::print("{}\n", page.name);
        } else if (page.name == wanted || page.name.substr(0, page.name.rfind('.')) == wanted) {
            fmt::print("{}", page.print());
            return 0;
        }
        names.push_back(page.name);
    }
    if (wanted == "list") return 0;
    const std::vector<std::string_view> known(names.begin(), names.end());
    fmt::print(stderr, "no manual page {} (did you mean {}?)\n", text::printable(wanted), text::nearest(wanted, known));
    return 1;
}

}  // namespace kahu::app
