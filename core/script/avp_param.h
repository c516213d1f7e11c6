// core/script/avp_param.h -- module parameters that name an AVP: "$avp(NAME)", "$avp(s:NAME)".
//
// FAILS  check_avp_param() refuses what is no AVP; the empty text means none.
#pragma once
#include <string>
#include <string_view>

#include "core/module/descriptor.h"

namespace kahu::script {

Status check_avp_param(const ParamValue& value);

// "a=s:b;c=i:5": from here on $avp(a) in a script means $avp(b).  Before scripts are compiled.
Status add_avp_aliases(const ParamValue& value);
std::string_view avp_called(std::string_view name);  // what `name` is an alias of, or itself

// The name within a parameter's text; read again only when that has changed.
class AvpParam {
  public:
    explicit AvpParam(const TextSetting& text) : text_(text) {}
    std::string_view name();  // "": none

  private:
    const TextSetting& text_;
    std::string spec_, name_;
};

}  // namespace kahu::script
