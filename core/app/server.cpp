#include "core/app/server.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "core/app/modules.h"
#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/config/cfg_rpc.h"
#include "core/config/runtime_cfg.h"
#include "core/net/blocklist.h"
#include "core/net/connection_table.h"
#include "core/net/dns_cache.h"
#include "core/net/event_loop.h"
#include "core/net/listener.h"
#include "core/net/mailbox.h"
#include "core/net/net_counters.h"
#include "core/net/settings.h"
#include "core/net/tcp_main.h"
#include "core/net/tcp_worker.h"
#include "core/net/udp_worker.h"
#include "core/proc/child.h"
#include "core/proc/daemon.h"
#include "core/proc/deaths.h"
#include "core/proc/guardian.h"
#include "core/proc/process_table.h"
#include "core/proc/settings.h"
#include "core/proc/supervisor.h"
#include "core/script/event_route.h"
#include "core/stats/counters.h"
#include "core/stats/registry.h"
#include "mem/heap.h"
#include "mem/segment.h"
#include "mem/slot.h"
#include "rpc/registry.h"
#include "rpc/server.h"
#include "rpc/server_facts.h"
#include "tls/shared_openssl.h"

namespace kahu::app {
namespace {

// Pages are taken when they are needed, so a generous reservation costs nothing.

// --- the segment -----------------------------------------------------------------------------------

template <class F>
void for_each_setting(F&& f) {
    for (const CoreTable& table : core_tables())
        for (const Param& row : table.rows) f(row);
    for (const ModuleDescriptor* module : loaded_modules())
        for (const Param& row : module->params) f(row);
    for (const Param& row : config::runtime_cfg().custom_rows()) f(row);
}

struct SettingCells {
    std::vector<IntSetting*> numbers;
    std::vector<TextSetting*> texts;  // only what may change while running
};
const SettingCells& setting_cells() {
    static const SettingCells cells = [] {
        SettingCells found;
        const auto add_once = [](auto& list, auto* setting) {
            if (setting != nullptr && std::find(list.begin(), list.end(), setting) == list.end())
                list.push_back(setting);
        };
        for_each_setting([&](const Param& row) {
            add_once(found.numbers, row.number);
            if (row.applies == Applies::at_runtime) add_once(found.texts, row.text);
        });
        return found;
    }();
    return cells;
}
size_t settings_bytes() {
    return setting_cells().numbers.size() * sizeof(int64_t) + setting_cells().texts.size() * sizeof(TextSetting::Cell);
}
void share_settings(void* at, size_t) {
    auto* number = static_cast<int64_t*>(at);
    for (IntSetting* setting : setting_cells().numbers) setting->share(number++);
    auto* text = reinterpret_cast<TextSetting::Cell*>(number);
    for (TextSetting* setting : setting_cells().texts) setting->share(text++);
    log::share_level(proc::settings.debug.cell());
}

// shm_force_alloc
Status take_all_pages() {
    const mem::SegmentInfo segment = mem::segment_info();
    if (::madvise(const_cast<void*>(segment.base), segment.bytes, MADV_POPULATE_WRITE) == 0) return {};
    return Error{Errc::no_memory,
                 fmt::format("could not take {} MB of memory: {}", segment.bytes >> 20, std::strerror(errno)),
                 "start with a smaller -m, or without shm_force_alloc"};
}

Status create_segment() {
    std::vector<mem::Part> parts = {
        {"processes", proc::process_table_bytes(), proc::construct_process_table},
        {"settings", settings_bytes(), share_settings},
        {"counters", stats::layout_bytes(), stats::construct},
        {"mailboxes", net::mailboxes_bytes(), net::construct_mailboxes},
        {"connections", net::connection_table_bytes(), net::construct_connection_table},
        {"dns", net::dns_cache_bytes(), net::construct_dns_cache},
        {"blocklist", net::blocklist_bytes(), net::construct_blocklist},
    };
    for (const ModuleDescriptor* module : loaded_modules())
        if (module->hooks.parts)
            for (const mem::Part& part : module->hooks.parts()) parts.push_back(part);
    const int64_t megabytes = proc::settings.shm_mem_size != 0 ? proc::settings.shm_mem_size.get() : kDefaultMegabytes;
    mem::attach_slot(0);
    std::string why;
    if (!mem::create_segment(static_cast<size_t>(megabytes) << 20, parts, why))
        return Error{Errc::no_memory, why, "start with a smaller -m"};
    return proc::settings.shm_force_alloc != 0 ? take_all_pages() : Status();
}

void register_counters() {
    stats::register_counters(net::net_counters());
    stats::register_counters(script::core_module().counters);
    stats::register_counters(proc::death_counter_rows());
    for (const ModuleDescriptor* module : loaded_modules()) stats::register_counters(module->counters);
}

// --- modules ---------------------------------------------------------------------------------------

Status run_hooks(Status (*Hooks::*hook)(), std::string_view doing) {
    for (const ModuleDescriptor* module : loaded_modules())
        if (const auto f = module->hooks.*hook)
            if (Status done = f(); !done)
                return std::move(done).error().context(fmt::format("module {} {}", module->name, doing));
    return {};
}
// event_route[core:worker-one-init]: once for each start of the server, not again in the successor of a dead worker.
void begin_first_worker() {
    const auto is_worker = [](int slot) {
        const ProcessKind kind = proc::process(slot).kind;
        return kind == ProcessKind::udp_worker || kind == ProcessKind::tcp_worker;
    };
    const int own = mem::current_slot();
    if (!is_worker(own) || proc::process(own).incarnation != 1) return;
    for (int slot = 0; slot < own; ++slot)
        if (is_worker(slot)) return;
    script::run_event_route("core:worker-one-init");
}

Status enter_modules(ProcessKind kind) {
    for (const ModuleDescriptor* module : loaded_modules())
        if (module->hooks.process_start)
            if (Status started = module->hooks.process_start(kind); !started) return started;
    begin_first_worker();
    return {};
}
void leave_modules(ProcessKind kind) {
    const auto loaded = loaded_modules();
    for (auto module = loaded.rbegin(); module != loaded.rend(); ++module)
        if ((*module)->hooks.process_stop) (*module)->hooks.process_stop(kind);
}
void each_second(ProcessKind kind) {
    for (const ModuleDescriptor* module : loaded_modules())
        if (module->hooks.each_second) module->hooks.each_second(kind);
}

// --- processes -------------------------------------------------------------------------------------

int run_timer(int slot) {
    net::EventLoop(slot).run();  // each_second() is its work
    return 0;
}
Status register_commands() {
    if (Status done = rpc::register_commands(config::cfg_commands()); !done) return done;
    for (const ModuleDescriptor* module : loaded_modules())
        if (Status done = rpc::register_commands(module->commands); !done) return done;
    return {};
}
// core.ps must not be asked before there is something to tell; clients wait in the sockets meanwhile.
void wait_for_siblings() {
    const auto all_run = [] {
        for (int slot = 0; slot < proc::process_count(); ++slot)
            if (proc::process(slot).pid.load() == 0) return false;
        return true;
    };
    for (int tries = 0; tries < 2000 && !all_run(); ++tries) ::usleep(1000);
}
int run_rpc(int slot) {
    wait_for_siblings();
    net::EventLoop loop(slot);
    Status served = register_commands();
    if (served) served = rpc::serve(loop.base());
    if (!served) {
        LOG(critical, "rpc.start_failed", kv("reason", served.error().text()));
        return 1;
    }
    loop.run();
    rpc::stop_serving();
    return 0;
}

template <int (*Run)(int)>
int with_modules(int slot) {
    const ProcessKind kind = proc::process(slot).kind;
    if (proc::settings.mlock_pages != 0 && !proc::lock_pages())
        LOG(warn, "process.pages_not_locked", kv("hint", "start as root, or raise the limit of locked memory"));
    if (Status entered = enter_modules(kind); !entered) {
        LOG(critical, "process.start_failed", kv("reason", entered.error().text()));
        return 1;
    }
    const int status = Run(slot);
    leave_modules(kind);
    return status;
}

constexpr proc::Role kRoles[] = {
    {ProcessKind::udp_worker, with_modules<net::run_udp_worker>},
    {ProcessKind::timer, with_modules<run_timer>},
    {ProcessKind::rpc, with_modules<run_rpc>},
    {ProcessKind::tcp_worker, with_modules<net::run_tcp_worker>},
    {ProcessKind::tcp_main, with_modules<net::run_tcp_main>},
};

// In the order, and with the titles, that tools written for Kamailio know.
Status plan_processes() {
    proc::add_process(ProcessKind::supervisor, 0, -1, "main process - attendant");
    int udp = 0;
    for (const net::Listener& listener : net::listeners())
        if (listener.transport == Transport::udp) udp += listener.workers;
    const bool streams = std::any_of(net::listeners().begin(), net::listeners().end(),
                                     [](const net::Listener& l) { return is_stream(l.transport); });
    const int tcp = streams ? net::tcp_worker_count() : 0;
    const int wanted = 3 + udp + tcp + (streams ? 1 : 0);
    if (wanted > mem::kMaxSlots)
        return Error{
            Errc::invalid, fmt::format("{} processes are configured, at most {} are possible", wanted, mem::kMaxSlots),
            fmt::format("lower children= ({} for each of the UDP sockets) or name fewer addresses with listen=",
                        net::settings.children.get())};
    for (const net::Listener& listener : net::listeners())
        if (listener.transport == Transport::udp)
            for (int i = 0; i < listener.workers; ++i)
                proc::add_process(ProcessKind::udp_worker, i, listener.index,
                                  fmt::format("udp receiver child={} sock={}", i, listener.address.text()));
    proc::add_process(ProcessKind::timer, 0, -1, "timer");
    proc::add_process(ProcessKind::rpc, 0, -1, "ctl handler");
    for (int i = 0; i < tcp; ++i)
        proc::make_channel(
            proc::add_process(ProcessKind::tcp_worker, i, -1, fmt::format("tcp receiver (generic) child={}", i)));
    if (streams) proc::add_process(ProcessKind::tcp_main, 0, -1, "tcp main process");
    return {};
}

// --- start -----------------------------------------------------------------------------------------

Status make_run_directory(const std::string& path) {
    std::error_code failed;
    const bool made = std::filesystem::create_directories(path, failed);
    if (failed)
        return Error{Errc::io, "could not create the run directory " + path + ": " + failed.message(),
                     "create it, or give another one with -Y"};
    // Files about crashes are written there, and our sockets removed, by the user that we run as.
    return made ? proc::give_to({proc::settings.user.get(), proc::settings.group.get(), "", ""}, path) : Status{};
}

Status seed() {
    uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random)
        return errno_error("could not get random bytes", errno);
    seed_hash(random);
    return {};
}

void raise_limits() {
    const int64_t wanted = proc::settings.open_files_limit;
    const size_t needed = net::connection_rows_wanted() + 512;
    const size_t got = proc::raise_open_files(wanted != 0 ? static_cast<size_t>(wanted) : needed);
    if (got < needed)
        LOG(warn, "server.few_descriptors", kv("limit", got), kv("needed", needed),
            kv("hint", "raise LimitNOFILE, or lower tcp_max_connections"));
}

class Start {
  public:
    Start(const Options& options, Configuration& configuration) : options_(options), configuration_(configuration) {}

