// core/modules/registrar/aor_text.h -- the address of record of a URI, as usrloc keeps it: "alice", or
// "alice@example.com" with use_domain.
#pragma once
#include <string_view>

#include "core/modules/registrar/answer.h"
#include "core/script/run.h"

namespace kahu::registrar {

// %-escapes are undone, letters lowered as case_sensitive says, realm_prefix taken off.  The text lives in the run's
// arena.  Fault::none: `out` is good.
Fault aor_of(script::Run& run, std::string_view uri, std::string_view& out);

}  // namespace kahu::registrar
