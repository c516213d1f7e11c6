// core/script/branch_variables.cpp -- the other targets of a request, its flags, and the socket it leaves by.
#include <fmt/format.h>

#include <utility>

#include "core/base/text.h"
#include "core/net/listener.h"
#include "core/script/addresses.h"
#include "core/script/branch_parts.h"
#include "core/script/core_variables.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::script {
namespace {

using Use = VariableUse;

Value text_or_none(std::string_view text) { return text.empty() ? Value::none() : Value::of(text); }

// --- $branch(part)[i] -------------------------------------------------------------------------------------
enum BranchPart : int64_t { kUri, kDestination, kPath, kQ, kSocket, kCount, kFlags, kRuid, kInstance, kUserAgent, kId };
struct PartName {
    std::string_view name;
    BranchPart part;
};
constexpr PartName kParts[] = {{"uri", kUri},
                               {"dst_uri", kDestination},
                               {"path", kPath},
                               {"q", kQ},
                               {"send_socket", kSocket},
                               {"count", kCount},
                               {"flags", kFlags},
                               {"ruid", kRuid},
                               {"instance", kInstance},
                               {"ua", kUserAgent},
                               {"location_ua", kUserAgent},
                               {"otcpid", kId}};

Value socket_text(Run& run, uint16_t index) {
    const auto all = net::listeners();
    return index < all.size() ? Value::of(run.arena().copy(all[index].text())) : Value::none();
}
uint16_t socket_named(std::string_view text) {
    for (const net::Listener& each : net::listeners())
        if (each.text() == text || (!each.name.empty() && each.name == text)) return each.index;
    return net::kAnyListener;
}
}  // namespace

Status prepare_branch_part(Use& use) {
    for (const PartName& row : kParts)
        if (row.name == use.inner) {
            use.number = row.part;
            return {};
        }
    return Error{Errc::invalid, fmt::format("\"{}\" is no part of a branch", use.inner),
                 "uri, dst_uri, path, q, send_socket, count, flags, ruid, instance, ua or otcpid"};
}

bool is_branch_count(int64_t part) { return part == kCount; }

Value branch_part(Run& run, const Branch& branch, int64_t part) {
    switch (part) {
    case kUri: return text_or_none(branch.uri);
    case kDestination: return text_or_none(branch.dst_uri);
    case kPath: return text_or_none(branch.path);
    case kQ: return branch.q == Branch::kNoQ ? Value::none() : Value::of(int64_t{branch.q});
    case kSocket: return socket_text(run, branch.socket);
    case kFlags: return Value::of(int64_t{branch.flags});
    case kRuid: return text_or_none(branch.ruid);
    case kInstance: return text_or_none(branch.instance);
    case kUserAgent: return text_or_none(branch.user_agent);
    default: return Value::of(static_cast<int64_t>(branch.connection));
    }
}

Status set_branch_part(Run& run, Branch& target, int64_t part, const Value& value) {
    const std::string_view text = run.arena().copy(to_text(value, run.arena()));
    sip::Uri uri;
    const bool is_uri = part == kUri || part == kDestination;
    if (is_uri && !text.empty() && parse_into(text, uri) == nullptr)
        return Error{Errc::invalid, fmt::format("\"{}\" is not a URI", text::printable(text)), ""};
    switch (part) {
    case kUri: target.uri = text; break;
    case kDestination: target.dst_uri = text; break;
    case kPath: target.path = text; break;
    case kRuid: target.ruid = text; break;
    case kInstance: target.instance = text; break;
    case kUserAgent: target.user_agent = text; break;
    case kFlags: target.flags = static_cast<uint32_t>(to_integer(value)); break;
    case kSocket: target.socket = socket_named(text); break;
    case kId: target.connection = static_cast<net::ConnectionId>(to_integer(value)); break;
    default:
        target.q = static_cast<int16_t>(value.is_null() ? Branch::kNoQ : std::min<int64_t>(to_integer(value), 1000));
    }
    return {};
}

