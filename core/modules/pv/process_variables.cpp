#include "core/modules/pv/process_variables.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "core/script/run.h"
#include "core/script/trace.h"
#include "core/script/variable.h"
#include "core/sip/auth.h"

namespace kahu::pv {
namespace {

using script::Run;
using script::Value;
using Use = script::VariableUse;

Value process_id(Run&, const Use&) { return Value::of(int64_t{::getpid()}); }
Value message_number(Run& run, const Use&) {
    return Value::of(static_cast<int64_t>(run.number() - script::message_number_base()));
}

Status prepare_env(Use& use) {
    if (use.inner.empty() || use.inner_format != nullptr)
        return Error{Errc::invalid, "$env needs the name of an environment variable", "$env(HOSTNAME)"};
    return {};
}
Value environment(Run&, const Use& use) {
    const char* const value = std::getenv(use.inner.c_str());
    return value == nullptr ? Value::none() : Value::of(value);
}

// The hash of the sources is unknown, as it is to Debian's Kamailio.
constexpr struct {
    std::string_view name, text;
} kVersions[] = {{"num", KAHU_VERSION}, {"full", "kahu " KAHU_VERSION}, {"hash", "unknown"}};

Status prepare_version(Use& use) {
    for (int64_t i = 0; i < std::ssize(kVersions); ++i)
        if (kVersions[i].name == use.inner) {
            use.number = i;
            return {};
        }
    return Error{Errc::invalid, fmt::format("$version({}) is not known", use.inner), "num, full or hash"};
}
Value version(Run&, const Use& use) { return Value::of(kVersions[use.number].text); }

// $C(xy): the terminal's colours x on y, for lines that a person reads; "x" keeps the default.
constexpr std::string_view kColours = "srgybpcw";  // ECMA-48: 30 black, red, green, yellow, blue, purple, cyan, white
std::string colour_code(char c, int first) {       // first: 30 text, 40 ground; 9 is the default
    const size_t at = kColours.find(static_cast<char>(c | 0x20));
    return fmt::format(";{}", first + (at == kColours.npos ? 9 : static_cast<int>(at)));
}
Status prepare_colour(Use& use) {
    const auto known = [](char c) {
        return c == 'x' || c == 'X' || kColours.find(static_cast<char>(c | 0x20)) != kColours.npos;
    };
    if (use.inner.size() != 2 || !known(use.inner[0]) || !known(use.inner[1]))
        return Error{Errc::invalid, fmt::format("$C({}) is not known", use.inner),
                     "two of s r g y b p c w (upper case: bright) or x"};
    const bool bright = use.inner[0] >= 'A' && use.inner[0] <= 'Z' && use.inner[0] != 'X';
    const std::string codes =
        (bright ? "\033[1" : "\033[0") + colour_code(use.inner[0], 30) + colour_code(use.inner[1], 40);
    use.prepared = std::make_shared<std::string>(codes + "m");
    return {};
}
Value colour(Run&, const Use& use) {
    return Value::of(std::string_view(*static_cast<const std::string*>(use.prepared.get())));
}

// Authorization, or Proxy-Authorization if that one is not there.
template <std::string_view sip::AuthValue::*part>
Value of_credentials(Run& run, const Use&) {
    const sip::HeaderField* field = run.message().first(sip::HeaderId::authorization);
    if (field == nullptr) field = run.message().first(sip::HeaderId::proxy_authorization);
    sip::AuthValue value;
    sip::Bad bad;
    if (field == nullptr || !sip::parse_auth(field->value, value, bad) || (value.*part).empty()) return Value::none();
    return Value::of(value.*part);
}
Value user_of_credentials(Run& run, const Use& use) {
    const Value name = of_credentials<&sip::AuthValue::username>(run, use);
    return name.is_null() ? name : Value::of(name.text.substr(0, name.text.find('@')));
}

Value domain_of_credentials(Run& run, const Use& use) {
    const Value name = of_credentials<&sip::AuthValue::username>(run, use);
    const size_t at = name.is_null() ? std::string_view::npos : name.text.find('@');
    return at == std::string_view::npos ? Value::none() : Value::of(name.text.substr(at + 1));
}
// For accounting: who authenticated, else who it says it is.
Value accounted_name(Run& run, const Use&) {
    script::TextBuilder out(run.arena());
    if (!run.authorized_user.empty())
        return Value::of(out.append(run.authorized_user).append('@').append(run.authorized_realm).take());
    sip::Uri uri;
    sip::Bad bad;
    if (run.message().from() == nullptr || !sip::parse_uri(run.message().from()->uri, uri, bad)) return Value::none();
    return Value::of(out.append(uri.user).append('@').append(uri.host).take());
}
Value accounted_user(Run& run, const Use& use) {
    const Value user = user_of_credentials(run, use);
    if (!user.is_null() || run.message().from() == nullptr) return user;
    sip::Uri uri;
    sip::Bad bad;
    return sip::parse_uri(run.message().from()->uri, uri, bad) && !uri.user.empty() ? Value::of(uri.user)
                                                                                    : Value::none();
}

constexpr Variable kVariables[] = {
    {"pp", "Process id.", process_id},
    {"mi", "How many messages this process has routed, this one included.", message_number},
    {"env", "An environment variable.", environment, nullptr, prepare_env},
    {"envn", "The same as $env.", environment, nullptr, prepare_env},
    {"version", "Version of the server: num, full or hash (unknown).", version, nullptr, prepare_version},
    {"C", "Colours of the terminal: foreground and background.", colour, nullptr, prepare_colour},
    {"au", "User name in the credentials, up to \"@\".", user_of_credentials},
    {"ad", "User name in the credentials, behind \"@\".", domain_of_credentials},
    {"aU", "Whole user name in the credentials.", of_credentials<&sip::AuthValue::username>},
    {"Au", "For accounting: user@realm of credentials that were checked, or user@host of From.", accounted_name},
    {"AU", "For accounting: user of the credentials, or of the URI in From.", accounted_user},
    {"ar", "Realm in the credentials.", of_credentials<&sip::AuthValue::realm>},
    {"adu", "URI in the credentials.", of_credentials<&sip::AuthValue::uri>},
    {"aa", "Algorithm in the credentials.", of_credentials<&sip::AuthValue::algorithm>},
    {"adn", "Nonce in the credentials.", of_credentials<&sip::AuthValue::nonce>},
    {"adc", "Client nonce in the credentials.", of_credentials<&sip::AuthValue::cnonce>},
    {"adr", "Response in the credentials.", of_credentials<&sip::AuthValue::response>},
    {"ado", "Opaque in the credentials.", of_credentials<&sip::AuthValue::opaque>},
};

}  // namespace

std::span<const Variable> process_variables() { return kVariables; }

}  // namespace kahu::pv
