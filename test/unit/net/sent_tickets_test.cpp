#include "core/net/sent_tickets.h"

#include <gtest/gtest.h>

namespace kahu::net {
namespace {

std::vector<uint64_t> all_of(const SentTickets& sent) {
    std::vector<uint64_t> tickets;
    sent.each([&](uint64_t ticket) { tickets.push_back(ticket); });
    return tickets;
}
std::vector<uint64_t> numbers(uint64_t first, uint64_t last) {
    std::vector<uint64_t> list;
    for (uint64_t i = first; i <= last; ++i) list.push_back(i);
    return list;
}

TEST(SentTickets, TheLastFourOfAQuietConnection) {
    SentTickets sent;
    EXPECT_TRUE(all_of(sent).empty());
    for (uint64_t i = 1; i <= 30; ++i) {
        sent.add(i, static_cast<clock::Millis>(i * 5000));
        EXPECT_EQ(all_of(sent), numbers(i <= 4 ? 1 : i - 3, i));
    }
}

TEST(SentTickets, AllOfABusyConnectionsLastSecondWithinTheBound) {
    SentTickets sent;
    for (uint64_t i = 1; i <= SentTickets::kMost; ++i) sent.add(i, static_cast<clock::Millis>(i / 2));
    EXPECT_EQ(all_of(sent), numbers(1, SentTickets::kMost));
    for (uint64_t i = SentTickets::kMost + 1; i <= 3 * SentTickets::kMost; ++i) sent.add(i, 0);
    EXPECT_EQ(all_of(sent), numbers(2 * SentTickets::kMost + 1, 3 * SentTickets::kMost));
}

}  // namespace
}  // namespace kahu::net
