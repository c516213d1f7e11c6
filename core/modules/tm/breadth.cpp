#include "core/modules/tm/breadth.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/modules/tm/settings.h"
#include "core/modules/tm/table.h"
#include "mem/contract.h"

namespace kahu::tm {
namespace {

constexpr uint16_t kNothingLeft = UINT16_MAX;  // Max-Breadth: 0 came in; 0 itself says that nobody counts

int left_of(const Transaction& t) {
    if (t.breadth == kNothingLeft) return 0;
    int left = t.breadth - t.waiting_breadth;
    for (int i = 0; i < t.branches; ++i)
        if (is_pending(t, *t.branch[i])) left -= t.branch[i]->breadth;
    return std::max(left, 0);
}

}  // namespace

uint16_t breadth_of(const sip::Message& request) {
    const int64_t most = settings.max_breadth;
    const sip::HeaderField* const field = request.first(sip::HeaderId::max_breadth);
    if (most == 0) return 0;
    const auto given = field == nullptr ? std::nullopt : text::to_int(field->value);
    if (!given || *given < 0) return static_cast<uint16_t>(most);
    return *given == 0 ? kNothingLeft : static_cast<uint16_t>(std::min(*given, most));
}

Shares share_breadth(Id id, size_t count) {
    REQUIRE(count > 0);
    const Locked shard(id);
    const Transaction* const t = shard.find(id.label);
    if (t == nullptr || t->breadth == 0) return {};
    const int left = left_of(*t);
    if (count == 1 && !t->breadth_given && left == t->breadth) return {};
    return {.concerns = true, .enough = left >= static_cast<int>(count), .all = left, .count = count};
}

}  // namespace kahu::tm