namespace {

Value branch(Run& run, const Use& use) {
    const auto others = run.branches.others();
    if (use.number == kCount) return others.empty() ? Value::none() : Value::of(static_cast<int64_t>(others.size()));
    const size_t at = use.position(run, others.size());
    return at == Use::npos ? Value::none() : branch_part(run, others[at], use.number);
}
Status set_branch(Run& run, const Use& use, const Value& value) {
    const auto others = run.branches.others();
    const size_t at = use.position(run, others.size());
    if (at == Use::npos || use.number == kCount) return Error{Errc::not_found, "there is no such branch", ""};
    if (use.number != kUri || !to_text(value, run.arena()).empty())
        return set_branch_part(run, others[at], use.number, value);
    if (!value.is_null()) return Error{Errc::invalid, "\"\" is not a URI", ""};
    run.branches.remove(at);
    return {};
}

// $br = "sip:a@b": one more target.
Status add_branch(Run& run, const Use&, const Value& value) {
    if (value.is_null()) return {};
    Branch more;
    if (Status made = set_branch_part(run, more, kUri, value); !made) return made;
    if (more.uri.empty()) return Error{Errc::invalid, "\"\" is not a URI", ""};
    return run.branches.add(more) ? Status() : Error{Errc::exists, "there are as many targets as there may be", ""};
}

Value first_branch(Run& run, const Use&) {
    const auto others = run.branches.others();
    return others.empty() ? Value::none() : Value::of(others.front().uri);
}
// Contact: <sip:a@b>;q=0.5, <sip:...>
void append_target(TextBuilder& out, std::string_view uri, int16_t q) {
    out.append('<').append(uri).append('>');
    if (q == Branch::kNoQ) return;
    if (q >= 1000) out.append(";q=1");
    else {
        const char digits[] = {static_cast<char>('0' + q / 100), static_cast<char>('0' + q / 10 % 10),
                               static_cast<char>('0' + q % 10)};
        out.append(";q=0.").append(std::string_view(digits, q % 10 != 0 ? 3 : q % 100 != 0 ? 2 : 1));
    }
}
Value all_branches(Run& run, const Use&) {
    if (run.branches.others().empty()) return Value::none();
    TextBuilder out(run.arena());
    std::string_view between;
    for (const Branch& each : run.branches.others()) {
        out.append(between);
        if (each.q == Branch::kNoQ) out.append(each.uri);
        else append_target(out, each.uri, each.q);
        between = ", ";
    }
    return Value::of(out.take());
}
Value destination_set(Run& run, const Use&) {
    // The Request-URI belongs to it once the script has set it: lookup(), $ru = ...
    const bool with_main = run.is_request() && run.request_uri_changed();
    if (!with_main && run.branches.others().empty()) return Value::none();
    TextBuilder out(run.arena());
    std::string_view between = "Contact: ";
    if (with_main) {
        append_target(out.append(std::exchange(between, ", ")), run.request_uri(), run.branches.main().q);
    }
    for (const Branch& each : run.branches.others())
        append_target(out.append(std::exchange(between, ", ")), each.uri, each.q);
    return Value::of(out.take());
}
Value request_q(Run& run, const Use&) {
    const int16_t q = run.branches.main().q;
    return q == Branch::kNoQ ? Value::none() : Value::of(int64_t{q});
}
Value record_id(Run& run, const Use&) { return text_or_none(run.branches.main().ruid); }
Value location_agent(Run& run, const Use&) { return text_or_none(run.branches.main().user_agent); }

// --- flags ------------------------------------------------------------------------------------------------
uint32_t& branch_flags(Run& run) { return run.branches.main().flags; }
uint32_t& script_flags(Run& run) { return run.script_flags; }

template <uint32_t& (*flags)(Run&)>
Value get_flags(Run& run, const Use&) {
    return Value::of(int64_t{flags(run)});
}
template <uint32_t& (*flags)(Run&)>
Value get_flags_hex(Run& run, const Use&) {
    char text[16];
    const auto end = fmt::format_to_n(text, sizeof text, "{:08X}", flags(run));
    return Value::of(run.arena().copy({text, end.size}));
}
template <uint32_t& (*flags)(Run&)>
Status set_flags(Run& run, const Use&, const Value& value) {
    flags(run) = static_cast<uint32_t>(to_integer(value));
    return {};
}
Status prepare_flag(Use& use) {
    int64_t number = 0;
    if (!spells_integer(use.inner, number) || number < 0 || number > 31)
        return Error{Errc::invalid, fmt::format("\"{}\" is no flag", use.inner), "0 to 31"};
    use.number = number;
    return {};
}
template <uint32_t& (*flags)(Run&)>
Value get_one(Run& run, const Use& use) {
    return Value::of(int64_t{flags(run) >> use.number & 1});
}
template <uint32_t& (*flags)(Run&)>
Status set_one(Run& run, const Use& use, const Value& value) {
    const uint32_t bit = uint32_t{1} << use.number;
    flags(run) = to_truth(value) ? flags(run) | bit : flags(run) & ~bit;
    return {};
}

// --- the socket to send from ---------------------------------------------------------------------------------
Value forced_socket(Run& run, const Use&) { return socket_text(run, run.branches.main().socket); }
Value forced_socket_name(Run& run, const Use&) {
    const auto all = net::listeners();
    const uint16_t index = run.branches.main().socket;
    return index < all.size() ? text_or_none(all[index].name) : Value::none();
}
Value forced_socket_port(Run& run, const Use&) {
    const auto all = net::listeners();
    const uint16_t index = run.branches.main().socket;
    return index < all.size() ? Value::of(int64_t{all[index].address.port()}) : Value::of(int64_t{0});
}
Status force_socket(Run& run, const Use&, const Value& value) {
    const std::string_view text = to_text(value, run.arena());
    const uint16_t index = text.empty() ? net::kAnyListener : socket_named(text);
    if (!text.empty() && index == net::kAnyListener)
        return Error{Errc::not_found, fmt::format("there is no socket \"{}\"", text::printable(text)),
                     "transport:address:port, as in listen="};
    run.branches.main().socket = index;
    return {};
}

constexpr Variable kVariables[] = {
    {"branch", "Parts of a further target: uri, dst_uri, path, q, send_socket, flags, ruid, instance, ua; count.",
     branch, set_branch, prepare_branch_part},
    {"br", "URI of the first further target; what is assigned to it is one more.", first_branch, add_branch},
    {"bR", "All further targets.", all_branches},
    {"ds", "All targets as a Contact header.", destination_set},
    {"rq", "q of the Request-URI's target, in thousandths.", request_q},
    {"ruid", "Which registration the Request-URI's target came from.", record_id},
    {"location_ua", "User-Agent the Request-URI's target registered with.", location_agent},
    {"bf", "Flags of the Request-URI's branch.", get_flags<branch_flags>, set_flags<branch_flags>},
    {"bF", "The same in hexadecimal.", get_flags_hex<branch_flags>, set_flags<branch_flags>},
    {"Bf", "One flag of the Request-URI's branch, 0 or 1.", get_one<branch_flags>, set_one<branch_flags>, prepare_flag},
    {"sf", "Script flags: setsflag().", get_flags<script_flags>, set_flags<script_flags>},
    {"sF", "The same in hexadecimal.", get_flags_hex<script_flags>, set_flags<script_flags>},
    {"Sf", "One script flag, 0 or 1.", get_one<script_flags>, set_one<script_flags>, prepare_flag},
    {"fs", "Socket the request is to leave by; null: chosen by destination.", forced_socket, force_socket},
    {"fsp", "Port of that socket, or 0.", forced_socket_port},
    {"fsn", "Name of that socket.", forced_socket_name, force_socket},
};

}  // namespace

std::span<const Variable> branch_variables() { return kVariables; }

}  // namespace kahu::script
