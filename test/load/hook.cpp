#include "test/load/hook.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>

#include "core/base/text.h"

extern char** environ;

namespace kahu::load {
namespace {

std::string first_line(const std::string& text) { return text::printable(text.substr(0, text.find('\n')), 200); }

bool is_fingerprint(std::string_view word) {
    return word.size() == 64 && word.find_first_not_of("0123456789abcdef") == word.npos;
}

}  // namespace

Hook::Hook(const Options& options, Loop& loop, Report& report) : options_(options), loop_(loop), report_(report) {
    if (options.at_half.empty()) expected_ = options.expect_fingerprint;
}

Hook::~Hook() {
    if (!running()) return;
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
}

bool Hook::finished() const {
    if (running()) return false;
    const uint64_t wanted = options_.repeat.empty() ? (options_.at_half.empty() ? 0 : 1) : options_.repeats;
    return runs_ >= wanted;
}

void Hook::turn(uint64_t done) {
    if (running() || finished()) return;
    if (!options_.repeat.empty()) {
        if (now() >= ended_at_ + static_cast<Nanos>(options_.pause * 1e9)) spawn(options_.repeat);
        return;
    }
    if (done * 2 >= options_.total) spawn(options_.at_half);
}

void Hook::spawn(const std::string& command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return report_.fail("command: no pipe");
    output_.reset(ends[0]);
    const UniqueFd write_end(ends[1]);
    fcntl(write_end.get(), F_SETFL, 0);  // the child writes as to any pipe
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
    const char* argv[] = {"sh", "-c", command.c_str(), nullptr};
    const int error = posix_spawn(&child_, "/bin/sh", &actions, nullptr, const_cast<char**>(argv), environ);
    posix_spawn_file_actions_destroy(&actions);
    ++epoch_;
    if (error == 0) {
        loop_.watch(output_.get(), *this);
        return;
    }
    child_ = 0;
    ++runs_;
    report_.fail("command: could not start a shell");
}

void Hook::ready() {
    char buffer[4096];
    while (running()) {
        const ssize_t n = read(output_.get(), buffer, sizeof buffer);
        if (n > 0) {
            if (printed_.size() < (1u << 16)) printed_.append(buffer, static_cast<size_t>(n));
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        return collect();
    }
}

// The end of its output is taken for the end of the command: it is waited for here.
void Hook::collect() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = 0;
    output_.reset();
    ++runs_;
    ++epoch_;
    ended_at_ = now();
    if (status != 0)
        report_.fail(
            fmt::format("command: status {}: {}", WIFEXITED(status) ? WEXITSTATUS(status) : -1, first_line(printed_)));
    const std::string word = printed_.substr(0, printed_.find_first_of(" \t\r\n"));
    if (is_fingerprint(word)) expected_ = word;
    else if (!options_.at_half.empty()) expected_ = options_.expect_fingerprint;
    printed_.clear();
}

}  // namespace kahu::load
