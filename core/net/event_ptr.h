// core/net/event_ptr.h -- owner of a libevent event: freed, and so taken out of its loop, when it goes out of scope.
#pragma once
#include <event2/event.h>

#include <memory>

namespace kahu::net {

struct FreeEvent {
    void operator()(event* e) const { event_free(e); }
};
using EventPtr = std::unique_ptr<event, FreeEvent>;

}  // namespace kahu::net
