// test/unit/mem/mpsc_queue_test.cpp -- order, bounds, no loss with many producers, and deaths on both sides.
#include "mem/mpsc_queue.h"

#include <string.h>
#include <time.h>

#include <vector>

#include "mem/recover.h"
#include "test/unit/mem/segment_fixture.h"

namespace kahu::mem::test {
namespace {

struct Message : QueueNode {
    int producer, number;
    Message(int from, int n) : producer(from), number(n) {}
};
using Queue = MpscQueue<Message>;

class Mpsc : public SegmentTest {
  protected:
    void SetUp() override {
        SegmentTest::SetUp();
        queue = make<Queue>(Tag::other, Tag::outbound);
    }
    std::vector<int> take(size_t at_most) {
        std::vector<int> numbers;
        const size_t handled = queue->consume([&](Message& m) { numbers.push_back(m.number); }, at_most);
        EXPECT_EQ(handled, numbers.size());
        return numbers;
    }
    Queue* queue = nullptr;
};

int64_t nodes_alive() { return heap_stats().by_tag[static_cast<int>(Tag::outbound)].blocks; }

TEST_F(Mpsc, OldestFirstAtMostSoMany) {
    EXPECT_TRUE(queue->empty());
    EXPECT_TRUE(take(10).empty());
    EXPECT_TRUE(queue->push(make<Message>(Tag::outbound, 0, 1))) << "was empty: ring";
    for (int n = 2; n <= 7; ++n) EXPECT_FALSE(queue->push(make<Message>(Tag::outbound, 0, n)));
    EXPECT_TRUE(take(0).empty());
    EXPECT_EQ(take(3), (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(nodes_alive(), 4);
    EXPECT_FALSE(queue->push(make<Message>(Tag::outbound, 0, 8)));
    EXPECT_EQ(take(100), (std::vector<int>{4, 5, 6, 7, 8}));
    EXPECT_TRUE(queue->empty());
    EXPECT_EQ(nodes_alive(), 0);
    EXPECT_TRUE(queue->push(make<Message>(Tag::outbound, 0, 9)));
    EXPECT_EQ(take(1), std::vector<int>{9});
}

TEST_F(Mpsc, NotNowKeepsTheNodeAndAllNewer) {
    for (int n = 1; n <= 4; ++n) queue->push(make<Message>(Tag::outbound, 0, n));
    EXPECT_EQ(queue->consume([](Message& m) { return m.number < 3; }, 100), 2u);
    EXPECT_FALSE(queue->empty());
    EXPECT_EQ(take(100), (std::vector<int>{3, 4}));
}

TEST_F(Mpsc, PushedWhileConsumingStaysAndIsNotRung) {
    queue->push(make<Message>(Tag::outbound, 0, 1));
    bool rung = true;
    queue->consume([&](Message&) { rung = queue->push(make<Message>(Tag::outbound, 0, 2)); }, 100);
    EXPECT_FALSE(rung);
    EXPECT_FALSE(queue->empty()) << "so the consumer must look";
    EXPECT_EQ(take(100), std::vector<int>{2});
}

TEST_F(Mpsc, ManyProducersLoseNothingAndKeepTheirOrder) {
    constexpr int kEach = 20000;
    std::vector<pid_t> producers;
    for (int slot = 1; slot <= 3; ++slot) {
        producers.push_back(spawn(slot, [&] {
            for (int n = 1; n <= kEach; ++n) {
                Message* message = nullptr;
                while (!(message = make<Message>(Tag::outbound, slot, n))) {
                    tidy_heap();
                    sched_yield();
                }
                queue->push(message);
            }
        }));
    }
    int last[4] = {}, disorder = 0;
    while (last[1] + last[2] + last[3] < 3 * kEach) {
        queue->consume([&](Message& m) { disorder += m.number != ++last[m.producer]; }, 500);
    }
    EXPECT_EQ(disorder, 0);
    for (const pid_t producer : producers) EXPECT_EQ(wait_for(producer), End::clean);
    EXPECT_TRUE(queue->empty());
    EXPECT_EQ(nodes_alive(), 0);
    expect_accounts_match_walk();
}

struct Seen {
    std::atomic<int> times[64];
};

// The consumer is killed at every step, of the queue and of the heap within it; producers have pushed before, and
// push more before the successor comes.
void kill_consumer_at_every_step(Queue*& queue, Point point, const auto& restart) {
    long nth = 0;
    for (;; ++nth) {
        restart();
        auto* seen = static_cast<Seen*>(allocate(sizeof(Seen), Tag::other));
        memset(static_cast<void*>(seen), 0, sizeof(Seen));
        for (int n = 0; n < 6; ++n) queue->push(make<Message>(Tag::outbound, 0, n));
        const auto handle = [&](Message& m) {
            ++seen->times[m.number];
            if (m.number == 3) queue->push(make<Message>(Tag::outbound, 0, 40));  // meanwhile
        };
        const End end = run_child(1, [&] {
            kill_at(point, nth);
            queue->consume(handle, 4);
            queue->consume(handle, 100);
        });
        if (end == End::clean) break;
        ASSERT_EQ(end, End::killed);
        recover_slot(1);
        for (int n = 6; n < 9; ++n) queue->push(make<Message>(Tag::outbound, 0, n));
        ASSERT_EQ(run_child(1,
                            [&] {
                                while (!queue->empty()) queue->consume(handle, 2);
                                queue->consume(handle, 2);
                            }),
                  End::clean);
        int twice = 0;
        for (int n = 0; n < 9; ++n) {
            ASSERT_GE(seen->times[n], 1) << "message " << n << " lost at step " << nth;
            ASSERT_LE(seen->times[n], 2) << "message " << n << " at step " << nth;
            twice += seen->times[n] == 2;
        }
        ASSERT_LE(twice, 1) << "step " << nth;
        ASSERT_LE(nodes_alive(), 2) << "step " << nth;
        expect_accounts_match_walk();
        ASSERT_FALSE(testing::Test::HasFailure()) << "step " << nth;
    }
    EXPECT_GT(nth, 20);
}

TEST_F(Mpsc, ConsumerKilledAtEveryQueueStep) {
    kill_consumer_at_every_step(queue, Point::queue, [&] { TearDown(), SetUp(); });
}

TEST_F(Mpsc, ConsumerKilledAtEveryHeapStep) {
    kill_consumer_at_every_step(queue, Point::alloc, [&] { TearDown(), SetUp(); });
}

TEST_F(Mpsc, ProducerKilledAtEveryStepLeavesAQueueThatWorks) {
    for (long nth = 0;; ++nth) {
        queue->push(make<Message>(Tag::outbound, 0, 1));
        const End end = run_child(1, [&] {
            kill_at(Point::queue, nth);
            queue->push(make<Message>(Tag::outbound, 1, 2));
        });
        recover_slot(1);
        queue->push(make<Message>(Tag::outbound, 0, 3));
        const std::vector<int> numbers = take(100);
        EXPECT_TRUE(numbers == (std::vector<int>{1, 3}) || numbers == (std::vector<int>{1, 2, 3})) << nth;
        if (end == End::clean) break;
        ASSERT_LT(nth, 100);
    }
}

TEST_F(Mpsc, RandomKillsOfConsumersLoseNothing) {
    constexpr int kMessages = 100000;
    struct Progress {
        std::atomic<int> last, repeated, wrong;
    };
    auto* progress = static_cast<Progress*>(allocate(sizeof(Progress), Tag::other));
    memset(static_cast<void*>(progress), 0, sizeof(Progress));
    const auto consume = [&] {
        for (;;) {
            queue->consume(
                [&](Message& m) {
                    if (m.number == progress->last) {
                        ++progress->repeated;
                    } else {
                        progress->wrong += m.number != progress->last + 1;
                        progress->last = m.number;
                    }
                },
                64);
        }
    };
    const pid_t producer = spawn(1, [&] {
        for (int n = 1; n <= kMessages; ++n) {
            Message* message = nullptr;
            while (n - progress->last > 1000) sched_yield();
            while (!(message = make<Message>(Tag::outbound, 1, n))) tidy_heap();
            queue->push(message);
        }
    });
    pid_t consumer = spawn(2, consume);
    int kills = 0;
    Random random{3};
    while (progress->last < kMessages && kills < 2000) {
        const timespec moment{0, static_cast<long>(random.below(250'000))};
        nanosleep(&moment, nullptr);
        kill(consumer, SIGKILL);
        ASSERT_EQ(wait_for(consumer), End::killed);
        ++kills;
        recover_slot(2);
        consumer = spawn(2, consume);
    }
    EXPECT_EQ(wait_for(producer), End::clean);
    kill(consumer, SIGKILL);
    wait_for(consumer);
    recover_slot(2);
    EXPECT_EQ(progress->last, kMessages);
    EXPECT_EQ(progress->wrong, 0);
    EXPECT_LE(progress->repeated, kills);
    take(1000);
    EXPECT_LE(nodes_alive(), kills);
    expect_accounts_match_walk();
    printf("[ queue    ] %d kills of the consumer: %d messages handled twice, %d nodes lost\n", kills,
           progress->repeated.load(), static_cast<int>(nodes_alive()));
}

}  // namespace
}  // namespace kahu::mem::test
