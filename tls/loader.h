// tls/loader.h -- reads a whole TLS configuration and proves that it works, before anybody uses it.
//
// WHY    Cold start, `-c`, tls.check and tls.reload must accept the same and say the same words; a loader per way in is
//        how they come to differ.
// LIVES  In the calling process, until publish() has copied it into the segment.  Private keys are wiped afterwards.
// LOCKS  None.
// FAILS  The first error ends it, named by file and line or by profile, with the reason in words and the usual remedy.
//        What works but should not stay so (a certificate about to expire) is a warning.  Bounds: kMaxFileBytes for
//        tls.cfg, kMaxMaterialBytes for each certificate, key, CA or CRL file.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/address.h"
#include "core/base/result.h"
#include "tls/domain_file.h"
#include "tls/generation.h"

namespace kahu::tls {

inline constexpr size_t kMaxMaterialBytes = 4 << 20;
inline constexpr int kMaxConfigFiles = 1000;  // in a directory given as `config`
inline constexpr int kMaxCaPathFiles = 2000;
inline constexpr int kExpiryWarningDays = 14;

struct LoadOptions {
    std::string config;          // tls.cfg or a directory of *.cfg; empty: `parameters` is all there is
    Domain parameters;           // what the module's parameters say: [server:default] where there is no config
    bool also_client = true;     // without config: a client profile with the same settings
    std::string base_directory;  // of the main configuration file: what relative paths start from
    bool allow_obsolete = false;
    // Addresses of the TLS listeners.  Empty: not checked.
    std::vector<SocketAddress> listeners;
};

struct LoadedConfiguration {
    LoadedConfiguration() = default;
    ~LoadedConfiguration();
    LoadedConfiguration(const LoadedConfiguration&) = delete;
    LoadedConfiguration& operator=(const LoadedConfiguration&) = delete;

    std::map<std::string, std::string> files;  // resolved path -> content; each file is read once
    std::deque<Domain> domains;                // owners of the views in `profiles`, like `names`
    std::deque<std::string> names;
    std::vector<Profile> profiles;
    std::vector<std::string> warnings;
};

Result<std::unique_ptr<LoadedConfiguration>> load_configuration(const LoadOptions& options);

// "./x": of the working directory; "/x": absolute; else of the main configuration file's directory.
std::string resolve_path(std::string_view path, std::string_view base_directory);

// Regular file of at most `limit` bytes.  The error names the path.
Result<std::string> read_bounded_file(const std::string& path, size_t limit);

}  // namespace kahu::tls
