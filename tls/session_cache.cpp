#include "tls/session_cache.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "mem/heap.h"
#include "mem/mutex.h"
#include "tls/openssl_ptr.h"

namespace kahu::tls {

IntSetting session_cache{1};
IntSetting session_cache_size{16384};
IntSetting session_timeout{7200};

namespace {

constexpr size_t kRows = 16;
constexpr size_t kLargestSession = 16 * 1024;  // serialised: about 150 bytes and the peer's certificate

// `used` is set last and cleared first, so a row is whole whenever it is set.
struct Row {
    bool used;
    uint8_t id_bytes;
    uint16_t bytes;
    uint32_t last_use;  // of the bucket's clock
    int64_t expires_unix;
    unsigned char* session;  // heap
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
};

struct Bucket {
    mem::RobustMutex mutex;
    uint32_t uses;
    uint32_t repaired;
    Row rows[kRows];
};

Bucket* g_buckets = nullptr;
size_t g_bucket_count = 0;

size_t buckets_wanted() { return std::max<size_t>(1, static_cast<size_t>(session_cache_size.get()) / (kRows / 2)); }

// Holds a bucket's lock; after a death under it, drops what the dead one was storing.
class Access {
  public:
    explicit Access(Bucket& bucket) : bucket_(bucket) {
        if (bucket_.mutex.lock() == mem::Acquired::clean) return;
        for (Row& row : bucket_.rows)
            if (!row.used) row.session = nullptr;  // may have been freed already, or not: a leak is harmless
        ++bucket_.repaired;
        bucket_.mutex.mark_repaired();
    }
    ~Access() { bucket_.mutex.unlock(); }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    Row* find(std::span<const unsigned char> id) {
        for (Row& row : bucket_.rows)
            if (row.used && row.id_bytes == id.size() && std::memcmp(row.id, id.data(), id.size()) == 0) return &row;
        return nullptr;
    }
    // An unused row: the oldest gives way.
    Row& vacate(int64_t now) {
        Row* oldest = &bucket_.rows[0];
        for (Row& row : bucket_.rows) {
            if (!row.used) return row;
            if (row.expires_unix <= now) return drop(row);
            if (bucket_.uses - row.last_use > bucket_.uses - oldest->last_use) oldest = &row;
        }
        return drop(*oldest);
    }
    Row& drop(Row& row) {
        __atomic_store_n(&row.used, false, __ATOMIC_SEQ_CST);
        unsigned char* session = std::exchange(row.session, nullptr);
        if (session) explicit_bzero(session, row.bytes);  // the master secret
        mem::deallocate(session, mem::Tag::openssl);
        return row;
    }
    void touch(Row& row) { row.last_use = ++bucket_.uses; }

  private:
    Bucket& bucket_;
};

Bucket& bucket_of(std::span<const unsigned char> id) {
    return g_buckets[hash_bytes(id.data(), id.size()) % g_bucket_count];
}

std::span<const unsigned char> id_of(const SSL_SESSION* session) {
    unsigned int bytes = 0;
    const unsigned char* id = SSL_SESSION_get_id(session, &bytes);
    return {id, bytes};
}

void store(std::span<const unsigned char> id, unsigned char* session, int bytes) {
    const int64_t now = clock::unix_seconds();
    Access bucket(bucket_of(id));
    if (Row* same = bucket.find(id)) bucket.drop(*same);
    Row& row = bucket.vacate(now);
    row.session = session;
    row.bytes = static_cast<uint16_t>(bytes);
    row.expires_unix = now + session_timeout;
    row.id_bytes = static_cast<uint8_t>(id.size());
    std::memcpy(row.id, id.data(), id.size());
    bucket.touch(row);
    __atomic_store_n(&row.used, true, __ATOMIC_SEQ_CST);
}

// --- OpenSSL's callbacks -------------------------------------------------------------------------
int on_new_session(SSL* ssl, SSL_SESSION* session) {
    const bool stateless = SSL_version(ssl) >= TLS1_3_VERSION && !(SSL_get_options(ssl) & SSL_OP_NO_TICKET);
    const auto id = id_of(session);
    if (stateless || !SSL_is_server(ssl) || id.empty() || !g_buckets) return 0;
    const int bytes = i2d_SSL_SESSION(session, nullptr);
    if (bytes <= 0 || static_cast<size_t>(bytes) > kLargestSession) return 0;
    auto* copy = static_cast<unsigned char*>(mem::allocate(static_cast<size_t>(bytes), mem::Tag::openssl));
    if (!copy) return 0;
    unsigned char* end = copy;
    i2d_SSL_SESSION(session, &end);
    store(id, copy, bytes);
    return 0;  // we kept no reference
}

SSL_SESSION* on_get_session(SSL* ssl, const unsigned char* id, int id_bytes, int* keep_reference) {
    *keep_reference = 0;
    if (!g_buckets || id_bytes <= 0 || id_bytes > SSL_MAX_SSL_SESSION_ID_LENGTH) return nullptr;
    std::array<unsigned char, kLargestSession> copy;
    size_t bytes = 0;
    {
        const std::span<const unsigned char> wanted(id, static_cast<size_t>(id_bytes));
        Access bucket(bucket_of(wanted));
        Row* const row = bucket.find(wanted);
        if (!row || row->expires_unix <= clock::unix_seconds()) return nullptr;
        bytes = row->bytes;
        std::memcpy(copy.data(), row->session, bytes);
        bucket.touch(*row);
    }
    const unsigned char* from = copy.data();
    SSL_SESSION* session = d2i_SSL_SESSION(nullptr, &from, static_cast<long>(bytes));
    OPENSSL_cleanse(copy.data(), bytes);
    (void)ssl;
    return session;
}

void on_remove_session(SSL_CTX*, SSL_SESSION* session) {
    const auto id = id_of(session);
    if (!g_buckets || id.empty()) return;
    Access bucket(bucket_of(id));
    if (Row* row = bucket.find(id)) bucket.drop(*row);
}

}  // namespace

mem::Part session_cache_part() {
    g_bucket_count = buckets_wanted();
    return {"tls.sessions", g_bucket_count * sizeof(Bucket), [](void* at, size_t bytes) {
                g_buckets = static_cast<Bucket*>(at);  // zero is empty and unlocked
                g_bucket_count = bytes / sizeof(Bucket);
            }};
}

bool enable_session_cache(SSL_CTX* context) {
    SSL_CTX_set_timeout(context, static_cast<long>(session_timeout.get()));
    if (session_cache == 0) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        return true;
    }
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    SSL_CTX_sess_set_new_cb(context, on_new_session);
    SSL_CTX_sess_set_get_cb(context, on_get_session);
    SSL_CTX_sess_set_remove_cb(context, on_remove_session);
    return true;
}

SessionCacheUse session_cache_use() {
    SessionCacheUse use;
    use.capacity = static_cast<int64_t>(g_bucket_count * kRows);
    for (size_t i = 0; g_buckets && i < g_bucket_count; ++i) {
        Access bucket(g_buckets[i]);
        use.rows_repaired += g_buckets[i].repaired;
        for (const Row& row : g_buckets[i].rows) {
            if (!row.used) continue;
            ++use.sessions;
            use.bytes += row.bytes;
        }
    }
    return use;
}

void clear_session_cache() {
    for (size_t i = 0; g_buckets && i < g_bucket_count; ++i) {
        Access bucket(g_buckets[i]);
        for (Row& row : g_buckets[i].rows)
            if (row.used) bucket.drop(row);
    }
}

}  // namespace kahu::tls
