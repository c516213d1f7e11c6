#include "core/script/avp_param.h"

#include "core/base/text.h"

namespace kahu::script {
namespace {

// "" for what is no AVP.
std::string_view name_in(std::string_view spec) {
    spec = text::trim(spec);
    if (spec.size() < 7 || spec.substr(0, 5) != "$avp(" || spec.back() != ')') return {};
    spec = spec.substr(5, spec.size() - 6);
    if (spec.size() > 2 && (spec.substr(0, 2) == "s:" || spec.substr(0, 2) == "i:")) spec.remove_prefix(2);
    return spec;
}

}  // namespace

Status check_avp_param(const ParamValue& value) {
    const auto* const spec = std::get_if<std::string>(&value);
    if (spec == nullptr || (!spec->empty() && name_in(*spec).empty()))
        return Error{Errc::invalid, "that is no AVP", "write \"$avp(NAME)\""};
    return {};
}

std::string_view AvpParam::name() {
    if (spec_ != text_.get()) {
        spec_ = text_.get();
        name_ = name_in(spec_);
    }
    return name_;
}

}  // namespace kahu::script
