#include "core/modules/sanity/checks.h"

#include "core/base/text.h"
#include "core/sip/auth.h"
#include "core/sip/params.h"
#include "core/sip/uri.h"

namespace kahu::sanity {
namespace {

using sip::HeaderId;
using sip::Message;

bool is_good_uri(std::string_view text, bool need_scheme_known) {
    sip::Uri uri;
    sip::Bad bad;
    return sip::parse_uri(text, uri, bad) && (!need_scheme_known || uri.scheme != sip::Scheme::other);
}

Fault version(const Message& m) {
    const bool good = !m.is_request() || text::iequals(m.version(), "SIP/2.0");
    return good ? Fault{} : Fault{505, "Version Not Supported (R-URI)"};
}
Fault scheme(const Message& m) {
    if (!m.is_request()) return {};
    const sip::Uri* const uri = m.parsed_request_uri();
    if (uri == nullptr) return {400, "Bad Request URI"};
    const bool good = uri->scheme != sip::Scheme::other || text::iequals(uri->scheme_name, "urn");
    return good ? Fault{} : Fault{416, "Unsupported URI Scheme in Request URI"};
}
Fault required_headers(const Message& m) {
    for (const HeaderId id : {HeaderId::from, HeaderId::to, HeaderId::cseq, HeaderId::call_id, HeaderId::via})
        if (!m.has(id)) return {400, "Bad Headers"};
    return {};
}
Fault cseq_method(const Message& m) {
    if (m.cseq() == nullptr) return {400, "Missing method in CSeq header"};
    const bool good = !m.is_request() || m.cseq()->method_name == m.method_name();
    return good ? Fault{} : Fault{400, "CSeq method does not match request method"};
}
Fault cseq_value(const Message& m) { return m.cseq() != nullptr ? Fault{} : Fault{400, "CSeq number is illegal"}; }
Fault content_length(const Message& m) {
    if (!m.has(HeaderId::content_length)) return {};
    const auto length = m.content_length();
    return length && *length == m.body().size() ? Fault{} : Fault{400, "Content-Length mis-match"};
}
Fault expires(const Message& m) {
    return !m.has(HeaderId::expires) || m.expires() ? Fault{} : Fault{400, "Expires value is illegal"};
}

bool lists(std::string_view list, std::string_view wanted) {
    sip::ListSplitter split(list);
    for (std::string_view item; split.next(item);)
        if (text::iequals(item, wanted)) return true;
    return false;
}
Fault proxy_require(const Message& m, std::string_view supported, std::string& unsupported) {
    if (!m.is_request()) return {};
    std::string missing;
    for (const auto* field = m.first(HeaderId::proxy_require); field != nullptr; field = m.next(field)) {
        sip::ListSplitter split(field->value);
        for (std::string_view tag; split.next(tag);)
            if (!lists(supported, tag) && tag.find_first_of("\r\n") == tag.npos)
                missing.append(missing.empty() ? "" : ", ").append(tag);
    }
    if (missing.empty()) return {};
    unsupported = "Unsupported: " + missing + "\r\n";
    return {420, "Bad Proxy Require Extension"};
}

bool good_party(const sip::NameAddr* party) { return party != nullptr && is_good_uri(party->uri, true); }
bool good_contacts(const Message& m) {
    for (const auto* field = m.first(HeaderId::contact); field != nullptr; field = m.next(field)) {
        if (text::trim(field->value) == "*") continue;
        sip::NameAddrList list(field->value);
        for (sip::NameAddr contact; list.next(contact);)
            if (!is_good_uri(contact.uri, false)) return false;
        if (list.bad() != nullptr) return false;
    }
    return true;
}
Fault uris(const Message& m, uint32_t which) {
    if ((which & kRequestUri) != 0 && m.is_request() && m.parsed_request_uri() == nullptr)
        return {400, "Bad Request URI"};
    if ((which & kFrom) != 0 && !good_party(m.from())) return {400, "Invalid From Header"};
    if ((which & kTo) != 0 && !good_party(m.to())) return {400, "Ivalid To Header"};  // spelt as Kamailio spells it
    if ((which & kContact) != 0 && !good_contacts(m)) return {400, "Bad Contact Header"};
    return {};
}

Fault digest(const Message& m) {
    for (const HeaderId id : {HeaderId::authorization, HeaderId::proxy_authorization})
        for (const auto* field = m.first(id); field != nullptr; field = m.next(field)) {
            sip::AuthValue value;
            sip::Bad bad;
            if (!sip::parse_auth(field->value, value, bad)) return {400, "Bad Auth Header"};
            const bool whole = !value.username.empty() && !value.realm.empty() && !value.nonce.empty() &&
                               !value.uri.empty() && !value.response.empty();
            if (value.is_digest && !whole) return {400, "Bad Auth Credentials"};
        }
    return {};
}

int count_tags(const sip::NameAddr* party) {
    int tags = 0;
    if (party == nullptr) return 0;
    sip::ParamScanner scan(party->params);
    for (sip::Param param; scan.next(param);) tags += text::iequals(param.name, "tag");
    return tags;
}
Fault duplicate_tags(const Message& m) {
    return count_tags(m.from()) > 1 || count_tags(m.to()) > 1 ? Fault{400, "Multiple Tags"} : Fault{};
}
Fault top_via(const Message& m) { return m.top_via() != nullptr ? Fault{} : Fault{400, "Bad Via Header"}; }

}  // namespace

Fault check(const Message& m, const Checks& wanted, std::string& unsupported) {
    const auto is = [&](Bit bit) { return (wanted.bits & bit) != 0; };
    Fault fault;
    if (!fault && is(kTopVia)) fault = top_via(m);
    if (!fault && is(kVersion)) fault = version(m);
    if (!fault && is(kScheme)) fault = scheme(m);
    if (!fault && is(kRequiredHeaders)) fault = required_headers(m);
    if (!fault && is(kCSeqValue)) fault = cseq_value(m);
    if (!fault && is(kCSeqMethod)) fault = cseq_method(m);
    if (!fault && is(kContentLength)) fault = content_length(m);
    if (!fault && is(kExpires)) fault = expires(m);
    if (!fault && is(kProxyRequire)) fault = proxy_require(m, wanted.supported, unsupported);
    if (!fault && is(kUris)) fault = uris(m, wanted.uris);
    if (!fault && is(kDigest)) fault = digest(m);
    if (!fault && is(kDuplicateTags)) fault = duplicate_tags(m);
    return fault;
}

}  // namespace kahu::sanity
