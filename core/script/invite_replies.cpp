#include "core/script/invite_replies.h"

#include "mem/contract.h"

namespace kahu::script {
namespace {
InviteReplyWatcher g_watcher = nullptr;
}

void watch_invite_replies(InviteReplyWatcher watcher) { g_watcher = watcher; }
bool invite_replies_are_watched() { return g_watcher != nullptr; }
void tell_invite_reply(const InviteReply& reply) {
    REQUIRE(g_watcher != nullptr);
    g_watcher(reply);
}

}  // namespace kahu::script
