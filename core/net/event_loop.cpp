#include "core/net/event_loop.h"

#include "core/base/log.h"
#include "core/net/dns_client.h"
#include "core/proc/child.h"
#include "core/proc/injection.h"
#include "core/proc/process_table.h"
#include "mem/contract.h"
#include "mem/heap.h"
#include "mem/slot.h"

namespace kahu::net {
namespace {
event_base* make_base() {
    event_config* config = event_config_new();
    REQUIRE(config != nullptr);
    // No EPOLL_USE_CHANGELIST: tcp main holds a duplicate of each connection's descriptor, so interest must be
    // withdrawn before close(); an epoll set keeps what was not.
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_base* base = event_base_new_with_config(config);
    event_config_free(config);
    REQUIRE(base != nullptr);
    return base;
}
constexpr clock::Millis kTurnReport = 1000;
void (*g_each_second)(ProcessKind) = nullptr;
event_base* g_process_loop = nullptr;

struct Periodic {
    ProcessKind kind;
    clock::Millis interval;
    void (*work)();
};
std::vector<Periodic> g_periodic;
}  // namespace

void set_each_second(void (*hook)(ProcessKind)) { g_each_second = hook; }
void add_periodic(ProcessKind kind, clock::Millis interval, void (*work)()) {
    g_periodic.push_back({kind, interval, work});
}

event_base* process_loop() { return g_process_loop; }

void note_turn() {
    constexpr clock::Millis kOften = 500;
    static clock::Millis noted = 0;
    const clock::Millis now = clock::coarse();
    if (now - noted < kOften) return;
    noted = now;
    proc::process(mem::current_slot()).turned_ms.store(now, std::memory_order_relaxed);
}

EventLoop::EventLoop(int slot) : slot_(slot), base_(make_base()) {
    g_process_loop = base_.get();
    // Edge-triggered: each ring is one event and the count need not be read.
    event* bell = event_new(
        base_.get(), proc::doorbell(slot), EV_READ | EV_PERSIST | EV_ET,
        [](evutil_socket_t, short, void* self) { static_cast<EventLoop*>(self)->wake(); }, this);
    REQUIRE(bell != nullptr && event_add(bell, nullptr) == 0);
    events_.emplace_back(bell);
    every(kTurnReport, [this] {
        proc::process(slot_).turned_ms.store(clock::now_ms(), std::memory_order_relaxed);
        mem::tidy_heap();
        if (g_each_second) g_each_second(proc::process(slot_).kind);
    });
    for (const Periodic& p : g_periodic)
        if (p.kind == proc::process(slot).kind) every(p.interval, p.work);
}
EventLoop::~EventLoop() {
    stop_dns();
    g_process_loop = nullptr;
    events_.clear();
}

void EventLoop::wake() {
    clock::tick();
    if (proc::child_flags.reopen_logs != 0) {
        proc::child_flags.reopen_logs = 0;
        log::reopen();
    }
    if (proc::child_flags.inject != 0) proc::inject_failure();
    if (proc::child_flags.stop != 0) {
        stop();
        return;
    }
    if (rung_) rung_();
}

void EventLoop::every(clock::Millis interval, std::function<void()> handler) {
    timers_.push_back(std::make_unique<Timer>(Timer{this, std::move(handler)}));
    event* timer = event_new(
        base_.get(), -1, EV_PERSIST,
        [](evutil_socket_t, short, void* at) {
            clock::tick();
            static_cast<Timer*>(at)->handler();
        },
        timers_.back().get());
    REQUIRE(timer != nullptr);
    const timeval period{static_cast<time_t>(interval / 1000), static_cast<suseconds_t>(interval % 1000 * 1000)};
    REQUIRE(event_add(timer, &period) == 0);
    events_.emplace_back(timer);
}

void EventLoop::run() {
    if (proc::child_flags.stop == 0) event_base_loop(base_.get(), EVLOOP_NO_EXIT_ON_EMPTY);
}
void EventLoop::run_for(clock::Millis time) {
    const timeval until{static_cast<time_t>(time / 1000), static_cast<suseconds_t>(time % 1000 * 1000)};
    event_base_loopexit(base_.get(), &until);
    event_base_loop(base_.get(), EVLOOP_NO_EXIT_ON_EMPTY);
    clock::tick();
}
void EventLoop::stop() { event_base_loopbreak(base_.get()); }

}  // namespace kahu::net
