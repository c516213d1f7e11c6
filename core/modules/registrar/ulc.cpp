#include "core/modules/registrar/ulc.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/text.h"
#include "core/modules/registrar/aor_text.h"
#include "core/modules/registrar/functions.h"
#include "core/net/listener.h"
#include "core/script/event_route.h"
#include "core/script/function.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::registrar {
namespace {

using script::Run;
using script::Value;
using usrloc::Contact;
using usrloc::Fields;
using usrloc::Text;

constexpr std::string_view kExpiredEvent = "usrloc:contact-expired", kExpiredProfile = "exp";

// One contact, and the texts that its fields borrow.
struct Copy {
    explicit Copy(const Fields& from) : fields(from) {
        size_t bytes = 0;
        for (const std::string_view part : from.texts) bytes += part.size();
        texts.reserve(bytes);
        for (std::string_view& part : fields.texts) {
            const size_t at = texts.size();
            texts.append(part);
            part = {texts.data() + at, part.size()};
        }
    }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;

    Fields fields;
    std::string texts;
};

struct Profile {
    std::string aor, domain;
    uint32_t hash = 0;
    std::vector<std::unique_ptr<Copy>> contacts;
};
std::map<std::string, Profile, std::less<>>& profiles() {
    static std::map<std::string, Profile, std::less<>> all;
    return all;
}

// --- attributes ----------------------------------------------------------------------------------------------------
enum class Attribute : uint8_t {
    aor,
    domain,
    aorhash,
    count,
    addr,
    path,
    received,
    expires,
    callid,
    q,
    cseq,
    flags,
    cflags,
    user_agent,
    socket,
    modified,
    methods,
    ruid,
    regid,
    instance,
    conid,
    server_id,
    count_
};
constexpr std::string_view kNames[] = {"aor",      "domain",     "aorhash", "count",    "addr",    "path",
                                       "received", "expires",    "callid",  "q",        "cseq",    "flags",
                                       "cflags",   "user_agent", "socket",  "modified", "methods", "ruid",
                                       "regid",    "instance",   "conid",   "server_id"};
static_assert(std::size(kNames) == static_cast<size_t>(Attribute::count_), "one name per Attribute, in enum order");

struct Spec {
    std::string profile;
    Attribute attribute = Attribute::aor;
};

Value text_or_null(std::string_view text) { return text.empty() ? Value() : Value::of(text); }

Value text_of(const Fields& c, Attribute which) {
    switch (which) {
    case Attribute::addr: return text_or_null(c[Text::uri]);
    case Attribute::path: return text_or_null(c[Text::path]);
    case Attribute::received: return text_or_null(c[Text::received]);
    case Attribute::callid: return text_or_null(c[Text::call_id]);
    case Attribute::user_agent: return text_or_null(c[Text::user_agent]);
    case Attribute::ruid: return text_or_null(c[Text::ruid]);
    default: return text_or_null(c[Text::instance]);
    }
}

Value value_of(Run& run, const Fields& c, Attribute which) {
    switch (which) {
    case Attribute::expires: return Value::of(int64_t{c.expires});
    case Attribute::q: return Value::of(int64_t{c.q});
    case Attribute::cseq: return Value::of(int64_t{c.cseq});
    case Attribute::flags: return Value::of(int64_t{c.flags});
    case Attribute::cflags: return Value::of(int64_t{c.cflags});
    case Attribute::modified: return Value::of(int64_t{c.last_modified});
    case Attribute::methods: return Value::of(usrloc::shown_methods(c.methods));
    case Attribute::regid: return Value::of(int64_t{c.reg_id});
    case Attribute::server_id: return Value::of(int64_t{c.server_id});
    case Attribute::conid: return c.connection == 0 ? Value() : Value::of(static_cast<int64_t>(c.connection));
    case Attribute::socket:
        return c.socket < net::listeners().size() ? Value::of(run.arena().copy(net::listeners()[c.socket].text()))
                                                  : Value();
    default: return text_of(c, which);
    }
}

Value get(Run& run, const script::VariableUse& use) {
    const auto* const spec = static_cast<const Spec*>(use.prepared.get());
    const auto found = profiles().find(spec->profile);
    if (found == profiles().end()) return {};
    const Profile& profile = found->second;
    switch (spec->attribute) {
    case Attribute::aor: return Value::of(std::string_view(profile.aor));
    case Attribute::domain: return Value::of(std::string_view(profile.domain));
    case Attribute::aorhash: return Value::of(int64_t{profile.hash});
    case Attribute::count: return Value::of(static_cast<int64_t>(profile.contacts.size()));
    default: break;
    }
    const size_t at = use.position(run, profile.contacts.size());
    if (at >= profile.contacts.size()) return {};
    return value_of(run, profile.contacts[at]->fields, spec->attribute);
}

Status prepare(script::VariableUse& use) {
    const size_t arrow = use.inner.find("=>");
    const std::string_view inner = use.inner;
    const std::string_view profile = text::trim(inner.substr(0, arrow));
    const std::string_view name = arrow == inner.npos ? "" : text::trim(inner.substr(arrow + 2));
    const auto* const known = std::find(std::begin(kNames), std::end(kNames), name);
    if (profile.empty() || known == std::end(kNames))
        return Error{Errc::invalid, "not \"profile=>attribute\" of a contact", "for instance $ulc(callee=>addr)"};
    use.prepared =
        std::make_shared<Spec>(Spec{std::string(profile), static_cast<Attribute>(known - std::begin(kNames))});
    return {};
}

const Variable kVariables[] = {
    {"ulc", "Contacts that reg_fetch_contacts() fetched: $ulc(profile=>addr), $(ulc(profile=>addr)[1]).", get, nullptr,
     prepare},
};

// In the process that found it expired; no lock is held.
void expired(uint8_t table, uint32_t hash, const Fields& contact) {
    Profile& profile = profiles()[std::string(kExpiredProfile)];
    profile.aor = contact[Text::aor];
    profile.domain = usrloc::table_names()[table];
    profile.hash = hash;
    profile.contacts.clear();
    profile.contacts.push_back(std::make_unique<Copy>(contact));
    (void)script::run_event_route(kExpiredEvent);
    profile.contacts.clear();
}

}  // namespace

