#include "core/script/avp_param.h"

#include <functional>
#include <map>

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

namespace {
std::map<std::string, std::string, std::less<>>& aliases() {
    static std::map<std::string, std::string, std::less<>> all;
    return all;
}
}  // namespace

Status add_avp_aliases(const ParamValue& value) {
    constexpr size_t kMostAliases = 1000;
    const auto* const list = std::get_if<std::string>(&value);
    const Error wrong{Errc::invalid, "that is no list of aliases", "\"alias=s:name;other=i:5\""};
    if (list == nullptr) return wrong;
    for (std::string_view item : text::split(*list, ';')) {
        item = text::trim(item);
        if (item.empty()) continue;
        const size_t equals = item.find('=');
        if (equals == item.npos) return wrong;
        const std::string_view alias = text::trim(item.substr(0, equals));
        std::string_view name = text::trim(item.substr(equals + 1));
        if (name.size() > 2 && (name.starts_with("s:") || name.starts_with("i:"))) name.remove_prefix(2);
        if (alias.empty() || name.empty() || aliases().size() >= kMostAliases) return wrong;
        aliases()[std::string(alias)] = name;
    }
    return {};
}

std::string_view avp_called(std::string_view name) {
    const auto known = aliases().find(name);
    return known == aliases().end() ? name : known->second;
}

std::string_view AvpParam::name() {
    if (spec_ != text_.get()) {
        spec_ = text_.get();
        name_ = name_in(spec_);
    }
    return name_;
}

}  // namespace kahu::script
