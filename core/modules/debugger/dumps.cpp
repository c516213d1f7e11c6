#include "core/modules/debugger/dumps.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/log_rules.h"
#include "core/base/text.h"
#include "core/proc/settings.h"
#include "core/script/function.h"
#include "core/script/run.h"
#include "core/script/trace.h"
#include "core/script/variable_expression.h"

namespace kahu::debugger {
namespace {

using script::Args;
using script::Run;
using script::Value;
using script::Xavps;

// --- levels as the script names them: "L_INFO", "2" ------------------------------------------------------------
struct NamedLevel {
    std::string_view name;
    log::Level level;
};
constexpr NamedLevel kLevels[] = {
    {"L_ALERT", log::Level::alert}, {"L_BUG", log::Level::bug},   {"L_CRIT", log::Level::critical},
    {"L_ERR", log::Level::error},   {"L_WARN", log::Level::warn}, {"L_NOTICE", log::Level::notice},
    {"L_INFO", log::Level::info},   {"L_DBG", log::Level::debug},
};
std::optional<log::Level> level_named(std::string_view name) {
    for (const NamedLevel& known : kLevels)
        if (text::iequals(known.name, name)) return known.level;
    const auto number = text::to_int(name);
    if (!number || *number < -5 || *number > 3) return std::nullopt;
    return static_cast<log::Level>(*number);
}

// --- dbg_pv_dump ---------------------------------------------------------------------------------------------------
enum : int64_t { kNulls = 1, kAvps = 2, kVars = 4, kXavps = 8, kOthers = 16, kAll = 31 };

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out.append(1, '\\').append(1, c);
        else if (static_cast<unsigned char>(c) < 0x20) out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else out += c;
    }
    return out + '"';
}
std::string json_of(const Value& value) {
    if (value.is_null()) return "null";
    return value.is_text() ? quoted(value.text) : std::to_string(value.number);
}

class Members {
  public:
    void add(std::string_view name, const std::string& json) {
        out_ += (out_.empty() ? "" : ",") + quoted(name) + ":" + json;
    }
    std::string object() const { return "{" + out_ + "}"; }

  private:
    std::string out_;
};
// Newest first: the order in which indexes count.
std::string array(const std::vector<std::string>& oldest_first) {
    std::string out;
    for (size_t i = oldest_first.size(); i-- > 0;) out += (out.empty() ? "" : ",") + oldest_first[i];
    return "[" + out + "]";
}
using Named = std::vector<std::pair<std::string_view, std::vector<std::string>>>;
std::vector<std::string>& of_name(Named& all, std::string_view name) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == name; });
    if (found != all.end()) return found->second;
    return all.emplace_back(name, std::vector<std::string>()).second;
}

// Those that the script names.
void add_avps(const Run& run, Members& members) {
    Named names;
    for (const script::NamedVariable& variable : script::traced_variables()) {
        const auto* const named = dynamic_cast<const script::VariableExpression*>(variable.value.get());
        if (named == nullptr || named->use().name != "avp" || named->use().inner_format != nullptr) continue;
        std::vector<std::string>& values = of_name(names, named->use().inner);
        if (!values.empty()) continue;
        for (size_t i = run.count_avps(named->use().inner); i-- > 0;)
            values.push_back(json_of(run.avp(named->use().inner, i)->value));
    }
    for (const auto& [name, values] : names)
        if (!values.empty()) members.add(fmt::format("$avp({})", name), array(values));
}

Named xavps_below(const Xavps& xavps, Xavps::List list, uint32_t parent, int depth) {
    Named names;
    for (const Xavps::Entry& entry : xavps.all()) {
        if (entry.list != list || entry.parent != parent) continue;
        if (!entry.is_list) {
            of_name(names, entry.name).push_back(json_of(entry.value));
        } else if (depth < static_cast<int>(script::XavpPath::kMaxDepth)) {
            Members members;
            for (const auto& [name, values] : xavps_below(xavps, list, entry.id, depth + 1))
                members.add(name, array(values));
            of_name(names, entry.name).push_back(members.object());
        }
    }
    return names;
}
void add_xavps(const Run& run, Members& members) {
    constexpr std::pair<Xavps::List, std::string_view> kLists[] = {
        {Xavps::List::several, "xavp"}, {Xavps::List::unique, "xavu"}, {Xavps::List::any_case, "xavi"}};
    for (const auto& [list, word] : kLists)
        for (const auto& [name, values] : xavps_below(run.xavps, list, 0, 0))
            members.add(fmt::format("${}({})", word, name), array(values));
}

