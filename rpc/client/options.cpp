#include "rpc/client/options.h"

#include <charconv>

#include "core/base/text.h"

namespace kahu::client {
namespace {

Error wrong(std::string what) { return {Errc::invalid, std::move(what), "kahucmd -h lists the options"}; }

// "\n", "\t", "\r" and "\\" as printf knows them.
std::string unescape(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        switch (text[++i]) {
        case 'n': out += '\n'; break;
        case 't': out += '\t'; break;
        case 'r': out += '\r'; break;
        default: out += text[i];
        }
    }
    return out;
}

Status take_timeout(Options& options, const std::string& value) {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), options.timeout_seconds);
    const bool whole = error == std::errc{} && end == value.data() + value.size();
    if (!whole || !(options.timeout_seconds > 0) || options.timeout_seconds > 86400)
        return wrong("-t " + value + ": expected seconds, more than 0");
    return {};
}

struct OptionRow {
    std::string_view letter, name;
    bool takes_value;
    Status (*apply)(Options&, const std::string& value);
};
template <auto Member, auto Value>
Status set(Options& options, const std::string&) {
    options.*Member = Value;
    return {};
}
template <auto Member>
Status store(Options& options, const std::string& value) {
    options.*Member = value;
    return {};
}
const OptionRow kOptions[] = {
    {"-s", "--server", true, store<&Options::address>},
    {"-R", "--reply-socket", true, store<&Options::reply_socket>},
    {"-D", "--reply-directory", true, store<&Options::reply_directory>},
    {"-f", "--format", true,
     [](Options& o, const std::string& value) {
         o.format = unescape(value);
         o.has_format = true;
         return Status{};
     }},
    {"-t", "--timeout", true, take_timeout},
    {"-v", "--verbose", false,
     [](Options& o, const std::string&) {
         ++o.verbose;
         return Status{};
     }},
    {"-V", "--version", false, set<&Options::show_version, true>},
    {"-h", "--help", false, set<&Options::show_help, true>},
    {"", "--json", false, set<&Options::style, Style::json>},
    {"", "--table", false, set<&Options::style, Style::table>},
    {"", "--plain", false, set<&Options::style, Style::plain>},
    {"", "--complete", false, set<&Options::complete, true>},
};

const OptionRow* find_option(std::string_view word, std::string& attached, bool& has_attached) {
    for (const OptionRow& row : kOptions) {
        if (word == row.name || (word == row.letter && !row.letter.empty())) return &row;
        const bool long_form = word.size() > row.name.size() && word.substr(0, row.name.size()) == row.name &&
                               word[row.name.size()] == '=';
        const bool short_form =
            !row.letter.empty() && row.takes_value && word.size() > 2 && word.substr(0, 2) == row.letter;
        if (!row.takes_value || (!long_form && !short_form)) continue;
        attached = std::string(word.substr(long_form ? row.name.size() + 1 : 2));
        has_attached = true;
        return &row;
    }
    return nullptr;
}

bool is_option(std::string_view word) {
    if (word.size() < 2 || word[0] != '-') return false;
    return !((word[1] >= '0' && word[1] <= '9') || word[1] == '.');  // a number
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
    Options options;
    bool no_more = false;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (no_more || !is_option(word)) {
            options.words.push_back(word);
            continue;
        }
        if (word == "--") {
            no_more = true;
            continue;
        }
        std::string value;
        bool attached = false;
        const OptionRow* row = find_option(word, value, attached);
        if (row == nullptr) return wrong("unknown option " + text::printable(word));
        if (row->takes_value && !attached) {
            if (i + 1 == arguments.size()) return wrong(word + " needs a value");
            value = arguments[++i];
        }
        if (Status applied = row->apply(options, value); !applied) return std::move(applied).error();
    }
    return options;
}

std::string usage() {
    return "Usage: kahucmd [options] [command [argument ...]]\n"
           "Sends a command to a running kahu (or kamailio) and prints the answer; without a command, asks for them.\n"
           "\n"
           "  -s ADDRESS     where to ask: unix:PATH, unixd:PATH, fifo:PATH, tcp:HOST[:PORT], udp:HOST[:PORT]\n"
           "                 (default: unix:/run/kahu/kahu_ctl, then unix:/run/kamailio/kamailio_ctl)\n"
           "  -t SECONDS     give up after this time (default 10)\n"
           "  -f FORMAT      print FORMAT for the values of the answer, each %v being one; %%v is a literal %v\n"
           "  --json         print the answer as JSON\n"
           "  --table        print structures as a table (the default on a terminal)\n"
           "  --plain        print as kamcmd does (the default elsewhere)\n"
           "  -R PATH        unixd: our own socket\n"
           "  -D DIRECTORY   unixd: where to make our own socket (default /tmp)\n"
           "  -v             say more; -V  version; -h  this text\n"
           "\n"
           "An argument is a number if it looks like one; s:5 is the text 5.\n"
           "Exit status: 0 done, 1 the server answered an error, 2 wrong usage, 3 no connection or no answer.\n"
           "\n"
           "  kahucmd core.psx              kahucmd tls.reload           kahucmd --json tls.list\n"
           "  kahucmd ls                    lists all commands; kahucmd help COMMAND explains one\n";
}

}  // namespace kahu::client
