// core/modules/tm/contacts.h -- serial forking by q: what is tried later is kept in an $avp of the transaction.
//
// LIVES  $avp(tm_contacts): newest is what comes next; it follows the transaction into failure routes.
#pragma once
#include "core/script/run.h"

namespace kahu::tm {

// Takes the run's targets and puts them aside, highest q on top.  True also if there is nothing to order: then they
// stay.
bool load_contacts(script::Run& run);
// Makes all targets of the highest q left the run's targets.  False: none are left.
bool next_contacts(script::Run& run);
// Makes the next flow of an instance whose flow failed the run's target (RFC 5626 7).  False: none is left.
// `instance`: empty for that of any.
bool next_flow(script::Run& run, std::string_view instance);

}  // namespace kahu::tm
