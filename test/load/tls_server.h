// tls_server.h -- the server side of OpenSSL with a certificate made on the spot: for the baseline and for the far end
// of calls, which a server connects to and whose certificate it is not expected to check.
#pragma once
#include "test/load/tls_client.h"

namespace kahu::load {

// options.tls, options.groups and options.rsa (RSA-2048 in place of EC P-256) apply.  FAILS with OpenSSL's reason.
Result<Context> make_server_context(const Options& options);

}  // namespace kahu::load
