#include "core/net/mailbox.h"

#include "core/proc/process_table.h"
#include "mem/contract.h"
#include "mem/slot.h"

namespace kahu::net {
namespace {
struct alignas(64) Box {
    mem::MpscQueue<Mail> queue{mem::Tag::outbound};
};
Box* g_boxes = nullptr;
}  // namespace

size_t mailboxes_bytes() { return sizeof(Box) * mem::kMaxSlots; }
void construct_mailboxes(void* at, size_t bytes) {
    REQUIRE(bytes >= mailboxes_bytes());
    g_boxes = static_cast<Box*>(at);
    for (int slot = 0; slot < mem::kMaxSlots; ++slot) new (&g_boxes[slot]) Box;
}
mem::MpscQueue<Mail>& mailbox(int slot) { return g_boxes[slot].queue; }

void post(int slot, MailKind kind, ConnectionId connection, uint16_t detail, uint64_t number) {
    if (slot < 0) return;
    Mail* mail = mem::make<Mail>(mem::Tag::outbound);
    if (mail == nullptr) {
        proc::ring(slot);
        return;
    }
    mail->kind = kind;
    mail->connection = connection;
    mail->detail = detail;
    mail->number = number;
    if (mailbox(slot).push(mail)) proc::ring(slot);
}

}  // namespace kahu::net