int reg_fetch_contacts(Run& run, const script::Args& args) {
    const std::string_view uri = args.text(run, 1), name = args.text(run, 2);
    std::string_view aor_name;
    if (name.empty() || aor_of(run, uri, aor_name) != Fault::none) return -1;
    if (!profiles().contains(name) && profiles().size() >= kMostProfiles) return -1;
    Profile& profile = profiles()[std::string(name)];
    profile = {};
    const usrloc::Aor aor(table_of(args), aor_name);
    for (const Contact* c = aor.first(); c != nullptr; c = aor.next(c)) {
        profile.contacts.push_back(std::make_unique<Copy>(c->fields()));
        profile.hash = c->hash;
    }
    if (profile.contacts.empty()) return -1;
    const bool by_time = usrloc::newest_first();
    std::stable_sort(profile.contacts.begin(), profile.contacts.end(), [by_time](const auto& a, const auto& b) {
        return by_time ? a->fields.last_modified > b->fields.last_modified : a->fields.q > b->fields.q;
    });
    profile.aor = aor_name;
    profile.domain = usrloc::table_names()[table_of(args)];
    return 1;
}

int reg_free_contacts(Run& run, const script::Args& args) {
    const auto found = profiles().find(args.text(run, 0));
    if (found != profiles().end()) profiles().erase(found);
    return 1;
}

std::span<const Variable> ulc_variables() { return kVariables; }

void watch_expired_contacts() {
    if (script::has_event_route(kExpiredEvent)) usrloc::set_expired_handler(expired);
}

}  // namespace kahu::registrar