    // The order matters; each step says why it stands where it stands.
    struct Step {
        const char* why;
        Status (Start::*take)();
    };
    // Once, in the guardian.
    Status open() {
        static constexpr Step steps[] = {
            {"before anything that belongs to one process", &Start::go_to_background},
            {"hash tables use it", &Start::seed_hashes},
            {"while we may still create directories and bind low ports", &Start::open_sockets},
            {"so that whatever follows is made as the user that a reload runs as", &Start::take_identity},
        };
        return take(steps);
    }
    // In each supervisor: what a fresh segment needs anew.
    Status build() {
        static constexpr Step steps[] = {
            {"one mapping, before the first fork", &Start::make_segment},
            {"the rows that modules and children read", &Start::make_processes},
            {"OpenSSL's boot and warm-up; the first TLS configuration", &Start::start_modules},
        };
        return take(steps);
    }

  private:
    Status take(std::span<const Step> steps) {
        for (const Step& step : steps)
            if (Status taken = (this->*step.take)(); !taken) return taken;
        return {};
    }
    Status go_to_background() {
        const bool stay = options_.foreground > 0 || proc::settings.fork == 0;
        return stay ? Status{} : proc::go_to_background();
    }
    Status seed_hashes() { return seed(); }
    Status open_sockets() {
        raise_limits();
        if (Status made = make_run_directory(configuration_.run_directory); !made) return made;
        if (Status bound = net::bind_listeners(); !bound) return bound;
        if (const std::string& path = proc::settings.pid_file.get(); !path.empty())
            if (Status written = proc::write_pid_file(path); !written) return written;
        if (!options_.group_pid_file.empty())
            if (Status written = proc::write_group_pid_file(options_.group_pid_file); !written) return written;
        return run_hooks(&Hooks::open, "could not open its sockets");
    }
    Status take_identity() {
        const auto& s = proc::settings;
        if (s.mlock_pages != 0) proc::allow_locked_pages();
        if (Status taken = proc::take_identity({s.user.get(), s.group.get(), s.chroot.get(), s.workdir.get()}); !taken)
            return taken;
        proc::set_core_dumps(proc::settings.disable_core_dump == 0);
        return {};
    }
    Status make_segment() {
        register_counters();
        return create_segment();
    }
    Status make_processes() {
        if (Status planned = plan_processes(); !planned) return planned;
        proc::process(0).pid.store(proc::guardian_pid());  // what signals may be sent to
        proc::process(0).status.store(proc::ProcessStatus::running);
        proc::process(0).started_unix.store(clock::unix_seconds());
        proc::process(0).incarnation.store(static_cast<uint32_t>(proc::fresh_starts() + 1));
        return {};
    }
    Status start_modules() {
        configuration_.program->install();
        net::set_each_second(each_second);
        return run_hooks(&Hooks::start, "could not start");
    }

