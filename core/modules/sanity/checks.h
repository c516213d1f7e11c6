// core/modules/sanity/checks.h -- one test per bit of sanity_check(), and what to answer. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/sip/message.h"

namespace kahu::sanity {

enum Bit : uint32_t {
    kVersion = 1 << 0,
    kScheme = 1 << 1,
    kRequiredHeaders = 1 << 2,
    kCSeqMethod = 1 << 5,
    kCSeqValue = 1 << 6,
    kContentLength = 1 << 7,
    kExpires = 1 << 8,
    kProxyRequire = 1 << 9,
    kUris = 1 << 10,
    kDigest = 1 << 11,
    kDuplicateTags = 1 << 12,
    kTopVia = 1 << 14,
};
enum Uri : uint32_t { kRequestUri = 1, kFrom = 2, kTo = 4, kContact = 8 };
inline constexpr int64_t kDefaultChecks = 999 + 16384, kDefaultUris = 7;

struct Fault {
    int status = 0;
    const char* reason = "";
    explicit operator bool() const { return status != 0; }
};

struct Checks {
    uint32_t bits = 0, uris = 0;
    std::string_view supported = {};  // option tags, with commas between them
};

// `unsupported`: the header line that a 420 needs.
Fault check(const sip::Message& message, const Checks& wanted, std::string& unsupported);

}  // namespace kahu::sanity
