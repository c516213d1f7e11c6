// core/modules/path/api.h -- for loose_route(): where a Path of ours says that the phone registered from.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace kahu::path {

bool active();  // the module is loaded, and use_received is on
// The parameters of our own Route value, ";lr;received=sip:10.0.0.1:5060%3Btransport%3Dtcp"; nullopt: nothing that can
// be used.
std::optional<std::string> received_in(std::string_view params);

}  // namespace kahu::path
