#include "tls/config_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "core/base/fd.h"
#include "tls/loader.h"

namespace kahu::tls {
namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const { closedir(directory); }
};

Error file_error(const std::string& path, int code) {
    Error error = errno_error(path, code);
    if (code == EACCES) error.hint = "it must be readable by the user the server runs as";
    return error;
}

template <class Wanted>
Result<std::vector<std::string>> entries(const std::string& path, Wanted wanted) {
    const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
    if (!directory) return file_error(path, errno);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(directory.get()))
        if (wanted(std::string_view(entry->d_name))) names.push_back(path + '/' + entry->d_name);
    std::sort(names.begin(), names.end());
    return names;
}

bool is_config_name(std::string_view name) { return name.size() > 4 && name.front() != '.' && name.ends_with(".cfg"); }

// Eight hexadecimal digits, a dot, a number.
bool is_hash_name(std::string_view name) {
    if (name.size() < 10 || name[8] != '.') return false;
    for (size_t i = 0; i < name.size(); ++i) {
        const bool digit = name[i] >= '0' && name[i] <= '9';
        if (i != 8 && !digit && !(i < 8 && name[i] >= 'a' && name[i] <= 'f')) return false;
    }
    return true;
}

}  // namespace

std::string resolve_path(std::string_view path, std::string_view base_directory) {
    if (path.empty() || path.front() == '/' || path.front() == '.' || base_directory.empty()) return std::string(path);
    return fmt::format("{}{}{}", base_directory, base_directory.back() == '/' ? "" : "/", path);
}

Result<std::string> read_bounded_file(const std::string& path, size_t limit) {
    // O_NONBLOCK: a FIFO in its place must not stop the server.
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return file_error(path, errno);
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) return file_error(path, errno);
    if (!S_ISREG(status.st_mode)) return Error{Errc::invalid, path + ": not a regular file", ""};
    if (static_cast<size_t>(status.st_size) > limit)
        return Error{Errc::invalid, fmt::format("{}: larger than {} bytes", path, limit), ""};
    std::string content;
    content.reserve(static_cast<size_t>(status.st_size) + 1);  // growing would leave copies of keys behind
    char chunk[16384];
    for (;;) {
        const ssize_t got = read(fd.get(), chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return file_error(path, errno);
        if (got == 0) {
            explicit_bzero(chunk, sizeof chunk);
            return content;
        }
        if (content.size() + static_cast<size_t>(got) > limit)
            return Error{Errc::invalid, fmt::format("{}: larger than {} bytes", path, limit), ""};
        content.append(chunk, static_cast<size_t>(got));
    }
}

Result<std::vector<std::string>> config_files(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) {
        const bool missing = errno == ENOENT;
        Error error = file_error(path, errno);
        if (missing) error.hint = "tls.cfg(5) shows one; modparam(\"tls\", \"config\", ...) names it";
        return std::move(error).context("TLS configuration");
    }
    if (!S_ISDIR(status.st_mode)) return std::vector<std::string>{path};
    auto files = entries(path, is_config_name);
    if (!files) return std::move(files).error().context("TLS configuration");
    if (files->empty())
        return Error{Errc::not_found, fmt::format("TLS configuration: {}: no file named *.cfg in it", path), ""};
    if (files->size() > kMaxConfigFiles)
        return Error{Errc::invalid, fmt::format("TLS configuration: {}: more than {} files", path, kMaxConfigFiles),
                     ""};
    return files;
}

Result<std::string> ca_directory(const std::string& path) {
    auto names = entries(path, is_hash_name);
    if (!names) return std::move(names).error();
    if (names->empty())
        return Error{Errc::not_found, fmt::format("{}: no certificate named by its hash in it", path),
                     fmt::format("run `openssl rehash {}`", path)};
    if (names->size() > kMaxCaPathFiles)
        return Error{Errc::invalid, fmt::format("{}: more than {} certificates", path, kMaxCaPathFiles), ""};
    std::string all;
    for (const std::string& name : *names) {
        auto content = read_bounded_file(name, kMaxMaterialBytes);
        if (!content) return std::move(content).error();
        if (all.size() + content->size() > kMaxMaterialBytes)
            return Error{Errc::invalid, fmt::format("{}: larger than {} bytes together", path, kMaxMaterialBytes), ""};
        all.append(*content).append("\n");
    }
    return all;
}

}  // namespace kahu::tls
