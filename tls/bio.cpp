#include "tls/bio.h"

#include <openssl/bio.h>

#include <algorithm>
#include <cstring>

#include "core/net/stream_channel.h"

namespace kahu::tls {
namespace {

BIO_METHOD* g_method = nullptr;
EmitBytes g_emit = net::emit_to_socket;

// What the engine received in this turn.  One per process: the engine works on one connection at a time, but may write
// to others meanwhile, so it says whose it is.
struct Feed {
    const net::Connection* connection = nullptr;
    std::string_view bytes;
};
Feed g_feed;

int read_fed(BIO* bio, char* into, size_t room, size_t* got) {
    BIO_clear_retry_flags(bio);
    const bool ours = g_feed.connection == BIO_get_data(bio);
    *got = ours ? std::min(room, g_feed.bytes.size()) : 0;
    if (*got == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    std::memcpy(into, g_feed.bytes.data(), *got);
    g_feed.bytes.remove_prefix(*got);
    return 1;
}

int write_out(BIO* bio, const char* from, size_t bytes, size_t* written) {
    BIO_clear_retry_flags(bio);
    auto* connection = static_cast<net::Connection*>(BIO_get_data(bio));
    *written = bytes;
    return g_emit(*connection, {from, bytes}) ? 1 : 0;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0; }

int on_create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

}  // namespace

bool prepare_bio() {
    if (g_method) return true;
    g_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    return g_method && BIO_meth_set_read_ex(g_method, read_fed) == 1 &&
           BIO_meth_set_write_ex(g_method, write_out) == 1 && BIO_meth_set_ctrl(g_method, control) == 1 &&
           BIO_meth_set_create(g_method, on_create) == 1;
}

BIO* new_connection_bio(net::Connection& connection) {
    BIO* bio = BIO_new(g_method);
    if (bio) BIO_set_data(bio, &connection);
    return bio;
}

void set_bio_output(EmitBytes emit) { g_emit = emit; }

void feed_bio(const net::Connection& connection, std::string_view bytes) { g_feed = {&connection, bytes}; }
void end_feed(const net::Connection& connection) {
    if (g_feed.connection == &connection) g_feed = {};
}

}  // namespace kahu::tls
