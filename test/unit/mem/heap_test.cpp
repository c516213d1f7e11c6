// test/unit/mem/heap_test.cpp -- one process: sizes, accounts, spans returned, exhaustion, scribbled memory.
#include "mem/heap.h"

#include <string.h>

#include <cstdio>
#include <fstream>
#include <vector>

#include "mem/failure.h"
#include "mem/heap_layout.h"
#include "mem/slot_record.h"
#include "test/unit/mem/segment_fixture.h"

namespace kahu::mem::test {
namespace {

using Heap = SegmentTest;

TEST(SizeClasses, EverySizeGetsTheSmallestClassThatHoldsIt) {
    for (size_t bytes = 0; bytes <= kLargestSmall; ++bytes) {
        const int size_class = class_of(bytes);
        ASSERT_GE(kClassBytes[size_class], bytes);
        if (size_class > 0) {
            ASSERT_LT(kClassBytes[size_class - 1], bytes == 0 ? 1 : bytes);
        }
    }
    for (int i = 0; i < kSizeClasses; ++i) EXPECT_EQ(kClassBytes[i] % 16, 0u);
    EXPECT_EQ(kClassBytes[class_of(7608)], 7680u) << "OpenSSL's SSL object";
}

struct SizeCase {
    size_t bytes, usable;
};
constexpr SizeCase kSizes[] = {{0, 16},        {1, 16},        {16, 16},        {17, 32},
                               {128, 128},     {129, 160},     {7608, 7680},    {32768, 32768},
                               {32769, 65536}, {65536, 65536}, {65537, 131072}, {1 << 20, 1 << 20}};

TEST_F(Heap, BlocksAreAlignedUsableAndCounted) {
    for (const SizeCase& size : kSizes) {
        void* block = allocate(size.bytes, Tag::message);
        ASSERT_NE(block, nullptr) << size.bytes;
        EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 16, 0u);
        EXPECT_EQ(usable_size(block), size.usable);
        memset(block, 0xa5, size.usable);
        EXPECT_EQ(heap_stats().by_tag[static_cast<int>(Tag::message)].bytes, static_cast<int64_t>(size.usable));
        EXPECT_EQ(heap_stats().used, size.usable);
        expect_accounts_match_walk();
        deallocate(block, Tag::message);
        EXPECT_EQ(heap_stats().used, 0u);
        expect_accounts_match_walk();
    }
    deallocate(nullptr, Tag::message);
}

TEST_F(Heap, ReallocateKeepsContentAndPlaceWithinAClass) {
    auto* text = static_cast<char*>(reallocate(nullptr, 100, Tag::rpc));
    strcpy(text, "the content");
    EXPECT_EQ(reallocate(text, 112, Tag::rpc), text);
    for (const size_t bytes : {113u, 5000u, 40000u, 70000u, 300u, 12u}) {
        text = static_cast<char*>(reallocate(text, bytes, Tag::rpc));
        ASSERT_STREQ(text, "the content") << bytes;
        expect_accounts_match_walk();
    }
    FailAllocation failing(0);
    EXPECT_EQ(reallocate(text, 1000, Tag::rpc), nullptr);
    EXPECT_STREQ(text, "the content") << "untouched when it cannot grow";
    EXPECT_EQ(reallocate(text, 0, Tag::rpc), nullptr);
    EXPECT_EQ(heap_stats().used, 0u);
}

TEST_F(Heap, MakeAndDestroy) {
    static int alive = 0;
    struct Thing {
        int value;
        explicit Thing(int v) : value(v) { ++alive; }
        ~Thing() { --alive; }
    };
    Thing* thing = make<Thing>(Tag::contact, 7);
    EXPECT_EQ(thing->value, 7);
    EXPECT_EQ(alive, 1);
    destroy(thing, Tag::contact);
    EXPECT_EQ(alive, 0);
    FailAllocation failing(0);
    EXPECT_EQ(make<Thing>(Tag::contact, 7), nullptr);
}

TEST_F(Heap, RandomUseNeverOverlapsAndAccountsMatch) {
    struct Held {
        unsigned char* block;
        size_t bytes;
        unsigned char fill;
        Tag tag;
    };
    std::vector<Held> held;
    Random random{12345};
    for (int i = 0; i < 60000; ++i) {
        if (held.size() > 800 || (!held.empty() && random.below(2))) {
            const size_t at = random.below(held.size());
            const Held h = held[at];
            ASSERT_EQ(h.block[0], h.fill);
            ASSERT_EQ(memcmp(h.block, h.block + 1, h.bytes - 1), 0) << "somebody wrote into this block";
            deallocate(h.block, h.tag);
            held[at] = held.back();
            held.pop_back();
        } else {
            const size_t bytes = 1 + random.below(size_t{1} << (4 + random.below(i % 50 == 0 ? 14 : 8)));
            const auto tag = static_cast<Tag>(random.below(kTags));
            auto* block = static_cast<unsigned char*>(allocate(bytes, tag));
            ASSERT_NE(block, nullptr);
            const auto fill = static_cast<unsigned char>(random.next());
            memset(block, fill, bytes);
            held.push_back({block, bytes, fill, tag});
        }
        if (i % 5000 == 0) expect_accounts_match_walk();
    }
    for (const Held& h : held) deallocate(h.block, h.tag);
    expect_accounts_match_walk();
    EXPECT_EQ(heap_stats().used, 0u);
    tidy_heap();
    EXPECT_EQ(heap_stats().real_used, 0u);
    EXPECT_EQ(heap_stats().fragments, 1u) << "free spans beside each other are one run";
}

TEST_F(Heap, ExhaustionReturnsNullAndRecoversFully) {
    for (const size_t bytes : {100u, 3000u, 32768u, 100000u}) {
        std::vector<void*> blocks;
        while (void* block = allocate(bytes, Tag::other)) blocks.push_back(block);
        EXPECT_GT(blocks.size() * usable_size(blocks[0]), 31u << 20) << "all of the heap could be used";
        EXPECT_EQ(allocate(size_t{1} << 40, Tag::other), nullptr);
        EXPECT_EQ(allocate(~size_t{0}, Tag::other), nullptr);
        expect_accounts_match_walk();
        for (void* block : blocks) deallocate(block, Tag::other);
        expect_accounts_match_walk();
        EXPECT_EQ(heap_stats().used, 0u);
    }
    void* all = allocate(size_t{32} << 20, Tag::other);
    EXPECT_NE(all, nullptr) << "even as one block, since empty spans went back";
    deallocate(all, Tag::other);
}

size_t resident_shared_memory() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        size_t kilobytes = 0;
        if (sscanf(line.c_str(), "RssShmem: %zu kB", &kilobytes) == 1) return kilobytes << 10;
    }
    return 0;
}

