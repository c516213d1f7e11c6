// core/modules/dlgs/filter.h -- which calls a count or a list is about: field, operator and value, as dlgs_count(),
// dlgs.get and dlgs.getall take them.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/modules/dlgs/records.h"
#include "core/script/regex.h"

namespace kahu::dlgs {

class Filter {
  public:
    // field: any, src, dst, data; op: eq, ne, re, sw (starts with), fm (fnmatch).  "any" looks at nothing.
    static Result<Filter> make(std::string_view field, std::string_view op, std::string_view value);
    bool matches(const Record& record) const;
    bool is_any() const { return field_ == Field::any; }

  private:
    enum class Field : uint8_t { any, src, dst, data };
    enum class Op : uint8_t { eq, ne, re, sw, fm };
    Field field_ = Field::any;
    Op op_ = Op::eq;
    std::string value_;
    std::shared_ptr<const script::Regex> regex_;
};

}  // namespace kahu::dlgs
