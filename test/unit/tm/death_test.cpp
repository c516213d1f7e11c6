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
// --- nobody goes on ringing ---------------------------------------------------------------------------
// What is to be cancelled: the process dies as it sends what would be the last thing to come from outside (the answer
// to the CANCEL, the 2xx of another phone), or as it sends the CANCEL itself.
bool g_dies_upstream = false, g_dies_downstream = false;
net::Sent die_or_record_up(const net::Inbound& from, const SocketAddress& to, std::string_view bytes) {
    if (g_dies_upstream) ::kill(::getpid(), SIGKILL);
    return record_up(from, to, bytes);
}
net::Sent die_or_record_down(const Hop& to, std::string_view bytes, uint64_t ticket) {
    if (g_dies_downstream && bytes.starts_with("CANCEL")) ::kill(::getpid(), SIGKILL);
    return record_down(to, bytes, ticket);
}
size_t cancels() {
    size_t count = 0;
    for (const Outgoing& each : g_down) count += each.text.starts_with("CANCEL") ? 1 : 0;
    return count;
}

struct Ending {
    const char* name;
    const char* to;  // where the phones are
    int status;      // that the first phone sends; 0: the caller sends CANCEL
    bool upstream;   // it dies as it answers, else as it cancels
};
constexpr Ending kEndings[] = {
    {"caller_udp_before_it_answers", "", 0, true},
    {"caller_udp_before_it_cancels", "", 0, false},
    {"caller_tcp_before_it_answers", ";transport=tcp", 0, true},
    {"caller_tcp_before_it_cancels", ";transport=tcp", 0, false},
    {"found_udp_before_it_answers", "", 200, true},
    {"found_udp_before_it_cancels", "", 200, false},
    {"found_tcp_before_it_answers", ";transport=tcp", 200, true},
    {"found_tcp_before_it_cancels", ";transport=tcp", 200, false},
    {"refused_tcp_before_it_cancels", ";transport=tcp", 603, false},
};
class CancelDeath : public DyingUser, public testing::WithParamInterface<Ending> {};

TEST_P(CancelDeath, SomebodyElseCancels) {
    const Ending& ending = GetParam();
    transmit().respond = die_or_record_up;
    transmit().send_to = die_or_record_down;
    script(std::string("$ru = \"sip:bob@127.0.0.1:28700") + ending.to + "\"; fork_to(\"sip:carol@127.0.0.1:28701" +
           ending.to + "\"); t_relay();");
    receive(invite());
    ASSERT_EQ(g_down.size(), 2u);
    const std::string first = g_down[0].text, second = g_down[1].text;
    for (const std::string& each : {first, second}) receive(reply_to(each, 180));
    const auto last = [&, this] {
        ending.status == 0 ? receive(invite("CANCEL", "z9hG4bKa1", "Reason: SIP;cause=200\r\n"))
                           : receive(reply_to(first, ending.status));
    };
    ASSERT_EQ(mem::test::run_child(mem::test::kVictimSlot,
                                   [&] {
                                       g_dies_upstream = ending.upstream;
                                       g_dies_downstream = !ending.upstream;
                                       last();
                                   }),
              mem::test::End::killed);
    (void)mem::recover_slot(mem::test::kVictimSlot);
    forget();
    note_all_due();
    wait(1);
    wait(50);
    ASSERT_EQ(cancels(), ending.status == 0 ? 2u : 1u) << "a phone goes on ringing";
    EXPECT_NE(g_down[0].text.find("Reason: SIP;cause="), std::string::npos) << g_down[0].text;
    for (const Outgoing& each : std::vector<Outgoing>(g_down)) receive(reply_to(each.text, 200));
    receive(reply_to(second, 487));
    forget();
    for (int i = 0; i < 4; ++i) wait(100'000);
    EXPECT_EQ(transactions(), 0u);
}
INSTANTIATE_TEST_SUITE_P(Endings, CancelDeath, testing::ValuesIn(kEndings),
                         [](const auto& i) { return std::string(i.param.name); });
INSTANTIATE_TEST_SUITE_P(Deeds, TransactionDeath, testing::Range(size_t{0}, std::size(kDeeds)));

}  // namespace
}  // namespace kahu::tm::test
