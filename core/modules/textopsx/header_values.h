// core/modules/textopsx/header_values.h -- values of headers that are lists: found by "Name", "Name[i]", and changed.
#pragma once
#include "core/module/descriptor.h"
#include "core/script/function.h"
#include "core/script/run.h"

namespace kahu::textopsx {

// "Name", "Name[0]", "Name[-1]", "Name[*]", each with ".param" behind it
Status prepare_header_value(script::Args& args);
Status prepare_place(script::Args& args);  // without

int append_value(script::Run& run, const script::Args& args);  // behind the one that is named
int insert_value(script::Run& run, const script::Args& args);  // before it
int assign_value(script::Run& run, const script::Args& args);  // in its place
int remove_value(script::Run& run, const script::Args& args);
// The same for headers whose commas do not part values: Authorization.
int assign_header(script::Run& run, const script::Args& args);
int remove_header(script::Run& run, const script::Args& args);
int include_value(script::Run& run, const script::Args& args);  // (name, value): unless it is there
int exclude_value(script::Run& run, const script::Args& args);
int value_exists(script::Run& run, const script::Args& args);

}  // namespace kahu::textopsx
