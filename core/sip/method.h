// core/sip/method.h -- request methods.  Case-sensitive (RFC 3261 7.1): "invite" is an unknown method.
#pragma once
#include <cstdint>
#include <string_view>

namespace kahu::sip {

enum class Method : uint8_t {
    invite,
    ack,
    bye,
    cancel,
    options,
    register_,
    prack,
    update,
    subscribe,
    notify,
    publish,
    info,
    refer,
    message,
    other,
};
inline constexpr std::string_view kMethodNames[] = {"INVITE",   "ACK",   "BYE",    "CANCEL",    "OPTIONS",
                                                    "REGISTER", "PRACK", "UPDATE", "SUBSCRIBE", "NOTIFY",
                                                    "PUBLISH",  "INFO",  "REFER",  "MESSAGE"};
static_assert(std::size(kMethodNames) == static_cast<size_t>(Method::other), "one name per Method, in enum order");

Method method_id(std::string_view name);      // Method::other if unknown
std::string_view method_name(Method method);  // "" for Method::other

// A set of methods: is_method("INVITE|ACK") is compiled to a mask once, and tested by one AND.
using MethodMask = uint32_t;
constexpr MethodMask mask_of(Method method) { return MethodMask{1} << static_cast<unsigned>(method); }

}  // namespace kahu::sip
