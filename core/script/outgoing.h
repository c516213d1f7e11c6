// core/script/outgoing.h -- the message that leaves: what was received, the script's changes, and our own.
//
// WHY    Stateless forward() and tm build the same bytes; only the branch parameter and the destination differ.
// LIVES  Appends to a string of the caller's; nothing is kept.
// RULES  RFC 3261 16.6, 16.7; 18.2.1 and RFC 3581 for what goes into the sender's Via.  Header edits of the script
//        (Run::edits, with what loose_route() took away) are applied in the same pass.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/text.h"
#include "core/net/destination.h"
#include "core/net/resolver.h"
#include "core/script/run.h"

namespace kahu::script {

// Where a request goes next: $du, which loose_route() sets from the topmost Route that is left, else the current
// Request-URI.  nullptr: that is no URI we can route by (not sip/sips: a tel URI needs $du).
// The result lives in `into`.
const sip::Uri* next_hop(Run& run, sip::Uri& into);
// The same for another Request-URI ($du still goes first unless `destination_uri` is given).
const sip::Uri* next_hop(std::string_view request_uri, std::string_view destination_uri, sip::Uri& into);

// What to ask the resolver for that URI: maddr, transport, sips.  False: a transport we do not have (;transport=sctp).
// A Request-URI that is sips makes the next hop TLS even if the Route is sip (RFC 5630 3.1.3): give sips = true.
bool question_for(const sip::Uri& next_hop, bool sips, net::Question& out);

struct OutgoingRequest {
    const net::Destination* to = nullptr;  // its listener was chosen: Via, Record-Route and Content-Length follow it
    std::string_view branch;               // whole value of our Via's branch, "z9hG4bK..."
    std::string_view request_uri = {};     // empty: the run's current one
    std::string_view extra_headers = {};   // complete lines, behind our Via (Path of a branch ...)
    Phone phone = Phone::no;               // what the target is
    int max_breadth = 0;                   // Max-Breadth to write instead of the one received; 0: that stays
};
// Via on top, ;received and ;rport into the previous one, new Request-URI, Record-Route if record_route() asked for it,
// Max-Forwards: 70 if there is none, Content-Length on streams if there was none.
void build_request(Run& run, const OutgoingRequest& how, std::string& out);
// The same for a destination that may change: a datagram larger than udp_mtu goes over udp_mtu_try_proto (18.1.1), if
// there is a socket for it.
void build_request_that_fits(Run& run, OutgoingRequest how, net::Destination& to, std::string& out);

// Content-Length of the message that begins at out[begin]: streams need one (RFC 3261 18.3), and what the script did to
// the body must show in it.
void fix_content_length(const sip::Message& message, const sip::EditList& edits, bool stream, size_t begin,
                        std::string& out);

// A reply on its way upstream: without its top Via, with the script's edits.  False: no Via would be left, or it is not
// to be forwarded.
bool build_relayed_reply(Run& run, std::string& out);
// Where it goes by its second Via: ;received, ;rport, ;maddr, sent-by (RFC 3261 18.2.2).  Streams: the connection the
// request came on is found by address.  False: no second Via or a name that is no address (`question` is filled then).
bool reply_destination(const sip::Message& reply, net::Destination& out);
// RFC 5630: such a request leaves over TLS or not at all.
inline bool is_sips(std::string_view uri) { return text::iequals(uri.substr(0, 5), "sips:"); }

// The top Via of a reply is one of ours (16.7.3): sent-by is one of our listeners.
bool top_via_is_ours(const sip::Message& reply);
// The connection that the request came on, as noted in our own Via of its reply (";i=").
net::ConnectionId connection_in_via(const sip::Via& ours);
// The datagram socket that it came to, where that is not the one it left by (";l=").
std::optional<uint16_t> listener_in_via(const sip::Via& ours);

// A branch that is the same for every copy of a request, and for the CANCEL or ACK that belongs to it (16.11).
inline constexpr size_t kStatelessBranchBytes = 7 + 32;
std::string_view stateless_branch(Run& run, char* into);

// forward(): resolves, builds, sends; goes on by itself when DNS takes time (and answers 478 if nothing comes of it).
// `to_uri`: instead of next_hop(); `by`: instead of the URI's transport.  False: it cannot work, nothing was sent.
bool forward_stateless(Run& run, std::string_view to_uri = {}, std::optional<Transport> by = {});
// A reply that no transaction took: upstream by its second Via, if its first one is ours.
bool forward_reply_stateless(Run& run);

}  // namespace kahu::script
