// RFC 3261 16.4: a Request-URI whose maddr names this server, reached as it says, is for us to route by its host.
#include "core/base/text.h"
#include "core/net/listener.h"
#include "core/script/message_facts.h"
#include "core/sip/params.h"

namespace kahu::script {

void strip_own_maddr(Run& run) {
    const sip::Uri* const uri = run.message().parsed_request_uri();
    if (uri == nullptr || !uri->is_sip() || uri->maddr.empty() || !net::is_myself(uri->maddr, 0)) return;
    const net::Inbound& from = run.inbound();
    if (uri_transport(*uri) != name_of(from.transport) || uri_port(*uri) != from.local.port()) return;
    TextBuilder stripped(run.arena());
    stripped.append(uri->scheme_name).append(':');
    if (uri->has_user) stripped.append(uri->userinfo()).append('@');
    stripped.append(uri->host);
    sip::ParamScanner scan(uri->params);
    for (sip::Param param; scan.next(param);)
        if (!text::iequals(param.name, "maddr") && !text::iequals(param.name, "transport"))
            stripped.append(';').append(param.whole);
    run.set_request_uri(stripped.take());
}

}  // namespace kahu::script
