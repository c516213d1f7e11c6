// core/modules/sl/local_tag.h -- $ltt(key): the To-tag that a reply of this server to the request has, or would have.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::sl {

std::span<const Variable> local_tag_variables();

}  // namespace kahu::sl
