#include "core/modules/siputils/caller_number.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/modules/siputils/uri_checks.h"
#include "core/script/format.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/scope.h"
#include "core/sip/header_table.h"
#include "core/sip/name_addr.h"

namespace kahu::siputils {
namespace {

using script::Args;
using script::Run;
using script::truth;
using script::Value;

TextSetting g_rpid_avp{"$avp(s:rpid)"};
TextSetting g_rpid_prefix{""};
TextSetting g_rpid_suffix{";party=calling;id-type=subscriber;screen=yes"};
std::shared_ptr<const script::Format> g_rpid;

// --- tel URIs: RFC 3261 19.1.6 -----------------------------------------------------------------------------
std::string_view without_separators(Run& run, std::string_view number) {
    script::TextBuilder out(run.arena());
    for (const char c : number)
        if (std::string_view("-.()").find(c) == std::string_view::npos) out.append(c);
    return out.take();
}
int tel2sip(Run& run, const Args& args) {
    constexpr int kNoTelUri = 2;
    std::string_view uri = args.text(run, 0);
    const std::string_view host = args.text(run, 1);
    if (!text::iequals(uri.substr(0, 4), "tel:")) return kNoTelUri;
    uri.remove_prefix(4);
    const size_t end = std::min(uri.find(';'), uri.size());
    const std::string_view number = without_separators(run, uri.substr(0, end));
    script::TextBuilder out(run.arena());
    out.append("sip:").append(number);
    for (const char c : uri.substr(end)) out.append(kahu::text::lower(c));
    const std::string_view made = out.append('@').append(host).append(";user=phone").take();
    sip::Uri parsed;
    if (script::parse_into(made, parsed) == nullptr) return -1;
    return truth(static_cast<bool>(args.assign(run, 2, Value::of(made))));
}

// --- parts of a URI in a variable ----------------------------------------------------------------------------
// Puts it together anew with `user` (without a password) and `host`; false if that would be no URI.
bool assign_uri(Run& run, const Args& args, const sip::Uri& uri, std::string_view userinfo, std::string_view host) {
    script::TextBuilder out(run.arena());
    out.append(uri.scheme_name).append(':').append(userinfo).append(userinfo.empty() ? "" : "@").append(host);
    const std::string_view rest =
        uri.text.substr(static_cast<size_t>(uri.host.data() - uri.text.data()) + uri.host.size());
    const std::string_view made = out.append(rest).take();
    sip::Uri parsed;
    if (script::parse_into(made, parsed) == nullptr) return false;
    return static_cast<bool>(args.assign(run, 0, Value::of(made)));
}
int set_uri_user(Run& run, const Args& args) {
    sip::Uri uri;
    if (script::parse_into(args.text(run, 0), uri) == nullptr || !uri.is_sip()) return -1;
    return truth(assign_uri(run, args, uri, args.text(run, 1), uri.host));
}
int set_uri_host(Run& run, const Args& args) {
    sip::Uri uri;
    const std::string_view host = args.text(run, 1);
    if (host.empty() || script::parse_into(args.text(run, 0), uri) == nullptr || !uri.is_sip()) return -1;
    return truth(assign_uri(run, args, uri, uri.userinfo(), host));
}
template <size_t i>
Status prepare_variable(Args& args) {
    return args.require_assignable(i);
}

int cmp_hdr_name(Run& run, const Args& args) {
    const std::string_view a = args.text(run, 0), b = args.text(run, 1);
    const sip::HeaderId known = sip::header_id(a);
    const bool same = known != sip::HeaderId::other ? known == sip::header_id(b) : text::iequals(a, b);
    return same ? 1 : -2;
}

// --- Remote-Party-ID -----------------------------------------------------------------------------------------
std::string_view rpid(Run& run) {
    if (g_rpid == nullptr) return {};
    const Value value = g_rpid->value(run);
    return value.is_null() ? std::string_view() : script::to_text(value, run.arena());
}
int append_rpid_hf(Run& run, const Args& args) {
    const std::string_view uri = rpid(run);
    const bool given = args.size() == 2;
    const std::string_view prefix = given ? args.text(run, 0) : std::string_view(g_rpid_prefix.get());
    const std::string_view suffix = given ? args.text(run, 1) : std::string_view(g_rpid_suffix.get());
    const std::string_view value = script::TextBuilder(run.arena()).append(prefix).append(uri).append(suffix).take();
    if (uri.empty() || value.find_first_of("\r\n") != value.npos) return -1;
    run.edits.append_header(
        run.message(),
        script::TextBuilder(run.arena()).append("Remote-Party-ID: ").append(value).append("\r\n").take());
    return 1;
}
int is_rpid_user_e164(Run& run, const Args&) {
    sip::NameAddr address;
    sip::Bad bad;
    sip::Uri uri;
    const std::string_view text = rpid(run);
    return truth(!text.empty() && sip::parse_single_name_addr(text, address, bad) &&
                 script::parse_into(address.uri, uri) != nullptr && is_e164_number(uri.user));
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kBranchRoute;

constexpr Function kFunctions[] = {
    {"tel2sip", 3, 3, "(string uri, string host, variable)",
     "Gives the variable the SIP URI for a tel URI (RFC 3261 19.1.6). 2: it is no tel URI.", kAnyRoute, tel2sip,
     prepare_variable<2>},
    {"set_uri_user", 2, 2, "(variable, string user)", "Changes the user of the URI in the variable; \"\" removes it.",
     kAnyRoute, set_uri_user, prepare_variable<0>},
    {"set_uri_host", 2, 2, "(variable, string host)", "Changes the host of the URI in the variable.", kAnyRoute,
     set_uri_host, prepare_variable<0>},
    {"cmp_hdr_name", 2, 2, "(string name, string other)", "True if both name the same header, as From and f do.",
     kAnyRoute, cmp_hdr_name},
    {"append_rpid_hf", 0, 2, "([string prefix, string suffix])",
     "Adds Remote-Party-ID with the value of rpid_avp between rpid_prefix and rpid_suffix, or those given.", kRequests,
     append_rpid_hf},
    {"is_rpid_user_e164", 0, 0, "()", "True if the user in rpid_avp is a plus sign and 2 to 15 digits.", kRequestRoute,
     is_rpid_user_e164},
};

constexpr Param kParams[] = {
    {.name = "rpid_avp",
     .kind = ParamKind::text,
     .text = &g_rpid_avp,
     .help = "Variable with the value of Remote-Party-ID."},
    {.name = "rpid_prefix", .kind = ParamKind::text, .text = &g_rpid_prefix, .help = "What goes before it."},
    {.name = "rpid_suffix", .kind = ParamKind::text, .text = &g_rpid_suffix, .help = "What goes behind it."},
};

}  // namespace

std::span<const Function> number_functions() { return kFunctions; }
std::span<const Param> number_params() { return kParams; }

Status check_numbers() {
    g_rpid = nullptr;
    if (g_rpid_avp.get().empty()) return {};
    const script::Scope scope({}, {});  // the variables that need no module
    auto format = script::Format::compile(g_rpid_avp.get(), scope, "modparam siputils rpid_avp");
    if (!format) return std::move(format).error().context("modparam siputils rpid_avp");
    g_rpid = std::move(*format);
    return {};
}

}  // namespace kahu::siputils
