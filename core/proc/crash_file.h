// core/proc/crash_file.h -- what a process was doing when it crashed, for whoever has to find out why.
//
// WHY    A message that crashes a worker must be kept: it is the bug report.  It is never processed again (its
//        connection is lost with the worker, its datagram is gone).
// LIVES  "crash-TIME-PID.txt" in the directory given, mode 0600: process, signal, address, backtrace, peer, and up to
//        64 KiB of the message, or of what the wire brought during a handshake.  The supervisor keeps the newest ones
//        only.  No keys: nothing else of the process's memory is written, and SDES keys in a message are masked.
// FAILS  A full disk or a missing directory costs the file, never the restart; the supervisor is told why there is
//        none.  The handler uses nothing but system calls and its own stack and buffers; if it gets stuck, SIGALRM ends
//        the process.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/address.h"

namespace kahu::proc {

// The message that this process works on, for as long as the object lives; no bytes: what it does is for that peer.
// Borrowed: the bytes and the address must outlive it.  Costs five stores.
class MessageInHand {
  public:
    enum class Form : uint8_t { message, wire };  // wire: of a handshake, as anybody on the way could see it
    MessageInHand(std::string_view bytes, Transport transport, const SocketAddress& peer, Form form = Form::message);
    ~MessageInHand();
    MessageInHand(const MessageInHand&) = delete;
    MessageInHand& operator=(const MessageInHand&) = delete;

  private:
    struct Note {
        const char* bytes;
        size_t size;
        const SocketAddress* peer;
        Transport transport;
        Form form;
    };
    friend void write_crash_file(int number, int code, const void* address);
    static Note note_;
    Note before_;
};

// Supervisor, before the first fork: opens the directory.  Logs if it cannot be written.
void prepare_crash_files(const std::string& directory);
// In each child: an alternate stack, and handlers of SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT.
void install_crash_handlers(int slot, std::string_view title);
struct CrashFile {
    std::string name;     // "" if there is none
    std::string problem;  // why there is none, or why it is not whole; "" if it is
};
// Supervisor, after a crash of the process in that slot (mem/slot.h): its file; removes all but the newest `keep`.
CrashFile collect_crash_files(int slot, int pid, size_t keep);

}  // namespace kahu::proc
