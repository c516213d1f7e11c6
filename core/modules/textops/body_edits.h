// core/modules/textops/body_edits.h -- the body of the message that leaves, and its type.
#pragma once
#include <string_view>

#include "core/script/run.h"

namespace kahu::textops {

// The last body that was set counts.  Content-Length is put right by whoever builds the message that leaves.
void replace_body(script::Run& run, std::string_view body);
void set_content_type(script::Run& run, std::string_view type);

}  // namespace kahu::textops
