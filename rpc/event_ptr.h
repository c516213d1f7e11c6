// rpc/event_ptr.h -- libevent events that call a member of their owner.
#pragma once
#include "core/base/clock.h"
#include "core/net/event_ptr.h"

namespace kahu::rpc {

using net::EventPtr;

// Calls (owner->*Handler)(what) when the event fires.  A handler may destroy its owner if it returns at once.
template <auto Handler, class Owner>
EventPtr make_event(event_base* base, int fd, short what, Owner* owner) {
    return EventPtr(event_new(
        base, fd, what, [](evutil_socket_t, short fired, void* self) { (static_cast<Owner*>(self)->*Handler)(fired); },
        owner));
}

inline void disarm(const EventPtr& e) { event_del(e.get()); }
inline void arm(const EventPtr& e) {
    disarm(e);  // event_add() without a time would keep an earlier one
    event_add(e.get(), nullptr);
}
inline void arm(const EventPtr& e, clock::Millis timeout) {
    const timeval after{static_cast<time_t>(timeout / 1000), static_cast<suseconds_t>(timeout % 1000 * 1000)};
    event_add(e.get(), &after);
}

}  // namespace kahu::rpc
