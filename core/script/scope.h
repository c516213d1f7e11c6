// core/script/scope.h -- which functions and variables a script may use, and what to say about those it may not.
//
// WHY    "unknown function" is of little use: the reader wants to hear of the module to load, the word that was
//        meant, or that Kahu does not have this yet.
// LIVES  In the starting process; formats compiled at start borrow it only while they are compiled.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/module/descriptor.h"

namespace kahu::script {

class Scope {
  public:
    Scope(std::span<const ModuleDescriptor* const> loaded, std::span<const ModuleDescriptor* const> available);

    const Function* function(std::string_view name) const;  // nullptr if unknown
    const Variable* variable(std::string_view name) const;
    // REQUIRES: function(name), variable(name) is nullptr.  `name` of a variable without "$".
    Error unknown_function(std::string_view name) const;
    Error unknown_variable(std::string_view name) const;

  private:
    std::vector<const ModuleDescriptor*> loaded_;
    std::vector<const ModuleDescriptor*> available_;
};

}  // namespace kahu::script
