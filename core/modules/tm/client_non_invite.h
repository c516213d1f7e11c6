// core/modules/tm/client_non_invite.h -- non-INVITE client transaction: RFC 3261 figure 6.
//
// WHY    Pure: says what happens next, not how.  Over a reliable transport there is no timer E, and K is 0 s.
#pragma once
#include <cstdint>

namespace kahu::tm::client_non_invite {

enum class State : uint8_t { Trying, Proceeding, Completed, Terminated };
enum class Event : uint8_t { Provisional, Final, TimerE, TimerF, TimerK, TransportError };
enum Action : uint16_t {
    kStopTimersEF = 1,
    kResendRequest = 2,  // and restart E: doubled up to T2 in Trying
    kSlowTimerE = 4,     // E is T2 from now on
    kStartTimerK = 8,
    kPassToUser = 16,
    kReportTimeout = 32,
    kReportTransportError = 64,
};
struct Step {
    State next;
    uint16_t actions;
    constexpr bool operator==(const Step&) const = default;
};
inline constexpr int kStates = 4, kEvents = 6;

constexpr Step step(State s, Event e) {
    switch (s) {
    case State::Trying:
    case State::Proceeding:
        switch (e) {
        case Event::Provisional: return {State::Proceeding, kSlowTimerE | kPassToUser};
        case Event::Final: return {State::Completed, kStopTimersEF | kStartTimerK | kPassToUser};
        case Event::TimerE: return {s, kResendRequest};
        case Event::TimerF: return {State::Terminated, kReportTimeout};
        case Event::TransportError: return {State::Terminated, kReportTransportError};
        case Event::TimerK: return {s, 0};
        }
        break;
    case State::Completed: return {e == Event::TimerK ? State::Terminated : s, 0};
    case State::Terminated: break;
    }
    return {s, 0};
}
static_assert(step(State::Completed, Event::Final).actions == 0, "a repeated final response is absorbed");

}  // namespace kahu::tm::client_non_invite
