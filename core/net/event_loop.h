// core/net/event_loop.h -- the loop each forked process runs: libevent plus doorbell, signals' flags and a tick.
//
// WHY    Every kind of process stops, reopens logs and reports its turns in the same way.
// LIVES  Process-private; made after the fork.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "core/base/clock.h"
#include "core/module/descriptor.h"
#include "core/net/event_ptr.h"

namespace kahu::net {

// What every loop does about once a second besides its own work; set once, before the first fork.
void set_each_second(void (*hook)(ProcessKind));
// What the loops of processes of that kind do about every `interval` milliseconds (transaction timers).  Before the
// first fork.
void add_periodic(ProcessKind kind, clock::Millis interval, void (*work)());

// After each message: one turn of the loop may bring hundreds, and each may wait for a database.  The watchdog ends
// processes that are stuck in one, not those that have much to do.
void note_turn();

// The base of this process's loop, for what needs events of its own; nullptr: there is none.
event_base* process_loop();

class EventLoop {
  public:
    explicit EventLoop(int slot);
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    event_base* base() { return base_.get(); }
    // When another process rang.
    void on_doorbell(std::function<void()> handler) { rung_ = std::move(handler); }
    // About every `interval` milliseconds; before run().
    void every(clock::Millis interval, std::function<void()> handler);
    // Until SIGTERM.
    void run();
    // After run(): goes on for so long.
    void run_for(clock::Millis time);
    void stop();

  private:
    struct FreeBase {
        void operator()(event_base* b) const { event_base_free(b); }
    };
    struct Timer {
        EventLoop* loop;
        std::function<void()> handler;
    };
    void wake();

    int slot_;
    std::unique_ptr<event_base, FreeBase> base_;
    std::vector<std::unique_ptr<Timer>> timers_;
    std::vector<EventPtr> events_;
    std::function<void()> rung_;
};

}  // namespace kahu::net
