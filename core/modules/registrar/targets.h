// core/modules/registrar/targets.h -- from an address of record, or a GRUU, to the contacts that a request goes to.
//
// WHY    lookup() and its kin differ in what they do with the contacts, not in which they are.
// LIVES  Branches are texts in the run's arena.
// RULES  By q, or the newest first (usrloc desc_time_order).
//        sips   a sips URI never leads to a plain sip contact; for a sip URI a sips contact is called by its sip name,
//        over
//               TLS (RFC 5630 5.3)
//        flows  of those of one instance the newest is a target, the others are kept for when it fails (RFC 5626 7);
//               flows whose connection has ended are none
//        GRUU   only the instance that it names, of several contacts the newest (RFC 5627 5.2)
#pragma once
#include <string_view>
#include <vector>

#include "core/modules/registrar/xavps.h"
#include "core/script/branches.h"
#include "core/script/run.h"

namespace kahu::registrar {

constexpr int kFound = 1, kNone = -1, kNotSupported = -2, kError = -3;  // what lookup() returns to the script

struct Found {
    std::vector<script::Branch> branches;
    std::vector<script::Branch> other_flows;
    Record first;  // of branches.front()
    int result = kNone;
    bool needs_sips = false;    // there were contacts, but none that a sips request may go to
    bool failed_flows = false;  // there were flows, and all have ended
};
void find_targets(script::Run& run, uint8_t table, std::string_view uri, Found& out);

// "Warning: 380 ..." for the answer to a sips request (RFC 5630 6.2).
void warn_sips_not_allowed(script::Run& run);

}  // namespace kahu::registrar
