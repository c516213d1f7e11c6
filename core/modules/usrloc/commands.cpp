#include "core/modules/usrloc/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/modules/usrloc/api.h"
#include "core/modules/usrloc/methods.h"
#include "core/modules/usrloc/settings.h"
#include "core/modules/usrloc/store.h"
#include "core/modules/usrloc/sweep.h"
#include "core/net/listener.h"

namespace kahu::usrloc {
namespace {

std::string shown(std::string_view text) { return std::string(text.empty() ? "[not set]" : text); }

RpcValue expires_of(const Contact& c, int64_t now) {
    if (c.expires == 0) return "permanent";
    if (c.state == State::removed) return "deleted";
    if (!c.live(now)) return "expired";
    return static_cast<int64_t>(c.expires) - now;
}

std::string_view state_name(State state) {
    switch (state) {
    case State::fresh: return "CS_NEW";
    case State::changed: return "CS_DIRTY";
    case State::stored: return "CS_SYNC";
    case State::removed: break;
    }
    return "CS_UNKNOWN";
}

RpcStruct describe(const Contact& c, int64_t now) {
    const auto& listeners = net::listeners();
    return {{"Address", std::string(c.text(Text::uri))},
            {"Expires", expires_of(c, now)},
            {"Q", c.q == Numbers::kNoQ ? -1.0 : c.q / 1000.0},
            {"Call-ID", std::string(c.text(Text::call_id))},
            {"CSeq", c.cseq},
            {"User-Agent", shown(c.text(Text::user_agent))},
            {"Received", shown(c.text(Text::received))},
            {"Path", shown(c.text(Text::path))},
            {"State", state_name(c.state)},
            {"Flags", c.flags},
            {"CFlags", c.cflags},
            {"Socket", c.socket < listeners.size() ? listeners[c.socket].text() : "[not set]"},
            {"Methods", static_cast<int32_t>(to_kamailio_methods(c.methods))},
            {"Ruid", shown(c.text(Text::ruid))},
            {"Instance", shown(c.text(Text::instance))},
            {"Reg-Id", c.reg_id},
            {"Server-Id", c.server_id},
            {"Tcpconn-Id", c.connection == 0 ? int64_t{-1} : static_cast<int64_t>(c.connection)},
            {"Keepalive", 0},
            {"Last-Keepalive", c.last_keepalive},
            {"KA-Roundtrip", c.roundtrip},
            {"Last-Modified", c.last_modified}};
}

RpcStruct describe_aor(std::string_view aor, uint32_t hash, RpcArray contacts) {
    return {{"AoR", std::string(aor)}, {"HashID", hash}, {"Contacts", std::move(contacts)}};
}

// --- ul.dump -----------------------------------------------------------------------------------------------
// One answer is built in the memory of one process: a list of a million phones is for pages, or for the database.
constexpr int64_t kMostInFull = 10'000, kMostInBrief = 100'000;

struct Page {
    bool brief = false;
    int64_t skip = 0, most = 0;
};

// The AoRs of one table in the order of their buckets, from page.skip on.
RpcArray dump_table(uint8_t table, Page page, int64_t now) {
    RpcArray users;
    for (uint32_t bucket = 0; bucket < bucket_count() && static_cast<int64_t>(users.size()) < page.most; ++bucket) {
        auto shard = shard_of_bucket(bucket).lock();
        for (const Contact* c = bucket_at(bucket); c != nullptr;) {
            const Contact* const head = c;
            RpcArray contacts;
            const bool wanted =
                head->table == table && page.skip <= 0 && static_cast<int64_t>(users.size()) < page.most;
            for (; c != nullptr && c->is_of(head->hash, head->table, head->text(Text::aor)); c = c->next)
                if (wanted && !page.brief) contacts.push_back(RpcStruct{{"Contact", describe(*c, now)}});
            page.skip -= head->table == table;
            if (!wanted) continue;
            const std::string aor(head->text(Text::aor));
            if (page.brief) users.push_back(RpcStruct{{"AoR", aor}});
            else users.push_back(RpcStruct{{"Info", describe_aor(aor, head->hash, std::move(contacts))}});
        }
    }
    return users;
}

void dump(RpcCall& call) {
    Page page;
    const auto how = call.next_text_or("full");
    if (!how) return;
    page.brief = *how == "brief";
    const int64_t bound = page.brief ? kMostInBrief : kMostInFull;
    const auto skip = call.next_int_or(0), most = call.next_int_or(-1);
    if (!skip || !most) return;
    page.skip = std::max<int64_t>(*skip, 0);
    page.most = *most < 0 ? bound : std::min(*most, bound);
    if (*most < 0)
        for (size_t table = 0; table < table_names().size(); ++table)
            if (const int64_t users = totals(static_cast<uint8_t>(table)).users; users - page.skip > bound)
                return call.fault(500, fmt::format("{} AoRs in {}, at most {} in one answer: ul.dump {} 0 {}", users,
                                                   table_names()[table], bound, page.brief ? "brief" : "full", bound));
    RpcArray domains;
    const int64_t now = clock::unix_seconds(), slots = longest_bucket();
    for (size_t table = 0; table < table_names().size(); ++table) {
        const auto number = static_cast<uint8_t>(table);
        RpcStruct domain{{"Domain", table_names()[table]},
                         {"Size", bucket_count()},
                         {"AoRs", dump_table(number, page, now)},
                         {"Stats", RpcStruct{{"Records", totals(number).users}, {"Max-Slots", slots}}}};
        domains.push_back(RpcStruct{{"Domain", std::move(domain)}});
    }
    call.add(RpcStruct{{"Domains", std::move(domains)}});
}

// --- one AoR -------------------------------------------------------------------------------------------------
std::optional<uint8_t> next_table(RpcCall& call) {
    const auto name = call.next_text();
    if (!name) return std::nullopt;
    const auto table = find_table(*name);
    if (!table) call.fault(500, "Domain table not found");
    return table;
}

// "alice" or "alice@domain", as use_domain wants it; letters as the registrar stores them.
std::optional<std::string> next_aor(RpcCall& call) {
    auto aor = call.next_text();
    if (!aor) return std::nullopt;
    const size_t at = aor->rfind('@');
    if (use_domain()) {
        if (at == aor->npos) {
            call.fault(400, "the AoR needs its domain: user@domain");
            return std::nullopt;
        }
        *aor = text::lowered(*aor);
    } else {
        *aor = text::lowered(aor->substr(0, at));
    }
    return aor;
}

constexpr std::string_view kTableAndAor = "Not enough parameters (table and AOR to lookup)";

void lookup(RpcCall& call) {
    if (!call.has_params(2, 500, kTableAndAor)) return;
    const auto table = next_table(call);
    if (!table) return;
    const auto aor = next_aor(call);
    if (!aor) return;
    RpcArray contacts;
    {
        Aor record(*table, *aor);
        for (const Contact* c = record.first(); c != nullptr; c = record.next(c))
            contacts.push_back(RpcStruct{{"Contact", describe(*c, record.now())}});
    }
    if (contacts.empty()) return call.fault(500, "AOR not found in location table");
    call.add(RpcStruct{{"AoR", *aor}, {"Contacts", std::move(contacts)}});
}

void remove(RpcCall& call) {
    if (!call.has_params(2, 500, kTableAndAor)) return;
    const auto table = next_table(call);
    if (!table) return;
    const auto aor = next_aor(call);
    if (!aor) return;
    (void)remove_all(*table, *aor);  // none is no error, as Kamailio has it
}

void remove_contact(RpcCall& call) {
    if (!call.has_params(3, 500, "Not enough parameters (table, AOR and contact)")) return;
    const auto table = next_table(call);
    if (!table) return;
    const auto aor = next_aor(call);
    const auto uri = aor ? call.next_text() : std::nullopt;
    if (!uri) return;
    Aor record(*table, *aor);
    if (record.first() == nullptr) return call.fault(404, "AOR not found");
    std::vector<Aor::Change> changes;
    for (Contact* c = record.first(); c != nullptr; c = record.next(c))
        if (c->text(Text::uri) == *uri) changes.push_back({c, nullptr});
    if (changes.empty()) return call.fault(404, "Contact not found");
    if (!record.apply(changes)) call.fault(500, "the segment is full");
}

std::string_view unless_unset(const std::string& text) {
    return text == "0" || text == "." ? "" : std::string_view(text);
}

// Q arrives as a double, as an integer, or as the text of one.
std::optional<int16_t> next_q(RpcCall& call) {
    const auto value = call.next_any();
    if (!value) return std::nullopt;
    double q = 0;
    if (const auto* number = std::get_if<double>(&*value)) q = *number;
    if (const auto* number = std::get_if<int64_t>(&*value)) q = static_cast<double>(*number);
    if (const auto* spelled = std::get_if<std::string>(&*value)) q = std::strtod(spelled->c_str(), nullptr);
    return q < 0 || q > 1 ? Numbers::kNoQ : static_cast<int16_t>(q * 1000 + 0.5);
}

uint16_t socket_named(std::string_view name) {
    for (const net::Listener& listener : net::listeners())
        if (listener.text() == name) return listener.index;
    return net::kAnyListener;
}

void add(RpcCall& call) {
    if (!call.has_params(9, 500, "Not enough parameters or wrong format")) return;
    const auto table = next_table(call);
    if (!table) return;
    const auto aor = next_aor(call);
    const auto uri = aor ? call.next_text() : std::nullopt;
    const auto expires = uri ? call.next_int() : std::nullopt;
    const auto q = expires ? next_q(call) : std::nullopt;
    const auto path = q ? call.next_text() : std::nullopt;
    const auto flags = path ? call.next_int() : std::nullopt;
    const auto cflags = flags ? call.next_int() : std::nullopt;
    const auto methods = cflags ? call.next_int() : std::nullopt;
    const auto received = methods ? call.next_text_or(".") : std::nullopt;
    const auto socket = received ? call.next_text_or(".") : std::nullopt;
    if (!socket) return;
    Fields fields;
    char ruid[kRuidBytes];
    Aor record(*table, *aor);
    const int64_t lifetime = std::clamp<int64_t>(*expires, -record.now(), UINT32_MAX - record.now());
    fields.expires = lifetime == 0 ? 0 : static_cast<uint32_t>(std::max<int64_t>(record.now() + lifetime, 1));
    fields.last_modified = static_cast<uint32_t>(record.now());
    fields.q = *q;
    fields.cseq = 1;
    fields.flags = static_cast<uint32_t>(*flags);
    fields.cflags = static_cast<uint32_t>(*cflags);
    fields.methods = *methods == 0 ? UINT32_MAX : from_kamailio_methods(static_cast<uint32_t>(*methods));
    fields.server_id = server_id();
    fields.socket = socket_named(*socket);
    fields[Text::uri] = *uri;
    fields[Text::path] = unless_unset(*path);
    fields[Text::received] = unless_unset(*received);
    fields[Text::user_agent] = "kamailio SIP Router - RPC Server";
    fields[Text::call_id] = "dfjrewr12386fd6-343@kamailio.rpc";
    fields[Text::ruid] = make_ruid(ruid);
    Aor::Change change{nullptr, &fields};
    for (Contact* c = record.first(); c != nullptr; c = record.next(c))
        if (c->text(Text::uri) == *uri) {
            change.replaces = c;
            fields.cseq = c->cseq + 1;
            fields[Text::ruid] = c->text(Text::ruid);
        }
    if (!record.apply({&change, 1})) call.fault(500, "the contact is too long, or the segment is full");
}

void flush(RpcCall& call) {
    if (Status done = sweep_all(); !done) call.fault(500, done.error().text());
}

template <store::Count What>
void count(RpcCall& call) {
    if (settings.mode() == DbMode::none) return call.fault(500, "Command is not supported in db_mode=0");
    const auto table = next_table(call);
    if (!table) return;
    const Result<int64_t> counted = store::count(*table, What);
    if (!counted) return call.fault(500, counted.error().text());
    call.add(*counted);
}

constexpr Command kCommands[] = {
    {"ul.dump", "[brief|full [skip [count]]]",
     "Lists all contacts; skip and count are in AoRs of each table.  At most 10000 AoRs, brief 100000, in one answer.",
     dump},
    {"ul.lookup", "table aor", "The contacts of one AoR.", lookup},
    {"ul.rm", "table aor", "Removes all contacts of one AoR.", remove},
    {"ul.rm_contact", "table aor contact", "Removes one contact, given by its URI.", remove_contact},
    {"ul.add", "table aor contact expires q path flags cflags methods [received [socket]]",
     "Adds a contact or changes the one with that URI; \"0\" or \".\" leaves a text unset.", add},
    {"ul.flush", "", "Removes what has expired and writes what has changed to the database now.", flush},
    {"ul.db_users", "table", "How many AoRs have unexpired contacts in the database.", count<store::Count::users>},
    {"ul.db_contacts", "table", "How many unexpired contacts are in the database.", count<store::Count::contacts>},
    {"ul.db_expired_contacts", "table", "How many expired contacts are in the database.",
     count<store::Count::expired_contacts>},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace kahu::usrloc
