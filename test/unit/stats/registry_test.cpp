// Names, order and cells of counters.
#include "core/stats/registry.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/stats/counters.h"

namespace kahu::stats {
namespace {

uint16_t g_hits, g_misses, g_other;
constexpr Counter kRows[] = {
    {"zoo", "misses", CounterKind::counter, "Misses.", &g_misses},
    {"zoo", "hits", CounterKind::counter, "Hits.", &g_hits},
    {"ant", "other", CounterKind::gauge, "Others.", &g_other},
};
constexpr Computed kComputed[] = {{"zoo", "always", "Seven.", [] { return int64_t{7}; }}};

TEST(Registry, ListsByGroupAndNameWithOneCellEach) {
    register_counters(kRows);
    register_computed(kComputed);
    EXPECT_NE(g_hits, g_misses);
    EXPECT_NE(g_hits, g_other);
    ASSERT_EQ(rows_of("zoo").size(), 3u);
    EXPECT_EQ(rows_of("zoo")[0].name, "always");
    EXPECT_EQ(rows_of("zoo")[1].name, "hits");
    EXPECT_EQ(rows_of("zoo")[2].name, "misses");
    EXPECT_TRUE(rows_of("none").empty());
    const auto names = groups();
    EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

TEST(Registry, ValuesAreThoseOfTheCells) {
    register_counters(kRows);
    const Row* hits = find_row("zoo", "hits");
    ASSERT_NE(hits, nullptr);
    const int64_t before = hits->value();
    add(g_hits, 3);
    EXPECT_EQ(hits->value(), before + 3);
    EXPECT_EQ(find_row_named("hits"), hits);
    EXPECT_EQ(find_row("ant", "hits"), nullptr);
}

TEST(Registry, RegisteringAgainChangesNothing) {
    register_counters(kRows);
    const uint16_t cell = g_hits;
    const size_t rows = all_rows().size();
    register_counters(kRows);
    EXPECT_EQ(g_hits, cell);
    EXPECT_EQ(all_rows().size(), rows);
}

TEST(Registry, ComputedRowsAreReadAndNeverReset) {
    register_computed(kComputed);
    const Row* always = find_row("zoo", "always");
    ASSERT_NE(always, nullptr);
    reset_row(*always);
    EXPECT_EQ(always->value(), 7);
}

}  // namespace
}  // namespace kahu::stats
