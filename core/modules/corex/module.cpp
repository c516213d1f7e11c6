// core/modules/corex/module.cpp -- read this file to know what corex offers.
#include "core/modules/corex/module.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/base/fd.h"
#include "core/base/log_limit.h"
#include "core/base/text.h"
#include "core/modules/corex/sockets.h"
#include "core/net/listener.h"
#include "core/net/subdomains.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/outgoing.h"
#include "core/script/run.h"
#include "core/script/variable.h"
#include "core/sip/numbers.h"

namespace kahu::corex {
namespace {

using script::Args;
using script::Run;
using script::truth;

// --- branches ------------------------------------------------------------------------------------------------
// "0.5" as thousandths; kNoQ for "".
bool read_q(std::string_view text, int16_t& out) {
    out = script::Branch::kNoQ;
    if (text.empty()) return true;
    if (text.front() != '0' && text.front() != '1') return false;
    int64_t thousandths = (text.front() - '0') * 1000;
    if (text.size() > 1 && (text[1] != '.' || text.size() > 5)) return false;
    int64_t worth = 100;
    for (const char digit : text.substr(std::min<size_t>(2, text.size()))) {
        if (digit < '0' || digit > '9') return false;
        thousandths += (digit - '0') * worth;
        worth /= 10;
    }
    out = static_cast<int16_t>(thousandths);
    return thousandths <= 1000;
}

// append_branch(): what $ru is now; append_branch(uri[, q]): that URI.  Either goes where $du says, as Kamailio's do.
int append_branch(Run& run, const Args& args) {
    script::Branch branch;
    sip::Uri parsed;
    const std::string_view uri = args.text(run, 0);
    if (!read_q(args.text(run, 1), branch.q)) return -1;
    const script::Branch& main = run.branches.main();
    branch.dst_uri = run.arena().copy(run.destination_uri());
    branch.path = main.path;
    branch.socket = main.socket;
    branch.flags = main.flags;
    if (uri.empty()) {
        branch.uri = run.arena().copy(run.request_uri());
        branch.connection = main.connection;
    } else {
        if (script::parse_into(uri, parsed) == nullptr) return -1;
        branch.uri = run.arena().copy(uri);
    }
    return truth(run.branches.add(branch));
}

// --- questions -----------------------------------------------------------------------------------------------
int has_ruri_user(Run& run, const Args&) {
    const sip::Uri* const uri = run.parsed_request_uri();
    return truth(uri != nullptr && !uri->user.empty());
}
int has_user_agent(Run& run, const Args&) {
    const sip::HeaderField* const field = run.message().first(sip::HeaderId::user_agent);
    return truth(field != nullptr && !field->value.empty());
}

int is_faked_msg(Run& run, const Args&) { return truth(run.is_made_up); }
// It asks about event_route[network:msg], which is not there.
int is_incoming(Run&, const Args&) { return -1; }
int forward_reply(Run& run, const Args&) { return truth(!run.is_request() && script::forward_reply_stateless(run)); }

// --- flags -----------------------------------------------------------------------------------------------------
template <class Use>
int with_xflag(Run& run, const Args& args, Use use) {
    const int64_t flag = args.number(run, 0, -1);
    return flag < 0 || flag > 63 ? -1 : use(uint64_t{1} << flag);
}
int set_xflag(Run& run, const Args& args) {
    return with_xflag(run, args, [&](uint64_t bit) { return run.xflags |= bit, 1; });
}
int reset_xflag(Run& run, const Args& args) {
    return with_xflag(run, args, [&](uint64_t bit) { return run.xflags &= ~bit, 1; });
}
int is_xflag_set(Run& run, const Args& args) {
    return with_xflag(run, args, [&](uint64_t bit) { return truth((run.xflags & bit) != 0); });
}
Status prepare_xflag(Args& args) {
    const script::Value* const flag = args.constant(0);
    if (flag != nullptr && (script::to_integer(*flag) < 0 || script::to_integer(*flag) > 63))
        return Error{Errc::invalid, fmt::format("there is no flag {}", script::to_integer(*flag)), "0 to 63"};
    return {};
}

// Marks by the names that module uac has for them; nothing in the server acts on them.
constexpr std::string_view kMarks[] = {"USE_UAC_FROM", "USE_UAC_TO", "UAC_AUTH"};
struct Marks {
    uint64_t run = 0;  // of this message alone
    unsigned bits = 0;
} g_marks;
unsigned mark_named(std::string_view name) {
    for (size_t i = 0; i < std::size(kMarks); ++i)
        if (kMarks[i] == name) return 1U << i;
    return 0;
}
unsigned& marks_of(const Run& run) {
    if (g_marks.run != run.id()) g_marks = {run.id(), 0};
    return g_marks.bits;
}
// True for other names too, as in Kamailio.
int set_mark(Run& run, const Args& args) { return marks_of(run) |= mark_named(args.text(run, 0)), 1; }
int reset_mark(Run& run, const Args& args) { return marks_of(run) &= ~mark_named(args.text(run, 0)), 1; }
int is_mark_set(Run& run, const Args& args) {
    const unsigned mark = mark_named(args.text(run, 0));
    if (mark == 0) return -1;
    return (marks_of(run) & mark) != 0 ? 1 : -2;
}

// --- files -----------------------------------------------------------------------------------------------------
constexpr size_t kMostFileBytes = 65536;

int file_read(Run& run, const Args& args) {
    const std::string path(args.text(run, 0));
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    std::string content(kMostFileBytes + 1, '\0');
    size_t got = 0;
    ssize_t n = fd.get() < 0 ? -1 : 1;
    while (n > 0 && got < content.size()) {
        n = ::read(fd.get(), content.data() + got, content.size() - got);
        if (n > 0) got += static_cast<size_t>(n);
    }
    if (n < 0 || got > kMostFileBytes) {
        LOG_AT_MOST(5, error, "corex.file_not_read", kv("path", path),
                    kv("reason", n < 0 ? std::strerror(errno) : "larger than 64 KB"));
        return -1;
    }
    return truth(static_cast<bool>(args.assign(run, 1, script::Value::of(run.arena().copy({content.data(), got})))));
}
int file_write(Run& run, const Args& args) {
    const std::string path(args.text(run, 0));
    const std::string_view content = args.text(run, 1);
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666));
    if (fd.get() >= 0) errno = ENOSPC;  // what a write that stops half way means
    if (fd.get() >= 0 && ::write(fd.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()))
        return 1;
    LOG_AT_MOST(5, error, "corex.file_not_written", kv("path", path), kv("reason", std::strerror(errno)));
    return -1;
}

