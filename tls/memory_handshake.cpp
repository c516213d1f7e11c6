#include "tls/memory_handshake.h"

#include <openssl/err.h>

#include "tls/openssl_error.h"

namespace kahu::tls {
namespace {

constexpr int kMostFlights = 20;  // a handshake takes at most 5

Error failed(std::string_view who) { return {Errc::protocol, std::string(who) + ": " + take_openssl_error(), ""}; }

bool waits(SSL* ssl, int outcome) {
    const int error = SSL_get_error(ssl, outcome);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

}  // namespace

MemoryPair::MemoryPair(SSL_CTX* server, SSL_CTX* client, SSL_SESSION* resume)
    : server_(SSL_new(server)), client_(SSL_new(client)) {
    BIO* const to_server = BIO_new(BIO_s_mem());
    BIO* const to_client = BIO_new(BIO_s_mem());
    if (!server_ || !client_ || !to_server || !to_client) {
        BIO_free(to_server);
        BIO_free(to_client);
        server_.reset();
        return;
    }
    for (BIO* bio : {to_server, to_client}) {
        BIO_set_mem_eof_return(bio, -1);
        BIO_up_ref(bio);
    }
    SSL_set_bio(server_.get(), to_server, to_client);
    SSL_set_bio(client_.get(), to_client, to_server);
    SSL_set_accept_state(server_.get());
    SSL_set_connect_state(client_.get());
    if (resume) SSL_set_session(client_.get(), resume);
}

MemoryPair::~MemoryPair() {
    for (SSL* ssl : {server_.get(), client_.get()})
        if (ssl) SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

Status MemoryPair::connect() {
    if (!server_ || !client_) return Error{Errc::no_memory, "out of memory", ""};
    for (int flight = 0; flight < kMostFlights; ++flight) {
        ERR_clear_error();
        const int client_done = SSL_do_handshake(client_.get());
        if (client_done != 1 && !waits(client_.get(), client_done)) return failed("client");
        const int server_done = SSL_do_handshake(server_.get());
        if (server_done != 1 && !waits(server_.get(), server_done)) return failed("server");
        if (client_done == 1 && server_done == 1) return echo();
    }
    return Error{Errc::protocol, "the handshake does not end", ""};
}

Status MemoryPair::echo() {
    char got[8];
    if (SSL_write(client_.get(), "ping", 4) != 4) return failed("client");
    if (SSL_read(server_.get(), got, sizeof got) != 4) return failed("server");
    if (SSL_write(server_.get(), "pong", 4) != 4) return failed("server");
    if (SSL_read(client_.get(), got, sizeof got) != 4) return failed("client");
    return {};
}

void MemoryPair::close() {
    for (int i = 0; i < 2; ++i)
        for (SSL* ssl : {server_.get(), client_.get()})
            if (ssl) SSL_shutdown(ssl);
    ERR_clear_error();
}

}  // namespace kahu::tls
