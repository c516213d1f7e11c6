#include "core/script/branches.h"

#include "core/script/params.h"

namespace kahu::script {

bool Branches::add(const Branch& branch) {
    if (static_cast<int64_t>(others_.size()) + 1 >= params::max_branches) return false;  // main() is one, too
    others_.push_back(branch);
    return true;
}

}  // namespace kahu::script
