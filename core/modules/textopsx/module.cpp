// core/modules/textopsx/module.cpp -- read this file to know what textopsx offers.
#include "core/modules/textopsx/module.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <vector>

#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/base/text.h"
#include "core/modules/textopsx/header_values.h"
#include "core/modules/textopsx/iterators.h"
#include "core/script/outgoing.h"
#include "core/script/regex_argument.h"
#include "core/script/run.h"

namespace kahu::textopsx {
namespace {

using script::Args;
using script::Run;
using sip::HeaderId;

// --- the changed message becomes the message -----------------------------------------------------------------
int replace_message(Run& run, std::string_view bytes) {
    sip::Bad bad;
    if (bytes.empty()) return -1;  // the message has used up its memory
    if (run.replace_message(bytes, bad)) return 1;
    LOG_AT_MOST(5, error, "textopsx.changes.refused", kv("rule", bad.rule), kv("at", bad.at),
                kv("hint", "what the script put into the message is no SIP: the message stays as it was"));
    return -1;
}

int apply_changes(Run& run, const Args&) {
    if (run.edits.empty()) return 1;
    static std::string changed;
    changed.clear();
    run.edits.apply(run.message().bytes(), changed);
    script::fix_content_length(run.message(), run.edits, false, 0, changed);
    return replace_message(run, run.arena().copy(changed));
}

// A request stays one, and a reply a reply: who goes on with it knows which it is.
int set_buffer(Run& run, const Args& args) {
    const std::string_view bytes = run.arena().copy(args.text(run, 0));
    return bytes.starts_with("SIP/2.0 ") == run.is_request() ? -1 : replace_message(run, bytes);
}

// --- replies -------------------------------------------------------------------------------------------------
int change_status(Run& run, const Args& args) {
    const sip::Message& message = run.message();
    if (message.is_request()) return -1;
    const int64_t code = args.number(run, 0);
    const std::string_view reason = args.size() > 1 ? args.text(run, 1) : message.reason();
    // A final reply cannot become a provisional one, nor the reverse: the sender's state would not fit any more.
    const bool same_kind = (code < 200) == (message.status() < 200);
    if (code < 100 || code > 699 || !same_kind || reason.find_first_of("\r\n") != reason.npos) return -1;
    script::TextBuilder line(run.arena());
    line.append("SIP/2.0 ").decimal(code).append(' ').append(reason).append("\r\n");
    run.edits.replace_part(message, message.start_line(), line.take());
    return apply_changes(run, args);
}

// --- bodies and headers ----------------------------------------------------------------------------------------
int remove_body(Run& run, const Args&) {
    if (run.message().body().empty()) return -1;
    run.edits.replace_body(run.message(), {});
    if (const auto* type = run.message().first(HeaderId::content_type)) run.edits.remove_header(run.message(), *type);
    return 1;
}

// Without these no message can be routed.
constexpr HeaderId kNeeded[] = {HeaderId::via,          HeaderId::from,          HeaderId::to,
                                HeaderId::call_id,      HeaderId::cseq,          HeaderId::contact,
                                HeaderId::max_forwards, HeaderId::route,         HeaderId::record_route,
                                HeaderId::content_type, HeaderId::content_length};

int keep_headers(Run& run, const Args& args) {
    const script::RegexPtr regex = args.size() > 0 ? script::regex_argument<0>(run, args) : nullptr;
    if (args.size() > 0 && regex == nullptr) return -1;
    for (const sip::HeaderField& field : run.message().headers()) {
        const bool needed = std::find(std::begin(kNeeded), std::end(kNeeded), field.id) != std::end(kNeeded);
        if (!needed && (regex == nullptr || !regex->matches(field.name))) run.edits.remove_header(run.message(), field);
    }
    return 1;
}

int match_file_pattern(Run& run, const Args& args) {
    const std::string value(args.text(run, 0)), pattern(args.text(run, 1));
    const int flags = args.text(run, 2).find('i') != std::string_view::npos ? FNM_CASEFOLD : 0;
    return ::fnmatch(pattern.c_str(), value.c_str(), flags) == 0 ? 1 : -1;
}

constexpr uint16_t kReplies = kReplyRoute | kFailureRoute;
constexpr std::string_view kValue = "(string name[index], string value)", kNameValue = "(string name, string value)";

constexpr Function kFunctions[] = {
    {"msg_apply_changes", 0, 0, "()",
     "Headers and body that the script changed are what functions and variables see from here on.", kAnyRoute,
     apply_changes},
    {"change_reply_status", 2, 2, "(int code, string reason)",
     "Changes a reply's status; a final one stays final, a provisional one provisional.", kReplies, change_status},
    {"change_reply_status_code", 1, 1, "(int code)", "Changes a reply's code and keeps its reason.", kReplies,
     change_status},
    {"remove_body", 0, 0, "()", "Removes the body and its type.", kAnyRoute, remove_body},
    {"keep_hf", 0, 1, "([string regex])",
     "Removes all headers whose name does not match, except those that routing and the body need.", kAnyRoute,
     keep_headers, script::prepare_regex<0>, 1},
    {"keep_hf_re", 1, 1, "(string regex)", "The same as keep_hf().", kAnyRoute, keep_headers, script::prepare_regex<0>,
     1},
    {"fnmatch", 2, 3, "(string text, string pattern[, string flags])",
     "True if the text matches a pattern of the shell; flag i: letters in either case.", kAnyRoute, match_file_pattern},
    {"append_hf_value", 2, 2, kValue, "Adds a value behind the one that is named, or behind all of that name.",
     kAnyRoute, append_value, prepare_place},
    {"insert_hf_value", 2, 2, kValue, "Adds a value before the one that is named, or before all of that name.",
     kAnyRoute, insert_value, prepare_place},
    {"assign_hf_value", 2, 2, "(string name[index][.param], string value)",
     "Replaces a value or a parameter of it; an empty value removes it.", kAnyRoute, assign_value,
     prepare_header_value},
    {"remove_hf_value", 1, 1, "(string name[index][.param])",
     "Removes one value, all with [*], or a parameter of a value.", kAnyRoute, remove_value, prepare_header_value},
    {"assign_hf_value2", 2, 2, "(string name[index][.param], string value)",
     "As assign_hf_value(), for headers whose commas do not part values: Authorization.realm.", kAnyRoute,
     assign_header, prepare_header_value},
    {"remove_hf_value2", 1, 1, "(string name[index][.param])", "As remove_hf_value(), for such headers.", kAnyRoute,
     remove_header, prepare_header_value},
    {"msg_set_buffer", 1, 1, "(string message)",
     "Puts that message, of the same kind, into this one's place. False if it is no SIP.", kRequestRoute | kReplyRoute,
     set_buffer},
    {"include_hf_value", 2, 2, kNameValue, "Adds a value to a list unless it is there.", kAnyRoute, include_value},
    {"exclude_hf_value", 2, 2, kNameValue, "Removes a value from a list if it is there.", kAnyRoute, exclude_value},
    {"hf_value_exists", 2, 2, kNameValue, "True if a list has that value.", kAnyRoute, value_exists},
};
const std::vector<Function> g_functions = [] {
    std::vector<Function> all(std::begin(kFunctions), std::end(kFunctions));
    const auto more = iterator_functions();
    all.insert(all.end(), more.begin(), more.end());
    return all;
}();

}  // namespace

const ModuleDescriptor kModule{
    .name = "textopsx",
    .summary = "Changes to headers that are lists, to replies and bodies.",
    .functions = g_functions,
    .variables = iterator_variables(),
    .description =
        "Changes are collected and written when the message leaves; msg_apply_changes() writes them at once, so that "
        "what follows in the script sees them. Values that a script puts into headers must not hold line ends.",
};

}  // namespace kahu::textopsx
