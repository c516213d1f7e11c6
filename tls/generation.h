// tls/generation.h -- the configuration in force: all profiles with the contents of all their files, in one
// immutable block of the segment.
//
// WHY    A reload must be atomic for every process, must not need a file again after the start has dropped its
//        privileges, and must not fail half-way.  So the loader reads and checks everything first; then one pointer
//        is exchanged.  Processes build their own SSL_CTX from the block when they need one (tls/context.h).
// LIVES  One block (mem::Tag::config) per generation; private keys are in it: never logged, left out of core dumps
//        with the whole segment, wiped when freed.  The part "tls.generations" of the segment holds the pointers.
// LOCKS  Readers: the process's hazard pointer (mem/hazard.h), held only while they look into the block, so that
//        one connection is never a reason to keep an old generation.  Writers: one robust mutex; only the rpc
//        process, and the supervisor before the first fork, write.
// DEATH  A writer's death anywhere leaves a half-built or a replaced block in a cell of the part; the next writer,
//        or recover() at the successor's start, frees it.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "mem/segment.h"
#include "tls/domain.h"

namespace kahu::tls {

struct LoadedConfiguration;  // tls/loader.h
using ContentHash = std::array<unsigned char, 32>;

// The content of one file.  Empty data: the profile has no such file.
struct Blob {
    std::string_view path;  // for errors and tls.certs
    std::string_view data;
};

// One profile as published.  Every view points into the generation's block.
struct Profile {
    ProfileKey key;
    std::string_view name;   // profile_name(key)
    std::string_view where;  // "tls.cfg:12"
    Method method;
    bool verify_certificate, require_certificate;
    VerifyClient verify_client;
    int verify_depth;
    // ca_path: the certificates of the whole directory, read when the configuration was loaded.
    Blob certificate, private_key, certificate2, private_key2, ca_list, ca_path, crl;
    std::string_view private_key_password, private_key_password2, cipher_list;
    // SHA-256 over all that makes a context: equal hashes may share one SSL_CTX, also across reloads.
    ContentHash hash;
};

struct Generation {
    uint64_t number;  // 1, 2, ...
    int64_t loaded_unix;
    size_t bytes;                      // of the block
    std::span<const ProfileKey> keys;  // keys[i] is profiles[i].key: what select_profile() reads
    std::span<const Profile> profiles;
};

// The part of the segment.
mem::Part generation_part();

// Copies `loaded` into the segment and makes it the current generation; frees those that nobody looks at any more.
// FAILS  no_memory: nothing changed.  REQUIRES: segment, attached slot.
Status publish(const LoadedConfiguration& loaded);

// The current generation, protected by this process's hazard pointer for as long as the object lives.  Only one may
// exist per process at a time, and no other use of the hazard pointer meanwhile.  Empty before the first publish().
class CurrentGeneration {
  public:
    CurrentGeneration() noexcept;
    ~CurrentGeneration();
    CurrentGeneration(const CurrentGeneration&) = delete;
    CurrentGeneration& operator=(const CurrentGeneration&) = delete;
    explicit operator bool() const { return generation_ != nullptr; }
    const Generation* operator->() const { return generation_; }
    const Generation& operator*() const { return *generation_; }

  private:
    const Generation* generation_;
};

// Number of the current generation; 0 before the first.  One load: compare it to see whether anything changed.
uint64_t current_generation_number() noexcept;

// Frees what a dead writer left behind and generations that nobody looks at any more.  REQUIRES: attached slot.
void recover_generations();
// Generations in the segment: 1 normally; more while a process looks at an older one.
int generations_kept() noexcept;

}  // namespace kahu::tls