// --- settings ------------------------------------------------------------------------------------------------
TextSetting g_dns_cache;

// "domain", "proto:domain", "domain:port", "proto:domain:port"
Status add_subdomains(const ParamValue& value) {
    const auto* const text = std::get_if<std::string>(&value);
    net::Alias alias;
    std::string_view rest = text == nullptr ? std::string_view() : std::string_view(*text), host;
    if (const size_t colon = rest.find(':'); colon != rest.npos)
        if (const auto transport = transport_named(rest.substr(0, colon))) {
            alias.transport_given = true;
            alias.transport = *transport;
            rest.remove_prefix(colon + 1);
        }
    bool v6 = false;
    sip::Bad bad;
    if (rest.empty() || sip::parse_host_port(rest, false, host, v6, alias.port, bad) != rest.size())
        return Error{Errc::invalid, "that is no domain", "\"example.com\", \"udp:example.com:5060\""};
    alias.host = text::lowered(host);
    net::subdomain_aliases().push_back(std::move(alias));
    return {};
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kEventRoute;

constexpr Function kFunctions[] = {
    {"append_branch", 0, 2, "([string uri[, string q]])",
     "Adds a branch: the URI, or what $ru and $du are now. False if there are too many.", kRequests, append_branch},
    {"append_branch_uri", 1, 1, "(string uri)", "Adds a branch with that URI.", kRequests, append_branch},
    {"append_branch_uri_q", 2, 2, "(string uri, string q)", "Adds a branch with that URI and priority.", kRequests,
     append_branch},
    {"has_ruri_user", 0, 0, "()", "True if the Request-URI has a user.", kRequests | kBranchRoute, has_ruri_user},
    {"has_user_agent", 0, 0, "()", "True if there is a User-Agent that is not empty.", kAnyRoute, has_user_agent},
    {"is_faked_msg", 0, 0, "()", "True where an event route has no message: what it sees was made by the server.",
     kAnyRoute, is_faked_msg},
    {"is_incoming", 0, 0, "()", "False, as it is wherever a message is not being read or written.", kAnyRoute,
     is_incoming},
    {"setxflag", 1, 1, "(int flag)", "Sets one of 64 more flags of the message and its transaction.", kAnyRoute,
     set_xflag, prepare_xflag},
    {"resetxflag", 1, 1, "(int flag)", "Clears it.", kAnyRoute, reset_xflag, prepare_xflag},
    {"isxflagset", 1, 1, "(int flag)", "True if it is set.", kAnyRoute, is_xflag_set, prepare_xflag},
    {"msg_iflag_set", 1, 1, "(string name)",
     "Sets a mark: USE_UAC_FROM, USE_UAC_TO, UAC_AUTH. Nothing but msg_iflag_is_set() looks at it.", kAnyRoute,
     set_mark},
    {"msg_iflag_reset", 1, 1, "(string name)", "Clears it.", kAnyRoute, reset_mark},
    {"msg_iflag_is_set", 1, 1, "(string name)", "True if it is set.", kAnyRoute, is_mark_set},
    {"forward_reply", 0, 0, "()", "Forwards the reply now, by its second Via.", kReplyRoute, forward_reply},
    {"file_read", 2, 2, "(string path, variable)", "Gives the variable what is in the file, at most 64 KB.", kAnyRoute,
     file_read, [](Args& args) { return args.require_assignable(1); }},
    {"file_write", 2, 2, "(string path, string content)", "Makes that the content of the file.", kAnyRoute, file_write},
};

const Param kParams[] = {
    {.name = "alias_subdomains",
     .kind = ParamKind::custom,
     .accept = add_subdomains,
     .help = "A domain that is ours with all that end in it: [proto:]domain[:port]; may be given again.",
     .default_text = "none"},
    {.name = "dns_cache",
     .kind = ParamKind::text,
     .text = &g_dns_cache,
     .help = "Kamailio: records put into its DNS cache at start.",
     .remark = "has no effect: use /etc/hosts"},
};

std::vector<Function> all_functions() {
    std::vector<Function> all(std::begin(kFunctions), std::end(kFunctions));
    all.insert(all.end(), socket_functions().begin(), socket_functions().end());
    return all;
}
const std::vector<Function> g_functions = all_functions();

}  // namespace

const ModuleDescriptor kModule{
    .name = "corex",
    .summary = "Branches, the socket to send from, questions about the message.",
    .params = kParams,
    .functions = g_functions,
    .variables = socket_variables(),
    .description =
        "The RPC commands corex.* need no module here. Options of Kamailio's corex that change how the core reads and "
        "sends (network I/O interception) do not exist.",
};

}  // namespace kahu::corex
