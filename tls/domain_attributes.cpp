// The attributes of a profile: one table, read by the parser of tls.cfg, the module parameters and tls.cfg(5).
#include <fmt/format.h>

#include <array>
#include <iterator>

#include "core/base/text.h"
#include "tls/domain_file.h"

namespace kahu::tls {
namespace {

struct Setting {
    std::string_view value;
    const ParseOptions& options;
    std::vector<std::string>& warnings;
    std::string problem, hint;  // when the setter returns false; problem may stay empty
};
using Setter = bool (*)(Domain&, Setting&);

template <auto Member>
bool set_text(Domain& domain, Setting& s) {
    domain.*Member = s.value;
    return true;
}

bool to_bool(std::string_view value, bool& out) {
    for (const auto& [word, truth] : {std::pair{"yes", true},
                                      {"on", true},
                                      {"true", true},
                                      {"1", true},
                                      {"no", false},
                                      {"off", false},
                                      {"false", false},
                                      {"0", false}})
        if (text::iequals(value, word)) {
            out = truth;
            return true;
        }
    return false;
}

template <auto Member>
bool set_bool(Domain& domain, Setting& s) {
    return to_bool(s.value, domain.*Member);
}

template <auto Member>
bool set_file(Domain& domain, Setting& s) {
    if (s.value.starts_with("/engine:") || s.value.starts_with("/uri:")) {
        s.problem = "keys in hardware modules are not supported";
        s.hint = "name a file in PEM format";
        return false;
    }
    domain.*Member = s.value;
    return true;
}

bool set_depth(Domain& domain, Setting& s) {
    const auto depth = text::to_int(s.value);
    if (!depth || *depth < 0 || *depth > 100) return false;
    domain.verify_depth = static_cast<int>(*depth);
    return true;
}

bool set_name_mode(Domain& domain, Setting& s) {
    const auto mode = text::to_int(s.value);
    if (!mode || *mode < 0 || *mode > 2) return false;
    domain.server_name_mode = static_cast<ServerNameMode>(*mode);
    return true;
}

bool set_verify_client(Domain& domain, Setting& s) {
    constexpr std::string_view words[] = {"off", "on", "optional", "optional_no_ca"};
    for (size_t i = 0; i < std::size(words); ++i)
        if (text::iequals(s.value, words[i])) {
            domain.verify_client = static_cast<VerifyClient>(i);
            return true;
        }
    return false;
}

bool set_server_name(Domain& domain, Setting& s) {
    if (s.value.size() > 253) return false;
    for (const char c : s.value)
        if (c <= ' ' || c == 0x7f) return false;
    domain.server_name = s.value;
    return true;
}

bool set_server_id(Domain& domain, Setting& s) {
    if (s.value.size() > 63) return false;
    domain.server_id = s.value;
    return true;
}

// A range that reaches TLS 1.2 still works with its lower end cut off; a single obsolete version would not.
bool set_method(Domain& domain, Setting& s) {
    if (text::iequals(s.value, "SSLv2") || text::iequals(s.value, "SSLv3")) {
        s.problem = fmt::format("{} is broken and not in this server", s.value);
        s.hint = "use TLSv1.2+";
        return false;
    }
    const MethodInfo* info = method_named(s.value);
    if (info == nullptr) return false;
    domain.method = info->method;
    if (!info->obsolete || s.options.allow_obsolete) return true;
    if (!s.value.ends_with('+')) {
        s.problem = fmt::format("{} is obsolete (RFC 8996)", s.value);
        s.hint = "use TLSv1.2+, or set modparam(\"tls\", \"tls_allow_obsolete\", 1) to allow it";
        return false;
    }
    domain.method = Method::tls12_up;
    s.warnings.push_back(
        fmt::format("method {} taken as TLSv1.2+: older versions are obsolete (RFC 8996); tls_allow_obsolete "
                    "would allow them",
                    s.value));
    return true;
}

constexpr std::string_view kYesNo = "yes or no";
constexpr std::string_view kPemFile = "a file in PEM format";

template <auto... Members>
void copy(Domain& to, const Domain& from) {
    ((to.*Members = from.*Members), ...);
}

struct Row {
    AttributeInfo info;
    Setter set;
    void (*copy)(Domain&, const Domain&) = nullptr;  // null: not inherited
};
// clang-format off
constexpr Row kRows[] = {
    {{"method", "tls_method", "TLSv1.2, TLSv1.2+, TLSv1.3 or TLSv1.3+",
      "Protocol versions; with + also all newer ones. The default is TLSv1.2+."}, set_method, copy<&Domain::method>},
    {{"certificate", "cert_file", kPemFile,
      "Certificate, followed by the intermediate certificates that lead to its root."}, set_file<&Domain::certificate>, copy<&Domain::certificate>},
    {{"private_key", "pkey_file", kPemFile, "Its private key; may be the same file."}, set_file<&Domain::private_key>, copy<&Domain::private_key>},
    {{"private_key_password", "pkey_password", "text", "Opens an encrypted private key."}, set_text<&Domain::private_key_password>, copy<&Domain::private_key_password>},
    {{"certificate2", "cert_file2", kPemFile,
      "A second certificate of another key type (RSA besides EC); each peer gets the one it can use."}, set_file<&Domain::certificate2>, copy<&Domain::certificate2>},
    {{"private_key2", "pkey_file2", kPemFile, "Private key of certificate2."}, set_file<&Domain::private_key2>, copy<&Domain::private_key2>},
    {{"private_key_password2", "pkey_password2", "text", "Opens an encrypted private_key2."}, set_text<&Domain::private_key_password2>, copy<&Domain::private_key_password2>},
    {{"ca_list", "calist_file", kPemFile, "Certificates that peers' certificates must lead to."}, set_file<&Domain::ca_list>, copy<&Domain::ca_list>},
    {{"ca_path", "", "a directory",
      "Directory of such certificates, named by hash (openssl rehash); read when the configuration is loaded."}, set_text<&Domain::ca_path>, copy<&Domain::ca_path>},
    {{"crl", "", kPemFile, "Revocation lists, one for every CA of the chain."}, set_file<&Domain::crl>, copy<&Domain::crl>},
    {{"verify_certificate", "verify_cert", kYesNo,
      "Checks the peer's certificate; on the server side only if the peer sends one."}, set_bool<&Domain::verify_certificate>, copy<&Domain::verify_certificate>},
    {{"require_certificate", "require_cert", kYesNo, "Refuses clients that send no certificate, or one that does not pass the check."},
     set_bool<&Domain::require_certificate>, copy<&Domain::require_certificate>},
    {{"verify_client", "", "off, on, optional or optional_no_ca",
      "on: as require_certificate; optional: as verify_certificate; optional_no_ca: asks for a certificate and accepts any, is_peer_verified() tells."},
     set_verify_client, copy<&Domain::verify_client>},
    {{"verify_depth", "", "a number from 0 to 100", "Intermediate certificates allowed in a chain. The default is 9."}, set_depth, copy<&Domain::verify_depth>},
    {{"cipher_list", "", "OpenSSL cipher names separated by colons",
      "TLS 1.2 ciphers and TLS 1.3 suites in one list, best first; @SECLEVEL=n works."}, set_text<&Domain::cipher_list>, copy<&Domain::cipher_list>},
    {{"server_name", "", "a host name",
      "Server: the SNI this profile is for. Client: the SNI to send."}, set_server_name},
    {{"server_name_mode", "", "0, 1 or 2", "0: server_name only; 1: and its subdomains; 2: its subdomains only."}, set_name_mode},
    {{"server_id", "", "text of at most 63 bytes", "Name by which tls_set_connect_server_id() chooses a client profile."}, set_server_id},
};
// clang-format on

constexpr auto kInfos = [] {
    std::array<AttributeInfo, std::size(kRows)> infos{};
    for (size_t i = 0; i < std::size(kRows); ++i) infos[i] = kRows[i].info;
    return infos;
}();

std::string_view nearest_attribute(std::string_view name) {
    std::vector<std::string_view> known;
    for (const AttributeInfo& info : kInfos) {
        known.push_back(info.name);
        if (!info.alias.empty()) known.push_back(info.alias);
    }
    return text::nearest(name, known);
}

}  // namespace

std::span<const AttributeInfo> attributes() { return kInfos; }

static_assert(std::size(kRows) <= 32, "Domain::given has a bit for each");

void inherit(Domain& domain, const Domain& parent) {
    for (size_t i = 0; i < std::size(kRows); ++i)
        if (kRows[i].copy != nullptr && (domain.given & (1U << i)) == 0) kRows[i].copy(domain, parent);
}

bool is_given(const Domain& domain, std::string_view name) {
    for (size_t i = 0; i < std::size(kRows); ++i)
        if (kRows[i].info.name == name) return (domain.given & (1U << i)) != 0;
    return false;
}

Status set_attribute(Domain& domain, std::string_view name, std::string_view value, const ParseOptions& options,
                     std::vector<std::string>& warnings) {
    for (size_t i = 0; i < std::size(kRows); ++i) {
        const Row& row = kRows[i];
        if (!text::iequals(row.info.name, name) && !(text::iequals(row.info.alias, name) && !name.empty())) continue;
        if (value.find('\0') != value.npos)
            return Error{Errc::invalid, fmt::format("{} contains a NUL byte", row.info.name), ""};
        Setting setting{value, options, warnings, "", ""};
        if (row.set(domain, setting)) {
            domain.given |= 1U << i;
            return {};
        }
        if (!setting.problem.empty())
            return Error{Errc::invalid, fmt::format("{}: {}", row.info.name, setting.problem), setting.hint};
        return Error{Errc::invalid, fmt::format("{} = \"{}\" is not valid", row.info.name, text::printable(value, 80)),
                     fmt::format("expected {}", row.info.valid)};
    }
    const std::string_view near = nearest_attribute(name);
    return Error{
        Errc::invalid, fmt::format("unknown attribute \"{}\"", text::printable(name, 80)),
        near.empty() ? std::string("tls.cfg(5) lists the attributes") : fmt::format("did you mean \"{}\"?", near)};
}

}  // namespace kahu::tls
