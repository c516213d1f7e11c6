// test/unit/mem/segment_test.cpp -- two phases, parts, refusal with a reason.
#include "mem/segment.h"

#include "test/unit/mem/segment_fixture.h"

namespace kahu::mem::test {
namespace {

int constructed = 0;
void* from_heap = nullptr;

constexpr Part kParts[] = {
    {"counters", 100, [](void* at, size_t bytes) { constructed += static_cast<int>(bytes) + (at ? 1 : 0); }},
    {"table", 1 << 20, nullptr},
    {"uses heap", 1, [](void*, size_t) { from_heap = allocate(10, Tag::config); }},
};

TEST(Segment, PartsAreApartAlignedAndConstructedOnce) {
    constructed = 0;
    attach_slot(0);
    std::string why;
    ASSERT_TRUE(create_segment(4 << 20, kParts, why)) << why;
    EXPECT_EQ(constructed, 101);
    EXPECT_NE(from_heap, nullptr);
    const SegmentInfo info = segment_info();
    ASSERT_EQ(info.parts.size(), 3u);
    for (size_t i = 0; i < info.parts.size(); ++i) {
        const auto* at = static_cast<const std::byte*>(info.parts[i].at);
        EXPECT_EQ(part(kParts[i].name), at);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(at) % 64, 0u);
        EXPECT_TRUE(segment_contains(at));
        EXPECT_TRUE(segment_contains(at + info.parts[i].bytes - 1));
        if (i > 0) {
            EXPECT_GE(at, static_cast<const std::byte*>(info.parts[i - 1].at) + kParts[i - 1].bytes);
        }
    }
    EXPECT_EQ(info.heap_bytes, 4u << 20);
    EXPECT_EQ(part("unknown"), nullptr);
    EXPECT_TRUE(segment_contains(from_heap));
    EXPECT_FALSE(segment_contains(&info));
    EXPECT_FALSE(segment_contains(static_cast<const std::byte*>(info.base) + info.bytes));
    destroy_segment();
    EXPECT_FALSE(segment_contains(from_heap));
    EXPECT_EQ(part("table"), nullptr);
    attach_slot(-1);
}

struct Refusal {
    const char* name;
    size_t heap_bytes;
    std::vector<Part> parts;
    const char* why;
};

TEST(Segment, RefusesWhatCannotWorkAndSaysWhy) {
    const Refusal cases[] = {
        {"no heap", 0, {}, "at least 1 MB"},
        {"beyond the address space", ~size_t{0}, {}, "at most 64 TB"},
        {"a part twice", 1 << 20, {{"a", 1, nullptr}, {"a", 2, nullptr}}, "part a is listed twice"},
        {"a huge part", 1 << 20, {{"b", ~size_t{0}, nullptr}}, "part b is too large"},
    };
    for (const Refusal& refusal : cases) {
        std::string why;
        EXPECT_FALSE(create_segment(refusal.heap_bytes, refusal.parts, why)) << refusal.name;
        EXPECT_NE(why.find(refusal.why), std::string::npos) << why;
        EXPECT_FALSE(segment_info().base);
    }
}

TEST(Segment, SixteenGigabytesAreReservedButNotTaken) {
    std::string why;
    ASSERT_TRUE(create_segment(size_t{16} << 30, {}, why)) << why;
    attach_slot(0);
    void* block = allocate(100, Tag::other);
    EXPECT_NE(block, nullptr);
    EXPECT_LE(heap_stats().real_used, 64u << 10);
    deallocate(block, Tag::other);
    destroy_segment();
    attach_slot(-1);
}

TEST_F(SegmentTest, ChildrenSeeTheSameAddresses) {
    auto* word = static_cast<int*>(allocate(sizeof(int), Tag::other));
    *word = 1;
    EXPECT_EQ(run_child(1, [&] { *word = 42; }), End::clean);
    EXPECT_EQ(*word, 42);
}

TEST(Contract, BreakingOneNamesConditionAndPlace) {
    EXPECT_DEATH(attach_slot(kMaxSlots), "REQUIRE broken: slot >= -1 && slot < kMaxSlots at mem/slot.cpp:");
    attach_slot(-1);
    EXPECT_DEATH((void)allocate(1, Tag::other), "REQUIRE broken");
}

}  // namespace
}  // namespace kahu::mem::test
