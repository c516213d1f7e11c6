// core/modules/usrloc/methods.h -- sets of methods as Kamailio numbers them, for the database and for ul.dump.
#pragma once
#include <cstdint>

#include "core/sip/method.h"

namespace kahu::usrloc {

uint32_t to_kamailio_methods(sip::MethodMask methods);  // UINT32_MAX: all, or not told
sip::MethodMask from_kamailio_methods(uint32_t methods);

}  // namespace kahu::usrloc
