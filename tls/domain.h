// tls/domain.h -- a TLS profile ("domain" in tls.cfg): which connections it is for, and with which certificate,
// protocol versions and checks they are made.
//
// WHY    One plain value for what a section of tls.cfg or the module's parameters say.  The loader turns a list
//        of them into a generation (tls/generation.h); nothing else reads configuration.
// LIVES  Process-private, while a configuration is loaded.  Paths are as written; the loader resolves them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/address.h"

namespace kahu::tls {

enum class Side : uint8_t { server, client };
enum class Scope : uint8_t { fallback, any, address };  // [server:default], [server:any], [server:10.0.0.1:5061]
enum class ServerNameMode : uint8_t { exact, name_and_subdomains, subdomains };  // 0, 1, 2 of server_name_mode
enum class VerifyClient : uint8_t { off, on, optional, optional_no_ca };

// In the order of kMethods (domain.cpp).
enum class Method : uint8_t { tls12, tls12_up, tls13, tls13_up, tls10, tls10_up, tls11, tls11_up, any };

struct MethodInfo {
    std::string_view name;  // as tls.cfg writes it, as errors list it
    Method method;
    int lowest, highest;  // TLS1_2_VERSION ...; highest 0: no limit
    bool obsolete;        // allows versions below TLS 1.2: needs tls_allow_obsolete
};
const MethodInfo& info_of(Method method);
const MethodInfo* method_named(std::string_view name);  // any case; nullptr: unknown

// What domain_select compares.  The views belong to whoever made the key (a Domain or a Generation).
struct ProfileKey {
    Side side = Side::server;
    Scope scope = Scope::fallback;
    ServerNameMode server_name_mode = ServerNameMode::exact;
    SocketAddress address;  // scope address only; port 0: any port
    std::string_view server_name, server_id;
};

struct Domain {
    Side side = Side::server;
    Scope scope = Scope::fallback;
    SocketAddress address;
    std::string where;  // "tls.cfg:12", "modparam tls"; for errors
    std::string server_name, server_id;
    ServerNameMode server_name_mode = ServerNameMode::exact;

    Method method = Method::tls12_up;
    bool verify_certificate = false, require_certificate = false;
    VerifyClient verify_client = VerifyClient::off;
    int verify_depth = 9;
    std::string certificate, private_key, private_key_password;
    std::string certificate2, private_key2, private_key_password2;
    std::string ca_list, ca_path, crl, cipher_list;

    uint32_t given = 0;  // bit i: attributes()[i] was set; the others come from the default profile (inherit)

    ProfileKey key() const { return {side, scope, server_name_mode, address, server_name, server_id}; }
};

// "server:default", "server:any", "client:[::1]:5061", with " sni=example.com" and " id=trunk1" where it has them:
// the profile's name in errors, logs and RPC answers.
std::string profile_name(const ProfileKey& key);

}  // namespace kahu::tls
