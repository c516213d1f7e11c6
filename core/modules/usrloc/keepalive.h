// core/modules/usrloc/keepalive.h -- requests to contacts (ka_mode): NATs keep their bindings, and who is gone is seen.
//
// WHY    A phone behind a NAT is reachable only while something passes; one that lost its power never unregisters.
// HOW    The sweep of the timer process copies contacts that are due, releases the shard, and sends each a request
//        without transaction over the connection it registered on, or to where its REGISTER came from.  The answer may
//        come to any process: From's tag names the contact, the time of sending and a proof that we sent it.
// LOCKS  send() none; take_answer() one shard.
// FAILS  What cannot be sent is not answered: ka_timeout ends the contact.
#pragma once
#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/modules/usrloc/contact.h"

namespace kahu::script {
class Run;
}

namespace kahu::usrloc::keepalive {

bool is_due(const Contact& contact);                  // once per round of the sweep
bool is_silent(const Contact& contact, int64_t now);  // it should have answered within ka_timeout

// A copy of what is needed once the shard is released.
struct Ping {
    std::string aor, uri, received, path, ruid;
    net::ConnectionId connection = net::ConnectionId::none;
    uint16_t socket = net::kAnyListener;
    uint32_t hash = 0;
    uint8_t table = 0;
    bool flow_only = false;  // RFC 5626: once its connection has ended it is reached no more

    static Ping of(const Contact& contact);
};
void send(const Ping& ping);

// The request for the next hop `to`, whose listener was chosen.
std::string request_text(const Ping& ping, const net::Destination& to);

// script::ReplyTaker: notes who answered.  False: that is no answer to one of these requests.
bool take_answer(script::Run& run);

Status check();  // at start: compiles ka_logmsg

}  // namespace kahu::usrloc::keepalive
