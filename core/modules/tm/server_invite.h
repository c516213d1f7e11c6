// core/modules/tm/server_invite.h -- INVITE server transaction: RFC 3261 figure 7 as amended by RFC 6026 figure 7.
//
// WHY    Pure: says what happens next, not how.  Over a reliable transport there is no timer G, and I is 0 s.
//        In Accepted the proxy passes every 2xx on (16.7 step 5); the retransmissions of the INVITE end here.
#pragma once
#include <cstdint>

namespace kahu::tm::server_invite {

enum class State : uint8_t { Proceeding, Completed, Confirmed, Accepted, Terminated };
enum class Event : uint8_t {
    Invite,  // retransmitted
    Ack,
    SendProvisional,
    SendSuccess,
    SendFailure,
    TimerG,
    TimerH,
    TimerI,
    TimerL,
    TransportError,
};
enum Action : uint16_t {
    kSendReply = 1,    // the new one
    kResendReply = 2,  // the one sent last
    kRestartTimerG = 4,
    kStartTimersGH = 8,
    kStopTimersGH = 16,
    kStartTimerI = 32,
    kStartTimerL = 64,
    kPassAck = 128,
    kReportTimeout = 256,
    kReportTransportError = 512,
};
struct Step {
    State next;
    uint16_t actions;
    constexpr bool operator==(const Step&) const = default;
};
inline constexpr int kStates = 5, kEvents = 10;

constexpr Step step(State s, Event e) {
    switch (s) {
    case State::Proceeding:
        if (e == Event::Invite) return {s, kResendReply};
        if (e == Event::SendProvisional) return {s, kSendReply};
        if (e == Event::SendSuccess) return {State::Accepted, kSendReply | kStartTimerL};
        if (e == Event::SendFailure) return {State::Completed, kSendReply | kStartTimersGH};
        if (e == Event::TransportError) return {State::Terminated, kReportTransportError};
        break;
    case State::Completed:
        if (e == Event::Invite) return {s, kResendReply};
        if (e == Event::TimerG) return {s, kResendReply | kRestartTimerG};
        if (e == Event::Ack) return {State::Confirmed, kStopTimersGH | kStartTimerI};
        if (e == Event::TimerH) return {State::Terminated, kReportTimeout};
        if (e == Event::TransportError) return {State::Terminated, kReportTransportError};
        break;
    case State::Confirmed: return {e == Event::TimerI ? State::Terminated : s, 0};
    case State::Accepted:
        if (e == Event::SendSuccess) return {s, kSendReply};
        if (e == Event::Ack) return {s, kPassAck};
        if (e == Event::TimerL) return {State::Terminated, 0};
        if (e == Event::TransportError) return {s, kReportTransportError};  // RFC 6026 8.7: stays
        break;
    case State::Terminated: break;
    }
    return {s, 0};
}
static_assert(step(State::Accepted, Event::Invite).actions == 0, "RFC 6026: absorbed, the 2xx is the UAS's to repeat");
static_assert(step(State::Accepted, Event::SendFailure).actions == 0, "an answered call cannot fail any more");

}  // namespace kahu::tm::server_invite
