// core/script/script_place.h -- what is being compiled, for variables and functions that ask about the
// configuration itself.
//
// WHY    $def(NAME) and $cfg(route) are constants of the place where they are written.
// LIVES  Set while Program::compile() runs, in the starting process; read by the prepare functions only.
#pragma once
#include <string>
#include <vector>

#include "core/config/ast.h"

namespace kahu::script {

class Scope;

struct ScriptPlace {
    const std::vector<config::Define>* defines = nullptr;
    const Scope* scope = nullptr;  // for functions whose arguments hold texts with variables in parts of them
    std::string route;             // name of the route; empty: the main one of its kind
};
inline ScriptPlace& script_place() {
    static ScriptPlace place;
    return place;
}

}  // namespace kahu::script
