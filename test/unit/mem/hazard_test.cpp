// test/unit/mem/hazard_test.cpp -- a published object is not freed while somebody reads it, nor kept for the dead.
#include "mem/hazard.h"

#include "mem/recover.h"
#include "test/unit/mem/segment_fixture.h"

namespace kahu::mem::test {
namespace {

using Hazard = SegmentTest;

struct Config {
    std::atomic<long> a, b;
};

TEST_F(Hazard, ProtectedUntilCleared) {
    int object = 0;
    const std::atomic<int*> published{&object};
    EXPECT_FALSE(anyone_protects(&object));
    EXPECT_EQ(protect(published), &object);
    EXPECT_TRUE(anyone_protects(&object));
    clear_hazard();
    EXPECT_FALSE(anyone_protects(&object));
    EXPECT_FALSE(anyone_protects(nullptr));
    const std::atomic<int*> nothing{nullptr};
    EXPECT_EQ(protect(nothing), nullptr);
}

TEST_F(Hazard, DeadReadersProtectNothing) {
    auto* published = static_cast<std::atomic<int*>*>(allocate(8, Tag::other));
    int* object = static_cast<int*>(allocate(4, Tag::other));
    published->store(object);
    EXPECT_EQ(run_child(1, [&] { protect(*published); }), End::clean);
    EXPECT_TRUE(anyone_protects(object));
    EXPECT_TRUE(recover_slot(1).hazard_cleared);
    EXPECT_FALSE(anyone_protects(object));
    EXPECT_FALSE(recover_slot(1).hazard_cleared);
}

TEST_F(Hazard, ReadersNeverSeeAFreedObject) {
    auto* published = static_cast<std::atomic<Config*>*>(allocate(8, Tag::other));
    published->store(make<Config>(Tag::config, 1, 1));
    auto* stop = static_cast<std::atomic<int>*>(allocate(4, Tag::other));
    *stop = 0;
    pid_t readers[2];
    for (int i = 0; i < 2; ++i) {
        readers[i] = spawn(1 + i, [&] {
            while (!*stop) {
                const Config* config = protect(*published);
                for (int k = 0; k < 20; ++k) {
                    if (config->a != config->b || config->a == 0) {
                        ADD_FAILURE() << "freed under a reader";
                        return;
                    }
                }
                clear_hazard();
            }
        });
    }
    for (long n = 2; n < 1000; ++n) {
        Config* old = published->exchange(make<Config>(Tag::config, n, n));
        while (anyone_protects(old)) sched_yield();
        old->a = 0;
        deallocate(old, Tag::config);
    }
    *stop = 1;
    for (const pid_t reader : readers) EXPECT_EQ(wait_for(reader), End::clean);
}

}  // namespace
}  // namespace kahu::mem::test
