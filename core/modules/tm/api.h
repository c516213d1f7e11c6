// core/modules/tm/api.h -- what other modules may use of tm: to be told how transactions go and end (acc).
//
// WHY    Accounting is not tm's job, but only tm knows what was answered in the end.
// LIVES  The list of observers is filled by hooks before the workers are forked.
// LOCKS  Observers are called without any: after the shard that the end happened in was let go.
// DEATH  What a process did not tell before it died is not told: a transaction ends in one process only.
#pragma once
#include <string_view>

#include "core/script/run.h"

namespace kahu::tm {

struct Ending {
    int status = 0;
    std::string_view reply;   // the final response as it went upstream, or came from the best branch; may be empty
    std::string_view to_tag;  // of the response that we make when there is none
};
struct Observer {
    // Asked whenever the script hands a transaction over: those that nobody wants cost nothing.
    bool (*wants)(const script::Run& run);
    // The first final response went upstream.  The run has the request, its variables and flags.
    void (*answered)(script::Run& run, const Ending& how);
    // All branches failed and a failure route is about to run.  What it changes in the run's flags stays.
    void (*failed)(script::Run& run, const Ending& how);
    // A provisional response to an INVITE went upstream.  nullptr: not of interest.
    void (*ringing)(script::Run& run, const Ending& how) = nullptr;
    // t_relay() sends on the ACK to a 2xx, and its INVITE is still known.  The run has the ACK and the flags that its
    // script set, and the $avp of the INVITE.  nullptr: not of interest.
    void (*acknowledged)(script::Run& run, const Ending& how) = nullptr;
};
// REQUIRES: no process is forked yet.  A second time has no effect.
void observe(const Observer& observer);

}  // namespace kahu::tm
