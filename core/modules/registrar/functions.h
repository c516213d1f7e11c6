// core/modules/registrar/functions.h -- save() and lookup() and their kin, as the routing script calls them.
#pragma once
#include "core/module/descriptor.h"

namespace kahu::registrar {

// The table's name must be known at start, so that it is loaded: args[0] becomes its number.
Status prepare_table(script::Args& args);
uint8_t table_of(const script::Args& args);

int save(script::Run& run, const script::Args& args);
int reg_send_reply(script::Run& run, const script::Args& args);

int lookup(script::Run& run, const script::Args& args);
int lookup_to_dset(script::Run& run, const script::Args& args);
int lookup_branches(script::Run& run, const script::Args& args);
int registered(script::Run& run, const script::Args& args);
int unregister(script::Run& run, const script::Args& args);
int add_sock_hdr(script::Run& run, const script::Args& args);

}  // namespace kahu::registrar
