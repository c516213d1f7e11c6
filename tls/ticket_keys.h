// tls/ticket_keys.h -- the keys of session tickets (RFC 5077, RFC 8446 section 4.6.1): one ring for all processes.
//
// WHY    Keys made by each SSL_CTX for itself let a ticket resume only where it came from, and a key that is never
//        changed gives away all sessions once it leaks.
// LIVES  Segment part "tls.tickets", which is never part of a core dump.  Outlives workers and generations.
// LOCKS  One robust mutex among those who rotate; readers take none.
// DEATH  Of one who rotates: the new key is published by a single store, or not at all.
// FAILS  Without a key no ticket is sent.
#pragma once
#include <openssl/types.h>

#include <cstdint>

#include "core/module/setting.h"
#include "mem/segment.h"

namespace kahu::tls {

extern IntSetting session_tickets;      // boolean, default 1
extern IntSetting ticket_key_rotation;  // hours, default 12: a new key; older ones decrypt for session_timeout more

mem::Part ticket_keys_part();
bool enable_tickets(SSL_CTX* context);  // by configure_context()

// The timer process, once a minute or so: makes the first and each next key when its time has come.  True: a key was
// made.
bool rotate_ticket_keys(bool now = false);
int ticket_keys_in_force();  // that still decrypt

}  // namespace kahu::tls
