#include "core/config/defines.h"

namespace kahu::config {

const Define* Defines::find(std::string_view name) const {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : &it->second;
}

bool Defines::add(Define define) {
    std::string name = define.name;
    return by_name_.emplace(std::move(name), std::move(define)).second;
}

void Defines::set(Define define) {
    std::string name = define.name;
    by_name_.insert_or_assign(std::move(name), std::move(define));
}

void Defines::remove(std::string_view name) {
    if (const auto it = by_name_.find(name); it != by_name_.end()) by_name_.erase(it);
}

std::vector<Define> Defines::all() const {
    std::vector<Define> out;
    for (const auto& [name, define] : by_name_) out.push_back(define);
    return out;
}

std::vector<std::string_view> Defines::names() const {
    std::vector<std::string_view> out;
    for (const auto& [name, define] : by_name_) out.push_back(name);
    return out;
}

}  // namespace kahu::config
