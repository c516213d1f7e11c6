// tls/config_files.h -- the files of a TLS configuration, read with bounds.
//
// FAILS  With the path, the reason of the system, and what is usually the matter.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace kahu::tls {

// The file itself; of a directory its *.cfg, sorted by name.
Result<std::vector<std::string>> config_files(const std::string& path);

// The certificates of a directory made by `openssl rehash` (names like 2c543cd1.0), one after the other.
Result<std::string> ca_directory(const std::string& path);

// Further declared in tls/loader.h: resolve_path(), read_bounded_file().

}  // namespace kahu::tls
