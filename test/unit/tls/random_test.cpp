// test/unit/tls/random_test.cpp -- the generator against published vectors, and over forks.
#include "tls/random.h"

#include <gtest/gtest.h>
#include <openssl/rand.h>

#include <array>
#include <cstring>
#include <set>

#include "core/base/text.h"
#include "test/unit/tls/environment.h"
#include "tls/shared_openssl.h"

namespace kahu::tls {
namespace {

// draft-agl-tls-chacha20poly1305-04 section 7 and RFC 8439 appendix A.1: key and nonce zero.
TEST(ChaCha20, ZeroKeyVectors) {
    const std::array<uint32_t, 8> zero{};
    std::array<unsigned char, 64> out;
    chacha20_block(zero, 0, out);
    EXPECT_EQ(text::hex(out),
              "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
              "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
    chacha20_block(zero, 1, out);
    EXPECT_EQ(text::hex(out),
              "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
              "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
}

TEST(Random, OpenSslUsesIt) {
    std::array<unsigned char, 32> a{}, b{};
    EXPECT_EQ(RAND_bytes(a.data(), a.size()), 1);
    EXPECT_EQ(RAND_priv_bytes(b.data(), b.size()), 1);
    EXPECT_NE(a, b);
    EXPECT_EQ(RAND_status(), 1);
}

TEST(Random, AnyLengthIsFilledAndNothingRepeats) {
    std::set<std::array<unsigned char, 16>> seen;
    for (size_t bytes = 0; bytes < 5000; bytes += 37) {
        std::vector<unsigned char> out(bytes + 16, 0);
        random_bytes(out.data(), bytes);
        for (int i = 0; i < 16; ++i) EXPECT_EQ(out[bytes + static_cast<size_t>(i)], 0) << "written past the end";
        if (bytes < 16) continue;
        std::array<unsigned char, 16> last;
        std::memcpy(last.data(), out.data() + bytes - 16, 16);
        EXPECT_TRUE(seen.insert(last).second);
    }
}

TEST(Random, ForkedProcessesGoDifferentWays) {
    constexpr int kChildren = 4;
    using Draw = std::array<unsigned char, 32>;
    auto* draws = static_cast<Draw*>(testing::shared_page());
    Draw parent;
    random_bytes(parent.data(), parent.size());  // the buffer is partly used when the children are made
    EXPECT_EQ(testing::in_children(kChildren,
                                   [&](int child) {
                                       random_bytes(draws[child].data(), draws[child].size());
                                       return 0;
                                   }),
              0);
    std::set<Draw> different(draws, draws + kChildren);
    random_bytes(parent.data(), parent.size());
    different.insert(parent);
    EXPECT_EQ(different.size(), kChildren + 1U);
}

TEST(Random, EngineNames) {
    for (const char* name : {"krand", "fastrand", "kxlibssl", "CryptoRand"}) {
        const Status used = use_rand_engine(name);
        EXPECT_TRUE(used) << name;
        std::array<unsigned char, 32> bytes{};
        EXPECT_EQ(RAND_bytes(bytes.data(), bytes.size()), 1) << name;
    }
    const Status unknown = use_rand_engine("dice");
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().text().find("kxlibssl"), std::string::npos);
}

TEST(Random, OpenSslsOwnUnderTheSharedLockDiffersInEachProcess) {
    ASSERT_TRUE(use_rand_engine("kxlibssl"));
    using Draw = std::array<unsigned char, 32>;
    auto* draws = static_cast<Draw*>(testing::shared_page());
    const int failures = testing::in_children(3, [&](int child) {
        for (int i = 0; i < 200; ++i)
            if (RAND_bytes(draws[child].data(), static_cast<int>(draws[child].size())) != 1) return 1;
        return 0;
    });
    ASSERT_TRUE(use_rand_engine("cryptorand"));
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(std::set<Draw>(draws, draws + 3).size(), 3U);
}

}  // namespace
}  // namespace kahu::tls
