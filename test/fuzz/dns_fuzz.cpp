// A name server's answer; the first octet chooses what was asked for.
#include "core/net/dns_parse.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/net/dns_settings.h"
#include "test/fuzz/expect.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace kahu::net;
    if (size == 0) return 0;
    const auto type = static_cast<RecordType>(data[0] % 4);
    const std::vector<unsigned char> octets(data + 1, data + size);  // of its own: reading past its end is seen
    constexpr kahu::clock::Millis kNow = 1'000'000;
    const DnsAnswer answer = parse_dns_answer(type, octets, kNow);
    FUZZ_EXPECT(answer.kind != DnsAnswer::Kind::failed && answer.count <= DnsAnswer::kMostRecords);
    FUZZ_EXPECT((answer.kind == DnsAnswer::Kind::records) == (answer.count > 0));
    const auto most = std::max(
        {dns_settings.cache_max_ttl.get(), dns_settings.cache_min_ttl.get(), dns_settings.cache_negative_ttl.get()});
    FUZZ_EXPECT(answer.expires >= kNow && answer.expires <= kNow + most * 1000);
    for (size_t i = 0; i < answer.count; ++i) {
        const DnsRecord& record = answer.record[i];
        FUZZ_EXPECT(std::memchr(record.target, '\0', sizeof record.target) != nullptr);
        FUZZ_EXPECT((type > RecordType::aaaa) || record.address.is_v6() == (type == RecordType::aaaa));
    }
    return 0;
}
