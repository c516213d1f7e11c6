#include "core/modules/siputils/contact_codes.h"

#include <array>
#include <optional>

#include "core/base/text.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/text_codecs.h"
#include "core/sip/name_addr.h"
#include "core/sip/params.h"

namespace kahu::siputils {
namespace {

using script::Args;
using script::Run;
using Text = std::optional<std::string_view>;

constexpr int kNotEncoded = -26;  // what Kamailio answers to a URI that encode_contact() did not make

TextSetting g_separator{"*"};
char separator() { return g_separator.get().empty() ? '*' : g_separator.get().front(); }

// --- sip:prefix*user*password*host*port*transport@ours -------------------------------------------------------
Text pack(Run& run, const sip::Uri& uri, std::string_view prefix, std::string_view host) {
    const char between = separator();
    for (const std::string_view part : {uri.user, uri.password, uri.host, uri.transport})
        if (part.find(between) != part.npos) return std::nullopt;  // it would not come apart again
    script::TextBuilder out(run.arena());
    out.append("sip:").append(prefix).append(between).append(uri.user).append(between).append(uri.password);
    out.append(between).append(uri.host).append(between);
    if (uri.port != 0) out.append(std::to_string(uri.port));
    return out.append(between).append(uri.transport).append('@').append(host).take();
}

Text unpack(Run& run, const sip::Uri& uri) {
    std::array<std::string_view, 6> field;  // prefix, user, password, host, port, transport
    std::string_view rest = uri.user;
    for (size_t i = 0; i < field.size(); ++i) {
        const size_t end = rest.find(separator());
        if ((end == rest.npos) != (i + 1 == field.size())) return std::nullopt;
        field[i] = rest.substr(0, end);
        rest.remove_prefix(std::min(end, rest.size() - 1) + 1);
        if (end == rest.npos) break;
    }
    const auto& [prefix, user, password, host, port, transport] = field;
    script::TextBuilder out(run.arena());
    out.append("sip:").append(user);
    if (!password.empty()) out.append(':').append(password);
    if (!user.empty()) out.append('@');
    out.append(host);
    if (!port.empty()) out.append(':').append(port);
    if (!transport.empty()) out.append(";transport=").append(transport);
    return out.take();
}

// --- every Contact of the message ------------------------------------------------------------------------------
// `change` makes another URI of one; nothing, or what is no SIP URI: it stays, and the result is false.
template <class Change>
int each_contact(Run& run, Change change) {
    const sip::Message& message = run.message();
    bool good = true;
    for (const sip::HeaderField* field = message.first(sip::HeaderId::contact); field; field = message.next(field)) {
        sip::ListSplitter list(field->value);
        for (std::string_view element; list.next(element);) {
            if (element == "*") continue;
            sip::NameAddr address;
            sip::Bad bad;
            sip::Uri uri, made;
            if (!sip::parse_single_name_addr(element, address, bad) ||
                script::parse_into(address.uri, uri) == nullptr || !uri.is_sip()) {
                good = false;
                continue;
            }
            const Text text = change(uri);
            if (!text || script::parse_into(*text, made) == nullptr || !made.is_sip()) {
                good = false;
                continue;
            }
            run.edits.forget(message.offset_of(address.uri), address.uri.size());
            run.edits.replace_part(message, address.uri,
                                   address.bracketed
                                       ? *text
                                       : script::TextBuilder(run.arena()).append('<').append(*text).append('>').take());
        }
    }
    return good ? 1 : -1;
}

int encode_contact(Run& run, const Args& args) {
    const std::string_view prefix = args.text(run, 0), host = args.text(run, 1);
    return each_contact(run, [&](const sip::Uri& uri) { return pack(run, uri, prefix, host); });
}
int decode_contact_header(Run& run, const Args&) {
    return each_contact(run, [&](const sip::Uri& uri) { return unpack(run, uri); });
}
int decode_contact(Run& run, const Args&) {
    const sip::Uri* const uri = run.parsed_request_uri();
    sip::Uri made;
    const Text text = uri != nullptr && uri->is_sip() ? unpack(run, *uri) : std::nullopt;
    if (!text || script::parse_into(*text, made) == nullptr) return kNotEncoded;
    run.set_request_uri(*text);
    return 1;
}

// --- a parameter with all of it ----------------------------------------------------------------------------------
std::string_view without_param(Run& run, const sip::Uri& uri, std::string_view name) {
    const auto param = sip::find_param(uri.params, name);
    if (!param) return uri.text;
    const size_t begin = static_cast<size_t>(param->whole.data() - uri.text.data());
    const size_t end = begin + param->whole.size();
    return script::TextBuilder(run.arena()).append(uri.text.substr(0, begin - 1)).append(uri.text.substr(end)).take();
}
Text decoded_param(Run& run, const sip::Uri& uri, std::string_view name) {
    const auto param = sip::find_param(uri.params, name);
    if (!param || param->value.empty()) return uri.text;  // nothing to decode
    return script::decode_base64(param->value, script::Base64::url, run.arena());
}

int contact_param_encode(Run& run, const Args& args) {
    const std::string_view name = args.text(run, 0), ours = args.text(run, 1);
    if (name.empty()) return -1;
    return each_contact(run, [&](const sip::Uri& uri) -> Text {
        // Kamailio pads with "-", which decoders of base64url take for a digit; padding is optional (RFC 4648 3.2).
        const std::string_view code = script::encode_base64(uri.text, script::Base64::url, false, run.arena());
        return script::TextBuilder(run.arena()).append(ours).append(';').append(name).append('=').append(code).take();
    });
}
int contact_param_decode(Run& run, const Args& args) {
    return each_contact(run, [&](const sip::Uri& uri) { return decoded_param(run, uri, args.text(run, 0)); });
}
int contact_param_decode_ruri(Run& run, const Args& args) {
    const sip::Uri* const uri = run.parsed_request_uri();
    sip::Uri made;
    const Text text = uri != nullptr && uri->is_sip() ? decoded_param(run, *uri, args.text(run, 0)) : std::nullopt;
    if (!text || script::parse_into(*text, made) == nullptr) return -1;
    run.set_request_uri(*text);
    return 1;
}
int contact_param_rm(Run& run, const Args& args) {
    return each_contact(run, [&](const sip::Uri& uri) -> Text { return without_param(run, uri, args.text(run, 0)); });
}

Status one_character(const ParamValue& value) {
    const auto* const text = std::get_if<std::string>(&value);
    if (text == nullptr || text->empty() || text->find_first_of("@:;? <>\r\n") == 0)
        return Error{Errc::invalid, "that cannot stand in the user of a URI", "\"*\", \"-\""};
    return {};
}

constexpr uint16_t kMessages = kRequestRoute | kReplyRoute;

constexpr Function kFunctions[] = {
    {"encode_contact", 2, 2, "(string prefix, string host)",
     "Hides the URIs in Contact: sip:user:password@ip:port;transport=tcp becomes "
     "sip:prefix*user*password*ip*port*tcp@host; other parameters are lost.",
     kMessages, encode_contact},
    {"decode_contact", 0, 0, "()", "The reverse for the Request-URI. False if it is no such URI.", kRequestRoute,
     decode_contact},
    {"decode_contact_header", 0, 0, "()", "The reverse for Contact.", kMessages, decode_contact_header},
    {"contact_param_encode", 2, 2, "(string name, string uri)",
     "Replaces the URIs in Contact by that one, with a parameter of that name that holds the whole old one in "
     "base64url.",
     kMessages, contact_param_encode},
    {"contact_param_decode", 1, 1, "(string name)", "The reverse: the URI that the parameter holds.", kMessages,
     contact_param_decode},
    {"contact_param_decode_ruri", 1, 1, "(string name)", "The reverse for the Request-URI.", kRequestRoute,
     contact_param_decode_ruri},
    {"contact_param_rm", 1, 1, "(string name)", "Removes a parameter of the URIs in Contact.", kMessages,
     contact_param_rm},
};

}  // namespace

constexpr Param kContactSeparator{.name = "contact_flds_separator",
                                  .kind = ParamKind::text,
                                  .text = &g_separator,
                                  .accept = one_character,
                                  .help = "Its first character stands between the parts of a URI in encode_contact()."};

std::span<const Function> contact_functions() { return kFunctions; }

}  // namespace kahu::siputils
