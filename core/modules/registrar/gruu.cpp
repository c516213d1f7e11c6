#include "core/modules/registrar/gruu.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/base/text.h"
#include "core/sip/params.h"
#include "core/sip/quoting.h"
#include "core/sip/scan.h"

namespace kahu::registrar {
namespace {

using usrloc::Contact;
using usrloc::Text;

// What may stand in the value of a URI parameter as it is (paramchar of RFC 3261 25.1).
bool fits_into_param(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return sip::is_in(c, sip::kParam); });
}

}  // namespace

bool Gruu::read(const sip::Uri& uri) {
    const auto param = sip::find_param(uri.params, "gr");
    if (!uri.is_sip() || !param) return false;
    std::string plain;
    if (param->has_value && !param->value.empty()) {
        instance_ = fmt::format("<{}>", sip::unescape(param->value, plain));
        return true;
    }
    const size_t dash = uri.user.rfind('-');
    if (dash == uri.user.npos) return false;
    const char* const end = uri.user.data() + uri.user.size();
    const auto [at, error] = std::from_chars(uri.user.data() + dash + 1, end, hash_, 16);
    if (error != std::errc{} || at != end) return false;
    ruid_ = uri.user.substr(0, dash);
    return !ruid_.empty();
}

std::string Gruu::aor(uint8_t table) const { return usrloc::aor_of_record(table, hash_, ruid_); }

bool Gruu::names(const Contact& contact) const {
    if (!ruid_.empty()) return contact.text(Text::ruid) == ruid_;
    return instance_.empty() || contact.text(Text::instance) == instance_;
}

void append_gruus(const Contact& contact, const sip::Uri& aor, std::string& out) {
    const std::string_view instance = contact.text(Text::instance);
    if (instance.size() < 3 || instance.front() != '<' || instance.back() != '>' || aor.user.empty()) return;
    const std::string_view name = instance.substr(1, instance.size() - 2);
    if (!fits_into_param(name)) return;
    const bool sips = text::iequals(contact.text(Text::uri).substr(0, 5), "sips:");
    const std::string_view scheme = sips ? "sips" : "sip";
    fmt::format_to(std::back_inserter(out), ";pub-gruu=\"{}:{}@{};gr={}\";temp-gruu=\"{}:{}-{:x}@{};gr\"", scheme,
                   aor.user, aor.host, name, scheme, contact.text(Text::ruid), contact.hash, aor.host);
}

}  // namespace kahu::registrar
