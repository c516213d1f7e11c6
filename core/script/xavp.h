// core/script/xavp.h -- $xavp(), $xavu(), $xavi(): values with names that may hold lists of such values.
//
// WHY    Structured data of a message: $xavp(caller=>did), $xavu(route=>gw=>ip).
// LIVES  In Run, as long as the message; names and texts are in the run's arena.  Saved and restored with the run.
// RULES  Lists p and i keep several values under one name, the newest first; u keeps one.  In i, names match in
//        either case.  A path has at most kMaxDepth names.
// FAILS  set() says why not: an index that is not there, a value where the path needs a list, kMost reached.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/script/value.h"

namespace kahu::script {

class Arena;

struct XavpStep {
    std::string_view name;
    bool all = false;  // [*]
    std::optional<int64_t> index;
};

// "a[0]=>b[1]"
struct XavpPath {
    static constexpr size_t kMaxDepth = 8;
    static std::optional<XavpPath> parse(std::string_view text);
    XavpStep steps[kMaxDepth];
    size_t count = 0;
};

class Xavps {
  public:
    enum class List : uint8_t { several, unique, any_case };
    static constexpr size_t kMost = 4096;
    struct Entry {
        List list;
        bool is_list = false;
        uint32_t id = 0, parent = 0;  // parent 0: none
        std::string_view name;
        Value value;
    };

    void clear() { entries_.clear(), next_id_ = 1; }
    // nullptr: there is none.  A list's Entry has no value.
    const Entry* find(List list, const XavpPath& path) const;
    Status set(List list, const XavpPath& path, const Value& value, Arena& arena);

    const std::vector<Entry>& all() const { return entries_; }
    // As it was saved.  REQUIRES: texts live as long as the message.
    void restore(const Entry& entry);

  private:
    bool is_child(const Entry& entry, List list, uint32_t parent, std::string_view name) const;
    Entry* nth(List list, uint32_t parent, const XavpStep& step);
    Entry* add(List list, uint32_t parent, std::string_view name, Arena& arena);
    Result<uint32_t> parent_of(List list, const XavpPath& path, bool for_a_value, Arena& arena);
    void remove(uint32_t id);  // with everything below it
    void remove_below(uint32_t id);

    std::vector<Entry> entries_;  // oldest first
    uint32_t next_id_ = 1;
};

}  // namespace kahu::script
