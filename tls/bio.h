// tls/bio.h -- OpenSSL's way to the engine's buffers: reads what was fed, writes to the connection's output.
//
// WHY    No file descriptor and no memory BIO: bytes are copied once, and nothing of the socket is kept in the segment.
// LIVES  The BIO in OpenSSL's memory, its data is the Connection (rows never move).  What was fed is one static
//        view of this process: it belongs to one turn of one connection.
// LOCKS  None.
// FAILS  A write that the engine refuses (queue limit, memory) is a fatal error of the SSL.
#pragma once
#include <openssl/types.h>

#include <string_view>

#include "core/net/connection.h"

namespace kahu::tls {

bool prepare_bio();                                    // the BIO_METHOD; before the first fork
BIO* new_connection_bio(net::Connection& connection);  // nullptr: out of memory

// Where ciphertext goes: net::emit_to_socket, unless a test wants it elsewhere.
using EmitBytes = bool (*)(net::Connection&, std::string_view);
void set_bio_output(EmitBytes emit);

// Replaces what was fed before, to whichever connection.
void feed_bio(const net::Connection& connection, std::string_view bytes);
void end_feed(const net::Connection& connection);  // forgets the view if it is this connection's

}  // namespace kahu::tls
