#include "core/module/manual.h"

#include <fmt/format.h>

namespace kahu::manual {
namespace {

std::string entry(std::string_view head, std::string_view body) {
    return fmt::format(".TP\n.B {}\n{}\n", text(head), text(body));
}

std::string default_of(const Param& p) {
    if (!p.default_text.empty()) return std::string(p.default_text);
    if (p.number && p.kind == ParamKind::boolean) return p.number->initial() != 0 ? "yes" : "no";
    if (p.number)
        return p.unit.empty() ? std::to_string(p.number->initial()) : fmt::format("{} {}", p.number->initial(), p.unit);
    if (p.text && !p.text->initial().empty()) return fmt::format("\"{}\"", p.text->initial());
    return "";
}

std::string paragraphs(std::string_view plain) {
    std::string out;
    while (!plain.empty()) {
        const size_t end = plain.find("\n\n");
        out += ".PP\n" + text(plain.substr(0, end)) + "\n";
        if (end == plain.npos) break;
        plain.remove_prefix(end + 2);
    }
    return out;
}

}  // namespace

std::string route_names(uint16_t mask) {
    if (mask == kAnyRoute) return "any route";
    struct Name {
        uint16_t bit;
        std::string_view name;
    };
    constexpr Name names[] = {{kRequestRoute, "request_route"}, {kReplyRoute, "reply_route"},
                              {kFailureRoute, "failure_route"}, {kBranchRoute, "branch_route"},
                              {kOnsendRoute, "onsend_route"},   {kEventRoute, "event_route"}};
    std::string out;
    for (const Name& n : names)
        if (mask & n.bit) out += fmt::format("{}{}", out.empty() ? "" : ", ", n.name);
    return out;
}

std::string text(std::string_view plain) {
    std::string out;
    bool line_start = true;
    for (const char c : plain) {
        if (line_start && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\') out += "\\e";
        else if (c == '-') out += "\\-";
        else out += c;
        line_start = c == '\n';
    }
    return out;
}

std::string title(std::string_view name, int section, std::string_view summary) {
    std::string upper(name);
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return fmt::format(".TH {} {} \"\" \"kahu {}\"\n.SH NAME\n{} \\- {}\n", upper, section, KAHU_VERSION, text(name),
                       text(summary));
}

std::string parameters(std::span<const Param> rows, std::string_view heading) {
    if (rows.empty()) return {};
    std::string out = fmt::format(".SH {}\n", heading);
    for (const Param& p : rows) {
        std::string body(p.help);
        body += p.kind == ParamKind::custom ? "" : fmt::format(" Takes {}.", describe_range(p));
        if (const std::string value = default_of(p); !value.empty()) body += fmt::format(" Default: {}.", value);
        if (p.applies == Applies::at_runtime)
            body += " May be changed while running (cfg.set_now_int, cfg.set_now_string).";
        if (!p.remark.empty()) body += fmt::format(" It {}.", p.remark);
        out += entry(p.name, body);
    }
    return out;
}

std::string functions(std::span<const Function> rows) {
    if (rows.empty()) return {};
    std::string out = ".SH FUNCTIONS\n";
    for (const Function& f : rows)
        out += entry(fmt::format("{}{}", f.name, f.args.empty() ? "()" : f.args),
                     fmt::format("{} Callable from {}.", f.help, route_names(f.where)));
    return out;
}

std::string variables(std::span<const Variable> rows) {
    if (rows.empty()) return {};
    std::string out = ".SH VARIABLES\n";
    for (const Variable& v : rows)
        out += entry(fmt::format("${}", v.name), fmt::format("{}{}", v.help, v.set ? " May be assigned." : ""));
    return out;
}

std::string commands(std::span<const Command> rows) {
    if (rows.empty()) return {};
    std::string out = ".SH RPC COMMANDS\n";
    for (const Command& c : rows)
        out += entry(fmt::format("{}{}{}", c.name, c.args.empty() ? "" : " ", c.args), c.help);
    return out;
}

std::string counters(std::span<const Counter> rows) {
    if (rows.empty()) return {};
    std::string out = ".SH COUNTERS\n";
    for (const Counter& c : rows)
        out += entry(fmt::format("{}.{}", c.group, c.name),
                     fmt::format("{}{}", c.help, c.kind == CounterKind::gauge ? " (A value now, not a total.)" : ""));
    return out;
}

std::string module_page(const ModuleDescriptor& m) {
    std::string out = title(fmt::format("kahu-{}", m.name), 7, m.summary);
    out += fmt::format(".SH SYNOPSIS\nloadmodule \"{}.so\"\n", m.name);
    if (!m.description.empty()) out += ".SH DESCRIPTION\n" + paragraphs(m.description);
    return out + parameters(m.params, "PARAMETERS") + functions(m.functions) + variables(m.variables) +
           commands(m.commands) + counters(m.counters) + ".SH SEE ALSO\nkahu(8), kahu.cfg(5), kahucmd(1)\n";
}

}  // namespace kahu::manual
