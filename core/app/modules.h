// core/app/modules.h -- every module that is part of this program, and which of them the configuration loads.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "core/module/descriptor.h"

namespace kahu::app {

// The one list; loadmodule "x.so" turns on the row named x.
std::span<const ModuleDescriptor* const> all_modules();
const ModuleDescriptor* find_module(std::string_view name);  // nullptr: none of that name

// Those loaded, in the order of their loadmodule; add_loaded() ignores repetitions.
std::span<const ModuleDescriptor* const> loaded_modules();
void add_loaded(const ModuleDescriptor& module);
bool is_loaded(std::string_view name);

// Core parameters, by the group that cfg.* shows them under.
struct CoreTable {
    std::string_view group;
    std::span<const Param> rows;
};
std::span<const CoreTable> core_tables();

}  // namespace kahu::app
