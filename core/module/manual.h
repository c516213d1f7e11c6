// core/module/manual.h -- manual pages printed from the tables that the program works with.
//
// WHY    A page kept by hand beside the table drifts from it.  `kahu --man PAGE` prints these, man/ holds a copy for
//        packages and readers, and `make check` compares.
// LIVES  Text in man(7) macros.
#pragma once
#include <span>
#include <string>

#include "core/module/descriptor.h"

namespace kahu::manual {

// Escapes what troff would take as a request or escape.
std::string text(std::string_view plain);
// "request_route, failure_route": where a function may be called (RouteMask).
std::string route_names(uint16_t mask);
std::string title(std::string_view name, int section, std::string_view summary);
// ".SH NAME" and one entry per row; "" when there are no rows.
std::string parameters(std::span<const Param> rows, std::string_view heading);
std::string functions(std::span<const Function> rows);
std::string variables(std::span<const Variable> rows);
std::string commands(std::span<const Command> rows);
std::string counters(std::span<const Counter> rows);
// The whole page of a module: kahu-NAME(7).
std::string module_page(const ModuleDescriptor& module);

}  // namespace kahu::manual
