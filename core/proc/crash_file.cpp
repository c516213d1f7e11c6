#include "core/proc/crash_file.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <vector>

#include "core/base/fd.h"
#include "core/base/log.h"
#include "mem/slot.h"

namespace kahu::proc {

void write_crash_file(int number, int code, const void* address);

constinit MessageInHand::Note MessageInHand::note_{};

MessageInHand::MessageInHand(std::string_view bytes, Transport transport, const SocketAddress& peer, Form form)
    : before_(note_) {
    note_ = {bytes.data(), bytes.size(), &peer, transport, form};
}
MessageInHand::~MessageInHand() { note_ = before_; }

namespace {

constexpr int kCaught[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
constexpr size_t kMostMessageBytes = 64 * 1024;
constexpr size_t kHandlerStack = 128 * 1024;
constexpr unsigned kStuckAfter = 3;  // seconds
constexpr std::string_view kPrefix = "crash-", kSuffix = ".txt";

// What became of a slot's latest crash file, in memory that the supervisor reads: an errno, or one of these.
constexpr int kWritten = 0, kNoHandler = -1, kBegun = -2;
std::atomic<int>* g_outcomes = nullptr;  // kMaxSlots

int g_directory = -1;
int g_slot = 0;
char g_title[96];
alignas(16) char g_stack[kHandlerStack];

// Writes to a descriptor through a small buffer; no allocation, no locale, no stdio.
class Writer {
  public:
    explicit Writer(int fd) : fd_(fd) {}
    ~Writer() { flush(); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    Writer& operator<<(std::string_view text) {
        for (const char c : text) put(c);
        return *this;
    }
    Writer& number(uint64_t value, unsigned base = 10) {
        char digits[24];
        size_t at = sizeof digits;
        do digits[--at] = "0123456789abcdef"[value % base];
        while ((value /= base) != 0);
        return *this << std::string_view(digits + at, sizeof digits - at);
    }
    void flush() {
        for (size_t done = 0; done < used_;) {
            const ssize_t n = ::write(fd_, buffer_ + done, used_ - done);
            if (n <= 0) {
                if (error_ == 0) error_ = n < 0 ? errno : ENOSPC;
                break;
            }
            done += static_cast<size_t>(n);
        }
        used_ = 0;
    }
    int error() const { return error_; }  // errno of the first write that failed

  private:
    void put(char c) {
        if (used_ == sizeof buffer_) flush();
        buffer_[used_++] = c;
    }
    int fd_;
    int error_ = 0;
    size_t used_ = 0;
    char buffer_[1024];
};

std::string_view name_of_signal(int number) {
    switch (number) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    case SIGFPE: return "SIGFPE";
    case SIGABRT: return "SIGABRT";
    default: return "?";
    }
}

void write_peer(Writer& out, const SocketAddress& peer) {
    char text[INET6_ADDRSTRLEN] = "";
    const void* ip = peer.is_v6()
                         ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(peer.raw())->sin6_addr)
                         : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(peer.raw())->sin_addr);
    if (::inet_ntop(peer.family(), ip, text, sizeof text) == nullptr) return;
    out << "peer: " << text << " port ";
    out.number(peer.port()) << "\n";
}

// As it came, but for the master keys of SDES (RFC 4568): "inline:" is followed by one.
void write_message(Writer& out, std::string_view message) {
    constexpr std::string_view kKey = "inline:";
    for (size_t at = 0; at < message.size();) {
        const size_t key = message.find(kKey, at);
        const size_t end = key == message.npos ? message.size() : key + kKey.size();
        out << message.substr(at, end - at);
        at = end;
        if (key == message.npos) break;
        const size_t stop = std::min(message.find_first_of(" |\r\n", at), message.size());
        if (stop > at) out << "*";
        at = stop;
    }
}

void write_wire(Writer& out, std::string_view bytes) {
    constexpr size_t kBytesInLine = 32;
    for (size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        out.number(byte >> 4U, 16).number(byte & 15U, 16);
        if ((i + 1) % kBytesInLine == 0 || i + 1 == bytes.size()) out << "\n";
    }
}

void on_crash(int number, siginfo_t* info, void*) {
    ::alarm(kStuckAfter);  // SIGALRM's default action ends a handler that hangs
    const int saved = errno;
    write_crash_file(number, info->si_code, info->si_addr);
    errno = saved;
    // SA_RESETHAND: the default action, a core file if those are on.
    ::raise(number);
}

// "crash-TIME-PID.txt"
void name_file(char* name, time_t seconds) {
    const auto decimal = [](char* into, uint64_t value) {
        char* at = into + 23;
        *at = 0;
        do *--at = static_cast<char>('0' + value % 10);
        while ((value /= 10) != 0);
        return at;
    };
    char digits[2][24];
    for (const char* part :
         {kPrefix.data(), static_cast<const char*>(decimal(digits[0], static_cast<uint64_t>(seconds))), "-",
          static_cast<const char*>(decimal(digits[1], static_cast<uint64_t>(::getpid()))), kSuffix.data()})
        name = ::stpcpy(name, part);
}

bool is_crash_file(std::string_view name) { return name.starts_with(kPrefix) && name.ends_with(kSuffix); }

}  // namespace

