#include "core/modules/registrar/aor_text.h"

#include "core/base/text.h"
#include "core/modules/registrar/settings.h"
#include "core/sip/quoting.h"
#include "core/sip/uri.h"

namespace kahu::registrar {

Fault aor_of(script::Run& run, std::string_view uri, std::string_view& out) {
    sip::Uri parsed;
    sip::Bad bad;
    if (!sip::parse_uri(uri, parsed, bad) || parsed.scheme == sip::Scheme::other) return Fault::aor;
    static std::string unescaped, aor;
    aor = sip::unescape(parsed.user, unescaped);
    const size_t user_bytes = aor.size();
    if (usrloc::use_domain()) {
        std::string domain = text::lowered(parsed.host);
        const std::string& prefix = settings.realm_prefix.get();
        if (!prefix.empty() && domain.size() > prefix.size() && domain.starts_with(prefix))
            domain.erase(0, prefix.size());
        aor.append(user_bytes != 0 && !domain.empty() ? "@" : "").append(domain);
    } else if (user_bytes == 0) {
        return Fault::to_user;
    }
    if (aor.empty()) return Fault::to_user;
    if (aor.size() > usrloc::kMostBytes[static_cast<size_t>(usrloc::Text::aor)]) return Fault::aor_length;
    if (settings.case_sensitive == 0)
        for (size_t i = 0; i < user_bytes; ++i) aor[i] = text::lower(aor[i]);
    out = run.arena().copy(aor);
    return Fault::none;
}

}  // namespace kahu::registrar
