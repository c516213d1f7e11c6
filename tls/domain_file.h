// tls/domain_file.h -- the language of tls.cfg: sections of `name = value` lines.
//
//     [server:default]                 also srv, s; [server:any], [server:10.0.0.1:5061], [server:[::1]:5061]
//     method = TLSv1.2+                # a comment; so is a line that begins with ;
//     certificate = "/etc/kahu/cert.pem"
//     [client:default]                 also cli, c
//
// WHY    Kamailio's files work unchanged; what is wrong in one is said with file, line and column, together with
//        what would have been valid.
// LIVES  Pure: text in, profiles out.  Reads no file, so that the fuzzer can drive it.
// FAILS  The first error ends the parse.  Bounds: kMaxFileBytes, kMaxLineBytes, kMaxProfiles.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "tls/domain.h"

namespace kahu::tls {

inline constexpr size_t kMaxFileBytes = 1 << 20;
inline constexpr size_t kMaxLineBytes = 8192;
inline constexpr size_t kMaxValueBytes = 4096;
inline constexpr size_t kMaxProfiles = 1024;

struct ParseOptions {
    bool allow_obsolete = false;  // tls_allow_obsolete: TLS 1.0 and 1.1 mean what they say
};

// Appends to `domains`; `file` is the name for errors and Domain::where.
Status parse_domains(std::string_view text, std::string_view file, const ParseOptions& options,
                     std::vector<Domain>& domains, std::vector<std::string>& warnings);

// One attribute, as the file or a module parameter of the same name gives it.  The error says what is valid, but not
// where: the caller knows.
Status set_attribute(Domain& domain, std::string_view name, std::string_view value, const ParseOptions& options,
                     std::vector<std::string>& warnings);

// Fills what the section itself does not give from `parent`, the default profile of its side.  Names and ids are the
// profile's own and never inherited.
void inherit(Domain& domain, const Domain& parent);
bool is_given(const Domain& domain, std::string_view name);

// For the manual page and errors.
struct AttributeInfo {
    std::string_view name, alias;  // alias may be empty
    std::string_view valid;        // "yes or no", "a file in PEM format"
    std::string_view help;
};
std::span<const AttributeInfo> attributes();

}  // namespace kahu::tls
