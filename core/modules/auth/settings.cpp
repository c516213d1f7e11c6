#include "core/modules/auth/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/sip/scan.h"

namespace kahu::auth {

Settings settings;

namespace {

Param ignored(std::string_view name, std::string_view help, std::string_view why) {
    return {.name = name, .number = &settings.ignored, .help = help, .remark = why};
}
Status check_header_name(const ParamValue& value) {
    const auto* const name = std::get_if<std::string>(&value);
    if (name == nullptr || name->empty() || !std::all_of(name->begin(), name->end(), sip::is_token))
        return Error{Errc::invalid, "that is no name of a header", "letters, digits and \"-\" only"};
    return {};
}
Param header_name(std::string_view name, TextSetting& at, std::string_view help) {
    return {.name = name, .kind = ParamKind::text, .text = &at, .accept = check_header_name, .help = help};
}
constexpr std::string_view kNoChecks = "has no effect: a nonce is bound to its time and number only";
constexpr std::string_view kOnePool = "has no effect: there is one table for all processes";

const Param kParams[] = {
    {.name = "nonce_expire",
     .number = &settings.nonce_expire,
     .min = 1,
     .max = 86400 * 365,
     .unit = "seconds",
     .help = "How long a nonce is good.",
     .applies = Applies::at_runtime},
    {.name = "nonce_count",
     .kind = ParamKind::boolean,
     .number = &settings.nonce_count,
     .help = "Whether each nonce count is taken once, and rising only (RFC 7616 3.4)."},
    {.name = "one_time_nonce",
     .kind = ParamKind::boolean,
     .number = &settings.one_time_nonce,
     .help = "Whether a nonce is good for one request only."},
    {.name = "nc_array_size",
     .number = &settings.nc_array_size,
     .min = 4096,
     .max = 1 << 30,
     .unit = "bytes",
     .help = "Memory for nonce counts; 8 bytes per nonce that may be in use."},
    {.name = "force_stateless_reply",
     .kind = ParamKind::boolean,
     .number = &settings.force_stateless_reply,
     .help = "Whether challenges are sent without the request's transaction."},
    {.name = "algorithm",
     .kind = ParamKind::text,
     .text = &settings.algorithm,
     .help =
         "MD5 or SHA-256, or both with a comma, the preferred one first (RFC 8760).  Empty: MD5, without saying so."},
    {.name = "qop",
     .kind = ParamKind::text,
     .text = &settings.qop,
     .help = "Quality of protection that flags 1 and 2 of a challenge stand for is auth and auth-int; kept for pv_ "
             "functions."},
    {.name = "realm_prefix",
     .kind = ParamKind::text,
     .text = &settings.realm_prefix,
     .help = "Taken off the front of a realm before it is used."},
    ignored("auth_checks_register", "What a nonce of a REGISTER is bound to.", kNoChecks),
    ignored("auth_checks_no_dlg", "What a nonce outside dialogs is bound to.", kNoChecks),
    ignored("auth_checks_in_dlg", "What a nonce in dialogs is bound to.", kNoChecks),
    ignored("nonce_auth_max_drift", "Clock difference between servers.",
            "has no effect: nonces are good on the server that made them"),
    ignored("nid_pool_no", "Number of nonce pools.", kOnePool),
    ignored("nc_array_order", "Logarithm of nc_array_size.", "has no effect: give nc_array_size"),
    ignored("otn_in_flight_no", "Size of the table of one-time nonces.", kOnePool),
    ignored("otn_in_flight_order", "Logarithm of that.", kOnePool),
    ignored("use_domain", "Whether domains are part of user names.", "has no effect: see auth_db's use_domain"),
    {.name = "add_authinfo_hdr",
     .kind = ParamKind::boolean,
     .number = &settings.add_authinfo_hdr,
     .help = "Adds Authentication-Info (RFC 7616 3.5) to the replies to whom Authorization was right: the server's "
             "proof that it knows the password too, and the next nonce once this one is used up or half its time is "
             "gone."},
    header_name("www_challenge_header", settings.www_challenge_header, "Name of the header with challenges of a 401."),
    header_name("proxy_challenge_header", settings.proxy_challenge_header,
                "Name of the header with challenges of a 407."),
    ignored("protect_contacts", "Obsolete.", "has no effect"),
    {.name = "challenge_attr",
     .kind = ParamKind::text,
     .text = &settings.ignored_text,
     .help = "AVP that gets the challenge.",
     .remark = "has no effect: use auth_get_www_authenticate()"},
    {.name = "secret",
     .kind = ParamKind::text,
     .text = &settings.ignored_text,
     .help = "Key of nonces.",
     .remark = "has no effect: the key is drawn at each start"},
};

std::vector<Algorithm> g_offered;

}  // namespace

std::span<const Param> params() { return kParams; }

Status check_settings() {
    g_offered.clear();
    for (const std::string_view word : text::split(settings.algorithm.get(), ',')) {
        const auto scheme = scheme_named(text::trim(word));
        if (!scheme || scheme->session)
            return Error{Errc::invalid, fmt::format("algorithm: \"{}\" is not known", text::printable(word, 40)),
                         "MD5, SHA-256, or \"SHA-256,MD5\""};
        g_offered.push_back(scheme->algorithm);
    }
    return {};
}
const std::vector<Algorithm>& offered() {
    if (g_offered.empty()) g_offered.push_back(Algorithm::md5);
    return g_offered;
}

}  // namespace kahu::auth
