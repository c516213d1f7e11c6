#include "tls/generation.h"

#include <fmt/format.h>
#include <string.h>

#include <map>

#include "core/base/clock.h"
#include "mem/contract.h"
#include "mem/hazard.h"
#include "mem/heap.h"
#include "mem/mutex.h"
#include "mem/slot.h"
#include "tls/loader.h"

namespace kahu::tls {
namespace {

// At most one generation per slot can be protected; the rest are freed by the next writer.
constexpr size_t kRetired = mem::kMaxSlots + 8;

struct Shared {
    std::atomic<Generation*> current;
    std::atomic<uint64_t> number;                // of current, for a look without protection
    std::atomic<Generation*> building;           // not published yet: a dead writer's is freed by the next one
    std::atomic<Generation*> retired[kRetired];  // replaced, perhaps still looked at
    mem::RobustMutex writer;
};
constexpr std::string_view kPartName = "tls.generations";

Shared* shared() { return static_cast<Shared*>(mem::part(kPartName)); }

// Lays out the block: the first pass, with base null, only counts.
class Writer {
  public:
    explicit Writer(char* base) : base_(base) {}
    size_t used() const { return used_; }

    template <class T>
    T* array(size_t count) {
        used_ = (used_ + alignof(T) - 1) / alignof(T) * alignof(T);
        T* at = base_ != nullptr ? reinterpret_cast<T*>(base_ + used_) : nullptr;
        used_ += sizeof(T) * count;
        return at;
    }
    // Equal views are stored once: profiles share files.
    std::string_view text(std::string_view source) {
        if (source.empty()) return {};
        const auto known = stored_.find({source.data(), source.size()});
        if (known != stored_.end()) return known->second;
        char* at = array<char>(source.size());
        if (at != nullptr) memcpy(at, source.data(), source.size());
        return stored_[{source.data(), source.size()}] = at != nullptr ? std::string_view(at, source.size()) : source;
    }
    Blob blob(const Blob& source) { return {text(source.path), text(source.data)}; }

  private:
    char* base_;
    size_t used_ = 0;
    std::map<std::pair<const char*, size_t>, std::string_view> stored_;
};

Profile copy_profile(Writer& writer, const Profile& from) {
    Profile to = from;
    to.key.server_name = writer.text(from.key.server_name);
    to.key.server_id = writer.text(from.key.server_id);
    to.name = writer.text(from.name);
    to.where = writer.text(from.where);
    for (Blob Profile::*file : {&Profile::certificate, &Profile::private_key, &Profile::certificate2,
                                &Profile::private_key2, &Profile::ca_list, &Profile::ca_path, &Profile::crl})
        to.*file = writer.blob(from.*file);
    to.private_key_password = writer.text(from.private_key_password);
    to.private_key_password2 = writer.text(from.private_key_password2);
    to.cipher_list = writer.text(from.cipher_list);
    return to;
}

// Returns the bytes needed; with a base also writes.
size_t lay_out(char* base, const LoadedConfiguration& loaded) {
    Writer writer(base);
    const size_t count = loaded.profiles.size();
    Generation* generation = writer.array<Generation>(1);
    ProfileKey* keys = writer.array<ProfileKey>(count);
    Profile* profiles = writer.array<Profile>(count);
    for (size_t i = 0; i < count; ++i) {
        const Profile copy = copy_profile(writer, loaded.profiles[i]);
        if (base == nullptr) continue;
        new (&profiles[i]) Profile(copy);
        new (&keys[i]) ProfileKey(copy.key);
    }
    if (base != nullptr)
        new (generation) Generation{0, clock::unix_seconds(), writer.used(), {keys, count}, {profiles, count}};
    return writer.used();
}

void wipe_and_free(Generation* generation, size_t bytes) {
    explicit_bzero(static_cast<void*>(generation), bytes);
    mem::deallocate(generation, mem::Tag::config);
}

void free_generation(Generation* generation) { wipe_and_free(generation, generation->bytes); }

// REQUIRES: the writer's lock.
void clean_up(Shared& s) {
    // A dead writer's.  Published already: only the cell was left.  Else it may be half-written: its size is the
    // heap's.
    if (Generation* half = s.building.load()) {
        s.building.store(nullptr);
        if (half != s.current.load()) wipe_and_free(half, mem::usable_size(half));
    }
    for (std::atomic<Generation*>& cell : s.retired) {
        Generation* old = cell.load();
        if (old == nullptr) continue;
        if (old == s.current.load()) {  // its replacement was never published
            cell.store(nullptr);
            continue;
        }
        if (mem::anyone_protects(old)) continue;
        cell.store(nullptr);
        free_generation(old);
    }
    if (Generation* current = s.current.load()) s.number.store(current->number);
}

class WriterLock {
  public:
    explicit WriterLock(Shared& s) : s_(s) {
        if (s_.writer.lock() == mem::Acquired::clean) return;
        clean_up(s_);
        s_.writer.mark_repaired();
    }
    ~WriterLock() { s_.writer.unlock(); }
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;

  private:
    Shared& s_;
};

std::atomic<Generation*>* free_cell(Shared& s) {
    for (std::atomic<Generation*>& cell : s.retired)
        if (cell.load() == nullptr) return &cell;
    return nullptr;
}

}  // namespace

mem::Part generation_part() {
    return {kPartName, sizeof(Shared), [](void* at, size_t) { new (at) Shared{}; }};
}

Status publish(const LoadedConfiguration& loaded) {
    Shared* s = shared();
    REQUIRE(s != nullptr);
    const size_t bytes = lay_out(nullptr, loaded);
    WriterLock lock(*s);
    clean_up(*s);
    std::atomic<Generation*>* cell = free_cell(*s);
    REQUIRE(cell != nullptr);  // more generations protected than there are processes
    auto* base = static_cast<char*>(mem::allocate(bytes, mem::Tag::config));
    if (base == nullptr)
        return Error{Errc::no_memory,
                     fmt::format("no room in shared memory for the TLS configuration ({} KB)", bytes / 1024 + 1),
                     "start with a larger -m"};
    auto* fresh = reinterpret_cast<Generation*>(base);
    s->building.store(fresh);
    lay_out(base, loaded);
    Generation* old = s->current.load();
    fresh->number = old != nullptr ? old->number + 1 : 1;
    if (old != nullptr) cell->store(old);
    s->current.store(fresh);
    s->number.store(fresh->number);
    s->building.store(nullptr);
    clean_up(*s);
    return {};
}

CurrentGeneration::CurrentGeneration() noexcept {
    Shared* s = shared();
    generation_ = s != nullptr ? mem::protect(s->current) : nullptr;
}
CurrentGeneration::~CurrentGeneration() {
    if (shared() != nullptr) mem::clear_hazard();  // `kahu -c` has no segment
}

uint64_t current_generation_number() noexcept {
    Shared* s = shared();
    return s != nullptr ? s->number.load(std::memory_order_acquire) : 0;
}

void recover_generations() {
    Shared* s = shared();
    if (s == nullptr) return;
    WriterLock lock(*s);
    clean_up(*s);
}

int generations_kept() noexcept {
    Shared* s = shared();
    if (s == nullptr) return 0;
    int count = s->current.load() != nullptr ? 1 : 0;
    for (std::atomic<Generation*>& cell : s->retired) count += cell.load() != nullptr ? 1 : 0;
    return count;
}

}  // namespace kahu::tls
