#include "core/modules/usrloc/methods.h"

#include "core/modules/usrloc/api.h"

#include <utility>

namespace kahu::usrloc {
namespace {

using sip::Method;

constexpr std::pair<Method, uint32_t> kNumbers[] = {
    {Method::invite, 1},    {Method::cancel, 2},     {Method::ack, 4},        {Method::bye, 8},
    {Method::info, 16},     {Method::register_, 32}, {Method::subscribe, 64}, {Method::notify, 128},
    {Method::message, 256}, {Method::options, 512},  {Method::prack, 1024},   {Method::update, 2048},
    {Method::refer, 4096},  {Method::publish, 8192},
};

}  // namespace

uint32_t to_kamailio_methods(sip::MethodMask methods) {
    if (methods == UINT32_MAX) return UINT32_MAX;
    uint32_t out = 0;
    for (const auto& [method, number] : kNumbers)
        if ((methods & sip::mask_of(method)) != 0) out |= number;
    return out;
}

sip::MethodMask from_kamailio_methods(uint32_t methods) {
    if (methods == UINT32_MAX) return UINT32_MAX;
    sip::MethodMask out = 0;
    for (const auto& [method, number] : kNumbers)
        if ((methods & number) != 0) out |= sip::mask_of(method);
    return out;
}

uint32_t shown_methods(uint32_t methods) { return to_kamailio_methods(methods); }

}  // namespace kahu::usrloc
