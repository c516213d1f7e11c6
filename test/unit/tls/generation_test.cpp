#include "tls/generation.h"

#include <gtest/gtest.h>

#include <csignal>

#include "mem/failure.h"
#include "mem/heap.h"
#include "mem/recover.h"
#include "test/unit/tls/certificate_maker.h"
#include "tls/loader.h"

namespace kahu::tls {
namespace {

using namespace test;

// A loaded configuration without OpenSSL: generations are bytes.
std::unique_ptr<LoadedConfiguration> configuration(int profiles, char filler = 'x') {
    auto loaded = std::make_unique<LoadedConfiguration>();
    const auto file = loaded->files.emplace("/ca.pem", std::string(100'000, filler)).first;
    for (int i = 0; i < profiles; ++i) {
        Domain& domain = loaded->domains.emplace_back();
        domain.scope = i == 0 ? Scope::fallback : Scope::any;
        domain.server_name = i == 0 ? "" : "host" + std::to_string(i) + ".example.com";
        Profile profile{};
        profile.key = domain.key();
        profile.name = loaded->names.emplace_back(profile_name(domain.key()));
        profile.ca_list = {file->first, file->second};
        profile.hash[0] = static_cast<unsigned char>(i);
        profile.hash[1] = static_cast<unsigned char>(filler);
        loaded->profiles.push_back(profile);
    }
    return loaded;
}

size_t config_bytes() {
    return static_cast<size_t>(mem::heap_stats().by_tag[static_cast<int>(mem::Tag::config)].bytes);
}

TEST(Generation, IsACopyThatSharesFilesAmongProfiles) {
    in_child([] {
        ASSERT_TRUE(publish(*configuration(20)));
        const CurrentGeneration now;
        ASSERT_TRUE(now);
        ASSERT_EQ(now->profiles.size(), 20U);
        EXPECT_LT(now->bytes, 150'000U);
        EXPECT_EQ(now->profiles[3].name, "server:any sni=host3.example.com");
        EXPECT_EQ(now->keys[3].server_name, "host3.example.com");
        EXPECT_EQ(now->profiles[3].ca_list.data, std::string(100'000, 'x'));
        EXPECT_EQ(now->profiles[3].ca_list.data.data(), now->profiles[19].ca_list.data.data());
        EXPECT_TRUE(mem::segment_contains(now->profiles[3].ca_list.data.data()));
        EXPECT_TRUE(mem::segment_contains(now->keys[3].server_name.data()));
        EXPECT_EQ(now->number, current_generation_number());
    });
}

TEST(Generation, AThousandOfThemLeaveNothingBehind) {
    in_child([] {
        ASSERT_TRUE(publish(*configuration(50)));
        mem::tidy_heap();
        const mem::WalkResult before = mem::walk_heap();
        for (int i = 0; i < 1000; ++i) ASSERT_TRUE(publish(*configuration(50, static_cast<char>('a' + i % 26))));
        mem::tidy_heap();
        const mem::WalkResult after = mem::walk_heap();
        ASSERT_TRUE(before.valid && after.valid) << after.reason;
        EXPECT_EQ(after.used, before.used);
        EXPECT_EQ(after.blocks, before.blocks);
        EXPECT_EQ(generations_kept(), 1);
    });
}

TEST(Generation, OneThatIsLookedAtStaysUntilNobodyLooks) {
    in_child([] {
        ASSERT_TRUE(publish(*configuration(3, 'a')));
        int to_child[2], to_parent[2];
        ASSERT_EQ(pipe(to_child) + pipe(to_parent), 0);
        char byte = 0;
        const pid_t reader = fork();
        if (reader == 0) {
            mem::attach_slot(kChildSlot + 1);
            const CurrentGeneration now;
            if (write(to_parent[1], "r", 1) != 1 || read(to_child[0], &byte, 1) != 1) _exit(2);
            for (const char c : now->profiles[2].ca_list.data)
                if (c != 'a') _exit(3);
            _exit(0);
        }
        ASSERT_EQ(read(to_parent[0], &byte, 1), 1);
        for (int i = 0; i < 10; ++i) ASSERT_TRUE(publish(*configuration(3, 'b')));
        EXPECT_EQ(generations_kept(), 2);  // those in between are gone
        ASSERT_EQ(write(to_child[1], "g", 1), 1);
        int status = 0;
        waitpid(reader, &status, 0);
        EXPECT_EQ(status, 0);
        mem::recover_slot(kChildSlot + 1);  // it left without ending its look, as a killed process does
        recover_generations();
        EXPECT_EQ(generations_kept(), 1);
    });
}

TEST(Generation, WithoutMemoryTheOldOneStays) {
    in_child([] {
        ASSERT_TRUE(publish(*configuration(3)));
        const uint64_t number = current_generation_number();
        const size_t bytes = config_bytes();
        for (long nth = 0;; ++nth) {
            mem::FailAllocation failing(nth);
            const Status status = publish(*configuration(3, 'q'));
            if (!failing.fired()) {
                EXPECT_TRUE(status);
                EXPECT_EQ(nth, 1);
                break;
            }
            ASSERT_FALSE(status);
            EXPECT_EQ(status.error().code, Errc::no_memory);
            EXPECT_EQ(current_generation_number(), number);
            EXPECT_EQ(config_bytes(), bytes);
        }
    });
}

TEST(Generation, AWriterKilledAnywhereIsCleanedUpAfter) {
    in_child([] {
        ASSERT_TRUE(publish(*configuration(3)));
        const size_t bytes = config_bytes();
        size_t most = bytes;
        for (const mem::Point point : {mem::Point::lock, mem::Point::alloc}) {
            for (long nth = 0; nth < 200; ++nth) {
                const pid_t writer = fork();
                if (writer == 0) {
                    mem::attach_slot(kChildSlot + 1);
                    mem::kill_at(point, nth);
                    const bool done = static_cast<bool>(publish(*configuration(3, 'k')));
                    _exit(done ? 0 : 1);
                }
                int status = 0;
                waitpid(writer, &status, 0);
                mem::recover_slot(kChildSlot + 1);
                recover_generations();
                ASSERT_EQ(generations_kept(), 1);
                ASSERT_TRUE(publish(*configuration(3, 'l')));
                most = std::max(most, config_bytes());
                if (WIFEXITED(status)) {
                    EXPECT_EQ(WEXITSTATUS(status), 0);
                    break;
                }
                ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
            }
        }
        // At most the one block that was between the heap and its cell at each death.
        EXPECT_LE(most, bytes + 8 * 131072U);
        EXPECT_TRUE(mem::walk_heap().valid);
    });
}

}  // namespace
}  // namespace kahu::tls