    const Options& options_;
    Configuration& configuration_;
};

bool g_keep_stderr = false;
Start* g_start = nullptr;
std::string g_crash_directory;

void say_ready() {
    std::string sockets;
    for (const net::Listener& listener : net::listeners()) sockets += (sockets.empty() ? "" : " ") + listener.text();
    LOG(notice, "server.ready", kv("version", KAHU_VERSION), kv("processes", proc::process_count()),
        kv("sockets", sockets));
}

void after_death(int slot, const mem::RecoveryReport& found) {
    // What its contexts and OpenSSL's state of the process held: 6 KB measured over 1000 kills (2026-11).
    constexpr int64_t kLeftByAProcess = 6 * 1024;
    if (!tls::openssl_booted()) return;
    tls::after_death(slot, found);
    stats::add(net::counters.leaked_bytes, kLeftByAProcess);
}

void log_statistics() {
    const mem::HeapStats heap = mem::heap_stats();
    log::emit(log::Level::notice, "server.statistics",
              {kv("connections", net::open_connections()), kv("tls_connections", net::open_tls_connections()),
               kv("messages_received", stats::sum(net::counters.messages_received)),
               kv("messages_sent", stats::sum(net::counters.messages_sent)), kv("segment_used", heap.used),
               kv("segment_total", heap.total)});
}

// For good: who connects from now on is refused by the kernel, and may try elsewhere.
void refuse_connections() {
    for (const net::Listener& listener : net::listeners())
        if (is_stream(listener.transport)) ::shutdown(listener.fd.get(), SHUT_RD);
}

int failed_to_start(const Error& error) {
    LOG(critical, "server.start_failed", kv("reason", error.text()));
    if (proc::settings.log_stderror == 0) fmt::print(stderr, "kahu: {}\n", error.text());
    return 1;
}

// A child of the guardian: the supervisor, for as long as the segment can be trusted.
int supervise() {
    if (Status built = g_start->build(); !built) {
        const int status = failed_to_start(built.error());
        return proc::fresh_starts() > 0 ? proc::kFreshSegment : status;  // it once worked: perhaps it will again
    }
    proc::Hatchery hatchery;
    hatchery.roles = kRoles;
    hatchery.after_death = after_death;
    hatchery.ready = say_ready;
    hatchery.statistics = log_statistics;
    hatchery.stopping = refuse_connections;
    hatchery.leaked_bytes = [] { return stats::sum(net::counters.leaked_bytes); };
    hatchery.crash_directory = g_crash_directory;
    proc::leave_terminal(g_keep_stderr);
    proc::set_process_title("supervisor");
    return proc::run_supervisor(hatchery);
}

}  // namespace

int run_server(const Options& options, Configuration& configuration) {
    g_keep_stderr = options.stderr_log || options.stderr_kept || proc::settings.log_stderror != 0;
    const std::string& crash_directory = proc::settings.crash_dir.get();
    g_crash_directory = crash_directory.empty() ? configuration.run_directory : crash_directory;
    Start start(options, configuration);
    g_start = &start;
    int status = 1;
    if (Status opened = start.open(); !opened) {
        failed_to_start(opened.error());
    } else {
        proc::set_process_title("main process - attendant");
        status = proc::run_guardian({.serve = supervise, .ready = [] { proc::report_ready(g_keep_stderr); }});
    }
    rpc::remove_sockets();
    proc::remove_pid_file();
    LOG(notice, "server.stopped", kv("status", status));
    return status;
}

}  // namespace kahu::app
