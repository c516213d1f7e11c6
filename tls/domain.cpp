#include "tls/domain.h"

#include <openssl/tls1.h>

#include <iterator>

#include "core/base/text.h"

namespace kahu::tls {
namespace {

constexpr MethodInfo kMethods[] = {
    {"TLSv1.2", Method::tls12, TLS1_2_VERSION, TLS1_2_VERSION, false},
    {"TLSv1.2+", Method::tls12_up, TLS1_2_VERSION, 0, false},
    {"TLSv1.3", Method::tls13, TLS1_3_VERSION, TLS1_3_VERSION, false},
    {"TLSv1.3+", Method::tls13_up, TLS1_3_VERSION, 0, false},
    {"TLSv1.0", Method::tls10, TLS1_VERSION, TLS1_VERSION, true},
    {"TLSv1.0+", Method::tls10_up, TLS1_VERSION, 0, true},
    {"TLSv1.1", Method::tls11, TLS1_1_VERSION, TLS1_1_VERSION, true},
    {"TLSv1.1+", Method::tls11_up, TLS1_1_VERSION, 0, true},
    {"SSLv23", Method::any, TLS1_VERSION, 0, true},
};
// Further spellings.
constexpr struct {
    std::string_view name;
    Method method;
} kMethodAliases[] = {{"TLSv1", Method::tls10}, {"TLSv1+", Method::tls10_up}};

static_assert(
    [] {
        for (size_t i = 0; i < std::size(kMethods); ++i)
            if (kMethods[i].method != static_cast<Method>(i)) return false;
        return true;
    }(),
    "one row per Method, in enum order");

}  // namespace

const MethodInfo& info_of(Method method) { return kMethods[static_cast<size_t>(method)]; }

const MethodInfo* method_named(std::string_view name) {
    for (const MethodInfo& info : kMethods)
        if (text::iequals(info.name, name)) return &info;
    for (const auto& alias : kMethodAliases)
        if (text::iequals(alias.name, name)) return &info_of(alias.method);
    return nullptr;
}

std::string profile_name(const ProfileKey& key) {
    std::string name = key.side == Side::server ? "server:" : "client:";
    switch (key.scope) {
    case Scope::fallback: name += "default"; break;
    case Scope::any: name += "any"; break;
    case Scope::address: name += key.address.port() == 0 ? key.address.ip_in_uri() : key.address.text(); break;
    }
    if (!key.server_name.empty()) name.append(" sni=").append(key.server_name);
    if (!key.server_id.empty()) name.append(" id=").append(key.server_id);
    return name;
}

}  // namespace kahu::tls
