// tls.cfg: any text is either profiles within bounds or an error with a place in it; choosing a profile for any name
// stays within the list.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "test/fuzz/expect.h"
#include "tls/cipher_list.h"
#include "tls/domain_file.h"
#include "tls/domain_select.h"

namespace kahu::tls {
namespace {

void check_domain(const Domain& domain) {
    FUZZ_EXPECT(domain.where.starts_with("tls.cfg:"));
    FUZZ_EXPECT(domain.server_name.size() <= 253 && domain.server_id.size() <= 63);
    FUZZ_EXPECT(domain.verify_depth >= 0 && domain.verify_depth <= 100);
    FUZZ_EXPECT(!info_of(domain.method).name.empty());
    FUZZ_EXPECT(profile_name(domain.key()).size() >= 10);
    const CipherLists lists = split_ciphers(domain.cipher_list);
    FUZZ_EXPECT(lists.tls12.size() + lists.suites.size() <= domain.cipher_list.size() + 10);
}

void check_selection(const std::vector<Domain>& domains, std::string_view name) {
    std::vector<ProfileKey> keys;
    for (const Domain& domain : domains) keys.push_back(domain.key());
    for (const Side side : {Side::server, Side::client}) {
        const Wanted wanted{side, *SocketAddress::parse_ip("127.0.0.1", 5061), *SocketAddress::parse_ip("::1", 1), name,
                            name};
        const int chosen = select_profile(keys, wanted);
        FUZZ_EXPECT(chosen >= -1 && chosen < static_cast<int>(keys.size()));
        if (chosen >= 0) FUZZ_EXPECT(keys[static_cast<size_t>(chosen)].side == side);
    }
}

void run(std::string_view text, bool allow_obsolete) {
    std::vector<Domain> domains;
    std::vector<std::string> warnings;
    const Status parsed = parse_domains(text, "tls.cfg", {allow_obsolete}, domains, warnings);
    if (!parsed) FUZZ_EXPECT(parsed.error().what.starts_with("tls.cfg:"));
    FUZZ_EXPECT(domains.size() <= kMaxProfiles);
    for (const Domain& domain : domains) check_domain(domain);
    check_selection(domains, text.substr(0, 100));
}

}  // namespace
}  // namespace kahu::tls

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    kahu::tls::run(text, false);
    kahu::tls::run(text, true);
    return 0;
}
