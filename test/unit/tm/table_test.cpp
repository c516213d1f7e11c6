// test/unit/tm/table_test.cpp -- branch ids, matching, and a shard whose owner is killed at every step.
#include "core/modules/tm/best_response.h"
#include "core/modules/tm/branch_id.h"
#include "core/modules/tm/client.h"
#include "core/modules/tm/conclude.h"
#include "core/modules/tm/match.h"
#include "core/modules/tm/routes.h"
#include "mem/failure.h"
#include "test/unit/mem/segment_fixture.h"
#include "test/unit/tm/fixture.h"

namespace kahu::tm {
namespace {
using namespace test;

TEST(BranchIdText, ComesBackAsItWasWritten) {
    const BranchId id{.id = {kShards - 1, 0x5d1c9e02}, .number = 11, .proof = 0x7be8a1f09c3d5e64};
    char text[kBranchBytes];
    EXPECT_EQ(write_branch_id(id, text), "z9hG4bK1fff.5d1c9e02.b.7be8a1f09c3d5e64");
    BranchId back;
    ASSERT_TRUE(parse_branch_id({text, kBranchBytes}, back));
    EXPECT_EQ(back.id, id.id);
    EXPECT_EQ(back.number, id.number);
    EXPECT_EQ(back.proof, id.proof);
}

TEST(BranchIdText, NothingElseIsOurs) {
    const std::string ours = "z9hG4bK1fff.5d1c9e02.b.7be8a1f09c3d5e64";
    BranchId out;
    const std::string bad_ones[] = {"",
                                    "z9hG4bK",
                                    ours + "0",
                                    "z9hG4bk" + ours.substr(7),
                                    "z9hG4bK2000" + ours.substr(11),
                                    "z9hG4bK1fff.5d1c9e02.c.7be8a1f09c3d5e64",
                                    "z9hG4bK1fff.5d1c9e02.b.7BE8A1F09C3D5E64",
                                    "z9hG4bK1fff-5d1c9e02.b.7be8a1f09c3d5e64",
                                    "z9hG4bK1ff .5d1c9e02.b.7be8a1f09c3d5e64"};
    for (const std::string& bad : bad_ones) {
        EXPECT_FALSE(parse_branch_id(bad, out)) << bad;
    }
    for (size_t n = 0; n < ours.size(); ++n) {
        const std::vector<char> exact(ours.begin(), ours.begin() + static_cast<ptrdiff_t>(n));
        EXPECT_FALSE(parse_branch_id({exact.data(), n}, out));
    }
}

TEST(BestResponse, Table) {
    struct Case {
        std::vector<Candidate> of;
        int best;
    };
    const Case cases[] = {
        {{}, -1},
        {{{0, false}}, -1},
        {{{486, false}, {603, false}}, 1},                // 6xx first
        {{{500, false}, {404, false}, {302, false}}, 2},  // the lowest class
        {{{404, false}, {407, false}}, 1},                // what tells how to do better
        {{{408, true}, {404, false}}, 1},
        {{{408, true}, {408, false}}, 1},  // received before made here
        {{{503, false}, {500, false}}, 1},
        {{{408, false}, {500, false}}, 0},
        {{{486, false}, {404, false}}, 1},  // the lower code
        {{{486, false}, {486, false}}, 0},  // the first of equals
        {{{487, false}, {408, true}}, 0},
    };
    for (const Case& c : cases) EXPECT_EQ(best_of(c.of), c.best);
}

// --- matching ------------------------------------------------------------------------------------------
class Matching : public TmTest {
  protected:
    RequestKey key(const std::string& bytes) {
        kept_.push_back(std::make_unique<std::pair<std::string, sip::Message>>(bytes, sip::Message()));
        sip::Bad bad;
        EXPECT_TRUE(kept_.back()->second.parse(kept_.back()->first, bad));
        RequestKey out;
        EXPECT_TRUE(read_key(kept_.back()->second, out));
        return out;
    }
    std::vector<std::unique_ptr<std::pair<std::string, sip::Message>>> kept_;
};

TEST_F(Matching, BySection17_2_3) {
    script("t_newtran(); t_reply(\"486\", \"Busy\");");
    receive(invite());
    const RequestKey same = key(invite());
    const Locked shard(same.shard());
    EXPECT_NE(find_same(shard, same), nullptr);
    EXPECT_EQ(find_same(shard, key(invite("INVITE", "z9hG4bKa2"))), nullptr);
    EXPECT_NE(find_target(shard, key(invite("ACK"))), nullptr);
    EXPECT_NE(find_target(shard, key(invite("CANCEL"))), nullptr);
    EXPECT_EQ(find_target(shard, key(invite("CANCEL", "z9hG4bKa2"))), nullptr);
}

TEST_F(Matching, Tx15OldPeersByTheWholeTuple) {
    script("t_newtran(); t_reply(\"486\", \"Busy\");");
    receive(invite("INVITE", "1"));
    const RequestKey same = key(invite("INVITE", "1"));
    const Locked shard(same.shard());
    EXPECT_NE(find_same(shard, same), nullptr);
    std::string other = invite("INVITE", "1");
    other.replace(other.find("tag=f1"), 6, "tag=f2");
    EXPECT_EQ(find_same(shard, key(other)), nullptr);
    EXPECT_EQ(find_target(shard, key(invite("ACK", "1"))), nullptr);  // another To-tag than our 486 has
}

TEST(Proof, DependsOnWhatRoutes) {
    sip::Message message;
    sip::Bad bad;
    RequestKey key;
    const auto proof = [&](const std::string& bytes) {
        EXPECT_TRUE(message.parse(bytes, bad) && read_key(message, key));
        return proof_of(message, key);
    };
    const uint64_t plain = proof(invite());
    EXPECT_EQ(proof(invite("INVITE", "z9hG4bKother")), plain);  // RFC 5393: not on the top Via
    EXPECT_NE(proof(invite("INVITE", "z9hG4bKa1", "Route: <sip:x;lr>\r\n")), plain);
    std::string elsewhere = invite();
    elsewhere.replace(elsewhere.find("bob@127"), 3, "eve");
    EXPECT_NE(proof(elsewhere), plain);
}

// --- death ---------------------------------------------------------------------------------------------
// A child receives a whole call and is killed at the n-th step of a lock or of the heap; the parent then goes on.
void kill_everywhere(TmTest& test, mem::Point point, const std::function<void()>& work,
                     const std::function<void()>& look) {
    (void)test;
    for (long nth = 0; nth < 400; ++nth) {
        const pid_t pid = mem::test::spawn(1, [&] {
            mem::kill_at(point, nth);
            work();
            mem::kill_at(point, -1);
        });
        const auto end = mem::test::wait_for(pid);
        ASSERT_NE(end, mem::test::End::crashed) << "step " << nth;
        EXPECT_TRUE(mem::recover_slot(1).heap_sane);
        look();
        if (end == mem::test::End::clean) return;
    }
}

using Death = TmTest;

TEST_F(Death, OfAWorkerInAnyStepLeavesAWholeTable) {
    script("t_relay();");
    log::set_level(log::Level::error);  // each repair is told
    for (const mem::Point point : {mem::Point::lock, mem::Point::alloc}) {
        kill_everywhere(
            *this, point,
            [&] {
                receive(invite());
                if (g_down.empty()) return;
                const std::string sent = g_down[0].text;
                receive(reply_to(sent, 180));
                receive(reply_to(sent, 486));
                receive(invite("ACK"));
                run_timers(clock::now_ms() + 50'000);
            },
            [&] {
                note_death(1);
                everything_is_valid();
                forget();
                receive(invite());  // goes on: absorbed, or routed anew
                everything_is_valid();
                for (int i = 0; i < 4; ++i) wait(100'000);
                EXPECT_EQ(transactions(), 0u);
            });
    }
}

TEST_F(Death, OfTheDeciderHandsTheDecisionOn) {
    script("t_on_failure(\"F\"); t_relay();", "failure_route[F] { t_reply(\"480\", \"x\"); }\n");
    receive(invite());
    const std::string sent = g_down[0].text;
    receive(reply_to(sent, 180));
    {
        BranchId id;
        sip::Message message;
        sip::Bad bad;
        ASSERT_TRUE(message.parse(sent, bad) && parse_branch_id(message.top_via()->branch, id));
        Locked shard(id.id);
        Transaction* t = shard.find(id.id.label);
        ASSERT_NE(t, nullptr);
        t->decider = 5;          // a process that never ran a loop ...
        t->decider_life = 4711;  // ... in this incarnation
        t->failure_route = -1;
    }
    forget();
    receive(reply_to(sent, 486));
    EXPECT_EQ(g_up.size(), 1u);  // nobody else decides: the best reply
}

TEST_F(Death, NobodyElseDecidesWhileBranchesAreAdded) {
    script("t_relay();");
    receive(invite());
    const std::string sent = g_down[0].text;
    BranchId id;
    sip::Message message;
    sip::Bad bad;
    ASSERT_TRUE(message.parse(sent, bad) && parse_branch_id(message.top_via()->branch, id));
    {
        Locked shard(id.id);
        decide_here(*shard.find(id.id.label));
    }
    forget();
    receive(reply_to(sent, 486));
    EXPECT_TRUE(g_up.empty());
    finish_launching(id.id);
    EXPECT_EQ(g_up.size(), 1u);
}

}  // namespace
}  // namespace kahu::tm
