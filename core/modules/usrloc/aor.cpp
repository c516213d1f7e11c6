// core/modules/usrloc/aor.cpp -- see api.h.
#include <algorithm>
#include <vector>

#include "core/base/clock.h"
#include "core/modules/usrloc/api.h"
#include "core/modules/usrloc/settings.h"
#include "core/modules/usrloc/settle.h"
#include "core/modules/usrloc/store.h"
#include "mem/contract.h"

namespace kahu::usrloc {
namespace {

// What write-through has to write once the lock is released.
std::vector<store::Row> g_to_write;

bool same_texts(const Contact& contact, const Fields& fields) {
    for (size_t i = 1; i < kTexts; ++i)  // not the AoR
        if (contact.text(static_cast<Text>(i)) != fields.texts[i]) return false;
    return true;
}

State state_of_changed(State before) {
    return before == State::fresh || before == State::removed ? State::fresh : State::changed;
}

// A removed contact that has a row stays until that is deleted.
bool leaves_trace(const Contact& contact) { return settings.mode() != DbMode::none && contact.state != State::fresh; }

bool writes_at_once() { return settings.mode() == DbMode::write_through || settings.mode() == DbMode::db_only; }

}  // namespace

Aor::Aor(uint8_t table, std::string_view aor)
    : table_(table), aor_(aor), hash_(hash_of(table, aor)), now_(clock::unix_seconds()) {
    shard_.emplace(shard_of_bucket(bucket_of(hash_)));
    find();
}

Aor::~Aor() {
    shard_.reset();
    if (g_to_write.empty()) return;
    const std::vector<store::Row> rows = std::move(g_to_write);
    g_to_write.clear();
    (void)write_and_settle(rows);  // logged; the timer tries again
}

void Aor::find() {
    Contact** link = &bucket_at(bucket_of(hash_));
    link_ = link;
    begin_ = nullptr;
    for (; *link != nullptr; link = &(*link)->next)
        if ((*link)->is_of(hash_, table_, aor_)) break;
    if (*link == nullptr) {
        end_ = *link_;  // a new run goes to the head of the bucket
        return;
    }
    link_ = link;
    begin_ = end_ = *link;
    while (end_ != nullptr && end_->is_of(hash_, table_, aor_)) end_ = end_->next;
}

Contact* Aor::visible_from(Contact* contact) const {
    if (begin_ == nullptr) return nullptr;
    while (contact != end_ && !contact->visible(now_)) contact = contact->next;
    return contact == end_ ? nullptr : contact;
}

bool Aor::apply(std::span<const Change> changes, bool memory_only) {
    if (changes.empty()) return true;
    for (const Change& change : changes)
        if (change.fields != nullptr && change.fields->too_long() != Text::count_) return false;
    const Change& only = changes.front();
    const bool in_place = changes.size() == 1 && only.replaces != nullptr && only.fields != nullptr &&
                          same_texts(*only.replaces, *only.fields);
    if (!(in_place ? refresh(only, !memory_only) : rebuild(changes, !memory_only))) return false;
    if (!memory_only && writes_at_once()) note_for_database();
    return true;
}

bool Aor::load(const Change& change) { return rebuild({&change, 1}, false); }

// The usual refresh: only numbers change, each by one store.  Who dies in between leaves some new and some old ones,
// all of them valid.
bool Aor::refresh(const Change& change, bool to_be_written) {
    Contact& contact = *change.replaces;
    static_cast<Numbers&>(contact) = *change.fields;
    if (to_be_written && contact.state == State::stored) contact.state = State::changed;
    ++contact.changes;
    return true;
}

bool Aor::rebuild(std::span<const Change> changes, bool to_be_written) {
    const auto change_of = [&](const Contact* contact) {
        return std::find_if(changes.begin(), changes.end(), [&](const Change& c) { return c.replaces == contact; });
    };
    const bool adds =
        std::any_of(changes.begin(), changes.end(), [](const Change& c) { return c.replaces == nullptr; });
    // From the first contact that changes to the last; to the end of the run if any are added.
    Contact** link = link_;
    if (begin_ != nullptr)
        while (*link != end_ && change_of(*link) == changes.end()) link = &(*link)->next;
    Contact* end = begin_ == nullptr ? end_ : *link;
    for (Contact* c = *link; begin_ != nullptr && c != end_; c = c->next)
        if (adds || change_of(c) != changes.end()) end = c->next;

    Builder builder(**shard_);
    for (Contact* c = *link; c != end; c = c->next) {
        const auto change = change_of(c);
        if (change == changes.end()) {
            if (!builder.add(copy_contact(*c))) return false;
        } else if (change->fields != nullptr) {
            Fields fields = *change->fields;
            fields[Text::aor] = aor_;
            Contact* const fresh =
                make_contact(hash_, table_, to_be_written ? state_of_changed(c->state) : c->state, fields);
            if (!builder.add(fresh)) return false;
            fresh->changes = static_cast<uint8_t>(c->changes + 1);
        } else if (to_be_written && leaves_trace(*c)) {
            Contact* const trace = copy_contact(*c);
            if (!builder.add(trace)) return false;
            trace->state = State::removed;
        }
    }
    for (const Change& change : changes) {
        if (change.replaces != nullptr) continue;
        Fields fields = *change.fields;
        fields[Text::aor] = aor_;
        if (!builder.add(make_contact(hash_, table_, to_be_written ? State::fresh : State::stored, fields)))
            return false;
    }
    const auto counted = [&] {
        int64_t count = 0;
        for (const Contact* c = begin_; c != nullptr && c != end_; c = c->next) count += c->state != State::removed;
        return count;
    };
    const int64_t before = counted();
    builder.replace(link, end);
    find();
    const int64_t after = counted();
    Shard::Count& count = (*shard_)->counts[table_];
    count.contacts += after - before;
    count.users += (after > 0) - (before > 0);
    return true;
}

// All of the user that the database does not have yet: also what could not be written the last time.
void Aor::note_for_database() {
    for (const Contact* c = begin_; c != nullptr && c != end_; c = c->next)
        if (c->state != State::stored) g_to_write.push_back(store::Row::of(*c, c->state == State::removed));
}

std::string aor_of_record(uint8_t table, uint32_t hash, std::string_view ruid) {
    const int64_t now = clock::unix_seconds();
    const uint32_t bucket = bucket_of(hash);
    const auto shard = shard_of_bucket(bucket).lock();
    for (const Contact* c = bucket_at(bucket); c != nullptr; c = c->next)
        if (c->hash == hash && c->table == table && c->visible(now) && c->text(Text::ruid) == ruid)
            return std::string(c->text(Text::aor));
    return {};
}

size_t remove_all(uint8_t table, std::string_view aor, std::string_view only_ruid) {
    Aor record(table, aor);
    std::vector<Aor::Change> changes;
    for (Contact* c = record.first(); c != nullptr; c = record.next(c))
        if (only_ruid.empty() || c->text(Text::ruid) == only_ruid) changes.push_back({c, nullptr});
    return record.apply(changes) ? changes.size() : 0;
}

std::string_view make_ruid(char* into) { return make_unique_id("uloc", into); }

}  // namespace kahu::usrloc
