// core/script/run.h -- one message on its way through the routing script.
//
// WHY    Script functions and variables of all modules work on this: the message and where it came from, what the
//        script changed, and how it goes on.
// LIVES  A few objects per process (received messages, events, what tm revives), each reused for every message: begin()
//        resets it.  Nothing of it outlives the message but the memory it keeps.  $var lives in
//        core/script/script_variables.h, since it outlives messages.
// LOCKS  None.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/module/descriptor.h"
#include "core/net/inbound.h"
#include "core/script/arena.h"
#include "core/script/branches.h"
#include "core/script/value.h"
#include "core/script/xavp.h"
#include "core/sip/edit.h"
#include "core/sip/message.h"

namespace kahu::script {

class Program;
struct Sending;  // core/script/onsend.h

// What the interpreter does after a statement.
enum class Flow : uint8_t { next, break_, return_, exit_, drop };

class Run {
  public:
    static constexpr int kMaxRouteDepth =
        100;  // hard bound on route() inside route(); max_recursive_level may lower it

    // REQUIRES: message and inbound outlive the run; message is parsed.
    void begin(const sip::Message& message, const net::Inbound& inbound, RouteMask kind);

    const sip::Message& message() const { return *message_; }
    const net::Inbound& inbound() const { return *inbound_; }
    // msg_apply_changes(): from here on these bytes are the message, without edits.  False: they are no SIP message, and
    // nothing changed.  REQUIRES: they live as long as the message (arena).
    bool replace_message(std::string_view bytes, sip::Bad& bad);
    Arena& arena() { return arena_; }
    RouteMask kind() const { return kind_; }  // which kind of route is running
    void set_kind(RouteMask kind) { kind_ = kind; }
    bool is_request() const { return message_->is_request(); }
    // set_recv_socket(), set_source_address(): from here on it came there, or from there.
    void set_inbound(const net::Inbound& as_if) {
        own_inbound_ = as_if;
        inbound_ = &own_inbound_;
    }
    uint64_t number() const { return number_; }  // how many messages this Run has begun, this one included
    // Of this message in this Run: no other of the process has it, so that a module that keeps something for the rest
    // of the message can tell whether it is still that one.
    uint64_t id() const { return id_; }

    // --- flow ----------------------------------------------------------------------------------------------
    Flow flow = Flow::next;
    int return_code = 1;  // $rc, $retcode: of the last function or route
    int last_value = 1;   // of the last statement: what a route without `return` returns
    int route_depth = 0;
    // Rounds of loops and calls of routes a message may take together: loops inside loops and routes that call two
    // others would keep a worker for hours.  Bounded by the core parameter max_script_steps.
    int64_t steps = 0;
    const Program* program = nullptr;
    const Sending* sending = nullptr;  // in onsend_route: what is about to leave
    bool evaluation_failed = false;    // the expression divided by zero: its statement is not carried out

    // --- what the script changed ---------------------------------------------------------------------------
    // The current Request-URI: the message's until the script rewrote it.
    std::string_view request_uri() const { return new_uri_.data() != nullptr ? new_uri_ : message_->request_uri(); }
    bool request_uri_changed() const { return new_uri_.data() != nullptr; }
    // Parsed on first use after each change; nullptr if it is not a valid URI.
    const sip::Uri* parsed_request_uri();
    void set_request_uri(std::string_view uri);  // copied
    void revert_request_uri() { new_uri_ = {}, uri_known_ = false, uri_is_new = true; }
    // False: a request was sent to it already, or a failure route runs for it.  Whoever forks then sends to the other
    // branches only, until the script changes $ru or $du.
    bool uri_is_new = true;

    std::string_view destination_uri() const { return destination_uri_; }  // $du; empty: none
    void set_destination_uri(std::string_view uri);                        // copied; empty: none

    Branches branches;  // further targets, and what is known of the one in $ru

