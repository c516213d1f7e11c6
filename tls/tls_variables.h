// tls/tls_variables.h -- $tls_version, $tls_peer_subject_cn and their kin.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::tls {
std::span<const Variable> tls_variables();
}
