// core/modules/htable/script.h -- variables and functions of the script on tables.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::htable {
std::span<const Variable> variables();
std::span<const Function> functions();
std::span<const Command> commands();
// Walks over tables, and what event_route[htable:expired:table] sees.
std::span<const Function> iterator_functions();
std::span<const Variable> iterator_variables();
struct Copy;
void set_expired_record(const Copy* item);  // nullptr: none
}  // namespace kahu::htable
