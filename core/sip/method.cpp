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

}  // namespace kahu::sip
