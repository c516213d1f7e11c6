// core/modules/acc/record.h -- what is accounted, and the line of the log that says it.
#pragma once
#include <string>
#include <string_view>

#include "core/modules/acc/settings.h"
#include "core/script/run.h"
#include "core/sip/message.h"

namespace kahu::acc {

// Views into messages: used up before those are.
struct Record {
    std::string_view what;  // "transaction answered", "call missed", "request accounted"
    std::string_view method, from_tag, to_tag, call_id;
    std::string code;
    std::string_view reason;
    bool upstream = false;  // the tags have changed places
};
// The request's part; To's tag is that of a request within a dialog.  Tags have changed places if detect_direction is
// set and the side that was called sent it.
Record record_of(const sip::Message& request, std::string_view what);

// A peer's text must not make fields of its own, nor lines.
void append_field(std::string& line, std::string_view name, std::string_view value);
// How many legs multi_leg_info finds: those that have a value, and the first in any case.  0: there is no such
// parameter.
size_t count_legs(script::Run& run);
void write_line(script::Run& run, const Record& record);

}  // namespace kahu::acc
