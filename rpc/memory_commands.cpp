// The segment's heap, as a whole and by what it is used for; the processes' private memory.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cstdio>

#include "core/base/log.h"
#include "core/net/connection_table.h"
#include "core/proc/process_table.h"
#include "core/stats/registry.h"
#include "mem/heap_stats.h"
#include "mem/tag.h"
#include "rpc/commands.h"

namespace kahu::rpc {
namespace {

constexpr const char* kHeapName = "kahu_segment";

// --- the segment -----------------------------------------------------------------------------------

struct Figures {
    int64_t total, free, used, real_used, max_used, fragments;
};
Figures figures() {
    const mem::HeapStats heap = mem::heap_stats();
    const auto n = [](size_t value) { return static_cast<int64_t>(value); };
    const mem::SegmentInfo segment = mem::segment_info();
    const int64_t fixed = n(segment.bytes - segment.heap_bytes);  // tables that were made at start: they are used, too
    return {n(heap.total) + fixed,    n(heap.free),     n(heap.used) + fixed, n(heap.real_used) + fixed,
            n(heap.max_used) + fixed, n(heap.fragments)};
}

void shmmem(RpcCall& call) {
    int shift = 0;
    if (call.more()) {
        const auto unit = call.next_text();
        if (!unit) return;
        if (*unit == "b") shift = 0;
        else if (*unit == "k") shift = 10;
        else if (*unit == "m") shift = 20;
        else if (*unit == "g") shift = 30;
        else return call.fault(500, "bad param, (use b|k|m|g)");
    }
    const Figures f = figures();
    call.add(RpcStruct{{"total", f.total >> shift},
                       {"free", f.free >> shift},
                       {"used", f.used >> shift},
                       {"real_used", f.real_used >> shift},
                       {"max_used", f.max_used >> shift},
                       {"fragments", f.fragments}});
}

RpcValue real(int64_t value) { return RpcValue(static_cast<double>(value)); }

void shm_stats(RpcCall& call) {
    const Figures f = figures();
    call.add(RpcStruct{{"total", real(f.total)},
                       {"free", real(f.free)},
                       {"used", real(f.used)},
                       {"real_used", real(f.real_used)},
                       {"max_used", real(f.max_used)},
                       {"fragments", real(f.fragments)}});
}

void shm_info(RpcCall& call) { call.add(RpcStruct{{"name", kHeapName}, {"size", real(figures().total)}}); }

void shm_report(RpcCall& call) {
    const mem::HeapStats heap = mem::heap_stats();
    const Figures f = figures();
    int64_t blocks = 0;
    RpcStruct uses;
    for (int tag = 0; tag < mem::kTags; ++tag) {
        const mem::TagUse& use = heap.by_tag[static_cast<size_t>(tag)];
        blocks += use.blocks;
        uses.emplace_back(mem::kTagNames[tag], real(use.bytes));
    }
    call.add(RpcStruct{{"total_size", real(f.total)},
                       {"free_size_s", real(f.free)},
                       {"used_size_s", real(f.used)},
                       {"real_used_s", real(f.real_used)},
                       {"max_used_s", real(f.max_used)},
                       {"free_frags", real(f.fragments)},
                       {"used_frags", real(blocks)},
                       {"total_frags", real(f.fragments + blocks)},
                       {"used_by", std::move(uses)}});
}

// --- by use ----------------------------------------------------------------------------------------

void add_use(RpcCall& call, std::string_view name, const mem::TagUse& use, bool with_blocks) {
    call.add(fmt::format("Module: {}", name));
    if (with_blocks)
        call.add(RpcStruct{{"segment", fmt::format("{} ({})", use.bytes, use.blocks)}, {"Total", use.bytes}});
    else call.add(RpcStruct{{"segment", use.bytes}, {"Total", use.bytes}});
    call.add("");
}

// What Kamailio calls a module here is a use of the segment: openssl, connection, transaction ...
void uses(RpcCall& call, bool with_blocks) {
    if (!call.more()) return call.fault(500, "Module name or \"all\" needed");
    const auto wanted = call.next_text();
    if (!wanted) return;
    const auto memory = call.next_text_or("all");
    if (!memory) return;
    if (*memory != "shm" && *memory != "pkg" && *memory != "all")
        return call.fault(500, "expected \"pkg\", \"shm\" or \"all\"");
    const mem::HeapStats heap = *memory == "pkg" ? mem::HeapStats{} : mem::heap_stats();
    bool found = false;
    for (int tag = 0; tag < mem::kTags; ++tag) {
        if (*wanted != "all" && *wanted != mem::kTagNames[tag]) continue;
        add_use(call, mem::kTagNames[tag], heap.by_tag[static_cast<size_t>(tag)], with_blocks);
        found = true;
    }
    if (found) return;
    call.add(fmt::format("Module: {}", *wanted));
    call.add(RpcStruct{{"Total", 0}});
    call.add("");
}
void mod_stats(RpcCall& call) { uses(call, false); }
void mod_mem_statsx(RpcCall& call) { uses(call, true); }

// For whoever wants to know whether a crash left damage.
void shm_walk(RpcCall& call) {
    const mem::WalkResult walk = mem::walk_heap(mem::Others::running);
    call.add(RpcStruct{{"valid", walk.valid ? 1 : 0},
                       {"reason", walk.reason},
                       {"used", real(static_cast<int64_t>(walk.used))},
                       {"blocks", static_cast<int64_t>(walk.blocks)},
                       {"spans", static_cast<int64_t>(walk.spans)}});
}

void log_summary(RpcCall&) {
    const mem::HeapStats heap = mem::heap_stats();
    LOG(notice, "segment.status", kv("total", heap.total), kv("used", heap.used), kv("real_used", heap.real_used),
        kv("max_used", heap.max_used), kv("free", heap.free), kv("fragments", heap.fragments));
    for (int tag = 0; tag < mem::kTags; ++tag) {
        const mem::TagUse& use = heap.by_tag[static_cast<size_t>(tag)];
        if (use.blocks != 0)
            LOG(notice, "segment.use", kv("of", mem::kTagNames[tag]), kv("bytes", use.bytes), kv("blocks", use.blocks));
    }
}

// --- private memory --------------------------------------------------------------------------------

// Bytes from a line of /proc/PID/status such as "RssAnon:  1234 kB"; 0 if it cannot be read.
int64_t status_bytes(int pid, const char* name) {
    std::FILE* file = std::fopen(fmt::format("/proc/{}/status", pid).c_str(), "re");
    if (file == nullptr) return 0;
    char line[256];
    long long kilobytes = 0;
    const std::string format = std::string(name) + ": %lld kB";
    while (std::fgets(line, sizeof line, file) != nullptr)
        if (std::sscanf(line, format.c_str(), &kilobytes) == 1) break;
    std::fclose(file);
    return kilobytes * 1024;
}

bool wanted_process(const std::string& filter, int64_t value, int slot, int pid) {
    if (filter.empty()) return true;
    return value == (filter == "pid" ? pid : slot);
}

void pkg_stats(RpcCall& call) {
    std::string filter;
    int64_t value = 0;
    if (call.more()) {
        filter = call.next_text().value_or("");
        if (filter != "pid" && filter != "index" && filter != "rank") return call.fault(500, "Invalid filter type");
        const auto number = call.next_int();
        if (!number) return;
        value = *number;
    }
    bool found = false;
    for (int slot = 0; slot < proc::process_count(); ++slot) {
        const proc::ProcessEntry& entry = proc::process(slot);
        const int pid = entry.pid.load(std::memory_order_relaxed);
        if (!wanted_process(filter, value, slot, pid)) continue;
        found = true;
        const int64_t used = status_bytes(pid, "RssAnon"), reserved = status_bytes(pid, "VmData");
        call.add(RpcStruct{{"entry", slot},
                           {"pid", pid},
                           {"rank", slot},
                           {"used", used},
                           {"free", std::max<int64_t>(0, reserved - used)},
                           {"real_used", used},
                           {"total_size", reserved},
                           {"total_frags", 0},
                           {"desc", entry.title_text()}});
    }
    if (!found) call.fault(500, "No such " + (filter.empty() ? "process" : filter));
}

// Kamailio's selectors; without them all processes.  A process that is not there writes nothing, there as here.
void log_private_memory(RpcCall& call) {
    int64_t value = -1;
    std::string selector;
    if (call.more()) {
        const auto kind = call.next_text();
        if (!kind) return;
        if (*kind != "idx" && *kind != "pid") return call.fault(500, "Unsupported selector: idx or pid");
        const auto number = call.next_int();
        if (!number) return;
        selector = *kind;
        value = *number;
    }
    for (int slot = 0; slot < proc::process_count(); ++slot) {
        const int pid = proc::process(slot).pid.load(std::memory_order_relaxed);
        if (pid <= 0 || !wanted_process(selector, value, slot, pid)) continue;
        LOG(notice, "process.memory", kv("index", slot), kv("pid", pid), kv("title", proc::process(slot).title_text()),
            kv("private", status_bytes(pid, "RssAnon")), kv("reserved", status_bytes(pid, "VmData")));
    }
}

void pkg_info(RpcCall& call) {
    call.add(RpcStruct{{"name", "malloc"}, {"size", static_cast<int64_t>(::mallinfo2().arena)}});
}

constexpr Command kCommands[] = {
    {"core.shmmem", "[b|k|m|g]", "Returns how much of the segment's heap is used, in bytes or the unit given.", shmmem},
    {"shm.stats", "", "Returns how much of the segment's heap is used, in bytes.", shm_stats},
    {"shm.info", "", "Returns name and size of the segment's heap.", shm_info},
    {"shm.report", "", "Returns the use of the segment's heap, and how much of it each subsystem holds.", shm_report},
    {"shm.walk", "", "Walks through the segment's heap and says whether its bookkeeping is sane.", shm_walk},
    {"pkg.stats", "[pid|index|rank value]", "Returns the private memory of each process, or of one.", pkg_stats},
    {"pkg.info", "", "Returns name and size of the private heap.", pkg_info},
    {"mod.stats", "subsystem|all [shm|pkg|all]", "Returns the bytes of the segment that a subsystem holds.", mod_stats},
    {"mod.mem_stats", "subsystem|all [shm|pkg|all]", "Returns the bytes of the segment that a subsystem holds.",
     mod_stats},
    {"mod.mem_statsx", "subsystem|all [shm|pkg|all]", "The same, with the number of blocks in parentheses.",
     mod_mem_statsx},
    {"corex.pkg_summary", "[idx|pid number]", "Writes the private memory of each process, or of one, into the log.",
     log_private_memory},
    {"corex.shm_status", "", "Writes the use of the segment's heap into the log.", log_summary},
    {"corex.shm_summary", "", "Writes the use of the segment's heap into the log.", log_summary},
};

// --- as statistics ---------------------------------------------------------------------------------

constexpr stats::Computed kComputed[] = {
    {"shmem", "total_size", "Bytes of the segment.", [] { return figures().total; }},
    {"shmem", "free_size", "Bytes of the segment's heap that nothing holds.", [] { return figures().free; }},
    {"shmem", "used_size", "Bytes of tables and of blocks handed out.", [] { return figures().used; }},
    {"shmem", "real_used_size", "The same, and the bookkeeping of blocks.", [] { return figures().real_used; }},
    {"shmem", "max_used_size", "The most that real_used_size ever was.", [] { return figures().max_used; }},
    {"shmem", "fragments", "Runs of free memory.", [] { return figures().fragments; }},
    {"tcp", "current_opened_connections", "TCP and TLS connections open now.",
     [] { return static_cast<int64_t>(net::open_connections()); }},
    {"tcp", "current_write_queue_size", "Bytes that wait for their connections' sockets.",
     [] { return net::queued_bytes_total().load(std::memory_order_relaxed); }},
};

}  // namespace

std::span<const Command> memory_commands() { return kCommands; }
void register_computed_statistics() { stats::register_computed(kComputed); }

}  // namespace kahu::rpc
