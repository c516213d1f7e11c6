// test/unit/net/deaths_test.cpp -- a process is killed after any instruction of what it does to a table of the segment
// (test/unit/mem/single_step.h): what the next one finds is old or new, never half of each.
#include <set>

#include "core/net/blocklist.h"
#include "core/net/connection_table.h"
#include "core/net/dns_cache.h"
#include "core/net/mailbox.h"
#include "core/net/settings.h"
#include "core/proc/process_table.h"
#include "test/unit/mem/single_step.h"

namespace kahu::net {
namespace {

using mem::test::die_everywhere;

class Deaths : public testing::Test {
  protected:
    void fresh() {
        mem::destroy_segment();
        settings.tcp_max_connections.set(16);
        const mem::Part parts[] = {
            {"processes", proc::process_table_bytes(), proc::construct_process_table},
            {"mailboxes", mailboxes_bytes(), construct_mailboxes},
            {"connections", connection_table_bytes(), construct_connection_table},
            {"dns", dns_cache_bytes(), construct_dns_cache},
            {"blocklist", blocklist_bytes(), construct_blocklist},
        };
        mem::test::create(8, parts);
        proc::add_process(ProcessKind::supervisor, 0, -1, "test");
        proc::add_process(ProcessKind::tcp_worker, 0, -1, "worker");
    }
    void TearDown() override {
        mem::destroy_segment();
        mem::attach_slot(-1);
    }
};

SocketAddress ip(std::string_view text) { return *SocketAddress::parse_ip(text, 5060); }

// All records are of one kind: a mixture is seen.
DnsAnswer answer_of(std::string_view address, uint16_t priority, size_t records) {
    DnsAnswer answer;
    answer.kind = DnsAnswer::Kind::records;
    answer.expires = clock::now_ms() + 100'000;
    for (size_t i = 0; i < records; ++i) answer.add({.priority = priority, .address = ip(address)});
    return answer;
}
std::string shown(const DnsKey& key) {
    DnsAnswer found;
    if (!cached_answer(key, found)) return "none";
    std::set<std::string> kinds;
    for (size_t i = 0; i < found.count; ++i)
        kinds.insert(found.record[i].address.text() + " " + std::to_string(found.record[i].priority));
    return std::to_string(found.count) + (kinds.size() == 1 ? " " + *kinds.begin() : " mixed");
}

TEST_F(Deaths, OfWhoWritesTheCacheOfNames) {
    const DnsKey key = dns_key(RecordType::a, "one.example"), other = dns_key(RecordType::a, "other.example");
    die_everywhere(
        "cache_answer",
        [&] {
            fresh();
            cache_answer(key, answer_of("10.0.0.1", 1, 3));
            cache_answer(other, answer_of("10.0.0.9", 9, 1));
        },
        [] {}, [&] { cache_answer(key, answer_of("10.0.0.2", 2, 5)); },
        [&](long) {
            const std::string now = shown(key);
            EXPECT_TRUE(now == "none" || now == "3 10.0.0.1:5060 1" || now == "5 10.0.0.2:5060 2") << now;
            EXPECT_EQ(shown(other), "1 10.0.0.9:5060 9");
            cache_answer(key, answer_of("10.0.0.3", 3, 2));
            EXPECT_EQ(shown(key), "2 10.0.0.3:5060 3");
        },
        40);
}

TEST_F(Deaths, OfWhoForgetsNames) {
    const DnsKey key = dns_key(RecordType::a, "one.example");
    die_everywhere(
        "forget_cached",
        [&] {
            fresh();
            cache_answer(key, answer_of("10.0.0.1", 1, 3));
        },
        [] {}, [&] { (void)forget_cached(key); },
        [&](long) {
            const std::string now = shown(key);
            EXPECT_TRUE(now == "none" || now == "3 10.0.0.1:5060 1") << now;
            cache_answer(key, answer_of("10.0.0.3", 3, 2));
            EXPECT_EQ(shown(key), "2 10.0.0.3:5060 3");
        });
}

TEST_F(Deaths, OfWhoWritesTheBlocklist) {
    const Blocked first{ip("10.0.0.1"), Transport::tcp, kBlockConnect, clock::now_ms() + 50'000};
    const Blocked second{ip("10.0.0.1"), Transport::tcp, kBlockTimeout, clock::now_ms() + 90'000};
    const Blocked far{ip("10.7.7.7"), std::nullopt, kBlockSend, clock::now_ms() + 90'000};
    const auto all = [] {
        std::multiset<std::string> seen;
        for_each_blocked([&](const Blocked& b) {
            seen.insert(b.address.text() + " " + std::to_string(b.transport ? static_cast<int>(*b.transport) : -1) +
                        " " + std::to_string(b.reasons) + " " + std::to_string(b.expires));
        });
        return seen;
    };
    const auto text = [](const Blocked& b, int transport) {
        return b.address.text() + " " + std::to_string(transport) + " " + std::to_string(b.reasons) + " " +
               std::to_string(b.expires);
    };
    const int tcp = static_cast<int>(Transport::tcp);
    die_everywhere(
        "add_blocked",
        [&] {
            fresh();
            ASSERT_TRUE(add_blocked(first));
            ASSERT_TRUE(add_blocked(far));
        },
        [] {}, [&] { (void)add_blocked(second); },
        [&](long) {
            auto now = all();
            EXPECT_EQ(now.erase(text(far, -1)), 1u);
            EXPECT_TRUE(now.empty() || now == std::multiset{text(first, tcp)} ||
                        now == std::multiset{text(second, tcp)})
                << *now.begin();
            ASSERT_TRUE(add_blocked(second));
            EXPECT_EQ(all().count(text(second, tcp)), 1u);
        },
        40);
}

// Rows on their way back to tcp main: each comes at most once, none but those in the dead one's hand is missing.
TEST_F(Deaths, OfWhoRetiresConnections) {
    const auto taken = [] {
        std::multiset<size_t> out;
        take_retired([](void* into, size_t row) { static_cast<std::multiset<size_t>*>(into)->insert(row); }, &out);
        return out;
    };
    const auto build = [&] {
        fresh();
        for (size_t i = 0; i < 4; ++i) {
            new (&connection_row(i)) Connection{};
            connection_row(i).owner.store(1);
        }
        retire_connection(connection_row(0));
        retire_connection(connection_row(1));
    };
    die_everywhere(
        "retire_connection", build, [] {}, [] { retire_connection(connection_row(2)); },
        [&](long) {
            retire_connection(connection_row(3));
            const auto now = taken();
            EXPECT_TRUE((now == std::multiset<size_t>{0, 1, 3} || now == std::multiset<size_t>{0, 1, 2, 3}));
        });
    die_everywhere(
        "take_retired", build, [] {}, [&] { (void)taken(); },
        [&](long) {
            retire_connection(connection_row(3));
            const auto now = taken();
            EXPECT_EQ(now.count(3), 1u);
            for (size_t i = 0; i < 4; ++i) EXPECT_LE(now.count(i), 1u);
        });
}

}  // namespace
}  // namespace kahu::net
