// core/modules/siputils/options_reply.h -- what this server answers to OPTIONS (RFC 3261 11.2).
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::siputils {
int options_reply(script::Run& run, const script::Args& args);
std::span<const Param> options_params();
}  // namespace kahu::siputils
