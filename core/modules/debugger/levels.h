// core/modules/debugger/levels.h -- log levels and syslog facilities of single modules.
//
// WHY    One module can be looked at closely while the server is quiet about the rest.
// LIVES  In process memory until the segment is there, then in a table of kMostModules rows in it.  Rows are added by
//        the starting process and by the rpc process only, never removed.
// LOCKS  None: a row is filled, then counted in; its level and facility are single words.
// FAILS  A table that is full refuses further modules.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "mem/segment.h"

namespace kahu::debugger {

inline constexpr int kLowestLevel = -5, kHighestLevel = 3;
inline constexpr size_t kMostModules = 64, kModuleNameBytes = 32;

Status set_level(std::string_view module, int level);
Status set_facility(std::string_view module, std::string_view facility);  // "LOG_LOCAL1"
int level_of(std::string_view module);                                    // the server's where none was set
std::string facility_of(std::string_view module);                         // "" where none was set

// --- hooks ---------------------------------------------------------------------------------------------------
void use_levels();  // from now on log lines ask for them, if mod_level_mode or mod_facility_mode say so
std::span<const mem::Part> level_parts();

}  // namespace kahu::debugger
