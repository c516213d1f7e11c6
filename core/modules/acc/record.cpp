#include "core/modules/acc/record.h"

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/script/message_facts.h"
#include "core/script/script_log.h"
#include "core/sip/params.h"

namespace kahu::acc {

namespace {

// Our own value of Route, put there by record_route() with ftag=: the caller's tag (append_fromtag of module rr).
bool goes_upstream(const sip::Message& request) {
    const sip::HeaderField* const route = request.first(sip::HeaderId::route);
    const bool within = request.to() != nullptr && !request.to()->tag.empty() && request.from() != nullptr;
    if (!within || route == nullptr || request.method() == sip::Method::ack) return false;
    sip::NameAddr value;
    sip::Uri uri;
    size_t used;
    sip::Bad bad;
    if (!sip::parse_name_addr(route->value, value, used, bad) || !sip::parse_uri(value.uri, uri, bad)) return false;
    const auto ftag = sip::find_param(uri.params, "ftag");
    return ftag && script::is_myself(uri) && ftag->value != request.from()->tag;
}

}  // namespace

Record record_of(const sip::Message& request, std::string_view what) {
    Record record{.what = what,
                  .method = script::method_name_of(request),
                  .from_tag = request.from() != nullptr ? request.from()->tag : std::string_view(),
                  .to_tag = request.to() != nullptr ? request.to()->tag : std::string_view(),
                  .call_id = request.call_id(),
                  .code = {},
                  .reason = {}};
    record.upstream = settings.detect_direction != 0 && goes_upstream(request);
    if (record.upstream) std::swap(record.from_tag, record.to_tag);
    return record;
}

size_t count_legs(script::Run& run) {
    if (legs().empty()) return 0;
    const auto has_value = [&](const std::vector<Extra>& leg) {
        return std::ranges::any_of(leg, [&](const Extra& field) { return !field.value->value(run).is_null(); });
    };
    size_t count = 1;
    while (count < legs().size() && has_value(legs()[count])) ++count;
    return count;
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
    for (const Extra& extra : log_extras()) append_field(line, extra.name, text_of(extra, run));
    const size_t legs_there = count_legs(run);
    for (size_t leg = 0; leg < legs_there; ++leg)
        for (const Extra& field : legs()[leg]) append_field(line, field.name, text_of(field, run));
    script::log_script_line(run, level, std::string("ACC: ").append(record.what).append(": ").append(line));
}

}  // namespace kahu::acc
