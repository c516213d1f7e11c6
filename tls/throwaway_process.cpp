#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "core/base/fd.h"
#include "core/proc/daemon.h"
#include "core/proc/settings.h"
#include "mem/slot.h"
#include "tls/openssl_part.h"
#include "tls/shared_openssl.h"

namespace kahu::tls {
namespace {

constexpr char kSeparator = '\0';

void send_outcome(int fd, const Status& outcome) {
    std::string message(1, outcome ? 'k' : 'f');
    if (!outcome) {
        message += static_cast<char>(outcome.error().code);
        message += outcome.error().what + kSeparator + outcome.error().hint;
    }
    for (size_t at = 0; at < message.size();) {
        const ssize_t sent = write(fd, message.data() + at, message.size() - at);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return;
        at += static_cast<size_t>(sent);
    }
}

std::string receive_all(int fd) {
    std::string message;
    char part[4096];
    for (;;) {
        const ssize_t got = read(fd, part, sizeof part);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return message;
        message.append(part, static_cast<size_t>(got));
    }
}

Status outcome_in(const std::string& message, int wait_status) {
    if (message == "k") return {};
    if (message.size() < 2 || message[0] != 'f')
        return Error{Errc::io, "the process that checks certificates died (status " + std::to_string(wait_status) + ")",
                     ""};
    const size_t split = message.find(kSeparator, 2);
    return Error{static_cast<Errc>(message[1]), message.substr(2, split - 2),
                 split == message.npos ? "" : message.substr(split + 1)};
}

// Started as root, the files are read by the user that the server runs as: what root alone may read is found out here.
Status as_who_will_read() {
    const auto& s = proc::settings;
    return ::geteuid() == 0 ? proc::take_identity({s.user.get(), s.group.get(), "", ""}) : Status{};
}

}  // namespace

Status in_throwaway_process(const std::function<Status()>& task) {
    if (openssl_booted()) return task();
    int ends[2];
    if (pipe(ends) != 0) return errno_error("could not make a pipe", errno);
    UniqueFd from(ends[0]), to(ends[1]);
    const pid_t child = fork();
    if (child < 0) return errno_error("could not fork", errno);
    if (child == 0) {
        from.reset();
        mem::attach_slot(-1);  // the slot is our parent's
        Status prepared = as_who_will_read();
        if (prepared) prepared = prepare_openssl("cryptorand");
        send_outcome(to.get(), prepared ? task() : prepared);
        _exit(0);
    }
    to.reset();
    const std::string message = receive_all(from.get());
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return outcome_in(message, status);
}

}  // namespace kahu::tls
