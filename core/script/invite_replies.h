// core/script/invite_replies.h -- which responses to INVITE went to callers: for a module that tracks calls.
//
// WHY    Only what is sent to the caller says how the call goes, and it is sent from three places: stateless replies,
//        stateless forwarding, and module tm.  They tell of it here, and know no module.
// LIVES  One watcher, set before the workers are forked; without it nothing is asked of anybody.
// LOCKS  The watcher is called without any.  It runs in the process that sent the response.
#pragma once
#include <string_view>

namespace kahu::script {

struct InviteReply {
    std::string_view call_id, to_tag;
    int status = 0;
};
using InviteReplyWatcher = void (*)(const InviteReply&);

void watch_invite_replies(InviteReplyWatcher watcher);  // nullptr: nobody
bool invite_replies_are_watched();
// REQUIRES: invite_replies_are_watched().
void tell_invite_reply(const InviteReply& reply);

}  // namespace kahu::script