TEST_F(Heap, MemoryGoesBackToThePoolAndToTheKernel) {
    const size_t before = resident_shared_memory();
    constexpr size_t kConnection[] = {7608, 960, 960, 928, 536, 300, 256, 200, 128, 64, 64, 48, 32, 32, 16};
    std::vector<void*> blocks;
    for (int connection = 0; connection < 1800; ++connection) {
        for (const size_t bytes : kConnection) {
            void* block = allocate(bytes, Tag::openssl);
            ASSERT_NE(block, nullptr);
            memset(block, 1, bytes);
            blocks.push_back(block);
        }
    }
    EXPECT_GT(resident_shared_memory(), before + (20u << 20));
    for (void* block : blocks) deallocate(block, Tag::openssl);
    const HeapStats emptied = heap_stats();
    EXPECT_LE(emptied.real_used, 11u * (64 << 10)) << "at most one empty span per class is kept";
    EXPECT_GT(emptied.max_used, 20u << 20);
    tidy_heap();
    EXPECT_EQ(heap_stats().real_used, 0u);
    EXPECT_LE(heap_stats().resident_free, 4u << 20);
    EXPECT_LE(resident_shared_memory(), before + (5u << 20)) << "pages went back to the kernel";
}

TEST_F(Heap, OneBlockToAndFroDoesNotThrashSpans) {
    void* full[2] = {allocate(32768, Tag::other), allocate(32768, Tag::other)};
    const size_t spans = heap_stats().real_used;
    for (int i = 0; i < 10; ++i) deallocate(allocate(64, Tag::other), Tag::other);
    EXPECT_EQ(heap_stats().real_used, spans + (64 << 10)) << "the empty span of 64-byte blocks is kept";
    for (void* block : full) deallocate(block, Tag::other);
}

