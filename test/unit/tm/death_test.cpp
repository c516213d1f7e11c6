// test/unit/tm/death_test.cpp -- a process is killed after any instruction of what a message or a timer does to a
// transaction.
#include <functional>

#include "test/unit/mem/single_step.h"
#include "test/unit/tm/fixture.h"

namespace kahu::tm::test {
namespace {

using mem::test::die_everywhere;

class DyingUser : public TmTest {
  public:
    using TmTest::receive;
    std::string sent() const { return g_down.empty() ? "" : g_down[0].text; }
    void answer(int status) {
        if (!sent().empty()) receive(reply_to(sent(), status));
    }
    void build() {
        script_.reset();
        mem::destroy_segment();
        SetUp();
        script("t_relay();");
        log::set_level(log::Level::error);  // each repair is told
        passed_ = 0;
    }
};
using T = DyingUser;
class TransactionDeath : public DyingUser, public testing::WithParamInterface<size_t> {};

const struct {
    const char* name;
    void (*before)(T&);
    void (*deed)(T&);
} kDeeds[] = {
    {"INVITE", [](T&) {}, [](T& t) { t.receive(invite()); }},
    {"180", [](T& t) { t.receive(invite()); }, [](T& t) { t.answer(180); }},
    {"486",
     [](T& t) {
         t.receive(invite());
         t.answer(180);
     },
     [](T& t) { t.answer(486); }},
    {"ACK",
     [](T& t) {
         t.receive(invite());
         t.answer(486);
     },
     [](T& t) { t.receive(invite("ACK")); }},
    {"200", [](T& t) { t.receive(invite()); }, [](T& t) { t.answer(200); }},
    {"CANCEL",
     [](T& t) {
         t.receive(invite());
         t.answer(180);
     },
     [](T& t) { t.receive(invite("CANCEL")); }},
    {"retransmission", [](T& t) { t.receive(invite()); }, [](T& t) { t.receive(invite()); }},
};

TEST_P(TransactionDeath, OthersGoOnWithIt) {
    const auto& deed = kDeeds[GetParam()];
    die_everywhere(
        deed.name, [&] { build(); }, [&] { deed.before(*this); }, [&] { deed.deed(*this); },
        [&](long) {
            note_death(mem::test::kVictimSlot);
            everything_is_valid();
            note_all_due();
            forget();
            receive(invite());  // absorbed, or routed anew
            receive(invite("CANCEL"));
            everything_is_valid();
            for (int i = 0; i < 4; ++i) wait(100'000);
            EXPECT_EQ(transactions(), 0u);
            // What it was making when it died: a transaction with all that belongs to it, at most.
            EXPECT_LE(mem::heap_stats().by_tag[static_cast<int>(mem::Tag::transaction)].blocks, 12);
            const mem::WalkResult walk = mem::walk_heap();
            EXPECT_TRUE(walk.valid) << walk.reason;
        },
        4);
}
using TimerDeath = DyingUser;
TEST_F(TimerDeath, OthersGoOn) {
    die_everywhere(
        "timer",
        [&] {
            build();
            receive(invite());
        },
        [] {}, [&] { wait(50'000); },
        [&](long) {
            note_all_due();
            everything_is_valid();
            for (int i = 0; i < 4; ++i) wait(100'000);
            EXPECT_EQ(transactions(), 0u);
            EXPECT_TRUE(mem::walk_heap().valid);
        },
        4);
}
INSTANTIATE_TEST_SUITE_P(Deeds, TransactionDeath, testing::Range(size_t{0}, std::size(kDeeds)));

}  // namespace
}  // namespace kahu::tm::test
