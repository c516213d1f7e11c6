// core/modules/tm/server_non_invite.h -- non-INVITE server transaction: RFC 3261 figure 8.
//
// WHY    Pure: says what happens next, not how.  Over a reliable transport J is 0 s.
#pragma once
#include <cstdint>

namespace kahu::tm::server_non_invite {

enum class State : uint8_t { Trying, Proceeding, Completed, Terminated };
enum class Event : uint8_t { Request, SendProvisional, SendFinal, TimerJ, TransportError };
enum Action : uint16_t {
    kSendReply = 1,    // the new one
    kResendReply = 2,  // the one sent last
    kStartTimerJ = 4,
    kReportTransportError = 8,
};
struct Step {
    State next;
    uint16_t actions;
    constexpr bool operator==(const Step&) const = default;
};
inline constexpr int kStates = 4, kEvents = 5;

constexpr Step step(State s, Event e) {
    switch (s) {
    case State::Trying:
    case State::Proceeding:
        if (e == Event::Request) return {s, static_cast<uint16_t>(s == State::Proceeding ? kResendReply : 0)};
        if (e == Event::SendProvisional) return {State::Proceeding, kSendReply};
        if (e == Event::SendFinal) return {State::Completed, kSendReply | kStartTimerJ};
        if (e == Event::TransportError) return {State::Terminated, kReportTransportError};
        break;
    case State::Completed:
        if (e == Event::Request) return {s, kResendReply};
        if (e == Event::TimerJ) return {State::Terminated, 0};
        if (e == Event::TransportError) return {State::Terminated, kReportTransportError};
        break;
    case State::Terminated: break;
    }
    return {s, 0};
}
static_assert(step(State::Completed, Event::SendFinal).actions == 0, "a second final reply is discarded (17.2.2)");

}  // namespace kahu::tm::server_non_invite
