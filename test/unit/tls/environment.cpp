#include "test/unit/tls/environment.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "core/stats/counters.h"
#include "mem/recover.h"
#include "mem/segment.h"
#include "mem/slot.h"
#include "tls/channel.h"
#include "tls/context.h"
#include "tls/generation.h"
#include "tls/handshake.h"
#include "tls/openssl_version.h"
#include "tls/session_cache.h"
#include "tls/shared_openssl.h"
#include "tls/static_audit.h"
#include "tls/ticket_keys.h"

namespace kahu::tls::testing {
namespace {

Status& thrown_away() {
    static Status outcome;
    return outcome;
}

class Environment : public ::testing::Environment {
    void SetUp() override {
        mem::attach_slot(0);
        const mem::Part parts[] = {{"counters", stats::layout_bytes(), stats::construct},
                                   shared_openssl_part(),
                                   session_cache_part(),
                                   ticket_keys_part(),
                                   generation_part(),
                                   context_part()};
        std::string why;
        ASSERT_TRUE(mem::create_segment(size_t{512} << 20, parts, why)) << why;
        thrown_away() = in_throwaway_process([]() -> Status {
            Result<ThrowawayIdentity> made = make_identity(KeyKind::ec_p256, "early", nullptr, slot_libctx());
            if (!made) return std::move(made).error();
            return Error{Errc::not_found, "seen " + std::to_string(pem_of(made->key.get()).size() > 100), "and a hint"};
        });
        const Status booted = boot_openssl(kShimsCompiledIn);
        ASSERT_TRUE(booted) << booted.error().text();
        ASSERT_EQ(openssl_is_shared(), kShimsCompiledIn) << why_not_shared();
        prepare_contexts();
        uint16_t next = 0;  // as the module registry numbers them
        for (const Counter& counter : handshake_counters()) *counter.id = next++;
        identities();
        shared_page();
        OPENSSL_thread_stop();
    }
};
const ::testing::Environment* const g_environment = ::testing::AddGlobalTestEnvironment(new Environment);

constexpr int kBroken = 1000;

[[noreturn]] void run_child(int slot, const std::function<int(int)>& work, int child, int out) {
    mem::attach_slot(slot);
    int failures = 0;
    if (const Status entered = enter_openssl_process(); !entered) {
        fprintf(stderr, "child %d: %s\n", child, entered.error().text().c_str());
        failures += kBroken;
    }
    failures += work(child);
    leave_openssl_process();
    const AuditResult audit = audit_statics();
    if (kShimsCompiledIn && (audit.compared == 0 || audit.changed != 0)) {
        fprintf(stderr, "child %d: %zu words of libcrypto changed, %zu pointers\n", child, audit.changed,
                audit.pointers);
        failures += kBroken;
    }
    if (write(out, &failures, sizeof failures) != sizeof failures) _exit(1);
    _exit(0);
}

}  // namespace

const Status& early_check() { return thrown_away(); }

int in_children(int children, const std::function<int(int)>& work) {
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) return kBroken;
    std::vector<pid_t> pids;
    for (int child = 0; child < children; ++child) {
        fflush(nullptr);
        const pid_t pid = fork();
        if (pid == 0) run_child(child + 1, work, child, pipe_ends[1]);
        pids.push_back(pid);
    }
    int failures = 0;
    for (size_t i = 0; i < pids.size(); ++i) {
        int status = 0;
        waitpid(pids[i], &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
        fprintf(stderr, "child %zu ended with status %d\n", i, status);
        after_death(static_cast<int>(i) + 1, mem::recover_slot(static_cast<int>(i) + 1));
        failures += kBroken;
    }
    close(pipe_ends[1]);
    for (int one = 0; read(pipe_ends[0], &one, sizeof one) == sizeof one;) failures += one;
    close(pipe_ends[0]);
    return failures;
}

bool killed_in_child(int slot, const std::function<void()>& work) {
    fflush(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
        mem::attach_slot(slot);
        if (!enter_openssl_process()) _exit(3);
        work();
        leave_openssl_process();
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    EXPECT_TRUE(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "status " << status;
    if (killed) {
        const mem::RecoveryReport report = mem::recover_slot(slot);
        EXPECT_TRUE(report.heap_sane);
        after_death(slot, report);
    }
    return killed;
}

const Identities& identities() {
    static const Identities made = [] {
        Identities all;
        all.ca = std::move(*make_identity(KeyKind::ec_p256, "Test CA", nullptr, nullptr));
        all.ec = std::move(*make_identity(KeyKind::ec_p256, "ec.test", &all.ca, nullptr));
        all.rsa = std::move(*make_identity(KeyKind::rsa_2048, "rsa.test", &all.ca, nullptr));
        all.ec_renewed = std::move(*make_identity(KeyKind::ec_p256, "ec.test", &all.ca, nullptr));
        all.rsa_renewed = std::move(*make_identity(KeyKind::rsa_2048, "rsa.test", &all.ca, nullptr));
        all.client = std::move(*make_identity(KeyKind::ec_p256, "client.test", &all.ca, nullptr));
        all.crl = std::move(*make_empty_crl(all.ca));
        return all;
    }();
    return made;
}

namespace {

OwnedContext context(const ContextWish& wish, const SSL_METHOD* method, OSSL_LIB_CTX* library,
                     const ThrowawayIdentity& own) {
    OwnedContext made(SSL_CTX_new_ex(library, nullptr, method));
    EXPECT_TRUE(made);
    SSL_CTX* const ctx = made.get();
    SSL_CTX_set_min_proto_version(ctx, wish.version);
    SSL_CTX_set_max_proto_version(ctx, wish.version);
    EXPECT_EQ(SSL_CTX_use_certificate(ctx, own.certificate.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(ctx, own.key.get()), 1);
    X509_STORE* store = SSL_CTX_get_cert_store(ctx);
    X509_STORE_add_cert(store, identities().ca.certificate.get());
    X509_STORE_add_crl(store, identities().crl.get());
    if (wish.verify) {
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    if (!wish.tickets) SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    return made;
}

}  // namespace

OwnedContext server_context(const ContextWish& wish) {
    const Identities& all = identities();
    const ThrowawayIdentity& own = wish.key == KeyKind::ec_p256 ? (wish.renewed ? all.ec_renewed : all.ec)
                                                                : (wish.renewed ? all.rsa_renewed : all.rsa);
    OwnedContext made = context(wish, TLS_server_method(), slot_libctx(), own);
    EXPECT_TRUE(configure_context(made.get(), true, wish.policy));
    return made;
}

OwnedContext client_context(const ContextWish& wish) {
    OwnedContext made = context(wish, TLS_client_method(), nullptr, identities().client);
    SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
    return made;
}

void* shared_page() {
    static void* const page = mmap(nullptr, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page;
}

}  // namespace kahu::tls::testing
