// core/sip/contact.h -- Contact = ( STAR / (contact-param *(COMMA contact-param)) )   RFC 3261 20.10, RFC 5626, RFC
// 3840
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/sip/name_addr.h"

namespace kahu::sip {

struct Contact {
    NameAddr address;
    std::optional<uint32_t> expires;  // seconds; overlarge is clamped (RFC 4475 3.1.2.4)
    std::optional<uint16_t> q;        // thousandths; none if absent
    std::string_view instance;        // +sip.instance as written, quotes kept; or empty
    std::optional<uint32_t> reg_id;
};

// True if the value is "*" alone.
bool is_star_contact(std::string_view value);

// Every contact of one header value.  A malformed q or expires is bad.  "*" is bad here: ask is_star_contact first.
class ContactList {
  public:
    explicit ContactList(std::string_view value) : list_(value), value_(value) {}
    bool next(Contact& out);
    const Bad* bad() const { return failed_ ? &bad_ : list_.bad(); }

  private:
    NameAddrList list_;
    std::string_view value_;
    bool failed_ = false;
    Bad bad_;
};

}  // namespace kahu::sip