// The handler's only job; a function of its own so that it may read the note.
void write_crash_file(int number, int code, const void* address) {
    if (g_outcomes == nullptr) return;
    std::atomic<int>& outcome = g_outcomes[g_slot];
    outcome.store(kBegun);
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    char name[64];
    name_file(name, now.tv_sec);
    const int fd = ::openat(g_directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return outcome.store(errno);
    const MessageInHand::Note note = MessageInHand::note_;
    const bool wire = note.form == MessageInHand::Form::wire;
    Writer out(fd);
    out << "version: " << KAHU_VERSION << "\nprocess: " << g_title << "\ntime: ";
    out.number(static_cast<uint64_t>(now.tv_sec)) << "\npid: ";
    out.number(static_cast<uint64_t>(::getpid())) << "\nsignal: ";
    out.number(static_cast<uint64_t>(number)) << " " << name_of_signal(number) << "\ncode: " << (code < 0 ? "-" : "");
    out.number(static_cast<uint64_t>(code < 0 ? -code : code)) << "\n";
    if (code > 0) {
        out << "address: 0x";
        out.number(reinterpret_cast<uintptr_t>(address), 16) << "\n";
    }
    if (note.peer != nullptr) {
        out << "transport: " << kahu::name_of(note.transport) << "\n";
        write_peer(out, *note.peer);
    }
    if (note.bytes != nullptr) {
        out << (wire ? "wire_bytes: " : "message_bytes: ");
        out.number(note.size) << "\n";
    }
    out << "backtrace:\n";
    out.flush();
    void* frames[64];
    ::backtrace_symbols_fd(frames, ::backtrace(frames, 64), fd);
    if (note.bytes != nullptr) {
        const std::string_view kept(note.bytes, std::min(note.size, kMostMessageBytes));
        out << (wire ? "wire:\n" : "message:\n");
        if (wire) write_wire(out, kept);
        else write_message(out, kept);
        out.flush();
    }
    struct stat written {};
    if (::fstat(fd, &written) == 0 && written.st_size == 0) ::unlinkat(g_directory, name, 0);  // the disk is full
    ::close(fd);
    outcome.store(out.error() == 0 ? kWritten : out.error());
}

void prepare_crash_files(const std::string& directory) {
    void* warm[4];
    ::backtrace(warm, 4);  // loads the unwinder now, not in a handler
    if (g_outcomes == nullptr) {
        void* const shared = ::mmap(nullptr, sizeof(std::atomic<int>) * mem::kMaxSlots, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared != MAP_FAILED) g_outcomes = new (shared) std::atomic<int>[mem::kMaxSlots] {};
    }
    if (g_directory >= 0) ::close(g_directory);
    g_directory = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (g_directory < 0 || ::faccessat(g_directory, ".", W_OK, 0) != 0)
        LOG(warn, "crash_dir.not_usable", kv("directory", directory), kv("reason", std::strerror(errno)),
            kv("effect", "crashes leave no file"));
}

void install_crash_handlers(int slot, std::string_view title) {
    g_slot = slot;
    if (g_outcomes != nullptr) g_outcomes[slot].store(kNoHandler);
    const size_t bytes = std::min(title.size(), sizeof g_title - 1);
    std::memcpy(g_title, title.data(), bytes);
    g_title[bytes] = 0;
    stack_t stack{};
    stack.ss_sp = g_stack;
    stack.ss_size = sizeof g_stack;
    ::sigaltstack(&stack, nullptr);
    struct sigaction action {};
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND) | SA_NODEFER;
    for (const int number : kCaught) ::sigaction(number, &action, nullptr);
    ::signal(SIGALRM, SIG_DFL);
}

CrashFile collect_crash_files(int slot, int pid, size_t keep) {
    CrashFile found;
    const int outcome = g_outcomes != nullptr ? g_outcomes[slot].load() : kNoHandler;
    if (outcome == kNoHandler) found.problem = "the process ended before its handler began";
    else if (outcome == kBegun) found.problem = "the handler did not come to its end";
    else if (outcome != kWritten) found.problem = std::strerror(outcome);
    const int listed = ::openat(g_directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const listing = listed < 0 ? nullptr : ::fdopendir(listed);
    if (listing == nullptr) return found;
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(listing))
        if (is_crash_file(entry->d_name)) names.emplace_back(entry->d_name);
    ::closedir(listing);
    std::sort(names.begin(), names.end());  // by time: the seconds have as many digits until the year 2286
    const std::string ours = "-" + std::to_string(pid) + std::string(kSuffix);
    for (const std::string& name : names)
        if (name.ends_with(ours)) found.name = name;
    for (size_t i = 0; i + keep < names.size(); ++i) ::unlinkat(g_directory, names[i].c_str(), 0);
    return found;
}

}  // namespace kahu::proc
