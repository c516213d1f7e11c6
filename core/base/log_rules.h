// core/base/log_rules.h -- levels and syslog facilities of single modules, and lines with names of their own.
//
// WHY    Module debugger looks at one module closely while the rest of the server is quiet.
// HOW    An event's module is its first word ("tm" of "tm.not_sent").  While rules are set, level() is the
//        highest of all, and emit() leaves out what the event's module must not say.
// LOCKS  None.
#pragma once
#include <string_view>

#include "core/base/log.h"

namespace kahu::log {

struct ModuleRules {
    Level (*highest)() = nullptr;                        // of all modules; at least the common one
    Level (*level)(std::string_view module) = nullptr;   // of one
    int (*facility)(std::string_view module) = nullptr;  // -1: the common one
};
void set_module_rules(const ModuleRules* rules);  // nullptr: none.  REQUIRES: outlives the process
Level common_level();                             // as set, whatever the rules say

// A line under another name than the level's ("": that), and (not -1) to a syslog facility of its own.
void emit_named(Level level, std::string_view name, int facility, std::string_view whole_line);

}  // namespace kahu::log
