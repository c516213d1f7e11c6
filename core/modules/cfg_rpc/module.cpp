// core/modules/cfg_rpc/module.cpp -- a name that configurations load.
#include "core/modules/cfg_rpc/module.h"

namespace kahu::cfg_rpc {

const ModuleDescriptor kModule{
    .name = "cfg_rpc",
    .summary = "Settings read and changed while the server runs.",
    .description =
        "The RPC commands cfg.get, cfg.set_now_int and the others are always there; loading this module changes "
        "nothing.",
};

}  // namespace kahu::cfg_rpc
