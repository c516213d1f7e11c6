#include "core/proc/crash_file.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <vector>

#include "core/base/fd.h"
#include "core/base/log.h"

namespace kahu::proc {

void write_crash_file(int number, int code, const void* address);

constinit MessageInHand::Note MessageInHand::note_{};

MessageInHand::MessageInHand(std::string_view bytes, Transport transport, const SocketAddress& peer) : before_(note_) {
    note_ = {bytes.data(), bytes.size(), &peer, transport};
}
MessageInHand::~MessageInHand() { note_ = before_; }

namespace {

constexpr int kCaught[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
constexpr size_t kMostMessageBytes = 64 * 1024;
constexpr size_t kHandlerStack = 128 * 1024;
constexpr unsigned kStuckAfter = 3;  // seconds
constexpr std::string_view kPrefix = "crash-", kSuffix = ".txt";

int g_directory = -1;
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
            if (n <= 0) break;
            done += static_cast<size_t>(n);
        }
        used_ = 0;
    }

  private:
    void put(char c) {
        if (used_ == sizeof buffer_) flush();
        buffer_[used_++] = c;
    }
    int fd_;
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

void on_crash(int number, siginfo_t* info, void*) {
    ::alarm(kStuckAfter);  // SIGALRM's default action ends a handler that hangs
    const int saved = errno;
    write_crash_file(number, info->si_code, info->si_addr);
    errno = saved;
    // SA_RESETHAND: the default action, a core file if those are on.
    ::raise(number);
}

bool is_crash_file(std::string_view name) { return name.starts_with(kPrefix) && name.ends_with(kSuffix); }

}  // namespace

// The handler's only job; a function of its own so that it may read the note.
void write_crash_file(int number, int code, const void* address) {
    if (g_directory < 0) return;
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    char name[64];
    char digits[2][24];
    const auto decimal = [](char* into, uint64_t value) {
        char* at = into + 23;
        *at = 0;
        do *--at = static_cast<char>('0' + value % 10);
        while ((value /= 10) != 0);
        return at;
    };
    char* end = name;
    for (const char* part :
         {kPrefix.data(), static_cast<const char*>(decimal(digits[0], static_cast<uint64_t>(now.tv_sec))), "-",
          static_cast<const char*>(decimal(digits[1], static_cast<uint64_t>(::getpid()))), kSuffix.data()})
        end = ::stpcpy(end, part);
    const int fd = ::openat(g_directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return;
    {
        Writer out(fd);
        out << "version: " << KAHU_VERSION << "\nprocess: " << g_title << "\ntime: ";
        out.number(static_cast<uint64_t>(now.tv_sec)) << "\npid: ";
        out.number(static_cast<uint64_t>(::getpid())) << "\nsignal: ";
        out.number(static_cast<uint64_t>(number))
            << " " << name_of_signal(number) << "\ncode: " << (code < 0 ? "-" : "");
        out.number(static_cast<uint64_t>(code < 0 ? -code : code)) << "\n";
        if (code > 0) {
            out << "address: 0x";
            out.number(reinterpret_cast<uintptr_t>(address), 16) << "\n";
        }
        const MessageInHand::Note note = MessageInHand::note_;
        if (note.bytes != nullptr) {
            out << "transport: " << kahu::name_of(note.transport) << "\n";
            if (note.peer != nullptr) write_peer(out, *note.peer);
            out << "message_bytes: ";
            out.number(note.size) << "\n";
        }
        out << "backtrace:\n";
    }
    void* frames[64];
    ::backtrace_symbols_fd(frames, ::backtrace(frames, 64), fd);
    if (const MessageInHand::Note note = MessageInHand::note_; note.bytes != nullptr) {
        Writer out(fd);
        out << "message:\n";
        write_message(out, {note.bytes, std::min(note.size, kMostMessageBytes)});
    }
    struct stat written {};
    if (::fstat(fd, &written) == 0 && written.st_size == 0) ::unlinkat(g_directory, name, 0);  // the disk is full
    ::close(fd);
}

void prepare_crash_files(const std::string& directory) {
    void* warm[4];
    ::backtrace(warm, 4);  // loads the unwinder now, not in a handler
    if (g_directory >= 0) ::close(g_directory);
    g_directory = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (g_directory < 0 || ::faccessat(g_directory, ".", W_OK, 0) != 0)
        LOG(warn, "crash_dir.not_usable", kv("directory", directory), kv("reason", std::strerror(errno)),
            kv("effect", "crashes leave no file"));
}

void install_crash_handlers(std::string_view title) {
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

std::string collect_crash_files(int pid, size_t keep) {
    if (g_directory < 0) return {};
    DIR* const listing = ::fdopendir(::openat(g_directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (listing == nullptr) return {};
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(listing))
        if (is_crash_file(entry->d_name)) names.emplace_back(entry->d_name);
    ::closedir(listing);
    std::sort(names.begin(), names.end());  // by time: the seconds have as many digits until the year 2286
    const std::string ours = "-" + std::to_string(pid) + std::string(kSuffix);
    std::string found;
    for (const std::string& name : names)
        if (name.ends_with(ours)) found = name;
    for (size_t i = 0; i + keep < names.size(); ++i) ::unlinkat(g_directory, names[i].c_str(), 0);
    return found;
}

}  // namespace kahu::proc
