#include "core/script/uri_edit.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/sip/params.h"
#include "core/sip/uri.h"

namespace kahu::script {
namespace {

void append_other_params(TextBuilder& out, std::string_view params) {
    sip::ParamScanner scan(params);
    for (sip::Param param; scan.next(param);)
        if (!text::iequals(param.name, "transport")) out.append(';').append(param.whole);
}

}  // namespace

Status set_request_uri_part(Run& run, UriPart part, std::string_view text) {
    const sip::Uri* const uri = run.parsed_request_uri();
    if (uri == nullptr || !uri->is_sip())
        return Error{Errc::invalid, fmt::format("\"{}\" is not a SIP URI", text::printable(run.request_uri())), ""};
    TextBuilder out(run.arena());
    out.append(uri->scheme_name).append(':');
    std::string_view user = uri->userinfo();
    if (part == UriPart::user_and_password) user = text;
    if (part == UriPart::user) {
        out.append(text);
        if (!text.empty() && uri->has_password) out.append(':').append(uri->password);
        if (!text.empty()) out.append('@');
    } else if (!user.empty()) {
        out.append(user).append('@');
    }
    const bool with_transport = part == UriPart::host_port_transport;
    const bool new_host = part == UriPart::host || part == UriPart::host_and_port || with_transport;
    out.append(new_host ? text : uri->host);
    if (part == UriPart::port) {
        if (!text.empty()) out.append(':').append(text);
    } else if (part != UriPart::host_and_port && !with_transport && uri->port != 0) {
        out.append(':').decimal(uri->port);
    }
    if (!with_transport) out.append(uri->params);
    else append_other_params(out, uri->params);
    if (!uri->headers.empty()) out.append('?').append(uri->headers);
    const std::string_view built = out.take();
    sip::Uri check;
    sip::Bad bad;
    if (!sip::parse_uri(built, check, bad))
        return Error{Errc::invalid, fmt::format("\"{}\" would not be a URI: {}", text::printable(built), bad.rule), ""};
    run.set_request_uri(built);
    return {};
}

}  // namespace kahu::script