void add_named(Run& run, int64_t mask, Members& members) {
    std::vector<std::string_view> seen;
    for (const script::NamedVariable& variable : script::traced_variables()) {
        const std::string_view text = variable.text;
        const bool var = text.starts_with("$var(") || text.starts_with("$vn(");
        if ((mask & (var ? kVars : kOthers)) == 0 || (!var && !text.starts_with("$shv("))) continue;
        if (std::find(seen.begin(), seen.end(), text) != seen.end()) continue;
        seen.push_back(text);
        const Value value = variable.value->value(run);
        if (!value.is_null() || (mask & kNulls) != 0) members.add(text, json_of(value));
    }
}

int dump_variables(Run& run, const Args& args) {
    const int64_t mask = args.number(run, 0, kAll);
    const auto level = args.size() > 1 ? level_named(args.text(run, 1)) : log::Level::debug;
    if (!level) return -1;
    if (*level > log::common_level()) return 1;
    Members members;
    if (mask & (kVars | kOthers)) add_named(run, mask, members);
    if (mask & kAvps) add_avps(run, members);
    if (mask & kXavps) add_xavps(run, members);
    log::emit_text(*level, "debugger.variables " + members.object());
    return 1;
}

// --- dbg_sip_msg -------------------------------------------------------------------------------------------------
std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (lines.back().ends_with('\r')) lines.back().remove_suffix(1);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    return lines;
}

// "- " what only `before` has, "+ " what only `after` has, each line as often.
std::string difference(std::string_view before, std::string_view after) {
    std::vector<std::string_view> added = lines_of(after);
    std::string out;
    for (const std::string_view line : lines_of(before)) {
        const auto same = std::find(added.begin(), added.end(), line);
        if (same != added.end()) added.erase(same);
        else out.append("- ").append(line).append("\n");
    }
    for (const std::string_view line : added) out.append("+ ").append(line).append("\n");
    return out;
}

std::string changes_of(Run& run) {
    const std::string_view before = run.message().bytes();
    std::string after;
    run.edits.apply(before, after);
    const auto split = [](std::string_view message) {
        const size_t end = message.find("\r\n\r\n");
        return end == message.npos ? std::pair(message, std::string_view())
                                   : std::pair(message.substr(0, end), message.substr(end + 4));
    };
    const auto [head, body] = split(before);
    const auto [new_head, new_body] = split(after);
    std::string text = "------------------------- START OF SIP message debug --------------------------\n";
    text.append(after).append("\n------------------------------ SIP header diffs -------------------------------\n");
    text.append(difference(head, new_head));
    text.append("------------------------------- SIP body diffs --------------------------------\n");
    text.append(difference(body, new_body));
    return text.append("-------------------------- END OF SIP message debug ---------------------------");
}

int dump_message(Run& run, const Args& args) {
    const auto level = args.size() > 0 ? level_named(args.text(run, 0)) : log::common_level();
    const int facility = args.size() > 1 ? proc::syslog_facility(args.text(run, 1)) : -1;
    if (!level || (args.size() > 1 && facility < 0)) return -1;
    if (*level <= log::common_level()) log::emit_named(*level, {}, facility, "debugger.message\n" + changes_of(run));
    return 1;
}

int stop(Run&, const Args&) { return 1; }

constexpr Function kFunctions[] = {
    {"dbg_breakpoint", 1, 1, "(string mode)",
     "Marks a place for whoever reads the trace; processes stop at each statement while dbg.bp is on.", kAnyRoute,
     stop},
    {"dbg_pv_dump", 0, 2, "([int mask [, string level]])",
     "Writes variables as JSON into the log: bits of mask are 1 also those without a value, 2 $avp, 4 $var, 8 $xavp, "
     "16 $shv; level is L_DBG unless given.",
     kAnyRoute, dump_variables},
    {"dbg_sip_msg", 0, 2, "([string level [, string facility]])",
     "Writes the message, as it is changed so far, and what was changed into the log.", kAnyRoute, dump_message},
};

}  // namespace

std::span<const Function> functions() { return kFunctions; }

}  // namespace kahu::debugger
