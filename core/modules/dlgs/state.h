// core/modules/dlgs/state.h -- the life of a call as a proxy sees it: a pure function.
//
// RULES  As Kamailio's module dlgs, with one more: a 2xx that crossed the caller's CANCEL answers the call after all
//        (RFC 3261 9.1).
#pragma once
#include <cstddef>
#include <cstdint>

namespace kahu::dlgs {

// Numbers as Kamailio's commands show them.
enum class State : uint8_t { Init, Progress, Answered, Confirmed, Terminated, NotAnswered };
inline constexpr size_t kStates = 6;

enum class Event : uint8_t {
    ringing,  // 101 to 199 to the INVITE went to the caller
    success,  // 2xx did
    failure,  // 3xx to 6xx did
    ack,
    cancel,
    bye,
};

constexpr bool is_over(State state) { return state == State::Terminated || state == State::NotAnswered; }

constexpr State next_state(State state, Event event) {
    const bool early = state == State::Init || state == State::Progress;
    switch (event) {
    case Event::ringing: return early ? State::Progress : state;
    case Event::success: return early || state == State::NotAnswered ? State::Answered : state;
    case Event::failure:
    case Event::cancel: return early ? State::NotAnswered : state;
    case Event::ack: return state == State::Answered ? State::Confirmed : state;
    case Event::bye: return state == State::Answered || state == State::Confirmed ? State::Terminated : state;
    }
    return state;
}

}  // namespace kahu::dlgs
