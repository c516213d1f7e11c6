#include "test/load/options.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <span>
#include <vector>

#include "core/base/text.h"

namespace kahu::load {
namespace {

struct ModeRow {
    Mode mode;
    std::string_view name, help;
    uint64_t total;  // default of --total
};
constexpr ModeRow kModes[] = {
    {Mode::handshake, "handshake", "full handshakes, each on a new connection", 1000},
    {Mode::resume, "resume", "one full handshake per slot, then resumptions of its session", 1000},
    {Mode::requests, "requests", "SIP requests on persistent connections (or UDP sockets)", 0},
    {Mode::calls, "calls", "calls through a proxy: both ends, INVITE 100 180 200 ACK BYE 200; needs --callee", 0},
    {Mode::idle, "idle", "open many connections, hold them, ask each one, close", 1000},
    {Mode::halfopen, "halfopen", "connections that never finish their handshake; when does the server close them?",
     1000},
    {Mode::baseline, "baseline", "no server: server-side CPU of the same handshake over memory BIOs in one process",
     2000},
};

bool number(std::string_view text, double& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && out >= 0;
}
template <class Integer>
bool integer(std::string_view text, Integer& out) {
    const auto value = text::to_int(text);
    if (!value || *value < 0 || *value > 1'000'000'000) return false;
    out = static_cast<Integer>(*value);
    return true;
}
bool one_of(std::string_view text, std::string& out, std::span<const std::string_view> known) {
    for (const auto candidate : known)
        if (candidate == text) return out = text, true;
    return false;
}

// udp:127.0.0.1:5070
bool far_end(std::string_view text, Options& out) {
    const size_t first = text.find(':'), last = text.rfind(':');
    if (first == text.npos || first == last) return false;
    const auto port = text::to_int(text.substr(last + 1));
    if (!port || *port < 1 || *port > 65535) return false;
    const auto address =
        SocketAddress::parse_ip(text.substr(first + 1, last - first - 1), static_cast<uint16_t>(*port));
    if (!address) return false;
    out.callee = *address;
    for (const Transport t : {Transport::udp, Transport::tcp, Transport::tls})
        if (name_of(t) == text.substr(0, first)) return out.callee_transport = t, true;
    return false;
}

struct OptionRow {
    std::string_view name, argument, help;
    bool (*set)(Options&, std::string_view);
};
#define TEXT(member) [](Options& o, std::string_view v) { return o.member = v, !v.empty(); }
#define NUMBER(member) [](Options& o, std::string_view v) { return number(v, o.member); }
#define INTEGER(member) [](Options& o, std::string_view v) { return integer(v, o.member); }
#define FLAG(member, value) [](Options& o, std::string_view) { return o.member = value, true; }
constexpr OptionRow kOptions[] = {
    {"--total", "N", "connections or requests to make", INTEGER(total)},
    {"--concurrency", "C", "at a time (connections); default 50", INTEGER(concurrency)},
    {"--seconds", "S", "run this long", NUMBER(seconds)},
    {"--warmup", "S", "requests, calls: seconds before counting starts", NUMBER(warmup)},
    {"--skip", "N", "requests: answers before counting starts (first registrations before their refreshes)",
     INTEGER(skip)},
    {"--rate", "R", "open loop: start R per second, measure from the moment each was due", NUMBER(rate)},
    {"--depth", "D", "requests, calls: under way on each connection; default 1", INTEGER(depth)},
    {"--method", "M", "OPTIONS (default), REGISTER, or GET against an HTTP server",
     [](Options& o, std::string_view v) {
         constexpr std::string_view known[] = {"OPTIONS", "REGISTER", "GET"};
         return one_of(v, o.method, known);
     }},
    {"--users", "N", "REGISTER: as many users in turn, each always on the same connection; default: one per connection",
     INTEGER(users)},
    {"--request", "", "handshake, resume, idle: send a request on each connection and expect 200", FLAG(request, true)},
    {"--callee", "TRANSPORT:IP:PORT", "calls: where the far end listens, and where the server must send calls to",
     [](Options& o, std::string_view v) { return far_end(v, o); }},
    {"--tcp", "", "plain TCP", FLAG(transport, Transport::tcp)},
    {"--udp", "", "UDP (modes requests and calls)", FLAG(transport, Transport::udp)},
    {"--tls", "1.2|1.3", "only this version",
     [](Options& o, std::string_view v) {
         constexpr std::string_view known[] = {"1.2", "1.3"};
         return one_of(v, o.tls, known);
     }},
    {"--ciphers", "LIST", "OpenSSL cipher list (1.2) or suites (1.3)", TEXT(ciphers)},
    {"--groups", "LIST", "key exchange groups, e.g. X25519:P-256", TEXT(groups)},
    {"--sni", "NAME", "server name to ask for", TEXT(sni)},
    {"--ca", "FILE", "verify the server against these CAs", TEXT(ca)},
    {"--cert", "FILE", "client certificate", TEXT(certificate)},
    {"--key", "FILE", "its private key", TEXT(key)},
    {"--session-ids", "", "resume: by session id (TLS 1.2, no ticket offered)", FLAG(session_ids, true)},
    {"--min-resumed", "PERCENT", "resume: fewer resumptions are a failure; default 100", NUMBER(min_resumed)},
    {"--hold", "S", "idle: hold the connections this long before asking and closing", NUMBER(hold)},
    {"--kind", "K", "halfopen: silent, half-hello or after-hello",
     [](Options& o, std::string_view v) {
         constexpr std::string_view known[] = {"silent", "half-hello", "after-hello"};
         return one_of(v, o.kind, known);
     }},
    {"--expect-closed", "", "halfopen: a connection still open at the end is a failure", FLAG(expect_closed, 1)},
    {"--at-half", "COMMAND", "run once, when half of the work is done (test/load/README.md)", TEXT(at_half)},
    {"--repeat", "COMMAND", "run again and again during the load", TEXT(repeat)},
    {"--repeats", "N", "how often; the load goes on until then", INTEGER(repeats)},
    {"--pause", "S", "between repeats: only then is the certificate certain and checked; default 0.1", NUMBER(pause)},
    {"--expect-fingerprint", "SHA256",
     "certificate that full handshakes must show after --at-half (without it: always)", TEXT(expect_fingerprint)},
    {"--rsa", "", "baseline: RSA-2048 in place of EC P-256", FLAG(rsa, "1")},
    {"--timeout", "S", "a connection without progress for this long has failed; default 10", NUMBER(timeout)},
    {"--allow-lost", "N",
     "so many connections may be closed by the server: counted, opened anew (requests), no failure",
     INTEGER(allow_lost)},
    {"--sources", "N", "spread over client addresses 127.0.0.2 ...; default: as many as the ports need",
     INTEGER(sources)},
    {"--server-pid", "PID", "report CPU and memory of this process and all its descendants", INTEGER(server)},
    {"--json", "FILE", "write the figures as one JSON object (- for stdout)", TEXT(json)},
    {"--quiet", "", "no table", FLAG(quiet, true)},
};
#undef TEXT
#undef NUMBER
#undef INTEGER
#undef FLAG

const OptionRow* find_option(std::string_view name) {
    for (const auto& row : kOptions)
        if (row.name == name) return &row;
    return nullptr;
}

Error wrong(std::string what) { return {Errc::invalid, std::move(what), "kahu-load --help lists the options"}; }

Error unknown_option(std::string_view word) {
    std::vector<std::string_view> names;
    for (const auto& row : kOptions) names.push_back(row.name);
    const auto near = text::nearest(word, names);
    return wrong(fmt::format("unknown option {}{}", word, near.empty() ? "" : fmt::format(", did you mean {}?", near)));
}

Status set_target(Options& options, std::string_view word) {
    const size_t colon = word.rfind(':');
    const auto port = colon == word.npos ? std::nullopt : text::to_int(word.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return wrong(fmt::format("target {} is not IP:PORT", word));
    const auto address = SocketAddress::parse_ip(word.substr(0, colon), static_cast<uint16_t>(*port));
    if (!address) return wrong(fmt::format("target {} is not a numeric address", word));
    options.target = *address;
    return {};
}

Status set_mode(Options& options, std::string_view word) {
    for (const auto& row : kModes) {
        if (row.name != word) continue;
        options.mode = row.mode;
        return {};
    }
    return wrong(fmt::format("unknown mode {}", word));
}

Status check(const Options& o) {
    if (o.mode != Mode::baseline && o.target.empty()) return wrong("no target given");
    const bool traffic = o.mode == Mode::requests || o.mode == Mode::calls;
    if (traffic && o.total == 0 && o.seconds == 0)
        return wrong(fmt::format("{} needs --total or --seconds", name_of(o.mode)));
    if (o.mode == Mode::calls && o.callee.empty()) return wrong("calls needs --callee");
    if (o.transport == Transport::udp && !traffic) return wrong("--udp goes with modes requests and calls only");
    if (o.transport != Transport::tls && (o.mode == Mode::handshake || o.mode == Mode::resume) && !o.request)
        return wrong("without TLS a connection needs --request to do anything");
    if (o.session_ids && o.tls == "1.3") return wrong("--session-ids needs TLS 1.2: a 1.3 client cannot ask for them");
    if (o.concurrency < 1 || o.depth < 1 || o.depth > 4096)
        return wrong("--concurrency and --depth (to 4096) start at 1");
    if (!o.repeat.empty() && o.repeats == 0) return wrong("--repeat needs --repeats");
    return {};
}

// Without an end the mode's own total is one; idle and halfopen are about a number, so they always have one.
void complete(Options& o) {
    const bool endless = o.seconds == 0 && o.repeats == 0;
    const bool counted = o.mode == Mode::idle || o.mode == Mode::halfopen || o.mode == Mode::baseline;
    if (o.total > 0 || !(endless || counted)) return;
    for (const auto& row : kModes)
        if (row.mode == o.mode) o.total = row.total;
}

}  // namespace

std::string name_of(Mode mode) {
    for (const auto& row : kModes)
        if (row.mode == mode) return std::string(row.name);
    return {};
}

std::string help_text() {
    std::string out = "Usage: kahu-load MODE [IP:PORT] [options]\n\nModes\n";
    for (const auto& row : kModes) out += fmt::format("  {:<22} {}\n", row.name, row.help);
    out += "\nOptions\n";
    for (const auto& row : kOptions)
        out += fmt::format("  {:<22} {}\n", fmt::format("{} {}", row.name, row.argument), row.help);
    out += "\nExit code 0: no failure; 1: failures, listed by reason; 2: wrong arguments.\n";
    return out;
}

Result<Options> parse_options(int argc, char** argv) {
    if (argc < 2 || std::string_view(argv[1]) == "--help" || std::string_view(argv[1]) == "-h")
        return Error{Errc::not_found, help_text(), ""};
    Options options;
    if (auto s = set_mode(options, argv[1]); !s) return std::move(s).error();
    for (int i = 2; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--help" || word == "-h") return Error{Errc::not_found, help_text(), ""};
        if (!word.starts_with("--")) {
            if (auto s = set_target(options, word); !s) return std::move(s).error();
            continue;
        }
        const OptionRow* row = find_option(word);
        if (row == nullptr) return unknown_option(word);
        if (row->argument.empty()) {
            row->set(options, "");
            continue;
        }
        if (++i == argc) return wrong(fmt::format("{} needs {}", word, row->argument));
        if (!row->set(options, argv[i])) return wrong(fmt::format("{} {}: expected {}", word, argv[i], row->argument));
    }
    complete(options);
    if (auto s = check(options); !s) return std::move(s).error();
    return options;
}

}  // namespace kahu::load