TEST_F(Heap, EveryAllocationCanBeMadeToFail) {
    long nth = 0;
    for (;; ++nth) {
        FailAllocation failing(nth);
        void* first = allocate(10, Tag::other);
        void* second = allocate(50000, Tag::other);
        void* third = allocate(500, Tag::other);
        EXPECT_EQ(failing.fired(), !first || !second || !third);
        for (void* block : {first, second, third}) deallocate(block, Tag::other);
        EXPECT_EQ(heap_stats().used, 0u);
        if (!failing.fired()) break;
    }
    EXPECT_EQ(nth, 3);
}

TEST_F(Heap, ForeignPointersAndDoubleFreesAreRefused) {
    int on_the_stack = 0;
    EXPECT_DEATH(deallocate(&on_the_stack, Tag::other), "REQUIRE broken: span != nullptr");
    void* small = allocate(10, Tag::other);
    deallocate(small, Tag::other);
    EXPECT_DEATH(deallocate(small, Tag::other), "REQUIRE broken: span.free != block");
    void* large = allocate(100000, Tag::other);
    deallocate(large, Tag::other);
    EXPECT_DEATH(deallocate(large, Tag::other), "REQUIRE broken: span.size_class == kLargeClass");
}

// What a stray write can do to the heap: the walk must say so, or not notice; never crash, never hang.
TEST_F(Heap, WalkSurvivesScribbledMemory) {
    std::vector<void*> blocks;
    Random random{99};
    const auto populate = [&] {
        for (int i = 0; i < 3000; ++i) blocks.push_back(allocate(16 + random.below(3000), Tag::other));
        for (int i = 0; i < 3000; i += 2) deallocate(blocks[i], Tag::other);
        blocks.push_back(allocate(200000, Tag::other));
    };
    int noticed = 0, rounds = 0;
    for (; rounds < 60; ++rounds) {
        blocks.clear();
        TearDown();
        SetUp();
        populate();
        ASSERT_TRUE(walk_heap().valid);
        const SegmentInfo info = segment_info();
        auto* base = static_cast<unsigned char*>(const_cast<void*>(info.base));
        const size_t bookkeeping = info.bytes - info.heap_bytes;
        for (int i = 0; i < 40; ++i) {
            const size_t range = i % 2 ? bookkeeping : info.heap_bytes / 8;
            uint64_t junk = random.next();
            if (i % 3 == 0) junk = reinterpret_cast<uintptr_t>(base) + junk % info.bytes;  // plausible pointers
            memcpy(base + (i % 2 ? 0 : bookkeeping) + random.below(range - 8), &junk, 1 + random.below(8));
        }
        const WalkResult walk = walk_heap();
        EXPECT_EQ(walk.valid, walk.reason.empty());
        noticed += !walk.valid;
    }
    EXPECT_GT(noticed, rounds / 2);
}

TEST_F(Heap, WalkNamesTheDamage) {
    auto* one = static_cast<void**>(allocate(64, Tag::other));
    auto* two = static_cast<void**>(allocate(64, Tag::other));
    deallocate(one, Tag::other);
    deallocate(two, Tag::other);
    *one = two;  // used after free: the list is a ring now
    EXPECT_EQ(walk_heap().reason, "span 0: a block is in its free list twice");
    *one = reinterpret_cast<void*>(uintptr_t{0x4141414141414141});
    EXPECT_EQ(walk_heap().reason, "span 0: its free list leaves the span");
    *one = nullptr;
    EXPECT_TRUE(walk_heap().valid);
    detail::heap_geometry.span[0].used = 2;
    EXPECT_EQ(walk_heap().reason, "span 0: its count of used blocks is wrong");
    detail::heap_geometry.span[0].used = 0;
    detail::heap_geometry.map[5] = 60;
    EXPECT_EQ(walk_heap().reason, "span 5: its owner is no slot");
}

}  // namespace
}  // namespace kahu::mem::test
