#include "core/base/file_check.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace kahu {

namespace fs = std::filesystem;

Status may_make_file(const std::string& path, bool makes_folder) {
    std::error_code unused;
    if (fs::is_directory(path, unused)) return Error{Errc::invalid, path + " is a folder", "name a file in it"};
    fs::path folder = fs::absolute(path, unused).parent_path();
    while (makes_folder && !fs::exists(folder, unused) && folder.has_relative_path()) folder = folder.parent_path();
    const bool may = ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
    const int error_number = errno;
    const int why = fs::exists(folder, unused) && !fs::is_directory(folder, unused) ? ENOTDIR : may ? 0 : error_number;
    if (why == 0) return {};
    Error error = errno_error("could not make " + path + ": folder " + folder.string(), why);
    error.hint = why == ENOENT ? "create it" : "whoever starts the server must be allowed to write there";
    return error;
}

}  // namespace kahu
