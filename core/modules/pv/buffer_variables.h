// core/modules/pv/buffer_variables.h -- $mbu $msgbuf() $rcv() $rpl() $rsi $ccp() $sid.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::pv {
std::span<const Variable> buffer_variables();
}
