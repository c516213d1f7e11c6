// core/module/descriptor.h -- what a module offers: parameters, script functions and variables,
// RPC commands, counters and hooks.  One constexpr table per module; the configuration parser, the
// script compiler, the RPC list, the runtime cfg framework and the manual pages all read it.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/result.h"
#include "core/module/rpc_call.h"
#include "core/module/setting.h"
#include "core/stats/counter.h"
#include "mem/segment.h"

namespace kahu::script {
class Run;   // core/script/run.h: one message on its way through the routing script
class Args;  // core/script/function.h: a call's arguments, compiled
struct VariableUse;
struct Value;
}  // namespace kahu::script

namespace kahu {

// --- parameters ----------------------------------------------------------------------------------
enum class Applies : uint8_t {
    at_start,    // shown by cfg.get, not settable while running
    at_runtime,  // cfg.set_now_* takes effect at once
};
enum class ParamKind : uint8_t { integer, boolean, text, custom };

// A value as the configuration file wrote it; yes/on/true and no/off/false arrive as integers 1 and 0.
using ParamValue = std::variant<int64_t, std::string>;

struct Param {
    std::string_view name;
    ParamKind kind = ParamKind::integer;
    IntSetting* number = nullptr;  // kind integer, boolean
    TextSetting* text = nullptr;   // kind text
    // kind custom (repeatable or structured values such as modparam("ctl", "binrpc", ...)), or an
    // extra check of any kind: called for each occurrence, in file order.
    Status (*accept)(const ParamValue&) = nullptr;
    int64_t min = INT64_MIN, max = INT64_MAX;
    std::string_view unit;          // "seconds", "bytes", "" when it has none
    std::string_view help;          // one or two sentences, ends with a full stop
    std::string_view default_text;  // kind custom: how the manual shows the default
    Applies applies = Applies::at_start;
    std::string_view remark;  // accepted for compatibility only: said once at start, e.g. "has no effect: ..."
};

// --- routing script ------------------------------------------------------------------------------
// Where a function may be called: bits, as Kamailio's REQUEST_ROUTE ...
enum RouteMask : uint16_t {
    kRequestRoute = 1,
    kReplyRoute = 2,
    kFailureRoute = 4,
    kBranchRoute = 8,
    kOnsendRoute = 16,
    kEventRoute = 32,
    kAnyRoute = 63,
};

struct Function {
    std::string_view name;
    uint8_t min_args = 0, max_args = 0;
    std::string_view args;  // "(string code, string reason)" for the manual and errors
    std::string_view help;
    uint16_t where = kAnyRoute;
    // > 0 true, < 0 false, 0 stops the script (Kamailio's return convention).
    int (*call)(script::Run&, const script::Args&) = nullptr;
    // At start, once per call site: checks constant arguments and may store a prepared form.
    Status (*prepare)(script::Args&) = nullptr;
    // Bit i: argument i is taken as it stands, "$" in it is no variable (regular expressions).
    uint8_t literal_args = 0;
    // Argument 0 names a route of that kind ("" and "0" name none): the compiler warns of one that is not there.
    uint16_t names_route = 0;
};

struct Variable {  // $name, $name(inner), $name(inner)[index]
    std::string_view name;
    std::string_view help;
    script::Value (*get)(script::Run&, const script::VariableUse&) = nullptr;
    Status (*set)(script::Run&, const script::VariableUse&, const script::Value&) = nullptr;  // null: read-only
    Status (*prepare)(script::VariableUse&) = nullptr;  // at start: checks the inner name
};

// --- RPC -----------------------------------------------------------------------------------------
struct Command {
    std::string_view name;  // "tls.reload"
    std::string_view args;  // "[count [offset [filter]]]", "" for none
    std::string_view help;
    void (*call)(RpcCall&) = nullptr;
};

// --- life ----------------------------------------------------------------------------------------
enum class ProcessKind : uint8_t { supervisor, udp_worker, tcp_worker, timer, rpc, tcp_main, count_ };

struct WantedFile {
    std::string path;
    bool makes_folder = false;  // if it is missing
};

struct Hooks {
    // After the whole configuration was read; also by `kahu -c`.  No side effects that outlive the call but in
    // process memory.  Everything that can be wrong with this module's configuration is found here.
    Status (*check)() = nullptr;
    // What open() and start() make or write to: `kahu -c` warns of what it could not.
    std::vector<WantedFile> (*files)() = nullptr;
    // Still with the privileges that the server was started with: sockets, FIFOs.  Not under `kahu -c`.
    Status (*open)() = nullptr;
    // Sizes of what this module wants in the segment; after check(), before the segment exists.
    std::span<const mem::Part> (*parts)() = nullptr;
    // The segment exists; still one process, as the user that it will run as.
    Status (*start)() = nullptr;
    // In each forked process, after its slot is attached and before its loop runs.
    Status (*process_start)(ProcessKind) = nullptr;
    // In each forked process, about once a second, from its loop.  Periodic work that only one process must do belongs
    // to ProcessKind::timer.
    void (*each_second)(ProcessKind) = nullptr;
    // In each forked process when it was asked to stop, after its loop ended.
    void (*process_stop)(ProcessKind) = nullptr;
};

struct ModuleDescriptor {
    std::string_view name, summary;
    std::span<const Param> params = {};
    std::span<const Function> functions = {};
    std::span<const Variable> variables = {};
    std::span<const Command> commands = {};
    std::span<const Counter> counters = {};
    Hooks hooks = {};
    // Long text for the manual page, in plain paragraphs separated by empty lines; may be empty.
    std::string_view description = {};
};

constexpr bool well_formed(const ModuleDescriptor& m) {
    for (size_t i = 0; i < m.params.size(); ++i) {
        const Param& p = m.params[i];
        if (p.name.empty() || p.help.empty() || p.help.back() != '.' || p.min > p.max) return false;
        for (size_t j = 0; j < i; ++j)
            if (m.params[j].name == p.name) return false;
    }
    for (const Function& f : m.functions)
        if (f.name.empty() || f.help.empty() || f.min_args > f.max_args || f.call == nullptr) return false;
    for (const Command& c : m.commands)
        if (c.name.find('.') == c.name.npos || c.help.empty() || c.call == nullptr) return false;
    return !m.name.empty() && !m.summary.empty();
}

// Applies one value to its row: converts, checks the range, calls accept().  The error names the parameter, what was
// given and what is valid; the caller adds file and line.
Status apply(const Param& param, const ParamValue& value);
// "integer, 0 to 65535 seconds" for errors and manuals.
std::string describe_range(const Param& param);

}  // namespace kahu
