// RAND_METHOD is deprecated in 3.0 in favour of providers, which would be loaded with state of their own; it is
// honoured everywhere, also by key generation in providers (README.md).
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tls/random.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/base/log.h"
#include "core/base/text.h"
#include "mem/contract.h"
#include "tls/openssl_part.h"

namespace kahu::tls {
namespace {

constexpr size_t kBlocks = 16;
constexpr size_t kBufferBytes = kBlocks * 64;
constexpr size_t kKeyBytes = 32;
constexpr size_t kBytesPerKernelKey = 1 << 20;

struct Generator {  // one page; all zero after a fork
    std::array<uint32_t, 8> key;
    bool keyed;
    uint64_t fork_count;  // as it was when keyed: for kernels without MADV_WIPEONFORK
    size_t at;            // next unused byte of `buffer`
    size_t since_kernel;  // bytes made since the key came from the kernel
    unsigned char buffer[kBufferBytes];
};

constinit uint64_t g_fork_count = 0;

class Page {
  public:
    Page() {
        void* at = mmap(nullptr, sizeof(Generator), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) std::abort();
        madvise(at, sizeof(Generator), MADV_WIPEONFORK);
        madvise(at, sizeof(Generator), MADV_DONTDUMP);
        generator_ = static_cast<Generator*>(at);
    }
    ~Page() {
        explicit_bzero(generator_, sizeof *generator_);
        munmap(generator_, sizeof *generator_);
    }
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;
    Generator& operator*() { return *generator_; }

  private:
    Generator* generator_;
};

void from_kernel(void* into, size_t bytes) {
    auto* at = static_cast<unsigned char*>(into);
    while (bytes > 0) {
        const ssize_t got = getrandom(at, bytes, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) std::abort();
        at += got;
        bytes -= static_cast<size_t>(got);
    }
}

void refill(Generator& g) {
    if (!g.keyed || g.fork_count != g_fork_count || g.since_kernel >= kBytesPerKernelKey) {
        from_kernel(g.key.data(), kKeyBytes);
        g.since_kernel = 0;
        g.fork_count = g_fork_count;
        g.keyed = true;
    }
    for (size_t i = 0; i < kBlocks; ++i) chacha20_block(g.key, i, std::span<unsigned char, 64>(g.buffer + 64 * i, 64));
    std::memcpy(g.key.data(), g.buffer, kKeyBytes);
    explicit_bzero(g.buffer, kKeyBytes);
    g.at = kKeyBytes;
    g.since_kernel += kBufferBytes;
}

Generator& generator() {
    thread_local Page page;
    return *page;
}

// --- OpenSSL's table of functions ----------------------------------------------------------------
int own_bytes(unsigned char* into, int bytes) {
    if (bytes > 0) random_bytes(into, static_cast<size_t>(bytes));
    return bytes >= 0;
}
int own_seed(const void*, int) { return 1; }
int own_add(const void*, int, double) { return 1; }
int own_status() { return 1; }
void own_cleanup() {}

// OpenSSL's generators share a primary one; here no two processes are in it at once, and one that died in it makes
// the next reseed it from the kernel.
int kxlibssl_bytes(unsigned char* into, int bytes) {
    mem::RobustMutex& mutex = openssl_part().random_mutex;
    if (mutex.lock() == mem::Acquired::after_death) {
        EVP_RAND_reseed(RAND_get0_primary(nullptr), 1, nullptr, 0, nullptr, 0);
        mutex.mark_repaired();
    }
    const int done = RAND_OpenSSL()->bytes(into, bytes);
    mutex.unlock();
    return done;
}

const RAND_METHOD kCryptorand = {own_seed, own_bytes, own_cleanup, own_add, own_bytes, own_status};
const RAND_METHOD kKxlibssl = {own_seed, kxlibssl_bytes, own_cleanup, own_add, kxlibssl_bytes, own_status};

struct Engine {
    std::string_view name;
    const RAND_METHOD* method;
    bool replaced;  // by cryptorand, with a warning
};
constexpr Engine kEngines[] = {
    {"cryptorand", &kCryptorand, false},
    {"kxlibssl", &kKxlibssl, false},
    {"krand", &kCryptorand, true},
    {"fastrand", &kCryptorand, true},
};

}  // namespace

void chacha20_block(std::span<const uint32_t, 8> key, uint64_t counter, std::span<unsigned char, 64> out) noexcept {
    static_assert(std::endian::native == std::endian::little, "words are stored as they are");
    const uint32_t start[16] = {0x61707865,
                                0x3320646e,
                                0x79622d32,
                                0x6b206574,
                                key[0],
                                key[1],
                                key[2],
                                key[3],
                                key[4],
                                key[5],
                                key[6],
                                key[7],
                                static_cast<uint32_t>(counter),
                                static_cast<uint32_t>(counter >> 32),
                                0,
                                0};
    uint32_t x[16];
    std::memcpy(x, start, sizeof x);
    const auto quarter = [&x](int a, int b, int c, int d) {
        x[a] += x[b], x[d] = std::rotl(x[d] ^ x[a], 16);
        x[c] += x[d], x[b] = std::rotl(x[b] ^ x[c], 12);
        x[a] += x[b], x[d] = std::rotl(x[d] ^ x[a], 8);
        x[c] += x[d], x[b] = std::rotl(x[b] ^ x[c], 7);
    };
    for (int round = 0; round < 20; round += 2) {
        quarter(0, 4, 8, 12), quarter(1, 5, 9, 13), quarter(2, 6, 10, 14), quarter(3, 7, 11, 15);
        quarter(0, 5, 10, 15), quarter(1, 6, 11, 12), quarter(2, 7, 8, 13), quarter(3, 4, 9, 14);
    }
    for (int i = 0; i < 16; ++i) x[i] += start[i];
    std::memcpy(out.data(), x, sizeof x);
}

void random_bytes(void* into, size_t bytes) noexcept {
    Generator& g = generator();
    auto* to = static_cast<unsigned char*>(into);
    while (bytes > 0) {
        if (!g.keyed || g.fork_count != g_fork_count || g.at >= kBufferBytes) refill(g);
        const size_t n = std::min(bytes, kBufferBytes - g.at);
        std::memcpy(to, g.buffer + g.at, n);
        explicit_bzero(g.buffer + g.at, n);
        g.at += n;
        to += n;
        bytes -= n;
    }
}

Status use_rand_engine(std::string_view name) {
    static const int registered = pthread_atfork(nullptr, nullptr, [] { ++g_fork_count; });
    REQUIRE(registered == 0);
    for (const Engine& engine : kEngines) {
        if (!text::iequals(engine.name, name)) continue;
        if (engine.replaced)
            LOG(warn, "tls.rand_engine", kv("asked", name), kv("used", "cryptorand"),
                kv("reason", "not a generator for keys; cryptorand is faster than it"));
        if (RAND_set_rand_method(engine.method) == 1) return {};
        return Error{Errc::unsupported, "OpenSSL did not accept the random generator", ""};
    }
    return Error{Errc::invalid, "rand_engine = \"" + text::printable(name, 40) + "\" is not known",
                 "expected cryptorand, kxlibssl, krand or fastrand"};
}

}  // namespace kahu::tls
