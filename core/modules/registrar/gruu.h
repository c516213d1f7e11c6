// core/modules/registrar/gruu.h -- globally routable URIs of single phones (RFC 5627), made for contacts with
// +sip.instance.
//
//   public     the AoR with the instance:   sip:alice@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6
//   temporary  the contact's record:        sip:uloc-5f0a-1c2-7-8d04a1c3@example.com;gr     (ruid, then hash of its
//   AoR)
//
// LIVES  Nothing is kept: both are derived from the contact.  A temporary one is good as long as the contact is
//        registered, and ends with the server at the latest (the hash is keyed anew).
#pragma once
#include <string>
#include <string_view>

#include "core/modules/usrloc/api.h"
#include "core/sip/uri.h"

namespace kahu::registrar {

class Gruu {
  public:
    // False: that is no GRUU.
    bool read(const sip::Uri& uri);
    bool is_temporary() const { return !ruid_.empty(); }
    // Of a temporary one: whose it is; empty: nobody's.
    std::string aor(uint8_t table) const;
    // Also true if nothing was read.
    bool names(const usrloc::Contact& contact) const;

  private:
    std::string instance_, ruid_;
    uint32_t hash_ = 0;
};

// ";pub-gruu=\"...\";temp-gruu=\"...\"" for a contact of `aor` (To's URI); nothing if it cannot have any.
void append_gruus(const usrloc::Contact& contact, const sip::Uri& aor, std::string& out);

}  // namespace kahu::registrar
