// mode_baseline.cpp -- the yardstick: what does OpenSSL alone need, on this machine now, for the
// server's side of one full handshake, one request read, one answer written and the goodbye?
//
// Client and server talk over memory BIOs in one process; only the server's calls are timed, with
// the CPU clock of the thread.  No socket, no event loop, no SIP: a server cannot be cheaper.
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <time.h>

#include "test/load/modes.h"
#include "test/load/sip.h"
#include "test/load/tls_server.h"

namespace kahu::load {
namespace {

Nanos thread_cpu() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

// One connection; the time of the server's calls is added to `used`.
bool converse(SSL_CTX* client_context, SSL_CTX* server_context, std::string_view request, std::string_view answer,
              Nanos& used) {
    char buffer[4096];
    SSL* client = SSL_new(client_context);
    BIO* to_server = BIO_new(BIO_s_mem());
    BIO* to_client = BIO_new(BIO_s_mem());
    BIO_up_ref(to_server);
    BIO_up_ref(to_client);
    SSL_set_bio(client, to_client, to_server);
    SSL_connect(client);

    Nanos from = thread_cpu();
    SSL* server = SSL_new(server_context);
    SSL_set_bio(server, to_server, to_client);
    SSL_accept(server);  // ClientHello in, up to Finished (1.3) or ServerHelloDone (1.2) out
    used += thread_cpu() - from;

    SSL_connect(client);
    from = thread_cpu();
    SSL_accept(server);
    used += thread_cpu() - from;

    const bool connected = SSL_connect(client) == 1;
    SSL_write(client, request.data(), static_cast<int>(request.size()));
    from = thread_cpu();
    const bool asked = SSL_read(server, buffer, sizeof buffer) == static_cast<int>(request.size());
    SSL_write(server, answer.data(), static_cast<int>(answer.size()));
    used += thread_cpu() - from;

    const bool answered = SSL_read(client, buffer, sizeof buffer) == static_cast<int>(answer.size());
    SSL_shutdown(client);
    from = thread_cpu();
    SSL_read(server, buffer, sizeof buffer);  // close_notify
    SSL_shutdown(server);
    SSL_free(server);
    used += thread_cpu() - from;
    SSL_free(client);
    ERR_clear_error();
    return connected && asked && answered;
}

}  // namespace

Status run_baseline(const Options& options, Report& report) {
    auto server = make_server_context(options);
    if (!server) return std::move(server).error();
    auto client = make_client_context(options);
    if (!client) return std::move(client).error();
    const auto target = *SocketAddress::parse_ip("127.0.0.1", 5061);
    RequestTemplate request("OPTIONS", Transport::tls, target, 1);
    const std::string answer =
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 127.0.0.1:5060;branch=z9hG4bK1-100000000;rport=40000\r\n"
        "From: <sip:load1@127.0.0.1>;tag=l1\r\nTo: <sip:load1@127.0.0.1>;tag=baseline\r\n"
        "Call-ID: 1.kahu-load@127.0.0.1\r\nCSeq: 100000000 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    const uint64_t warm_up = std::min<uint64_t>(options.total / 10 + 1, 200);
    Nanos used = 0;
    Histogram each;
    for (uint64_t i = 0; i < warm_up + options.total; ++i) {
        const Nanos before = used;
        if (!converse(client->get(), server->get(), request.numbered(static_cast<uint32_t>(i)), answer, used))
            report.fail("conversation failed");
        if (i < warm_up) used = 0;
        else each.record(used - before);
    }
    report.count("connections", options.total);
    report.figure("server_cpu_us_each", static_cast<double>(used) / 1e3 / static_cast<double>(options.total), "us");
    report.latency("cpu", each);
    return {};
}

}  // namespace kahu::load
