#include "core/proc/process_table.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/proc/settings.h"
#include "mem/contract.h"
#include "mem/slot.h"

namespace kahu::proc {
namespace {
struct Table {
    std::atomic<int> count;
    std::atomic<clock::Millis> stop_patience;  // 0: exit_timeout
    std::atomic<bool> draining, somebody_counts;
    std::atomic<uint64_t> under_way;
    ProcessEntry rows[mem::kMaxSlots];
};
Table* g_table = nullptr;
constexpr clock::Millis kForEver = INT64_MAX / 4;
std::array<int, mem::kMaxSlots> g_doorbells{};
}  // namespace

size_t process_table_bytes() { return sizeof(Table); }
void construct_process_table(void* at, size_t bytes) {
    REQUIRE(bytes >= sizeof(Table));
    g_table = new (at) Table{};
}

int process_count() { return g_table ? g_table->count.load(std::memory_order_relaxed) : 0; }
ProcessEntry& process(int slot) {
    REQUIRE(slot >= 0 && slot < process_count());
    return g_table->rows[slot];
}

int add_process(ProcessKind kind, int number, int listener, std::string_view title) {
    const int slot = process_count();
    REQUIRE(slot < mem::kMaxSlots);
    ProcessEntry& row = g_table->rows[slot];
    row.kind = kind;
    row.number = static_cast<int16_t>(number);
    row.listener = static_cast<int16_t>(listener);
    const size_t bytes = std::min(title.size(), sizeof row.title - 1);
    std::memcpy(row.title, title.data(), bytes);
    row.title[bytes] = 0;
    const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    REQUIRE(fd >= 0);
    g_doorbells[static_cast<size_t>(slot)] = fd;
    g_table->count.store(slot + 1);
    return slot;
}

clock::Millis stop_patience() {
    const clock::Millis given = g_table != nullptr ? g_table->stop_patience.load() : 0;
    if (given != 0) return given;
    return settings.exit_timeout == 0 ? kForEver : settings.exit_timeout * 1000;
}
void set_stop_patience(clock::Millis patience) { g_table->stop_patience.store(patience); }

void promise_to_note_under_way() {
    if (g_table != nullptr) g_table->somebody_counts.store(true);  // a program without processes has no table
}
void begin_draining() {
    g_table->under_way.store(g_table->somebody_counts.load() ? 1 : 0);  // until it was counted
    g_table->draining.store(true);
}
bool draining() { return g_table != nullptr && g_table->draining.load(std::memory_order_relaxed); }
void note_under_way(uint64_t count) { g_table->under_way.store(count); }
uint64_t under_way() { return g_table->under_way.load(); }

int doorbell(int slot) { return g_doorbells[static_cast<size_t>(slot)]; }
void ring(int slot) {
    const uint64_t one = 1;
    // A full counter (EAGAIN) means that it rings already.
    (void)!::write(doorbell(slot), &one, sizeof one);
}

}  // namespace kahu::proc
