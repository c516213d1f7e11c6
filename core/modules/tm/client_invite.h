// core/modules/tm/client_invite.h -- INVITE client transaction: RFC 3261 figure 5 as amended by RFC 6026 figure 8.
//
// WHY    Pure: says what happens next, not how.  The caller performs the actions in bit order, under the lock of the
//        transaction's shard.  Over a reliable transport there is no timer A, and D is 0 s.
//        TimerC is the proxy's (RFC 3261 16.8): the user is told, CANCEL goes out, the transaction waits for its end.
#pragma once
#include <cstdint>

namespace kahu::tm::client_invite {

enum class State : uint8_t { Calling, Proceeding, Completed, Accepted, Terminated };
enum class Event : uint8_t { Provisional, Success, Failure, TimerA, TimerB, TimerC, TimerD, TimerM, TransportError };
enum Action : uint16_t {
    kStopTimersAB = 1,
    kResendRequest = 2,  // and double A
    kSendAck = 4,
    kStartTimerC = 8,  // again with every provisional but 100
    kStartTimerD = 16,
    kStartTimerM = 32,
    kPassToUser = 64,
    kReportTimeout = 128,
    kReportTransportError = 256,
};
struct Step {
    State next;
    uint16_t actions;
    constexpr bool operator==(const Step&) const = default;
};
inline constexpr int kStates = 5, kEvents = 9;

constexpr Step step(State s, Event e) {
    if (e == Event::TransportError && s < State::Completed) return {State::Terminated, kReportTransportError};
    switch (s) {
    case State::Calling:
        if (e == Event::TimerA) return {s, kResendRequest};
        [[fallthrough]];  // responses mean the same in both states
    case State::Proceeding:
        if (e == Event::Provisional) return {State::Proceeding, kStopTimersAB | kStartTimerC | kPassToUser};
        if (e == Event::Success) return {State::Accepted, kStopTimersAB | kStartTimerM | kPassToUser};
        if (e == Event::Failure) return {State::Completed, kStopTimersAB | kSendAck | kStartTimerD | kPassToUser};
        if (e == Event::TimerB) return {State::Terminated, kReportTimeout};
        if (e == Event::TimerC) return {s, kReportTimeout};
        return {s, 0};
    case State::Completed:
        if (e == Event::Failure) return {s, kSendAck};  // our ACK was lost
        if (e == Event::TransportError) return {State::Terminated, kReportTransportError};
        return {e == Event::TimerD ? State::Terminated : s, 0};
    case State::Accepted:
        if (e == Event::Success) return {s, kPassToUser};  // again, or another fork behind us
        return {e == Event::TimerM ? State::Terminated : s, 0};
    case State::Terminated: break;
    }
    return {s, 0};
}
static_assert(step(State::Completed, Event::Failure).actions == kSendAck, "ACK again; do not tell the user twice");
static_assert(step(State::Accepted, Event::Failure).actions == 0, "after a 2xx nothing can un-answer the call");

}  // namespace kahu::tm::client_invite
