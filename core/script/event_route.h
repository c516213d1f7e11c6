// core/script/event_route.h -- event_route[module:event]: what a module lets the script say about something it does.
//
// WHY    Modules know when something happened; the script's author knows what is to be done then.
// LIVES  Looks the route up in the installed program: a few comparisons.  Runs in the calling process.
// FAILS  False when the script has no such route.
#pragma once
#include <string_view>

#include "core/script/run.h"

namespace kahu::script {

struct Sending;  // core/script/onsend.h

bool has_event_route(std::string_view name);  // "tm:local-request"
// For a message that is there.  REQUIRES: run.begin() was called, with kind kEventRoute.  run.flow is Flow::drop if the
// route said so.
bool run_event_route(std::string_view name, Run& run);
// For events without a message: the route sees an OPTIONS of the server to itself.  `dropped`: the route said so.
bool run_event_route(std::string_view name, bool* dropped = nullptr);

// For events of a connection, with $si, $conid and the others of it; in `sending`, if there is one, $sndto() and
// $sndfrom(); `received`: what $rcv(buf) is.
bool run_event_route(std::string_view name, const net::Inbound& about, const Sending* sending, bool* dropped = nullptr,
                     std::string_view received = {});

// Called when a route and all that ran inside it has ended: for what a script takes and may forget to give back.  At
// start, before the first fork; one module can.
using ScriptEndHandler = void (*)();
void set_script_end_handler(ScriptEndHandler handler);

// event_route[sl:local-response]: sees a reply made here, outside of transactions, before it leaves.
void tell_local_response(std::string_view reply, const net::Inbound& from);

}  // namespace kahu::script
