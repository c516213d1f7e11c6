// core/modules/textops/module.cpp -- read this file to know what textops offers.
#include "core/modules/textops/module.h"

#include <fmt/format.h>

#include <vector>

#include "core/base/text.h"
#include "core/modules/textops/header_edits.h"
#include "core/modules/textops/header_lines.h"
#include "core/script/core_functions.h"
#include "core/script/function.h"
#include "core/script/regex_argument.h"
#include "core/script/run.h"
#include "core/sip/header_table.h"
#include "core/sip/params.h"

namespace kahu::textops {
namespace {

using script::Args;
using script::Regex;
using script::Run;
using script::truth;
using sip::HeaderField;
using sip::HeaderId;

using script::RegexPtr;

// --- headers ---------------------------------------------------------------------------------------
Status prepare_header_name(Args& args) {
    const script::Value* const name = args.constant(0);
    if (name == nullptr) return {};
    if (!name->is_text() || name->text.empty())
        return Error{Errc::invalid, "a header's name is missing", "\"Subject\""};
    args.keep(sip::header_id(name->text));
    return {};
}
const HeaderField* first_named(Run& run, const Args& args) {
    const HeaderId* const id = args.prepared<HeaderId>();
    return id != nullptr && *id != HeaderId::other ? run.message().first(*id) : run.message().first(args.text(run, 0));
}
int is_present_hf(Run& run, const Args& args) { return truth(first_named(run, args) != nullptr); }

// --- search ----------------------------------------------------------------------------------------
template <size_t i>
bool found(Run& run, const Args& args, std::string_view text) {
    const RegexPtr regex = script::regex_argument<i, true>(run, args);
    return regex != nullptr && regex->matches(text);
}
int search(Run& run, const Args& args) { return truth(found<0>(run, args, run.message().bytes())); }
int search_body(Run& run, const Args& args) {
    return truth(!run.message().body().empty() && found<0>(run, args, run.message().body()));
}
int search_str(Run& run, const Args& args) {
    const std::string_view text = args.text(run, 0);
    return text.empty() ? -2 : truth(found<1>(run, args, text));
}
Status prepare_substring(Args& args) {
    const script::Value* const pattern = args.constant(1);
    if (Status target = args.require_assignable(4); !target || pattern == nullptr) return target;
    auto regex = Regex::compile(pattern->is_text() ? pattern->text : std::to_string(pattern->number), false);
    if (!regex) return std::move(regex).error();
    args.keep(*regex);
    return {};
}
int regex_substring(Run& run, const Args& args) {
    const std::string_view text = args.text(run, 0);
    const int64_t group = args.number(run, 2), groups = args.number(run, 3);
    const RegexPtr* const known = args.prepared<RegexPtr>();
    const auto made = known != nullptr ? Result<RegexPtr>(*known) : Regex::compile(args.text(run, 1), false);
    std::vector<Regex::Match> matches;
    if (!made || group < 0 || group >= groups || group >= static_cast<int64_t>(Regex::Match().size())) return -1;
    (*made)->find_all(text, 1, matches);
    if (matches.empty()) return -2;
    const Regex::Group& wanted = matches[0][static_cast<size_t>(group)];
    if (wanted.length == 0) return -1;
    return truth(bool{args.assign(run, 4, script::Value::of(text.substr(wanted.at, wanted.length)))});
}
// search_hf(name, pattern, which): "a" all (default), "f" the first, "l" the last.
int search_hf(Run& run, const Args& args) {
    const sip::Message& message = run.message();
    const std::string_view which = args.text(run, 2);
    const bool only_last = which == "l", only_first = which == "f";
    for (const HeaderField* field = message.first(args.text(run, 0)); field != nullptr; field = message.next(field)) {
        if (only_last && message.next(field) != nullptr) continue;
        if (found<1>(run, args, field->value)) return 1;
        if (only_first) return -1;
    }
    return -1;
}

// --- body ------------------------------------------------------------------------------------------
int has_body(Run& run, const Args& args) {
    if (run.message().body().empty()) return -1;
    if (args.size() == 0) return 1;
    const HeaderField* const type = run.message().first(HeaderId::content_type);
    if (type == nullptr) return -1;
    return truth(
        text::iequals(text::trim(type->value.substr(0, type->value.find(';'))), text::trim(args.text(run, 0))));
}

// --- texts -----------------------------------------------------------------------------------------
int cmp_str(Run& run, const Args& args) { return truth(args.text(run, 0) == args.text(run, 1)); }
int cmp_istr(Run& run, const Args& args) { return truth(text::iequals(args.text(run, 0), args.text(run, 1))); }
int starts_with(Run& run, const Args& args) { return truth(args.text(run, 0).starts_with(args.text(run, 1))); }
int ends_with(Run& run, const Args& args) { return truth(args.text(run, 0).ends_with(args.text(run, 1))); }
int str_find(Run& run, const Args& args) {
    const std::string_view text = args.text(run, 0);
    const size_t at = text.find(args.text(run, 1));
    return at == text.npos ? -1 : static_cast<int>(at) + 1;
}
int str_ifind(Run& run, const Args& args) {
    const std::string_view text = args.text(run, 0), wanted = args.text(run, 1);
    for (size_t i = 0; i + wanted.size() <= text.size(); ++i)
        if (text::iequals(text.substr(i, wanted.size()), wanted)) return static_cast<int>(i) + 1;
    return -1;
}

template <class Same>
int any_in_list(Run& run, const Args& args, Same same) {
    const std::string_view subject = args.text(run, 0), separator = args.text(run, 2);
    std::string_view list = args.text(run, 1);
    if (separator.empty()) return -1;
    while (true) {
        const size_t end = list.find(separator.front());
        if (same(subject, text::trim(list.substr(0, end)))) return 1;
        if (end == list.npos) return -1;
        list.remove_prefix(end + 1);
    }
}
int in_list(Run& run, const Args& args) {
    return any_in_list(run, args, [](std::string_view subject, std::string_view item) { return subject == item; });
}
int in_list_prefix(Run& run, const Args& args) {
    return any_in_list(run, args, [](std::string_view subject, std::string_view item) {
        return !item.empty() && subject.starts_with(item);
    });
}

int is_privacy(Run& run, const Args& args) {
    const HeaderField* const field = run.message().first(HeaderId::privacy);
    if (field == nullptr) return -1;
    std::string_view values = field->value;
    const std::string_view wanted = args.text(run, 0);
    while (true) {
        const size_t end = values.find_first_of(";,");
        if (text::iequals(text::trim(values.substr(0, end)), wanted)) return 1;
        if (end == values.npos) return -1;
        values.remove_prefix(end + 1);
    }
}

int append_to_reply(Run& run, const Args& args) {
    const std::string_view lines = as_header_lines(run, args.text(run, 0));
    if (lines.empty()) return -1;
    run.reply_headers.append(lines);
    return 1;
}

constexpr std::string_view kTwoTexts = "(string text, string other)";

const Function kQuestions[] = {
    script::kIsMethod,
    {"is_present_hf", 1, 1, "(string name)", "True if the message has a header of that name.", kAnyRoute, is_present_hf,
     prepare_header_name},
    {"is_present_hf_pv", 1, 1, "(string name)", "The same as is_present_hf().", kAnyRoute, is_present_hf,
     prepare_header_name},
    {"search", 1, 1, "(string regex)", "True if the pattern is somewhere in the message.", kAnyRoute, search,
     script::prepare_regex<0, true>, 1},
    {"search_body", 1, 1, "(string regex)", "True if the pattern is somewhere in the body.", kAnyRoute, search_body,
     script::prepare_regex<0, true>, 1},
    {"search_str", 2, 2, "(string text, string regex)", "True if the pattern is somewhere in the text.", kAnyRoute,
     search_str, script::prepare_regex<1, true>},
    {"regex_substring", 5, 5, "(string text, string regex, int group, int groups, variable)",
     "Gives the variable what a group of the pattern matched; groups is how many of them to look at, group less.",
     kAnyRoute, regex_substring, prepare_substring},
    {"search_hf", 2, 3, "(string name, string regex[, string which])",
     "True if the pattern is in a header of that name; which is a (all), f (first) or l (last).", kAnyRoute, search_hf,
     script::prepare_regex<1, true>, 2},
    {"has_body", 0, 1, "([string type])", "True if there is a body, of that content type if one is given.", kAnyRoute,
     has_body},
    {"cmp_str", 2, 2, kTwoTexts, "True if both are equal.", kAnyRoute, cmp_str},
    {"cmp_istr", 2, 2, kTwoTexts, "True if both are equal, letters in either case.", kAnyRoute, cmp_istr},
    {"starts_with", 2, 2, kTwoTexts, "True if the text begins with the other.", kAnyRoute, starts_with},
    {"ends_with", 2, 2, kTwoTexts, "True if the text ends with the other.", kAnyRoute, ends_with},
    {"str_find", 2, 2, kTwoTexts, "True if the other is somewhere in the text.", kAnyRoute, str_find},
    {"str_ifind", 2, 2, kTwoTexts, "As str_find(), letters in either case.", kAnyRoute, str_ifind},
    {"in_list", 3, 3, "(string subject, string list, string separator)", "True if the subject is one item of the list.",
     kAnyRoute, in_list},
    {"in_list_prefix", 3, 3, "(string subject, string list, string separator)",
     "True if the subject begins with one item of the list.", kAnyRoute, in_list_prefix},
    {"is_privacy", 1, 1, "(string type)", "True if Privacy asks for that: id, user, header, session, none, critical.",
     kAnyRoute, is_privacy},
    {"append_to_reply", 1, 1, "(string lines)",
     "Adds header lines, each with its CRLF, to the replies sent from here on.",
     kRequestRoute | kFailureRoute | kBranchRoute | kEventRoute, append_to_reply, prepare_header_lines},
};

std::vector<Function> all_functions() {
    std::vector<Function> all(std::begin(kQuestions), std::end(kQuestions));
    for (const auto table : {header_edits(), body_edits(), multipart_functions(), text_edits()})
        all.insert(all.end(), table.begin(), table.end());
    return all;
}
const std::vector<Function> g_functions = all_functions();

}  // namespace

const ModuleDescriptor kModule{
    .name = "textops",
    .summary = "Looks at headers, bodies and texts, and changes them.",
    .functions = g_functions,
    .description =
        "Patterns are POSIX extended regular expressions; letters match in either case, ^ and $ at every line.\n\n"
        "Changes are made to the message that leaves: forwarded requests, and replies that are passed on. What the "
        "script reads is the message as it was received.\n\n"
        "subst(), subst_body(), subst_uri(), subst_user() and subst_hf() take \"/regex/replacement/flags\" with any "
        "separator. In the replacement, \\1 to \\9 are groups and variables are replaced; letters match in either "
        "case only with flag i.",
};

}  // namespace kahu::textops
