// core/config/defines.h -- what `#!define` and `-A` gave names to.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/ast.h"

namespace kahu::config {

class Defines {
  public:
    // nullptr: not defined.
    const Define* find(std::string_view name) const;
    // False if the name is taken.
    bool add(Define define);
    void set(Define define);
    void remove(std::string_view name);
    std::vector<Define> all() const;
    std::vector<std::string_view> names() const;

  private:
    std::map<std::string, Define, std::less<>> by_name_;
};

}  // namespace kahu::config
