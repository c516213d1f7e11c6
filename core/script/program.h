// core/script/program.h -- the routing script, compiled; and the way of a message through it.
//
// WHY    All that can be wrong with a script is found at start, all at once, with file, line and remedy; what is left
//        for each message is to walk a tree of small objects.
// LIVES  Compiled in the starting process, before the first fork; read-only afterwards.  handle() uses one Message, one
//        Run and one reply buffer per process, so that a steady load allocates nothing.
// FAILS  compile() adds to `found` and returns nullptr if one of the additions is an error.  handle() never fails:
//        malformed requests are answered (400, 505, ...), malformed replies and ACKs are dropped.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/ast.h"
#include "core/config/diagnostic.h"
#include "core/module/descriptor.h"
#include "core/net/inbound.h"
#include "core/script/run.h"

namespace kahu::script {

// What a script may call.  core_module() is always part of it and need not be listed.
struct Environment {
    std::span<const ModuleDescriptor* const> loaded;     // by loadmodule, in that order
    std::span<const ModuleDescriptor* const> available;  // everything linked into the program: for "add loadmodule ..."
};

// Functions and variables that need no module: setflag(), force_rport(), $ru, ...
const ModuleDescriptor& core_module();
// Core parameters about scripts and replies: max_while_loops, server_signature, ...
std::span<const Param> script_params();

class Format;
class Routes;
class Run;

class Program {
  public:
    static std::unique_ptr<Program> compile(const config::Ast& ast, const Environment& environment,
                                            config::Diagnostics& found);
    ~Program();

    // One received message: parse, validate, absorb ACKs to our stateless replies, run request_route or reply_route.
    void handle(std::string_view bytes, const net::Inbound& from) const;
    // Makes handle() of this program net's message handler.  REQUIRES: outlives all messages.
    void install() const;

    // The number of route[name] (kind event: event_route[name]), or -1.  For modules that call routes by name.
    int find_route(config::RouteKind kind, std::string_view name) const;
    // Runs it for a message whose Run has begun; returns what the route returned, and leaves run.flow at next, exit_ or
    // drop.
    int run_route(int route, Run& run) const;
    const Format* log_prefix() const;  // nullptr: none

    static const Program* installed();  // nullptr: none yet

  private:
    Program();
    std::unique_ptr<Routes> routes_;
    void run_main_route(int route, Run& run) const;  // and how long it took
    void filtered_ack(const sip::Message& ack, const net::Inbound& from, Run& run) const;

    friend bool has_onsend_route();
    friend bool run_onsend_route(Run& run, const net::Destination& to, std::string_view bytes);
    int request_route_ = -1, reply_route_ = -1, onsend_route_ = -1;
    int filtered_ack_route_ = -1;  // event_route[sl:filtered-ack]: an ACK to one of our stateless replies
};

}  // namespace kahu::script
