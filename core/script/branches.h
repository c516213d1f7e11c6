// core/script/branches.h -- where a request shall go besides its Request-URI: what lookup() and append_branch() collect
// and tm forks over.
//
// WHY    A registered user has several phones.  Who finds them (registrar, alias tables, the script) and who sends to
//        them (tm, forward()) are different modules; this is what they hand over.
// LIVES  Part of Run: one list per message.  Texts are borrowed from the run's arena, or from the message.
// LOCKS  None.
// RULES  main() is the branch of the Request-URI: its uri and dst_uri stay empty, $ru and $du (Run::request_uri,
//        destination_uri) are their place; the other fields hold for it too.  others() come after it, in the order in
//        which they were added; q says what to try first.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/net/destination.h"
#include "core/net/inbound.h"

namespace kahu::script {

// Whether a target is a contact that registered here with no proxy between, so that its flow is ours; with reg-id it
// said that it wants to be reached so (RFC 5626).
enum class Phone : uint8_t { no, registered, outbound };

struct Branch {
    static constexpr int16_t kNoQ = -1;

    std::string_view uri;                 // Request-URI of this branch
    std::string_view dst_uri;             // where to send instead of `uri`; empty: nowhere else
    std::string_view path;                // Route header value to put on top ("<sip:edge;lr>, <sip:...>"); empty: none
    int16_t q = kNoQ;                     // 0 to 1000 thousandths; kNoQ: not given, equal to all others without one
    uint16_t socket = net::kAnyListener;  // listener to send from
    net::ConnectionId connection = net::ConnectionId::none;  // the flow a phone registered on: tried before dst_uri
    uint32_t flags = 0;                                      // branch flags, setbflag()
    std::string_view instance;                               // +sip.instance as registered, "<urn:uuid:...>"
    std::string_view ruid;                                   // of the contact record; empty: not from usrloc
    std::string_view user_agent;                             // $T_... and $branch(ua): the registered User-Agent
    uint32_t reg_id = 0;
    bool flow_only = false;  // RFC 5626: if `connection` has ended, nowhere else: 430

    Phone phone() const {
        if (ruid.empty() || !path.empty()) return Phone::no;
        return reg_id != 0 ? Phone::outbound : Phone::registered;
    }
};

class Branches {
  public:
    Branch& main() { return main_; }
    const Branch& main() const { return main_; }
    std::span<Branch> others() { return others_; }
    std::span<const Branch> others() const { return others_; }
    // False: there are max_branches already (main() is one of them), nothing was added.  REQUIRES: the texts live as
    // long as the message.
    bool add(const Branch& branch);
    void remove(size_t index) {
        if (index < others_.size()) others_.erase(others_.begin() + static_cast<ptrdiff_t>(index));
    }
    void clear_others() { others_.clear(); }
    void clear() { main_ = {}, others_.clear(); }  // keeps the memory

  private:
    Branch main_;
    std::vector<Branch> others_;
};

}  // namespace kahu::script
