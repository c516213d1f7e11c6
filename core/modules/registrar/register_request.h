// core/modules/registrar/register_request.h -- what a REGISTER asks for, read completely before anything is changed.
//
// WHY    RFC 3261 10.3: all contacts of a request are taken or none.  So every header is read and judged first; only
//        what depends on present bindings (CSeq, max_contacts) is left for later.
// LIVES  Texts are borrowed from the message and the run's arena.
// FAILS  read() names the first mistake.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/modules/registrar/answer.h"
#include "core/script/run.h"
#include "core/sip/uri.h"

namespace kahu::registrar {

struct WantedContact {
    std::string_view uri;
    uint32_t lifetime = 0;  // seconds, within the configured bounds; 0: remove it
    int16_t q = usrloc::Numbers::kNoQ;
    uint32_t methods = UINT32_MAX;
    std::string_view instance;  // without its quotes
    uint32_t reg_id = 0;        // 0: not a flow
};

struct RegisterRequest {
    static constexpr size_t kMostContacts = 64;  // in one request; more are answered 400

    std::string_view aor;
    bool star = false;  // Contact: *
    std::vector<WantedContact> contacts;
    std::string_view call_id;
    uint32_t cseq = 0;
    std::string_view user_agent, path, received;
    bool path_supported = false, outbound = false;  // RFC 3327, RFC 5626 apply
    bool wants_gruu = false;                        // RFC 5627
    sip::Uri aor_uri;                               // To's, or what the script gave
    uint32_t flags = 0;                             // of usrloc
    uint16_t socket = net::kAnyListener;
    net::ConnectionId connection = net::ConnectionId::none;

    // `given_uri` empty: To.  `keep_lifetime`: no random part is taken off.
    Fault read(script::Run& run, std::string_view given_uri, bool keep_lifetime);

  private:
    Fault read_contacts(script::Run& run, bool keep_lifetime);
    Fault read_contact(script::Run& run, std::string_view value, bool keep_lifetime);
    Fault read_path(script::Run& run);
    Fault read_outbound(script::Run& run);
    void read_origin(script::Run& run);
};

// Whether the list header (Supported, Require) of the message names that option tag.
bool has_option(const sip::Message& message, sip::HeaderId header, std::string_view tag);

}  // namespace kahu::registrar
