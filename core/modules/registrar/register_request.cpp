#include "core/modules/registrar/register_request.h"

#include <algorithm>
#include <random>

#include "core/base/text.h"
#include "core/modules/registrar/aor_text.h"
#include "core/modules/registrar/settings.h"
#include "core/modules/registrar/xavps.h"
#include "core/net/listener.h"
#include "core/script/arena.h"
#include "core/sip/contact.h"
#include "core/sip/params.h"
#include "core/sip/quoting.h"
#include "core/sip/uri.h"

namespace kahu::registrar {
namespace {

using sip::HeaderId;
using usrloc::kMostBytes;
using usrloc::Text;

constexpr size_t most(Text which) { return kMostBytes[static_cast<size_t>(which)]; }

int64_t less_at_random(int64_t seconds, int64_t percent) {
    static std::minstd_rand random{std::random_device{}()};
    if (percent <= 0 || seconds <= 0) return seconds;
    const int64_t part = seconds * std::min<int64_t>(percent, 100) / 100;
    return seconds - static_cast<int64_t>(random() % static_cast<uint64_t>(part + 1));
}

// Contact's expires, else the header's, else ours (10.3 step 7); then the bounds.
Fault lifetime_of(const script::Run& run, const sip::Contact& contact, bool exact, uint32_t& out) {
    const std::optional<uint32_t> header = run.message().expires();
    int64_t seconds;
    if (const auto wished = wished_number(run, "expires"); wished && *wished >= 0) {
        seconds = *wished;
    } else if (contact.expires || header) {
        seconds = contact.expires ? *contact.expires : *header;
        if (!exact) seconds = less_at_random(seconds, settings.expires_range);
    } else {
        seconds = settings.default_expires;
        if (!exact) seconds = less_at_random(seconds, settings.default_expires_range);
    }
    if (seconds != 0 && seconds < settings.min_expires) {
        if (settings.min_expires_mode != 0) return Fault::interval;
        seconds = settings.min_expires;
    }
    if (settings.max_expires != 0 && seconds > settings.max_expires) seconds = settings.max_expires;
    out = static_cast<uint32_t>(std::min<int64_t>(seconds, INT32_MAX));
    return Fault::none;
}

// What the phone says it takes: methods="..." of the contact (RFC 3840), else Allow; nothing said: everything.
uint32_t methods_of(const sip::Message& message, const sip::Contact& contact) {
    sip::MethodMask methods = 0;
    const auto add = [&](std::string_view list) {
        sip::ListSplitter names(list);
        for (std::string_view name; names.next(name);)
            if (const sip::Method method = sip::method_id(name); method != sip::Method::other)
                methods |= sip::mask_of(method);
    };
    if (const auto param = sip::find_param(contact.address.params, "methods"); param && param->has_value) {
        add(param->quoted() ? param->value.substr(1, param->value.size() - 2) : param->value);
        return methods;
    }
    if (!message.has(HeaderId::allow)) return UINT32_MAX;
    for (const auto* field = message.first(HeaderId::allow); field != nullptr; field = message.next(field))
        add(field->value);
    return methods;
}

uint16_t listener_named(std::string_view text) {
    for (const net::Listener& listener : net::listeners())
        if (text::iequals(listener.text(), text)) return listener.index;
    return net::kAnyListener;
}

}  // namespace

bool has_option(const sip::Message& message, HeaderId header, std::string_view tag) {
    for (const auto* field = message.first(header); field != nullptr; field = message.next(field)) {
        sip::ListSplitter list(field->value);
        for (std::string_view item; list.next(item);)
            if (text::iequals(item, tag)) return true;
    }
    return false;
}

Fault RegisterRequest::read(script::Run& run, std::string_view given_uri, bool keep_lifetime) {
    const sip::Message& message = run.message();
    contacts.clear();
    const sip::NameAddr* const to = message.to();
    if (given_uri.empty() && to == nullptr) return Fault::aor;
    const std::string_view uri = given_uri.empty() ? to->uri : given_uri;
    if (const Fault bad = aor_of(run, uri, aor); bad != Fault::none) return bad;
    sip::Bad ignored;
    wants_gruu = settings.gruu_enabled != 0 && sip::parse_uri(uri, aor_uri, ignored) && aor_uri.is_sip() &&
                 has_option(message, HeaderId::supported, "gruu");
    call_id = message.call_id();
    if (call_id.empty()) return Fault::call_id_missing;
    if (call_id.size() > most(Text::call_id)) return Fault::call_id_length;
    if (message.cseq() == nullptr) return Fault::cseq_missing;
    cseq = message.cseq()->number;
    user_agent = "n/a";  // as Kamailio stores it
    if (const auto* field = message.first(HeaderId::user_agent)) {
        std::string unfolded;
        user_agent = run.arena().copy(sip::unfold(field->value, unfolded).substr(0, most(Text::user_agent)));
    }
    if (const Fault bad = read_contacts(run, keep_lifetime); bad != Fault::none) return bad;
    if (const Fault bad = read_path(run); bad != Fault::none) return bad;
    if (const Fault bad = read_outbound(run); bad != Fault::none) return bad;
    read_origin(run);
    return Fault::none;
}

Fault RegisterRequest::read_contacts(script::Run& run, bool keep_lifetime) {
    const sip::Message& message = run.message();
    size_t values = 0;
    star = false;
    for (const auto* field = message.first(HeaderId::contact); field != nullptr;
         field = message.next(field), ++values) {
        if (sip::is_star_contact(field->value)) {
            star = true;
            continue;
        }
        if (const Fault bad = read_contact(run, field->value, keep_lifetime); bad != Fault::none) return bad;
    }
    if (!star) return Fault::none;
    if (values != 1 || !contacts.empty()) return Fault::star_contacts;
    // Absent or malformed is not zero (10.3 step 6).
    const std::optional<uint32_t> expires = message.expires();
    return expires && *expires == 0 ? Fault::none : Fault::star_expires;
}

Fault RegisterRequest::read_contact(script::Run& run, std::string_view value, bool keep_lifetime) {
    const sip::Message& message = run.message();
    sip::ContactList list(value);
    for (sip::Contact contact; list.next(contact);) {
        WantedContact wanted;
        sip::Uri uri;
        sip::Bad bad;
        if (contacts.size() == kMostContacts || !sip::parse_uri(contact.address.uri, uri, bad)) return Fault::contacts;
        wanted.uri = contact.address.uri;
        if (static_cast<int64_t>(wanted.uri.size()) > settings.contact_max_size) return Fault::contact_length;
        if (const Fault odd = lifetime_of(run, contact, keep_lifetime, wanted.lifetime); odd != Fault::none) return odd;
        const int64_t otherwise = settings.default_q;
        wanted.q = contact.q ? static_cast<int16_t>(*contact.q) : static_cast<int16_t>(otherwise == 0 ? -1 : otherwise);
        if (const auto q = wished_number(run, "q"); q && *q >= 0 && *q <= 1000) wanted.q = static_cast<int16_t>(*q);
        wanted.methods = methods_of(message, contact);
        std::string plain;
        wanted.instance = run.arena().copy(sip::unquote(contact.instance, plain));
        if (wanted.instance.size() > most(Text::instance)) return Fault::contact_length;
        if (contact.reg_id) {
            if (*contact.reg_id == 0) return Fault::reg_id;
            if (!wanted.instance.empty()) wanted.reg_id = *contact.reg_id;
        }
        contacts.push_back(wanted);
    }
    return list.bad() == nullptr ? Fault::none : Fault::contacts;
}

Fault RegisterRequest::read_path(script::Run& run) {
    const sip::Message& message = run.message();
    path = received = {};
    path_supported = has_option(message, HeaderId::supported, "path") || has_option(message, HeaderId::require, "path");
    if (settings.use_path == 0 || !message.has(HeaderId::path)) return Fault::none;
    std::string all;
    std::string_view first_uri;
    for (const auto* field = message.first(HeaderId::path); field != nullptr; field = message.next(field)) {
        sip::NameAddrList list(field->value);
        for (sip::NameAddr hop; list.next(hop);) {
            sip::Uri uri;
            sip::Bad bad;
            if (!hop.bracketed || !sip::parse_uri(hop.uri, uri, bad)) return Fault::path;
            all.append(all.empty() ? "" : ", ").append(hop.text);
            if (first_uri.empty()) first_uri = hop.uri;
        }
        if (list.bad() != nullptr) return Fault::path;
    }
    if (all.size() > most(Text::path)) return Fault::path;
    path = run.arena().copy(all);
    if (static_cast<PathMode>(settings.path_mode.get()) == PathMode::strict && !path_supported)
        return Fault::path_unsupported;
    sip::Uri uri;
    sip::Bad bad;
    if (settings.path_use_received != 0 && sip::parse_uri(first_uri, uri, bad))
        if (const auto param = sip::find_param(uri.params, "received"); param && param->has_value) {
            std::string plain;
            received = run.arena().copy(sip::unescape(param->value, plain));
        }
    return Fault::none;
}

// RFC 5626 6: the flow counts if the phone supports outbound, and the first hop does if it is not us.
Fault RegisterRequest::read_outbound(script::Run& run) {
    const sip::Message& message = run.message();
    const auto mode = static_cast<OutboundMode>(settings.outbound_mode.get());
    const bool required = has_option(message, HeaderId::require, "outbound");
    const bool supported = required || has_option(message, HeaderId::supported, "outbound");
    if (mode == OutboundMode::refused && required) return Fault::outbound_refused;
    if (mode == OutboundMode::required && !supported) return Fault::outbound_required;
    size_t flows = 0;
    for (const WantedContact& contact : contacts) flows += contact.reg_id != 0;
    outbound = mode != OutboundMode::refused && supported && flows != 0;
    if (!outbound && settings.regid_mode == 0) {
        for (WantedContact& contact : contacts) contact.reg_id = 0;
        return Fault::none;
    }
    if (flows > 1) return Fault::reg_id;
    if (!outbound || message.second_via() == nullptr) return Fault::none;
    const auto* const field = message.first(HeaderId::path);
    sip::NameAddr hop;
    sip::Uri uri;
    sip::Bad bad;
    const bool edge_agrees =
        field != nullptr && sip::NameAddrList(field->value).next(hop) && sip::parse_uri(hop.uri, uri, bad) && uri.ob;
    return edge_agrees ? Fault::none : Fault::outbound_edge;
}

// Where it came from: the flow is ours only if nobody stands between.
void RegisterRequest::read_origin(script::Run& run) {
    const sip::Message& message = run.message();
    socket = run.inbound().listener;
    connection = message.second_via() == nullptr ? run.inbound().connection : net::ConnectionId::none;
    if (const int64_t flag = settings.sock_flag; flag >= 0 && (run.flags >> flag & 1) != 0)
        if (const auto* field = message.first(settings.sock_hdr_name.get()))
            if (const uint16_t named = listener_named(text::trim(field->value)); named != net::kAnyListener)
                socket = named;
    if (const auto name = wished_text(run, "socket"))
        if (const uint16_t named = listener_named(text::trim(*name)); named != net::kAnyListener) socket = named;
    flags = 0;
    if (received.empty()) {
        const auto* const avp = received_avp_name().empty() ? nullptr : run.avp(received_avp_name(), 0);
        if (avp != nullptr && avp->value.is_text()) received = avp->value.text;
    }
    // What an escaped ;received= of a Path hides may be anything, line ends included.
    sip::Uri uri;
    sip::Bad bad;
    if (received.size() > most(Text::received) || !sip::parse_uri(received, uri, bad)) received = {};
}

}  // namespace kahu::registrar
