// rpc/api.h -- what core/app uses of rpc besides server.h and server_facts.h.
#pragma once
#include "core/module/descriptor.h"
#include "rpc/registry.h"

namespace kahu::rpc {

// "ctl": its hooks check and open open the sockets; serve() answers.
extern const ModuleDescriptor kModule;

}  // namespace kahu::rpc
