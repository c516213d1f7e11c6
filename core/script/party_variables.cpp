// core/script/party_variables.cpp -- From, To, and the destination.
#include <fmt/format.h>

#include "core/base/text.h"
#include "core/script/core_variables.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::script {
namespace {

using Use = VariableUse;
using Party = const sip::NameAddr* (sip::Message::*)() const;

Value text_or_none(std::string_view text) { return text.empty() ? Value::none() : Value::of(text); }

Value uri_of(Run&, const sip::NameAddr& party) { return text_or_none(party.uri); }
Value tag_of(Run&, const sip::NameAddr& party) { return text_or_none(party.tag); }
Value name_of_party(Run&, const sip::NameAddr& party) { return text_or_none(party.display); }
Value user_of(Run&, const sip::NameAddr& party) {
    sip::Uri uri;
    return parse_into(party.uri, uri) == nullptr ? Value::none() : text_or_none(uri.user);
}
Value host_of(Run&, const sip::NameAddr& party) {
    sip::Uri uri;
    return parse_into(party.uri, uri) == nullptr ? Value::none() : text_or_none(uri.host);
}

template <Party party, Value (*part)(Run&, const sip::NameAddr&)>
Value of_party(Run& run, const Use&) {
    const sip::NameAddr* const found = (run.message().*party)();
    return found == nullptr ? Value::none() : part(run, *found);
}
constexpr Party kFrom = &sip::Message::from;
constexpr Party kTo = &sip::Message::to;

Value destination(Run& run, const Use&) { return text_or_none(run.destination_uri()); }
Status set_destination(Run& run, const Use&, const Value& value) {
    const std::string_view text = to_text(value, run.arena());
    sip::Uri uri;
    if (!text.empty() && (parse_into(text, uri) == nullptr || !uri.is_sip()))
        return Error{Errc::invalid, fmt::format("\"{}\" is not a SIP URI", text::printable(text)), ""};
    run.set_destination_uri(text);
    return {};
}
template <Value (*part)(Run&, const sip::Uri&)>
Value of_destination(Run& run, const Use&) {
    sip::Uri uri;
    if (run.destination_uri().empty() || parse_into(run.destination_uri(), uri) == nullptr) return Value::none();
    return part(run, uri);
}
Value host_part(Run&, const sip::Uri& uri) { return text_or_none(uri.host); }
Value port_part(Run& run, const sip::Uri& uri) { return Value::digits(run.arena().decimal(uri_port(uri))); }
Value transport_part(Run&, const sip::Uri& uri) { return text_or_none(shown_transport(uri)); }

constexpr Variable kVariables[] = {
    {"fu", "URI in From.", of_party<kFrom, uri_of>},
    {"from", "The same as $fu.", of_party<kFrom, uri_of>},
    {"fU", "User of the URI in From.", of_party<kFrom, user_of>},
    {"from.user", "The same as $fU.", of_party<kFrom, user_of>},
    {"fd", "Host of the URI in From.", of_party<kFrom, host_of>},
    {"from.domain", "The same as $fd.", of_party<kFrom, host_of>},
    {"ft", "Tag of From.", of_party<kFrom, tag_of>},
    {"fn", "Display name of From, as written.", of_party<kFrom, name_of_party>},
    {"tu", "URI in To.", of_party<kTo, uri_of>},
    {"to", "The same as $tu.", of_party<kTo, uri_of>},
    {"tU", "User of the URI in To.", of_party<kTo, user_of>},
    {"to.user", "The same as $tU.", of_party<kTo, user_of>},
    {"td", "Host of the URI in To.", of_party<kTo, host_of>},
    {"to.domain", "The same as $td.", of_party<kTo, host_of>},
    {"tt", "Tag of To.", of_party<kTo, tag_of>},
    {"tn", "Display name of To, as written.", of_party<kTo, name_of_party>},
    {"du", "Destination URI: where the request goes instead of the Request-URI.", destination, set_destination},
    {"duri", "The same as $du.", destination, set_destination},
    {"dd", "Host of the destination URI.", of_destination<host_part>},
    {"dp", "Port of the destination URI.", of_destination<port_part>},
    {"dP", "Transport of the destination URI.", of_destination<transport_part>},
};

}  // namespace

std::span<const Variable> party_variables() { return kVariables; }

}  // namespace kahu::script
