#include "core/modules/textops/header_edits.h"

#include <ctime>

#include "core/base/text.h"
#include "core/modules/textops/header_lines.h"
#include "core/script/function.h"
#include "core/script/regex_argument.h"
#include "core/script/run.h"

namespace kahu::textops {
namespace {

using script::Args;
using script::RegexPtr;
using script::Run;
using script::truth;
using sip::HeaderField;

// --- removing ------------------------------------------------------------------------------------------
template <class Wanted>
int remove_where(Run& run, Wanted wanted) {
    int removed = 0;
    for (const HeaderField& field : run.message().headers())
        if (wanted(field)) {
            run.edits.remove_header(run.message(), field);
            ++removed;
        }
    return truth(removed != 0);
}
int remove_hf(Run& run, const Args& args) {
    const sip::Message& message = run.message();
    const HeaderField* field = message.first(args.text(run, 0));
    if (field == nullptr) return -1;
    for (; field != nullptr; field = message.next(field)) run.edits.remove_header(message, *field);
    return 1;
}
// The n-th of that name; negative counts from the last.
int remove_hf_idx(Run& run, const Args& args) {
    const sip::Message& message = run.message();
    const std::string_view name = args.text(run, 0);
    int64_t count = 0, wanted = args.number(run, 1);
    for (const HeaderField* field = message.first(name); field != nullptr; field = message.next(field)) ++count;
    if (wanted < 0) wanted += count;
    for (const HeaderField* field = message.first(name); field != nullptr; field = message.next(field))
        if (wanted-- == 0) {
            run.edits.remove_header(message, *field);
            return 1;
        }
    return -1;
}

struct NamePatterns {
    RegexPtr first, second;
};
Status prepare_patterns(Args& args) {
    auto first = script::constant_regex<0, true>(args);
    if (!first) return std::move(first).error();
    auto second = args.size() > 1 ? script::constant_regex<1, true>(args) : Result<RegexPtr>(RegexPtr());
    if (!second) return std::move(second).error();
    args.keep(NamePatterns{*first, *second});
    return {};
}
RegexPtr pattern(Run& run, const Args& args, size_t i) {
    const auto* const known = args.prepared<NamePatterns>();
    const RegexPtr& constant = i == 0 ? known->first : known->second;
    return constant != nullptr ? constant : script::cached_regex(args.text(run, i), true);
}
int remove_hf_re(Run& run, const Args& args) {
    const RegexPtr names = pattern(run, args, 0);
    if (names == nullptr) return -1;
    return remove_where(run, [&](const HeaderField& field) { return names->matches(field.name); });
}
// Those that match the first and not the second.
int remove_hf_exp(Run& run, const Args& args) {
    const RegexPtr names = pattern(run, args, 0), kept = pattern(run, args, 1);
    if (names == nullptr || kept == nullptr) return -1;
    return remove_where(
        run, [&](const HeaderField& field) { return names->matches(field.name) && !kept->matches(field.name); });
}
// remove_hf_match(name, op, value): eq, ne, in (it holds that text), re.
int remove_hf_match(Run& run, const Args& args) {
    const std::string_view name = args.text(run, 0), how = args.text(run, 1), value = args.text(run, 2);
    const RegexPtr regex = how == "re" ? script::cached_regex(value, true) : nullptr;
    const bool known = how == "eq" || how == "ne" || how == "in" || regex != nullptr;
    if (name.empty() || value.empty() || !known) return -1;
    const auto matches = [&](std::string_view body) {
        if (regex != nullptr) return regex->matches(body);
        return how == "in" ? body.find(value) != body.npos : (body == value) == (how == "eq");
    };
    const sip::Message& message = run.message();
    int removed = 0;
    for (const HeaderField* field = message.first(name); field != nullptr; field = message.next(field))
        if (matches(field->value)) {
            run.edits.remove_header(message, *field);
            ++removed;
        }
    return removed != 0 ? 1 : -2;
}
int is_present_hf_re(Run& run, const Args& args) {
    const RegexPtr names = pattern(run, args, 0);
    if (names == nullptr) return -1;
    for (const HeaderField& field : run.message().headers())
        if (names->matches(field.name)) return 1;
    return -1;
}

// --- adding --------------------------------------------------------------------------------------------
int append_lines(Run& run, std::string_view lines, std::string_view behind) {
    if (lines.empty()) return -1;
    const HeaderField* const field = behind.empty() ? nullptr : run.message().first(behind);
    if (field != nullptr) run.edits.insert_after(run.message(), *field, lines);
    else run.edits.append_header(run.message(), lines);
    return 1;
}
int append_hf(Run& run, const Args& args) {
    return append_lines(run, as_header_lines(run, args.text(run, 0)), args.text(run, 1));
}
int insert_hf(Run& run, const Args& args) {
    const std::string_view lines = as_header_lines(run, args.text(run, 0)), before = args.text(run, 1);
    if (lines.empty()) return -1;
    const HeaderField* const field = before.empty() ? nullptr : run.message().first(before);
    if (field != nullptr) run.edits.insert_before(run.message(), *field, lines);
    else run.edits.prepend_header(run.message(), lines);
    return 1;
}
int append_urihf(Run& run, const Args& args) {
    const std::string_view front = args.text(run, 0), behind = args.text(run, 1);
    const std::string_view line =
        script::TextBuilder(run.arena()).append(front).append(run.request_uri()).append(behind).take();
    return append_lines(run, as_header_lines(run, line), {});
}

// Date: Sat, 13 Nov 2010 23:29:00 GMT (RFC 3261 20.17); the names are the protocol's, not the locale's.
std::string_view date_line(Run& run) {
    constexpr std::string_view kDays = "SunMonTueWedThuFriSat", kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const time_t now = ::time(nullptr);
    tm parts{};
    ::gmtime_r(&now, &parts);
    script::TextBuilder out(run.arena());
    const auto two = [&](int number) { out.decimal(number / 10).decimal(number % 10); };
    out.append("Date: ").append(kDays.substr(static_cast<size_t>(parts.tm_wday) * 3, 3)).append(", ");
    two(parts.tm_mday);
    out.append(' ').append(kMonths.substr(static_cast<size_t>(parts.tm_mon) * 3, 3)).append(' ');
    out.decimal(parts.tm_year + 1900).append(' ');
    two(parts.tm_hour);
    out.append(':');
    two(parts.tm_min);
    out.append(':');
    two(parts.tm_sec);
    return out.append(" GMT\r\n").take();
}
int append_time(Run& run, const Args&) {
    run.reply_headers.append(date_line(run));
    return 1;
}
int append_time_to_request(Run& run, const Args&) { return append_lines(run, date_line(run), {}); }

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kBranchRoute | kEventRoute;
constexpr std::string_view kLines = "(string lines[, string header])";

constexpr Function kFunctions[] = {
    {"remove_hf", 1, 1, "(string name)", "Removes all headers of that name.", kAnyRoute, remove_hf},
    {"remove_hf_idx", 2, 2, "(string name, int index)",
     "Removes one header of that name; a negative index counts from the last.", kAnyRoute, remove_hf_idx},
    {"remove_hf_re", 1, 1, "(string regex)", "Removes all headers whose names match.", kAnyRoute, remove_hf_re,
     prepare_patterns, 1},
    {"remove_hf_exp", 2, 2, "(string regex, string kept)",
     "Removes all headers whose names match the first pattern and not the second.", kAnyRoute, remove_hf_exp,
     prepare_patterns, 3},
    {"is_present_hf_re", 1, 1, "(string regex)", "True if the name of some header matches.", kAnyRoute,
     is_present_hf_re, prepare_patterns, 1},
    {"remove_hf_match", 3, 3, "(string name, string how, string value)",
     "Removes the headers of that name that are (eq), are not (ne) or hold (in) the value, or match it (re).",
     kAnyRoute, remove_hf_match},
    {"remove_hf_pv", 1, 1, "(string name)", "The same as remove_hf().", kAnyRoute, remove_hf},
    {"remove_hf_re_pv", 1, 1, "(string regex)", "As remove_hf_re(); variables in the pattern are replaced.", kAnyRoute,
     remove_hf_re, prepare_patterns},
    {"remove_hf_exp_pv", 2, 2, "(string regex, string kept)",
     "As remove_hf_exp(); variables in the patterns are replaced.", kAnyRoute, remove_hf_exp, prepare_patterns},
    {"is_present_hf_re_pv", 1, 1, "(string regex)", "As is_present_hf_re(); variables in the pattern are replaced.",
     kAnyRoute, is_present_hf_re, prepare_patterns},
    {"append_hf", 1, 2, kLines, "Adds header lines behind the last header, or behind the first of that name.",
     kAnyRoute, append_hf, prepare_header_lines},
    {"insert_hf", 1, 2, kLines, "Adds header lines before the first header, or before the first of that name.",
     kAnyRoute, insert_hf, prepare_header_lines},
    {"append_urihf", 2, 2, "(string front, string behind)", "Adds a header made of both texts around the Request-URI.",
     kRequests, append_urihf},
    {"append_time", 0, 0, "()", "Adds Date to the replies sent from here on.", kRequests, append_time},
    {"append_time_to_request", 0, 0, "()", "Adds Date to the message.", kAnyRoute, append_time_to_request},
};

}  // namespace

std::span<const Function> header_edits() { return kFunctions; }

}  // namespace kahu::textops
