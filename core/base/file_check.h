// core/base/file_check.h -- could this process make, or write, a file?
//
// WHY    `kahu -c` names what a start would stumble over, and makes nothing.
#pragma once
#include <string>

#include "core/base/result.h"

namespace kahu {

// FAILS with the folder that is missing or that may not be written to.  makes_folder: missing folders are made, too.
Status may_make_file(const std::string& path, bool makes_folder = false);

}  // namespace kahu
