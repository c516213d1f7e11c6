// core/script/branch_parts.h -- the parts of a branch by name: $branch(uri), $sbranch(uri).
//
// LIVES  What set_branch_part() puts into a branch is text of the run's arena, or what it was given.
#pragma once
#include <cstdint>

#include "core/base/result.h"
#include "core/script/value.h"

namespace kahu::script {

class Run;
struct Branch;
struct VariableUse;

// For Variable::prepare: finds use.inner among the names; use.number then is the part.
Status prepare_branch_part(VariableUse& use);
bool is_branch_count(int64_t part);  // "count", which no single branch has
Value branch_part(Run& run, const Branch& branch, int64_t part);
// FAILS: what should be a URI is none.
Status set_branch_part(Run& run, Branch& branch, int64_t part, const Value& value);

}  // namespace kahu::script
