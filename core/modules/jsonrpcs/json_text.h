// core/modules/jsonrpcs/json_text.h -- answers as JSON text. Pure.
//
// WHY    kamctl and scripts of users look at the text: field order, tabs and ", " are those of Kamailio's server.
// RULES  Bytes that are no UTF-8 become U+FFFD, so that the text is JSON whatever a SIP peer sent.
#pragma once
#include <string>
#include <string_view>

#include "core/module/rpc_call.h"

namespace kahu::jsonrpcs {

class JsonWriter {
  public:
    explicit JsonWriter(bool pretty) : pretty_(pretty) {}

    void begin_object();
    void key(std::string_view name);  // in an object, before each value
    void end_object();
    void text(std::string_view value);
    void raw(std::string_view json) { out_.append(json); }  // a number, null
    void number(double value);
    void value(const RpcValue& value);
    void array(const RpcArray& values);
    std::string take() { return std::move(out_); }

  private:
    void line(size_t depth);
    bool pretty_;
    bool first_ = true;  // no member of the current object yet
    size_t depth_ = 0;
    std::string out_;
};

}  // namespace kahu::jsonrpcs