    sip::EditList edits;  // headers added and removed, for whoever forwards the message
    // What record_route() asked for; written when the outgoing socket is known (core/script/outgoing.h).
    struct RecordRoute {
        bool wanted = false;
        bool doubled = true;          // one for each side where listeners differ (RFC 5658)
        bool always_doubled = false;  // also where they do not
        std::string_view user;        // before "@", or empty
        // Flow tokens, before "@" instead of `user`: of the side that asks, and of the side that is called.
        std::string_view flow_in, flow_out;
        Phone flows_to = Phone::no;   // flow_out is written when the request leaves for such a phone; no: never
        bool ignore_sips = false;     // never a sips URI
        bool socket_names = false;    // ";sn=" with the name of the listen statement
        std::string_view params;      // ";lr;ftag=..." behind the transport
        std::string_view presets[2];  // record_route_preset(): host, port and parameters instead of ours
        std::string_view advertised;  // record_route_advertised_address(): host and port instead of ours
    };
    RecordRoute record_route;  // texts live in the arena
    // add_path(): header lines, in which \1 and \2 stand for the address that the request leaves by and came by, \3 and
    // \4 for the same with the socket's name.
    std::string_view path_lines;
    bool forward_no_connect = false;                    // set_forward_no_connect(): only over connections that are open
    bool reply_no_connect = false;                      // set_reply_no_connect()
    bool add_local_rport = false;                       // ;rport in our own Via
    std::string_view advertised_host, advertised_port;  // set_advertised_address(): in our Via; in the arena

    uint32_t flags = 0;         // setflag(0..31)
    uint64_t xflags = 0;        // setxflag(0..63)
    uint32_t script_flags = 0;  // setsflag(0..31): for this run of the script only
    bool is_made_up = false;    // an event without a message: the script sees an OPTIONS of the server's own
    std::string_view received;  // event_route[core:msg-received]: what came, not read yet
    bool force_rport = false;
    bool replied = false;                                // a final reply was sent
    std::string reply_body, reply_body_type;             // set_reply_body(): of replies made here
    std::string reply_headers;                           // append_to_reply(): lines for every reply sent from here on
    std::string_view authorized_user, authorized_realm;  // whose password module auth found right; in the message
    int last_error = 0;  // what sl_reply_error() answers; 0: nothing was noted, it answers 500

    Xavps xavps;  // $xavp, $xavu, $xavi

    // --- $avp: newest first, by name; the name and text are copied into the arena ----------------------------
    struct Avp {
        std::string_view name;
        Value value;
    };
    static constexpr size_t kMaxAvps = 4096;  // a script that adds more in a loop is a mistake: the rest is dropped
    void add_avp(std::string_view name, const Value& value);
    const Avp* avp(std::string_view name, size_t nth) const;  // nullptr if there are not so many
    size_t count_avps(std::string_view name) const;
    bool set_avp(std::string_view name, size_t nth, const Value& value);
    void remove_avp(std::string_view name, size_t nth);
    void remove_avps(std::string_view name);

    // --- for whoever goes on with the message later, in another process (module tm) ---------------------------
    // Appends what the script changed and set, as bytes without pointers: URIs, edits, flags, $avp.
    void save(std::string& out) const;
    // The reverse, after begin() with the same message.  REQUIRES: `saved` came from save().
    void restore(std::string_view saved);
    // Only what belongs to the transaction and not to one branch of it: flags and $avp.
    void restore_shared(std::string_view saved);

  private:
    Avp* find_avp(std::string_view name, size_t nth);

    const sip::Message* message_ = nullptr;
    const net::Inbound* inbound_ = nullptr;
    net::Inbound own_inbound_;
    RouteMask kind_ = kRequestRoute;
    // Two: the one that is being changed is read while the other is made.
    sip::Message replaced_[2];
    uint64_t number_ = 0, id_ = 0;
    Arena arena_;
    std::string_view new_uri_, destination_uri_;
    bool uri_known_ = false, uri_good_ = false;
    sip::Uri uri_;
    std::vector<Avp> avps_;
};

}  // namespace kahu::script
