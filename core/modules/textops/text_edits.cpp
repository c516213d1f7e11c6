#include <fmt/format.h>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/modules/textops/header_edits.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/regex_argument.h"
#include "core/script/script_place.h"
#include "core/script/substitution.h"
#include "core/script/uri_edit.h"

namespace kahu::textops {
namespace {

using script::Args;
using script::Regex;
using script::RegexPtr;
using script::Run;
using script::Substitution;
using script::truth;
using sip::HeaderField;

// --- subst ---------------------------------------------------------------------------------------------
template <size_t i>
Status prepare_substitution(Args& args) {
    const script::Value* const text = args.constant(i);
    if (text == nullptr) return {};
    auto parsed = Substitution::parse(text->text, script::script_place().scope);
    if (!parsed) return std::move(parsed).error();
    args.keep(std::move(*parsed));
    return {};
}
// Calls use() with the substitution; what a variable brought is read anew.
template <class Use>
int with_substitution(Run& run, const Args& args, size_t i, Use use) {
    if (const auto* const known = args.prepared<Substitution>()) return use(*known);
    auto parsed = Substitution::parse(args.text(run, i), nullptr);
    return parsed ? use(*parsed) : -1;
}

// Changes what stands in `part`, a view into the message.
size_t substitute_in(Run& run, const Substitution& how, std::string_view part) {
    const size_t begin = run.message().offset_of(part);
    return how.each(run, part, [&](size_t at, size_t length, std::string_view with) {
        run.edits.replace(begin + at, length, with);
    });
}
int subst(Run& run, const Args& args) {
    const sip::Message& message = run.message();
    const std::string_view headers_and_body = message.bytes().substr(message.start_line().size());
    return with_substitution(
        run, args, 0, [&](const Substitution& how) { return truth(substitute_in(run, how, headers_and_body) != 0); });
}
int subst_body(Run& run, const Args& args) {
    const std::string_view body = run.message().body();
    if (body.empty()) return -1;
    return with_substitution(run, args, 0,
                             [&](const Substitution& how) { return truth(substitute_in(run, how, body) != 0); });
}
int subst_uri(Run& run, const Args& args) {
    if (!run.is_request()) return -1;
    return with_substitution(run, args, 0, [&](const Substitution& how) {
        std::string_view changed;
        sip::Uri uri;
        if (!how.apply(run, run.request_uri(), changed) || script::parse_into(changed, uri) == nullptr) return -1;
        run.set_request_uri(changed);
        return 1;
    });
}
int subst_user(Run& run, const Args& args) {
    const sip::Uri* const uri = run.is_request() ? run.parsed_request_uri() : nullptr;
    if (uri == nullptr) return -1;
    return with_substitution(run, args, 0, [&](const Substitution& how) {
        std::string_view changed;
        if (!how.apply(run, uri->user, changed)) return -1;
        return truth(bool{set_request_uri_part(run, script::UriPart::user, changed)});
    });
}
// (header, substitution, which): which is a (all, the default), f (first) or l (last).
int subst_hf(Run& run, const Args& args) {
    const sip::Message& message = run.message();
    const std::string_view name = args.text(run, 0), which = args.text(run, 2);
    return with_substitution(run, args, 1, [&](const Substitution& how) {
        size_t changed = 0;
        for (const HeaderField* field = message.first(name); field != nullptr; field = message.next(field)) {
            if (which == "l" && message.next(field) != nullptr) continue;
            changed += substitute_in(run, how, field->value);
            if (which == "f") break;
        }
        return truth(changed != 0);
    });
}

// --- replace -------------------------------------------------------------------------------------------
constexpr auto prepare_pattern = script::prepare_regex<0, true>;
RegexPtr pattern(Run& run, const Args& args) { return script::regex_argument<0, true>(run, args); }
int replace_in(Run& run, const Args& args, std::string_view part, size_t most) {
    const RegexPtr regex = pattern(run, args);
    if (regex == nullptr || part.empty()) return -1;
    std::vector<Regex::Match> matches;
    regex->find_all(part, most, matches);
    const size_t begin = run.message().offset_of(part);
    const std::string_view with = args.text(run, 1);
    for (const Regex::Match& match : matches) run.edits.replace(begin + match[0].at, match[0].length, with);
    return truth(!matches.empty());
}
std::string_view everything(Run& run) { return run.message().bytes().substr(run.message().start_line().size()); }
std::string_view headers(Run& run) {
    const sip::Message& message = run.message();
    return message.head().substr(message.start_line().size());
}
std::string_view body(Run& run) { return run.message().body(); }
template <std::string_view (*part)(Run&), size_t most>
int replace(Run& run, const Args& args) {
    return replace_in(run, args, part(run), most);
}
// Adds the text behind the first match.
template <std::string_view (*part)(Run&)>
int search_append(Run& run, const Args& args) {
    const RegexPtr regex = pattern(run, args);
    const std::string_view text = part(run);
    size_t at = 0, length = 0;
    if (regex == nullptr || !regex->find(text, at, length)) return -1;
    run.edits.insert(run.message().offset_of(text) + at + length, args.text(run, 1));
    return 1;
}
// Plain text instead of a pattern; mode "f" replaces the first, "a" all.
template <std::string_view (*part)(Run&)>
int replace_str(Run& run, const Args& args) {
    const std::string_view wanted = args.text(run, 0), with = args.text(run, 1), mode = args.text(run, 2),
                           text = part(run);
    if (wanted.empty() || text.empty()) return -1;
    const size_t begin = run.message().offset_of(text), most = mode == "f" ? 1 : Substitution::kMostMatches;
    size_t left = most;
    for (size_t at = text.find(wanted); at != text.npos && left-- != 0; at = text.find(wanted, at + wanted.size()))
        run.edits.replace(begin + at, wanted.size(), with);
    return 1;  // as in Kamailio, also when the text is not there
}

constexpr size_t kAll = Substitution::kMostMatches;
constexpr std::string_view kSubst = "(string \"/regex/replacement/flags\")", kReplace = "(string regex, string text)",
                           kReplaceText = "(string match, string text, string mode)";

constexpr Function kFunctions[] = {
    {"subst", 1, 1, kSubst, "Replaces matches in headers and body; flags: g all, i either case, s across lines.",
     kAnyRoute, subst, prepare_substitution<0>, 1},
    {"subst_body", 1, 1, kSubst, "Replaces matches in the body.", kAnyRoute, subst_body, prepare_substitution<0>, 1},
    {"subst_uri", 1, 1, kSubst, "Replaces matches in the Request-URI.", kAnyRoute, subst_uri, prepare_substitution<0>,
     1},
    {"subst_user", 1, 1, kSubst, "Replaces matches in the user of the Request-URI.", kAnyRoute, subst_user,
     prepare_substitution<0>, 1},
    {"subst_hf", 2, 3, "(string name, string \"/regex/replacement/flags\"[, string which])",
     "Replaces matches in headers of that name; which is a (all), f (first) or l (last).", kAnyRoute, subst_hf,
     prepare_substitution<1>, 2},
    {"search_append", 2, 2, kReplace, "Adds the text behind the first match in headers and body.", kAnyRoute,
     search_append<everything>, prepare_pattern, 3},
    {"search_append_body", 2, 2, kReplace, "The same in the body.", kAnyRoute, search_append<body>, prepare_pattern, 3},
    {"replace", 2, 2, kReplace, "Replaces the first match in headers and body.", kAnyRoute, replace<everything, 1>,
     prepare_pattern, 3},
    {"replace_all", 2, 2, kReplace, "Replaces all matches in headers and body.", kAnyRoute, replace<everything, kAll>,
     prepare_pattern, 3},
    {"replace_hdrs", 2, 2, kReplace, "Replaces all matches in the headers.", kAnyRoute, replace<headers, kAll>,
     prepare_pattern, 3},
    {"replace_body", 2, 2, kReplace, "Replaces the first match in the body.", kAnyRoute, replace<body, 1>,
     prepare_pattern, 3},
    {"replace_body_all", 2, 2, kReplace, "Replaces all matches in the body.", kAnyRoute, replace<body, kAll>,
     prepare_pattern, 3},
    {"replace_body_atonce", 2, 2, kReplace, "The same as replace_body_all().", kAnyRoute, replace<body, kAll>,
     prepare_pattern, 3},
    {"replace_str", 3, 3, kReplaceText, "Replaces a text in headers and body; mode is f (first) or a (all).", kAnyRoute,
     replace_str<everything>},
    {"replace_hdrs_str", 3, 3, kReplaceText, "Replaces a text in the headers.", kAnyRoute, replace_str<headers>},
    {"replace_body_str", 3, 3, kReplaceText, "Replaces a text in the body.", kAnyRoute, replace_str<body>},
};

}  // namespace

std::span<const Function> text_edits() { return kFunctions; }

}  // namespace kahu::textops
