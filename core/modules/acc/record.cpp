#include "core/modules/acc/record.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/script/message_facts.h"
#include "core/script/script_log.h"

namespace kahu::acc {

Record record_of(const sip::Message& request, std::string_view what) {
    return {.what = what,
            .method = script::method_name_of(request),
            .from_tag = request.from() != nullptr ? request.from()->tag : std::string_view(),
            .to_tag = request.to() != nullptr ? request.to()->tag : std::string_view(),
            .call_id = request.call_id(),
            .code = {},
            .reason = {}};
}

void append_field(std::string& line, std::string_view name, std::string_view value) {
    line.append(line.empty() ? "" : ";").append(name).append("=");
    for (const char c : value) line.push_back(c == ';' || static_cast<unsigned char>(c) < 0x20 ? '_' : c);
}

void write_line(script::Run& run, const Record& record) {
    const auto level = static_cast<log::Level>(settings.log_level.get());
    if (!log::enabled(level)) return;
    std::string line;
    append_field(line, "timestamp", std::to_string(clock::unix_seconds()));
    append_field(line, "method", record.method);
    append_field(line, "from_tag", record.from_tag);
    append_field(line, "to_tag", record.to_tag);
    append_field(line, "call_id", record.call_id);
    append_field(line, "code", record.code);
    append_field(line, "reason", record.reason);
    for (const Extra& extra : log_extras()) append_field(line, extra.name, extra.value->text(run));
    script::log_script_line(run, level, std::string("ACC: ").append(record.what).append(": ").append(line));
}

}  // namespace kahu::acc
