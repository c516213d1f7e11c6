// test/unit/tm/state_machines_test.cpp -- every cell of the four tables, as the RFCs' figures draw them.
#include <gtest/gtest.h>

#include "core/modules/tm/client_invite.h"
#include "core/modules/tm/client_non_invite.h"
#include "core/modules/tm/server_invite.h"
#include "core/modules/tm/server_non_invite.h"

namespace kahu::tm {
namespace {

TEST(ClientInvite, EveryCell) {
    using namespace client_invite;
    using enum State;
    constexpr uint16_t ok = kStopTimersAB | kStartTimerM | kPassToUser;
    constexpr uint16_t bad = kStopTimersAB | kSendAck | kStartTimerD | kPassToUser;
    constexpr uint16_t ringing = kStopTimersAB | kStartTimerC | kPassToUser;
    // Columns: Provisional, Success, Failure, TimerA, TimerB, TimerC, TimerD, TimerM, TransportError.
    const Step expected[kStates][kEvents] = {
        {{Proceeding, ringing},
         {Accepted, ok},
         {Completed, bad},
         {Calling, kResendRequest},
         {Terminated, kReportTimeout},
         {Calling, kReportTimeout},
         {Calling, 0},
         {Calling, 0},
         {Terminated, kReportTransportError}},
        {{Proceeding, ringing},
         {Accepted, ok},
         {Completed, bad},
         {Proceeding, 0},
         {Terminated, kReportTimeout},
         {Proceeding, kReportTimeout},
         {Proceeding, 0},
         {Proceeding, 0},
         {Terminated, kReportTransportError}},
        {{Completed, 0},
         {Completed, 0},
         {Completed, kSendAck},
         {Completed, 0},
         {Completed, 0},
         {Completed, 0},
         {Terminated, 0},
         {Completed, 0},
         {Terminated, kReportTransportError}},
        {{Accepted, 0},
         {Accepted, kPassToUser},
         {Accepted, 0},
         {Accepted, 0},
         {Accepted, 0},
         {Accepted, 0},
         {Accepted, 0},
         {Terminated, 0},
         {Accepted, 0}},
        {{Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0}},
    };
    for (int s = 0; s < kStates; ++s)
        for (int e = 0; e < kEvents; ++e)
            EXPECT_EQ(step(static_cast<State>(s), static_cast<Event>(e)), expected[s][e])
                << "state " << s << " event " << e;
}

TEST(ClientNonInvite, EveryCell) {
    using namespace client_non_invite;
    using enum State;
    constexpr uint16_t done = kStopTimersEF | kStartTimerK | kPassToUser;
    // Columns: Provisional, Final, TimerE, TimerF, TimerK, TransportError.
    const Step expected[kStates][kEvents] = {
        {{Proceeding, kSlowTimerE | kPassToUser},
         {Completed, done},
         {Trying, kResendRequest},
         {Terminated, kReportTimeout},
         {Trying, 0},
         {Terminated, kReportTransportError}},
        {{Proceeding, kSlowTimerE | kPassToUser},
         {Completed, done},
         {Proceeding, kResendRequest},
         {Terminated, kReportTimeout},
         {Proceeding, 0},
         {Terminated, kReportTransportError}},
        {{Completed, 0}, {Completed, 0}, {Completed, 0}, {Completed, 0}, {Terminated, 0}, {Completed, 0}},
        {{Terminated, 0}, {Terminated, 0}, {Terminated, 0}, {Terminated, 0}, {Terminated, 0}, {Terminated, 0}},
    };
    for (int s = 0; s < kStates; ++s)
        for (int e = 0; e < kEvents; ++e)
            EXPECT_EQ(step(static_cast<State>(s), static_cast<Event>(e)), expected[s][e])
                << "state " << s << " event " << e;
}

TEST(ServerInvite, EveryCell) {
    using namespace server_invite;
    using enum State;
    // Columns: Invite, Ack, SendProvisional, SendSuccess, SendFailure, TimerG, TimerH, TimerI, TimerL, TransportError.
    const Step expected[kStates][kEvents] = {
        {{Proceeding, kResendReply},
         {Proceeding, 0},
         {Proceeding, kSendReply},
         {Accepted, kSendReply | kStartTimerL},
         {Completed, kSendReply | kStartTimersGH},
         {Proceeding, 0},
         {Proceeding, 0},
         {Proceeding, 0},
         {Proceeding, 0},
         {Terminated, kReportTransportError}},
        {{Completed, kResendReply},
         {Confirmed, kStopTimersGH | kStartTimerI},
         {Completed, 0},
         {Completed, 0},
         {Completed, 0},
         {Completed, kResendReply | kRestartTimerG},
         {Terminated, kReportTimeout},
         {Completed, 0},
         {Completed, 0},
         {Terminated, kReportTransportError}},
        {{Confirmed, 0},
         {Confirmed, 0},
         {Confirmed, 0},
         {Confirmed, 0},
         {Confirmed, 0},
         {Confirmed, 0},
         {Confirmed, 0},
         {Terminated, 0},
         {Confirmed, 0},
         {Confirmed, 0}},
        {{Accepted, 0},
         {Accepted, kPassAck},
         {Accepted, 0},
         {Accepted, kSendReply},
         {Accepted, 0},
         {Accepted, 0},
         {Accepted, 0},
         {Accepted, 0},
         {Terminated, 0},
         {Accepted, kReportTransportError}},
        {{Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0},
         {Terminated, 0}},
    };
    for (int s = 0; s < kStates; ++s)
        for (int e = 0; e < kEvents; ++e)
            EXPECT_EQ(step(static_cast<State>(s), static_cast<Event>(e)), expected[s][e])
                << "state " << s << " event " << e;
}

TEST(ServerNonInvite, EveryCell) {
    using namespace server_non_invite;
    using enum State;
    // Columns: Request, SendProvisional, SendFinal, TimerJ, TransportError.
    const Step expected[kStates][kEvents] = {
        {{Trying, 0},
         {Proceeding, kSendReply},
         {Completed, kSendReply | kStartTimerJ},
         {Trying, 0},
         {Terminated, kReportTransportError}},
        {{Proceeding, kResendReply},
         {Proceeding, kSendReply},
         {Completed, kSendReply | kStartTimerJ},
         {Proceeding, 0},
         {Terminated, kReportTransportError}},
        {{Completed, kResendReply},
         {Completed, 0},
         {Completed, 0},
         {Terminated, 0},
         {Terminated, kReportTransportError}},
        {{Terminated, 0}, {Terminated, 0}, {Terminated, 0}, {Terminated, 0}, {Terminated, 0}},
    };
    for (int s = 0; s < kStates; ++s)
        for (int e = 0; e < kEvents; ++e)
            EXPECT_EQ(step(static_cast<State>(s), static_cast<Event>(e)), expected[s][e])
                << "state " << s << " event " << e;
}

}  // namespace
}  // namespace kahu::tm
