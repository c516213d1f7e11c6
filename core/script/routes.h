// core/script/routes.h -- the compiled routes of a program, by number.
#pragma once
#include <string>
#include <vector>

#include "core/config/ast.h"
#include "core/script/statements.h"

namespace kahu::script {

class Format;

struct CompiledRoute {
    config::RouteKind kind;
    std::string name;  // empty: the main route of its kind
    Block body;
};

class Routes {
  public:
    std::vector<CompiledRoute> all;
    std::shared_ptr<const Format> log_prefix;  // nullptr: none

    int find(config::RouteKind kind, std::string_view name) const {
        for (size_t i = 0; i < all.size(); ++i)
            if (all[i].kind == kind && all[i].name == name) return static_cast<int>(i);
        return -1;
    }
};

}  // namespace kahu::script
