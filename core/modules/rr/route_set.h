// core/modules/rr/route_set.h -- the Route headers of a request as one list, and taking values out of it.
//
// WHY    Values may stand one to a header or several, separated by commas; what is taken are always values.
// LIVES  Views into the message; reused for every message.
// FAILS  read() returns false when a Route header is malformed; the values before it are there.
#pragma once
#include <span>
#include <vector>

#include "core/script/run.h"
#include "core/sip/name_addr.h"

namespace kahu::rr {

struct RouteValue {
    const sip::HeaderField* field = nullptr;
    sip::NameAddr address;
    sip::Uri uri;
    bool good = false;  // uri is a SIP URI
    bool taken = false;
};

class RouteSet {
  public:
    static constexpr size_t kMostValues = 64;

    bool read(const sip::Message& message);
    std::span<RouteValue> values() { return values_; }
    // The first value that was not taken; nullptr: none is left.
    RouteValue* top();
    RouteValue* last();
    // Writes what is left as edits: headers without a value left go, others are rewritten; `behind` becomes a new last
    // value ("<sip:...>"; empty: none).
    void apply(script::Run& run, std::string_view behind) const;

  private:
    std::vector<RouteValue> values_;
};

}  // namespace kahu::rr
