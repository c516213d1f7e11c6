// core/script/identity_variables.cpp -- the URIs in headers that tell who somebody is: identities, diversions,
// referrals.
#include "core/script/core_variables.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/text_parts.h"
#include "core/script/variable.h"
#include "core/sip/header_table.h"
#include "core/sip/name_addr.h"

namespace kahu::script {
namespace {

using Use = VariableUse;
using sip::HeaderId;

Value text_or_none(std::string_view text) { return text.empty() ? Value::none() : Value::of(text); }

bool first_element(Run& run, HeaderId id, sip::NameAddr& out) {
    const sip::HeaderField* const field = run.message().first(id);
    sip::Bad bad;
    size_t used = 0;
    return field != nullptr && sip::parse_name_addr(field->value, out, used, bad);
}

template <HeaderId id, Value (*part)(Run&, const sip::NameAddr&)>
Value of_header(Run& run, const Use&) {
    sip::NameAddr party;
    return first_element(run, id, party) ? part(run, party) : Value::none();
}
Value uri_of(Run&, const sip::NameAddr& party) { return text_or_none(party.uri); }
Value display_of(Run&, const sip::NameAddr& party) { return text_or_none(party.display); }
template <std::string_view sip::Uri::*part>
Value uri_part_of(Run&, const sip::NameAddr& party) {
    sip::Uri uri;
    return parse_into(party.uri, uri) == nullptr ? Value::none() : text_or_none(uri.*part);
}
template <char which>
Value diversion_param(Run&, const sip::NameAddr& party) {
    constexpr std::string_view name = which == 'r' ? "reason" : which == 'p' ? "privacy" : "counter";
    return text_or_none(find_text_param(party.params, ';', name).value);
}

constexpr HeaderId kAsserted = HeaderId::p_asserted_identity, kPreferred = HeaderId::p_preferred_identity,
                   kDiversion = HeaderId::diversion;

constexpr Variable kVariables[] = {
    {"ai", "URI in P-Asserted-Identity.", of_header<kAsserted, uri_of>},
    {"pu", "URI in P-Preferred-Identity.", of_header<kPreferred, uri_of>},
    {"pU", "User of the URI in P-Preferred-Identity.", of_header<kPreferred, uri_part_of<&sip::Uri::user>>},
    {"pd", "Host of the URI in P-Preferred-Identity.", of_header<kPreferred, uri_part_of<&sip::Uri::host>>},
    {"pn", "Display name in P-Preferred-Identity, as written.", of_header<kPreferred, display_of>},
    {"re", "URI in Remote-Party-ID.", of_header<HeaderId::remote_party_id, uri_of>},
    {"rt", "URI in Refer-To.", of_header<HeaderId::refer_to, uri_of>},
    {"di", "URI in the first Diversion.", of_header<kDiversion, uri_of>},
    {"dir", "Reason of the first Diversion.", of_header<kDiversion, diversion_param<'r'>>},
    {"dip", "Privacy of the first Diversion.", of_header<kDiversion, diversion_param<'p'>>},
    {"dic", "Counter of the first Diversion.", of_header<kDiversion, diversion_param<'c'>>},
};

}  // namespace

std::span<const Variable> identity_variables() { return kVariables; }

}  // namespace kahu::script
