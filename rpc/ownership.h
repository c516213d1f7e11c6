// rpc/ownership.h -- modparams that say who may use a socket or FIFO: mode, user, group.
//
// FAILS  With what was expected; `out` is left as it was.
#pragma once
#include <sys/types.h>

#include "core/module/descriptor.h"

namespace kahu::rpc {

Status read_mode(const ParamValue& value, mode_t& out);  // 0660, or "0660"
Status read_user(const ParamValue& value, uid_t& out);   // a name, or a number as text or integer
Status read_group(const ParamValue& value, gid_t& out);

}  // namespace kahu::rpc
