// core/config/apply_settings.h -- hands the values of a parsed configuration to the rows that own them.
//
// WHY    A parameter exists in one row of its subsystem's table; type, range, default and help are there. Here names
//        are looked up and what is wrong is reported with its place.
// LIVES  Before the first fork: the rows' settings are still process-private.
// FAILS  Reports to Diagnostics and goes on with the next statement. All values of a file are tried, so that one run
//        names every mistake; what was applied before a mistake stays applied (the start fails anyway).
#pragma once
#include <span>
#include <string_view>

#include "core/config/ast.h"
#include "core/config/diagnostic.h"
#include "core/module/descriptor.h"

namespace kahu::config {

// `name = value` statements. Names in no table are looked up among Kamailio's other core parameters
// (accepted_settings()): those are accepted with a warning that says what happens instead.
void apply_settings(const Ast& ast, std::span<const std::span<const Param>> core_tables, Diagnostics& diagnostics);

// modparam("name|other|regex", ...): applied to every loaded module that the pattern names as a whole. Errors: no such
// module is loaded; the module has no such parameter; the value does not fit.
void apply_modparams(const Ast& ast, std::span<const ModuleDescriptor* const> loaded, Diagnostics& diagnostics);

// Kamailio's core parameters that have no row here, and why that is so.
struct AcceptedSetting {
    std::string_view name;
    std::string_view remark;  // a sentence's end: "has no effect: ..."
};
std::span<const AcceptedSetting> accepted_settings();

}  // namespace kahu::config
