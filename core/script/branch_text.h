// core/script/branch_text.h -- a branch as one text, for the lists of further targets that are kept in an $avp.
//
// WHY    What is tried only when the first targets failed must follow the transaction into its failure routes; $avp
// does.
#pragma once
#include <string>
#include <string_view>

#include "core/script/branches.h"

namespace kahu::script {

// Other flows of the instances that lookup() found: the newest is what t_next_contact_flow() tries next.
inline constexpr std::string_view kFlowsAvp = "tm_contact_flows";

std::string pack(const Branch& branch);
// REQUIRES: `packed` came from pack(), and lives as long as the branch.
Branch unpack(std::string_view packed);

}  // namespace kahu::script
