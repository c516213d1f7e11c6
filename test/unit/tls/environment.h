// test/unit/tls/environment.h -- one segment and one booted OpenSSL for all tests of this program, as the server has
// them.
//
// Shared mode in a plain build, private mode under a sanitizer.  The test process is the supervisor (slot 0).
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "tls/throwaway_identity.h"

namespace kahu::tls::testing {

// Runs work(child) in `children` processes at once, each with a slot of its own (1, 2, ...), and leaves them as the
// server's processes leave.  Returns the sum of what they returned (a count of failures); a child that dies, or whose
// thread-locals or libcrypto variables are not clean, counts as a thousand.
int in_children(int children, const std::function<int(int child)>& work);

// Runs work() in slot `slot` and lets it be killed; true if it was.  The slot is recovered then.
bool killed_in_child(int slot, const std::function<void()>& work);

// What in_throwaway_process() said before OpenSSL was booted: an error by design.
const Status& early_check();

// CA, server certificates and a client certificate, made once.
struct Identities {
    ThrowawayIdentity ca, ec, rsa, ec_renewed, rsa_renewed, client;
    OwnedCrl crl;
};
const Identities& identities();

struct ContextWish {
    int version = 0;  // 0: both
    KeyKind key = KeyKind::ec_p256;
    bool tickets = true, verify = false;
    std::string policy = "test";
    bool renewed = false;  // the certificate
};
// As the server configures its contexts, with slot_libctx().
OwnedContext server_context(const ContextWish& wish);
// A plain client of the same version, with the client certificate.
OwnedContext client_context(const ContextWish& wish);

// 64 KiB of zeros, once, that all children share.
void* shared_page();

}  // namespace kahu::tls::testing
