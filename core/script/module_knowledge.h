// core/script/module_knowledge.h -- which module of Kamailio provides which name.
//
// WHY    A configuration that uses what Kahu does not have yet should hear that, and not "unknown function".
// NOTE   A name that a module of ours provides is found in its descriptor first: rows need not be removed when one
// comes.
#pragma once
#include <string_view>

namespace kahu::script {

std::string_view module_of_function(std::string_view name);  // "" if we never heard of it
std::string_view module_of_variable(std::string_view name);  // without "$"

}  // namespace kahu::script
