#include "core/script/core_functions.h"

#include <fmt/format.h>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/script_log.h"
#include "core/script/uri_edit.h"

namespace kahu::script {
namespace {

constexpr int kTrue = 1, kFalse = -1;
constexpr int64_t kMostFlags = 32;

// --- flags -----------------------------------------------------------------------------------------
Status prepare_flag(Args& args) {
    const Value* const flag = args.constant(0);
    if (flag == nullptr) return {};
    int64_t number = flag->number;
    if (flag->is_text() && !spells_integer(flag->text, number))
        return Error{Errc::invalid, fmt::format("\"{}\" is no flag", text::printable(flag->text)),
                     "0 to 31, or a #!define"};
    if (number < 0 || number >= kMostFlags)
        return Error{Errc::invalid, fmt::format("there is no flag {}", number), "0 to 31"};
    return {};
}
uint32_t flag_bit(Run& run, const Args& args) {
    const int64_t number = args.number(run, 0, -1);
    return number < 0 || number >= kMostFlags ? 0 : uint32_t{1} << number;
}
int set_flag(Run& run, const Args& args) {
    run.flags |= flag_bit(run, args);
    return kTrue;
}
int reset_flag(Run& run, const Args& args) {
    run.flags &= ~flag_bit(run, args);
    return kTrue;
}
int is_flag_set(Run& run, const Args& args) { return (run.flags & flag_bit(run, args)) != 0 ? kTrue : kFalse; }

// --- Request-URI -----------------------------------------------------------------------------------
int done(const Status& status) {
    if (status) return kTrue;
    LOG(debug, "script.uri.unchanged", kv("reason", status.error().text()));
    return kFalse;
}
template <UriPart part>
int set_part(Run& run, const Args& args) {
    return done(set_request_uri_part(run, part, args.text(run, 0)));
}
int set_uri(Run& run, const Args& args) {
    const std::string_view uri = args.text(run, 0);
    sip::Uri parsed;
    if (parse_into(uri, parsed) == nullptr) return kFalse;
    run.set_request_uri(uri);
    return kTrue;
}
// As Kamailio: whatever the user is.
int user_phone(Run& run, const Args&) {
    const sip::Uri* const uri = run.parsed_request_uri();
    if (uri == nullptr || !uri->is_sip() || uri->user.empty()) return kFalse;
    if (!uri->user_param.empty()) return kTrue;
    const std::string_view text = run.request_uri(), headers = uri->headers;
    const std::string_view front = text.substr(0, text.size() - (headers.empty() ? 0 : headers.size() + 1));
    run.set_request_uri(
        TextBuilder(run.arena()).append(front).append(";user=phone").append(text.substr(front.size())).take());
    return kTrue;
}
int revert_uri(Run& run, const Args&) {
    run.revert_request_uri();
    return kTrue;
}
std::string_view current_user(Run& run) {
    const sip::Uri* const uri = run.parsed_request_uri();
    return uri == nullptr ? std::string_view() : uri->user;
}
size_t count_within(int64_t wanted, std::string_view text) {
    return wanted <= 0 ? 0 : std::min(static_cast<size_t>(wanted), text.size());
}
int strip(Run& run, const Args& args) {
    const std::string_view user = current_user(run);
    return done(set_request_uri_part(run, UriPart::user, user.substr(count_within(args.number(run, 0), user))));
}
int strip_tail(Run& run, const Args& args) {
    const std::string_view user = current_user(run);
    const size_t less = count_within(args.number(run, 0), user);
    return done(set_request_uri_part(run, UriPart::user, user.substr(0, user.size() - less)));
}
int prefix(Run& run, const Args& args) {
    const std::string_view front = args.text(run, 0), user = current_user(run);
    const std::string_view whole = TextBuilder(run.arena()).append(front).append(user).take();
    return done(set_request_uri_part(run, UriPart::user, whole));
}

// --- others ----------------------------------------------------------------------------------------
int force_rport(Run& run, const Args&) {
    run.force_rport = true;
    return kTrue;
}
int log_line(Run& run, const Args& args) {
    const bool with_level = args.size() == 2;
    const auto level = with_level ? static_cast<log::Level>(args.number(run, 0)) : log::Level::error;
    if (log::enabled(level)) log_script_line(run, level, args.printed(run, with_level ? 1 : 0));
    return kTrue;
}

// --- is_method -------------------------------------------------------------------------------------
struct Methods {
    sip::MethodMask known = 0;
    std::vector<std::string> others;
};

bool split_methods(std::string_view text, Methods& out) {
    for (size_t from = 0; from <= text.size();) {
        const size_t end = std::min(text.find_first_of("|,", from), text.size());
        const std::string_view name = text::trim(text.substr(from, end - from));
        if (name.empty()) return false;
        if (const sip::Method method = sip::method_id(name); method != sip::Method::other)
            out.known |= sip::mask_of(method);
        else out.others.emplace_back(name);
        from = end + 1;
    }
    return true;
}

Status prepare_is_method(Args& args) {
    const Value* const constant = args.constant(0);
    if (constant == nullptr) return {};
    Methods methods;
    if (!constant->is_text() || !split_methods(constant->text, methods))
        return Error{Errc::invalid, "not a list of methods", "is_method(\"INVITE|ACK\")"};
    args.keep(std::move(methods));
    return {};
}

int is_method(Run& run, const Args& args) {
    const sip::Method method = method_of(run.message());
    if (const Methods* const methods = args.prepared<Methods>()) {
        if (method != sip::Method::other) return (methods->known & sip::mask_of(method)) != 0 ? kTrue : kFalse;
        for (const std::string& name : methods->others)
            if (name == method_name_of(run.message())) return kTrue;
        return kFalse;
    }
    std::string_view wanted = args.text(run, 0);
    while (!wanted.empty()) {
        const size_t bar = wanted.find_first_of("|,");
        if (text::trim(wanted.substr(0, bar)) == method_name_of(run.message())) return kTrue;
        wanted = bar == wanted.npos ? std::string_view() : wanted.substr(bar + 1);
    }
    return kFalse;
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kBranchRoute | kEventRoute;

constexpr Function kFunctions[] = {
    {"setflag", 1, 1, "(int flag)", "Sets a flag of the message.", kAnyRoute, set_flag, prepare_flag},
    {"resetflag", 1, 1, "(int flag)", "Clears a flag of the message.", kAnyRoute, reset_flag, prepare_flag},
    {"isflagset", 1, 1, "(int flag)", "True if the flag is set.", kAnyRoute, is_flag_set, prepare_flag},
    {"seturi", 1, 1, "(string uri)", "Replaces the Request-URI.", kRequests, set_uri},
    {"rewriteuri", 1, 1, "(string uri)", "The same as seturi().", kRequests, set_uri},
    {"setuser", 1, 1, "(string user)", "Replaces the user of the Request-URI.", kRequests, set_part<UriPart::user>},
    {"rewriteuser", 1, 1, "(string user)", "The same as setuser().", kRequests, set_part<UriPart::user>},
    {"setuserpass", 1, 1, "(string user:password)", "Replaces user and password of the Request-URI.", kRequests,
     set_part<UriPart::user_and_password>},
    {"rewriteuserpass", 1, 1, "(string user:password)", "The same as setuserpass().", kRequests,
     set_part<UriPart::user_and_password>},
    {"sethost", 1, 1, "(string host)", "Replaces the host of the Request-URI.", kRequests, set_part<UriPart::host>},
    {"rewritehost", 1, 1, "(string host)", "The same as sethost().", kRequests, set_part<UriPart::host>},
    {"sethostport", 1, 1, "(string host:port)", "Replaces host and port of the Request-URI.", kRequests,
     set_part<UriPart::host_and_port>},
    {"rewritehostport", 1, 1, "(string host:port)", "The same as sethostport().", kRequests,
     set_part<UriPart::host_and_port>},
    {"setport", 1, 1, "(string port)", "Replaces the port of the Request-URI.", kRequests, set_part<UriPart::port>},
    {"rewriteport", 1, 1, "(string port)", "The same as setport().", kRequests, set_part<UriPart::port>},
    {"sethostporttrans", 1, 1, "(string host:port;transport=name)",
     "Replaces host, port and transport of the Request-URI.", kRequests, set_part<UriPart::host_port_transport>},
    {"rewritehostporttrans", 1, 1, "(string host:port;transport=name)", "The same as sethostporttrans().", kRequests,
     set_part<UriPart::host_port_transport>},
    {"sethpt", 1, 1, "(string host:port;transport=name)", "The same as sethostporttrans().", kRequests,
     set_part<UriPart::host_port_transport>},
    {"setu", 1, 1, "(string user)", "The same as setuser().", kRequests, set_part<UriPart::user>},
    {"setup", 1, 1, "(string user:password)", "The same as setuserpass().", kRequests,
     set_part<UriPart::user_and_password>},
    {"seth", 1, 1, "(string host)", "The same as sethost().", kRequests, set_part<UriPart::host>},
    {"sethp", 1, 1, "(string host:port)", "The same as sethostport().", kRequests, set_part<UriPart::host_and_port>},
    {"setp", 1, 1, "(string port)", "The same as setport().", kRequests, set_part<UriPart::port>},
    {"userphone", 0, 0, "()", "Adds ;user=phone to the Request-URI if it has no ;user= yet.", kRequests, user_phone},
    {"revert_uri", 0, 0, "()", "The Request-URI as it was received.", kRequests, revert_uri},
    {"strip", 1, 1, "(int count)", "Removes the first characters of the Request-URI's user.", kRequests, strip},
    {"strip_tail", 1, 1, "(int count)", "Removes the last characters of the Request-URI's user.", kRequests,
     strip_tail},
    {"prefix", 1, 1, "(string prefix)", "Puts a text before the Request-URI's user.", kRequests, prefix},
    {"force_rport", 0, 0, "()", "Replies go to the port the request came from, as if it had asked with rport.",
     kRequests, force_rport},
    {"add_rport", 0, 0, "()", "The same as force_rport().", kRequests, force_rport},
    {"log", 1, 2, "([int level,] string text)", "Writes a line to the log.", kAnyRoute, log_line},
};

}  // namespace

constinit const Function kIsMethod = {
    "is_method",
    1,
    1,
    "(string methods)",
    "True if the request's method, or the CSeq method of a reply, is one of \"INVITE|ACK\".",
    kAnyRoute,
    is_method,
    prepare_is_method};

std::span<const Function> core_functions() { return kFunctions; }

}  // namespace kahu::script
