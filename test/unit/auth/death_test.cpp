// test/unit/auth/death_test.cpp -- a process is killed after any instruction of making or using up a nonce.
#include "core/modules/auth/nonce.h"
#include "test/unit/mem/single_step.h"

namespace kahu::auth {
namespace {

using mem::test::die_everywhere;

class NonceDeath : public testing::Test {
  protected:
    static constexpr int64_t kLifetime = 300;
    void fresh() {
        mem::destroy_segment();
        const mem::Part part{"auth.nonces", nonce_part_bytes(4096), construct_nonces};
        mem::test::create(2, {&part, 1});
        char text[kNonceBytes];
        nonce_ = make_nonce(text);
        ASSERT_EQ(check_nonce(nonce_, kLifetime, number_), NonceState::good);
        ASSERT_TRUE(use_nonce(number_, 1));
    }
    void TearDown() override {
        mem::destroy_segment();
        mem::attach_slot(-1);
    }
    std::string nonce_;
    uint32_t number_ = 0;
};

TEST_F(NonceDeath, WhileOneIsMade) {
    die_everywhere(
        "make_nonce", [&] { fresh(); }, [] {},
        [] {
            char text[kNonceBytes];
            (void)make_nonce(text);
        },
        [&](long) {
            EXPECT_FALSE(use_nonce(number_, 1)) << "replayed";
            EXPECT_TRUE(use_nonce(number_, 2));
            char text[kNonceBytes];
            uint32_t next = 0;
            EXPECT_EQ(check_nonce(make_nonce(text), kLifetime, next), NonceState::good);
            EXPECT_NE(next, number_);
            EXPECT_TRUE(use_nonce(next, 1));
            EXPECT_FALSE(use_nonce(next, 1));
        });
}

// Never twice: its count was either taken by the one that died, or is still to be had, once.
TEST_F(NonceDeath, WhileOneIsUsed) {
    die_everywhere(
        "use_nonce", [&] { fresh(); }, [] {}, [&] { (void)use_nonce(number_, 5); },
        [&](long) {
            EXPECT_FALSE(use_nonce(number_, 1));
            (void)use_nonce(number_, 5);
            EXPECT_FALSE(use_nonce(number_, 5));
            EXPECT_TRUE(use_nonce(number_, 6));
        },
        60);
}

}  // namespace
}  // namespace kahu::auth
