// tls/reload.h -- the transaction behind tls.reload and tls.check, the cold start and `-c`.
//
// WHY    All or nothing: a configuration is read and proven completely, then put in force by one store, or refused with
//        the reason; the one in force serves on in either case.
// LIVES  Runs in the rpc process (reload) or before the first fork (start); one at a time.
// LOCKS  Those of publish().
// FAILS  With what the caller is told: the file and line or the profile, the reason, the remedy.  Nothing changed then.
#pragma once
#include <string>
#include <vector>

#include "core/base/result.h"

namespace kahu::tls {

struct LoadReport {
    std::vector<std::string> warnings;
    size_t profiles = 0;
    size_t changed = 0;  // profiles whose contexts have to be built anew
};

// Reads and proves what the parameters name, publishes nothing.
Result<LoadReport> check_configuration();
// The same, then publishes.  When it returns, every connection opened from then on gets the new configuration.
Result<LoadReport> load_and_publish();

}  // namespace kahu::tls
