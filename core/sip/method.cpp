#include "core/sip/method.h"

#include "core/sip/scan.h"

namespace kahu::sip {

Method method_id(std::string_view name) {
    for (size_t i = 0; i < std::size(kMethodNames); ++i)
        if (name == kMethodNames[i]) return static_cast<Method>(i);
    return Method::other;
}

std::string_view method_name(Method method) {
    return method == Method::other ? std::string_view() : kMethodNames[static_cast<size_t>(method)];
}

bool parse_method_mask(std::string_view text, MethodMask& out, std::string_view& unknown) {
    out = 0;
    while (true) {
        const size_t end = text.find_first_of("|,");
        const std::string_view name = trim_lws(text.substr(0, end));
        const Method method = method_id(name);
        if (method == Method::other) {
            unknown = name;
            return false;
        }
        out |= mask_of(method);
        if (end == text.npos) return true;
        text.remove_prefix(end + 1);
    }
}

}  // namespace kahu::sip
