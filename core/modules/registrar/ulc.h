// core/modules/registrar/ulc.h -- $ulc(profile=>attribute): copies of contacts that the script asked for.
//
// LIVES  Process-private, by profile, until reg_free_contacts() or the next fetch: as in Kamailio a profile outlives
//        the message.  Profile "exp" is the contact that event_route[usrloc:contact-expired] is about.
// FAILS  At most kMostProfiles profiles: further ones are refused.
#pragma once
#include <span>
#include <string_view>

#include "core/module/descriptor.h"
#include "core/modules/usrloc/api.h"

namespace kahu::registrar {

inline constexpr size_t kMostProfiles = 64;

int reg_fetch_contacts(script::Run& run, const script::Args& args);
int reg_free_contacts(script::Run& run, const script::Args& args);
std::span<const Variable> ulc_variables();

// The script's route for contacts that expired, if there is one.
void watch_expired_contacts();

}  // namespace kahu::registrar
