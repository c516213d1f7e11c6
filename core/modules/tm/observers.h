// core/modules/tm/observers.h -- telling those who observe transactions (api.h).
#pragma once
#include "core/modules/tm/api.h"
#include "core/modules/tm/transaction.h"

namespace kahu::tm {

bool observers_want(const script::Run& run);
bool ringing_is_observed();  // somebody wants to hear of provisional responses
bool acks_are_observed();    // ... of ACKs to 2xx
void tell_failed(script::Run& run, const Ending& how);
// An ACK to a 2xx is about to be sent on.  REQUIRES: no lock is held.
void tell_acknowledged(script::Run& run);
// It was answered, or a provisional response went upstream.  REQUIRES: the lock of its shard.  Keeps what
// tell_answered() needs.
void note_answered(const Transaction& t, const Ending& how);
// A response made here was sent: event_route[tm:local-response] will see it.  REQUIRES: the lock of its shard.
void note_local_response(const Transaction& t, std::string_view reply);
// A response to an INVITE went upstream: core/script/invite_replies.h tells of it.  An empty `to_tag`: see `reply`.
// REQUIRES: the lock of its shard.
void note_invite_reply(const Transaction& t, int status, std::string_view to_tag, std::string_view reply);
// The shard was unlocked.
void tell_answered();

}  // namespace kahu::tm
