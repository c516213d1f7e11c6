// core/modules/siputils/module.cpp -- read this file to know what siputils offers.
#include "core/modules/siputils/module.h"

#include <fmt/format.h>

#include <ctime>
#include <vector>

#include "core/base/text.h"
#include "core/modules/siputils/caller_number.h"
#include "core/modules/siputils/contact_codes.h"
#include "core/modules/siputils/options_reply.h"
#include "core/modules/siputils/uri_checks.h"
#include "core/script/core_functions.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/text_parts.h"
#include "core/script/variable.h"
#include "core/sip/auth.h"
#include "core/sip/name_addr.h"
#include "core/sip/params.h"

namespace kahu::siputils {
namespace {

using script::Args;
using script::Run;
using script::truth;

int has_totag(Run& run, const Args&) {
    const sip::NameAddr* const to = run.message().to();
    return truth(to != nullptr && !to->tag.empty());
}
int is_request(Run& run, const Args&) { return truth(run.is_request()); }
int is_reply(Run& run, const Args&) { return truth(!run.is_request()); }

// A request with one Via comes from its sender.  So does a reply whose topmost Record-Route is ours, or none.
int is_first_hop(Run& run, const Args&) {
    const sip::Message& message = run.message();
    const sip::HeaderField* const route = message.first(sip::HeaderId::record_route);
    if (message.is_request()) return truth(message.second_via() == nullptr && route == nullptr);
    if (route == nullptr) return 1;
    sip::NameAddr address;
    sip::Bad bad;
    sip::Uri uri;
    size_t used = 0;
    return truth(sip::parse_name_addr(route->value, address, used, bad) &&
                 script::parse_into(address.uri, uri) != nullptr && script::is_myself(uri));
}

int is_supported(Run& run, const Args& args) {
    const std::string_view wanted = args.text(run, 0);
    const sip::Message& message = run.message();
    for (const sip::HeaderField* field = message.first(sip::HeaderId::supported); field; field = message.next(field)) {
        sip::ListSplitter list(field->value);
        for (std::string_view tag; list.next(tag);)
            if (text::iequals(tag, wanted)) return 1;
    }
    return -1;
}

// Date = "Sat, 13 Nov 2010 23:29:00 GMT" (RFC 3261 25.1).  The month names are the protocol's, not the locale's.
bool parse_date(std::string_view text, time_t& out) {
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size() != 29 || text.substr(25) != " GMT" || text[16] != ' ') return false;
    const auto number = [&](size_t at, size_t digits) { return text::to_int(text.substr(at, digits)).value_or(-1); };
    const size_t month = kMonths.find(text.substr(8, 3));
    tm parts{};
    parts.tm_mday = static_cast<int>(number(5, 2));
    parts.tm_mon = static_cast<int>(month / 3);
    parts.tm_year = static_cast<int>(number(12, 4)) - 1900;
    parts.tm_hour = static_cast<int>(number(17, 2));
    parts.tm_min = static_cast<int>(number(20, 2));
    parts.tm_sec = static_cast<int>(number(23, 2));
    const bool good = month != kMonths.npos && month % 3 == 0 && parts.tm_mday > 0 && parts.tm_year >= 0 &&
                      parts.tm_hour >= 0 && parts.tm_min >= 0 && parts.tm_sec >= 0;
    if (good) out = ::timegm(&parts);
    return good;
}
int hdr_date_check(Run& run, const Args& args) {
    const sip::HeaderField* const field = run.message().first(sip::HeaderId::date);
    time_t at = 0;
    if (field == nullptr || !parse_date(field->value, at)) return -1;
    return truth(::time(nullptr) - at <= args.number(run, 0));
}

// --- credentials -------------------------------------------------------------------------------------------
template <class Wanted>
bool any_credentials(Run& run, Wanted wanted) {
    const sip::Message& message = run.message();
    for (const auto id : {sip::HeaderId::authorization, sip::HeaderId::proxy_authorization})
        for (const sip::HeaderField* field = message.first(id); field != nullptr; field = message.next(field)) {
            sip::AuthValue value;
            sip::Bad bad;
            if (sip::parse_auth(field->value, value, bad) && wanted(value)) return true;
        }
    return false;
}
int has_credentials(Run& run, const Args& args) {
    const std::string_view realm = args.text(run, 0);
    return truth(any_credentials(run, [&](const sip::AuthValue& value) { return value.realm == realm; }));
}
int is_user(Run& run, const Args& args) {
    // Credentials that nobody checked say nothing.
    return truth(!run.authorized_user.empty() && run.authorized_user == args.text(run, 0));
}

// Behind the last parameter, before the headers of the URI.
int add_uri_param(Run& run, const Args& args) {
    const std::string_view uri = run.request_uri(), param = args.text(run, 0);
    if (param.empty()) return 1;
    const size_t cut = std::min(uri.find('?'), uri.size());
    script::TextBuilder out(run.arena());
    out.append(uri.substr(0, cut)).append(';').append(param).append(uri.substr(cut));
    const std::string_view changed = out.take();
    sip::Uri parsed;
    if (script::parse_into(changed, parsed) == nullptr) return -1;
    run.set_request_uri(changed);
    return 1;
}

// Row by row, so that is_method stays one row for the two modules that list it.
const Function kFunctions[] = {
    script::kIsMethod,
    {"has_totag", 0, 0, "()", "True if To has a tag: the request belongs to a dialog.", kAnyRoute, has_totag},
    {"is_request", 0, 0, "()", "True for a request.", kAnyRoute, is_request},
    {"is_reply", 0, 0, "()", "True for a reply.", kAnyRoute, is_reply},
    {"is_first_hop", 0, 1, "([int mode])", "True if nobody forwarded the message before us.", kAnyRoute, is_first_hop},
    {"is_supported", 1, 1, "(string option)", "True if Supported lists that option tag.", kAnyRoute, is_supported},
    {"is_uri", 1, 1, "(string text)", "True if the text is a URI.", kAnyRoute, is_uri},
    {"is_numeric", 1, 1, "(string text)", "True if the text is digits only.", kAnyRoute, is_numeric},
    {"is_alphanum", 1, 1, "(string text)", "True if the text is letters and digits only.", kAnyRoute, is_alphanum},
    {"is_alphanumex", 2, 2, "(string text, string more)", "As is_alphanum(), also allowing the given characters.",
     kAnyRoute, is_alphanumex},
    {"is_tel_number", 1, 1, "(string text)", "True for digits with or without a plus sign before them.", kAnyRoute,
     is_tel_number},
    {"is_e164", 1, 1, "(string number)", "True for a plus sign and 2 to 15 digits.", kAnyRoute, is_e164},
    {"is_uri_user_e164", 1, 1, "(string uri)", "True if the URI's user is a plus sign and 2 to 15 digits.", kAnyRoute,
     is_uri_user_e164},
    {"uri_param", 1, 2, "(string name[, string value])", "True if the Request-URI has that parameter, with that value.",
     kAnyRoute, uri_param},
    {"uri_param_any", 1, 1, "(string name)", "As uri_param(), also among the parameters of the user.", kAnyRoute,
     uri_param_any},
    {"uri_param_rm", 1, 1, "(string name)", "Removes a parameter of the Request-URI.",
     kRequestRoute | kFailureRoute | kBranchRoute, uri_param_rm},
    {"get_uri_param", 2, 2, "(string name, variable)",
     "Gives the variable the value of a parameter of the Request-URI.", kAnyRoute, get_uri_param,
     [](Args& args) { return args.require_assignable(1); }},
    {"cmp_uri", 2, 2, "(string uri, string uri)", "True if both name the same resource (RFC 3261 19.1.4).", kAnyRoute,
     cmp_uri},
    {"cmp_aor", 2, 2, "(string uri, string uri)", "True if user, host and port are the same.", kAnyRoute, cmp_aor},
    {"is_gruu", 0, 1, "([string uri])", "1 for a public GRUU, 2 for a temporary one, false otherwise.", kAnyRoute,
     is_gruu},
    {"options_reply", 0, 0, "()", "Answers an OPTIONS for the server itself with what it can do.", kRequestRoute,
     options_reply},
    {"has_credentials", 1, 1, "(string realm)", "True if the request has credentials for that realm.",
     kRequestRoute | kFailureRoute | kBranchRoute, has_credentials},
    {"is_user", 1, 1, "(string user)", "True if the credentials that were checked are of that user.",
     kRequestRoute | kFailureRoute | kBranchRoute, is_user},
    {"add_uri_param", 1, 1, "(string param)", "Adds a parameter to the Request-URI.",
     kRequestRoute | kFailureRoute | kBranchRoute, add_uri_param},
    {"hdr_date_check", 1, 1, "(int seconds)", "True if Date is not older than that.", kAnyRoute, hdr_date_check},
};

// --- $pcv(): P-Charging-Vector (RFC 7315 4.6) -----------------------------------------------------------------------
constexpr struct {
    std::string_view name, param;
} kChargingParts[] = {
    {"all", ""}, {"value", "icid-value"}, {"genaddr", "icid-generated-at"}, {"orig", "orig-ioi"}, {"term", "term-ioi"}};

Status prepare_charging(script::VariableUse& use) {
    for (size_t i = 0; i < std::size(kChargingParts); ++i)
        if (kChargingParts[i].name == use.inner) {
            use.number = static_cast<int64_t>(i);
            return {};
        }
    return Error{Errc::invalid, fmt::format("$pcv({}) is not known", text::printable(use.inner)),
                 "all, value, genaddr, orig or term"};
}
// With its quotes, as it is written.
std::string_view written(std::string_view list, std::string_view value) {
    const auto at = static_cast<size_t>(value.data() - list.data());
    const bool quoted = at > 0 && list[at - 1] == '"' && list.substr(at + value.size()).starts_with('"');
    return quoted ? list.substr(at - 1, value.size() + 2) : value;
}
script::Value charging_part(Run& run, const script::VariableUse& use) {
    const sip::HeaderField* const field = run.message().first(sip::HeaderId::p_charging_vector);
    const auto part = [&](std::string_view name) { return script::find_text_param(field->value, ';', name).value; };
    if (field == nullptr || part("icid-value").empty()) return script::Value::none();
    const std::string_view wanted = kChargingParts[use.number].param;
    if (wanted.empty()) return script::Value::of(field->value);
    const std::string_view found = part(wanted);
    return found.empty() ? script::Value::none() : script::Value::of(written(field->value, found));
}
constexpr Variable kVariables[] = {
    {"pcv", "P-Charging-Vector: all of it, or its value, genaddr, orig or term, as they are written.", charging_part,
     nullptr, prepare_charging},
};

template <class Row, class... Tables>
std::vector<Row> joined(const Tables&... tables) {
    std::vector<Row> all;
    (all.insert(all.end(), tables.begin(), tables.end()), ...);
    return all;
}
const std::vector<Function> g_functions =
    joined<Function>(std::span(kFunctions), contact_functions(), number_functions());
const std::vector<Param> g_params = joined<Param>(options_params(), std::span(&kContactSeparator, 1), number_params());

}  // namespace

const ModuleDescriptor kModule{
    .name = "siputils",
    .summary = "Questions about a message, its URIs and its numbers.",
    .params = g_params,
    .functions = g_functions,
    .variables = kVariables,
    .hooks = {.check = check_numbers},
    .description = "Functions that look at the message; options_reply() answers for the server itself.",
};

}  // namespace kahu::siputils
