#include "core/base/log.h"

#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/base/log_rules.h"
#include "core/base/log_sink.h"
#include "core/base/text.h"

namespace kahu::log {
namespace {
struct State {
    Sink sink = Sink::standard_error;
    int facility = LOG_DAEMON;
    std::string program = "kahu";
    std::string process;
    int64_t own_level = static_cast<int64_t>(Level::notice);
    const int64_t* level_cell = &own_level;
    uint64_t lost = 0, told_lost = 0;
    StandardError standard_error;
    Syslog syslog;
};
State& state() {
    static State s;
    return s;
}
const ModuleRules* g_rules = nullptr;

int syslog_priority(Level level) {
    if (level <= Level::alert) return LOG_ALERT;
    if (level <= Level::critical) return LOG_CRIT;
    if (level <= Level::error) return LOG_ERR;
    if (level <= Level::warn) return LOG_WARNING;
    if (level <= Level::notice) return LOG_NOTICE;
    return level <= Level::info ? LOG_INFO : LOG_DEBUG;
}
bool needs_quotes(std::string_view value) {
    return value.empty() || std::any_of(value.begin(), value.end(),
                                        [](char c) { return c <= ' ' || c == '"' || c == '=' || c == 0x7f; });
}
void append_value(std::string& line, std::string_view value) {
    if (!needs_quotes(value)) {
        line += value;
        return;
    }
    line += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\') line += '\\';
        if (static_cast<unsigned char>(c) < 0x20) line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else line += c;
    }
    line += '"';
}
bool deliver(Level level, std::string_view name, int facility, std::string_view body) {
    State& s = state();
    if (s.sink == Sink::syslog)
        return s.syslog.send((facility >= 0 ? facility : s.facility) | syslog_priority(level), s.program,
                             fmt::format("{}: {}", name, body));
    std::string line = fmt::format("{} {}[{}]{}{} {}: {}", clock::local_text(clock::unix_seconds()), s.program,
                                   ::getpid(), s.process.empty() ? "" : " ", s.process, name, body);
    while (!line.empty() && line.back() == '\n') line.pop_back();
    line += '\n';
    return s.standard_error.write(line);
}
void write_line(Level level, std::string_view name, int facility, std::string_view body) {
    State& s = state();
    if (!deliver(level, name, facility, body)) {
        ++s.lost;
        return;
    }
    if (s.lost == s.told_lost) return;
    const uint64_t untold = s.lost - std::exchange(s.told_lost, s.lost);
    if (!deliver(Level::warn, name_of(Level::warn), -1, fmt::format("log.lines_lost lines={}", untold))) ++s.lost;
}
}  // namespace

std::string_view name_of(Level level) {
    switch (level) {
    case Level::alert: return "ALERT";
    case Level::bug: return "BUG";
    case Level::critical: return "CRITICAL";
    case Level::error: return "ERROR";
    case Level::warn: return "WARNING";
    case Level::notice: return "NOTICE";
    case Level::info: return "INFO";
    case Level::debug: return "DEBUG";
    }
    return "LOG";
}
void open(Sink sink, int syslog_facility, std::string_view program) {
    State& s = state();
    s.sink = sink;
    s.facility = syslog_facility;
    s.program = program;
    reopen();
}
void reopen() {
    State& s = state();
    if (s.sink == Sink::syslog) s.syslog.open("/dev/log");
}
void set_process(std::string_view title) { state().process = title; }
void set_level(Level level) { state().own_level = static_cast<int64_t>(level); }
void share_level(const int64_t* cell) { state().level_cell = cell; }
Level common_level() { return static_cast<Level>(__atomic_load_n(state().level_cell, __ATOMIC_RELAXED)); }
Level level() { return g_rules == nullptr ? common_level() : g_rules->highest(); }
void set_module_rules(const ModuleRules* rules) { g_rules = rules; }
uint64_t lost() { return state().lost; }

void emit(Level level, std::string_view event, std::initializer_list<Field> fields) {
    const std::string_view module = event.substr(0, event.find('.'));
    if (g_rules != nullptr && level > g_rules->level(module)) return;
    std::string body(event);
    for (const Field& field : fields) {
        body += ' ';
        body += field.key;
        body += '=';
        append_value(body, field.value);
    }
    write_line(level, name_of(level), g_rules == nullptr ? -1 : g_rules->facility(module), body);
}
void emit_text(Level level, std::string_view whole_line) {
    if (g_rules == nullptr || level <= common_level()) write_line(level, name_of(level), -1, whole_line);
}
void emit_named(Level level, std::string_view name, int facility, std::string_view whole_line) {
    if (g_rules == nullptr || level <= common_level())
        write_line(level, name.empty() ? name_of(level) : name, facility, whole_line);
}

bool RateLimit::allow() {
    const clock::Millis now = clock::now_ms();
    if (now - window_ >= 1000) {
        window_ = now;
        used_ = 0;
    }
    if (used_ >= per_second_) {
        ++pending_;
        return false;
    }
    ++used_;
    reported_ = std::exchange(pending_, 0);
    return true;
}
}  // namespace kahu::log
