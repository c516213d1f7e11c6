// core/modules/auth/module.cpp -- read this file to know what auth offers.
#include "core/modules/auth/module.h"

#include <vector>

#include "core/modules/auth/functions.h"
#include "core/modules/auth/nonce.h"
#include "core/modules/auth/settings.h"

namespace kahu::auth {
namespace {

std::span<const mem::Part> parts() {
    static std::vector<mem::Part> wanted;
    wanted = {{"auth.nonces", nonce_part_bytes(static_cast<size_t>(settings.nc_array_size.get())), construct_nonces}};
    return wanted;
}

}  // namespace

const ModuleDescriptor kModule{
    .name = "auth",
    .summary = "Digest authentication.",
    .params = params(),
    .functions = functions(),
    .hooks = {.check = check_settings, .parts = parts},
    .description =
        "Challenges requests and checks the answers (RFC 7616, RFC 8760): MD5 and SHA-256, qop auth and auth-int, "
        "nonces "
        "with a time limit, nonce counts, stale.\n\n"
        "The key of nonces is drawn at each start: after a restart phones are challenged once more, with stale=true.",
};

}  // namespace kahu::auth
