// core/modules/auth/check.h -- inside auth: what the last check of this message found.
#pragma once
#include <string_view>

#include "core/modules/auth/api.h"

namespace kahu::auth {

struct LastCheck {
    uint64_t run_number = 0;                       // of the message
    bool stale = false;                            // right password, but the nonce is no longer good
    const sip::HeaderField* authorized = nullptr;  // the header that was found right
    std::string_view username;                     // in the run's arena
};
const LastCheck* last_check(const script::Run& run);  // nullptr: nothing was checked for this message

const sip::HeaderField* find_credentials(const script::Run& run, Side side, std::string_view realm,
                                         sip::AuthValue& out);
std::string_view without_prefix(std::string_view realm);  // realm_prefix

}  // namespace kahu::auth
