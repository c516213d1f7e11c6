// core/modules/registrar/save.cpp -- save(): RFC 3261 10.3, steps 5 to 8.
#include <algorithm>
#include <vector>

#include "core/modules/registrar/functions.h"
#include "core/modules/registrar/register_request.h"
#include "core/modules/registrar/settings.h"
#include "core/modules/registrar/xavps.h"
#include "core/script/function.h"
#include "core/sip/uri.h"

namespace kahu::registrar {
namespace {

using usrloc::Aor;
using usrloc::Contact;
using usrloc::Fields;
using usrloc::Matching;
using usrloc::Text;

enum SaveFlag : int64_t { kMemoryOnly = 1, kNoReply = 2, kOneContact = 4, kExactExpires = 8, kKeepHeaders = 16 };
constexpr int kError = -1, kTooMany = -2, kInserted = 1, kUpdated = 2, kDeleted = 3, kReturned = 4;

// --- which binding a wanted contact means ------------------------------------------------------------------
bool same_uri(std::string_view a, std::string_view b) {
    if (a == b) return true;
    sip::Uri left, right;
    sip::Bad bad;
    return sip::parse_uri(a, left, bad) && sip::parse_uri(b, right, bad) && sip::equal_uris(left, right);
}

bool is_same(const Contact& c, const RegisterRequest& request, const WantedContact& wanted) {
    if (wanted.reg_id != 0)  // RFC 5626 6: instance and reg-id name the binding, whatever its URI
        return c.reg_id == wanted.reg_id && c.text(Text::instance) == wanted.instance;
    if (c.reg_id != 0) return false;
    const Matching how = usrloc::matching_mode();
    if (how == Matching::call_id) return c.text(Text::call_id) == request.call_id;
    if (!same_uri(c.text(Text::uri), wanted.uri)) return false;
    if (how == Matching::contact_and_call_id) return c.text(Text::call_id) == request.call_id;
    return how != Matching::contact_and_path || c.text(Text::path) == request.path;
}

// 10.3 step 7: with the same Call-ID only a higher CSeq counts.
enum class Order : uint8_t { good, repeated, old };
Order order_of(const Contact& c, const RegisterRequest& request, int64_t now) {
    if (c.text(Text::call_id) != request.call_id || request.cseq > c.cseq) return Order::good;
    const bool recent = now < static_cast<int64_t>(c.last_modified) + usrloc::cseq_delay();
    return request.cseq == c.cseq && recent ? Order::repeated : Order::old;
}

// --- the change ----------------------------------------------------------------------------------------------
class Save {
  public:
    Save(script::Run& run, const RegisterRequest& request, int64_t flags)
        : run_(run), request_(request), flags_(flags) {
        fields_.reserve(request.contacts.size());
    }

    // REQUIRES: nothing was changed yet.
    Fault plan(const Aor& aor);
    bool apply(Aor& aor) { return aor.apply(changes_, (flags_ & kMemoryOnly) != 0); }
    int result() const {
        if (inserted_ > 0) return kInserted;
        if (updated_ > 0) return kUpdated;
        return deleted_ > 0 ? kDeleted : kReturned;
    }

  private:
    Fault plan_star(const Aor& aor);
    Fault plan_contact(const Aor& aor, const WantedContact& wanted);
    Fields fields_of(const Aor& aor, const WantedContact& wanted, const Contact* before);
    bool is_planned(const Contact* contact) const {
        for (const Aor::Change& change : changes_)
            if (change.replaces == contact) return true;
        return false;
    }

    script::Run& run_;
    const RegisterRequest& request_;
    int64_t flags_;
    std::vector<Aor::Change> changes_;
    std::vector<Fields> fields_;  // changes_ points into it
    int64_t inserted_ = 0, updated_ = 0, deleted_ = 0;
    std::vector<const Contact*> kept_;  // repeated requests leave them as they are
};

Fault Save::plan(const Aor& aor) {
    if (request_.star) return plan_star(aor);
    for (const WantedContact& wanted : request_.contacts)
        if (const Fault bad = plan_contact(aor, wanted); bad != Fault::none) return bad;
    int64_t remaining = inserted_;
    for (Contact* c = aor.first(); c != nullptr; c = aor.next(c)) {
        const bool wanted = is_planned(c) || std::find(kept_.begin(), kept_.end(), c) != kept_.end();
        if (!wanted && (flags_ & kOneContact) != 0 && inserted_ + updated_ > 0) changes_.push_back({c, nullptr});
    }
    for (Contact* c = aor.first(); c != nullptr; c = aor.next(c)) {
        bool removed = false;
        for (const Aor::Change& change : changes_) removed |= change.replaces == c && change.fields == nullptr;
        remaining += !removed;
    }
    const int64_t most = wished_number(run_, "max_contacts").value_or(settings.max_contacts);
    return most != 0 && inserted_ > 0 && remaining > most ? Fault::too_many : Fault::none;
}

Fault Save::plan_star(const Aor& aor) {
    for (Contact* c = aor.first(); c != nullptr; c = aor.next(c)) {
        if (order_of(*c, request_, aor.now()) != Order::good) return Fault::cseq;
        changes_.push_back({c, nullptr});
        ++deleted_;
    }
    return Fault::none;
}

Fault Save::plan_contact(const Aor& aor, const WantedContact& wanted) {
    Contact* before = aor.first();
    while (before != nullptr && (is_planned(before) || !is_same(*before, request_, wanted))) before = aor.next(before);
    if (before == nullptr) {
        if (wanted.lifetime == 0) return Fault::none;
        // The same URI twice in one request: the second changes what the first adds.
        for (size_t i = 0; i < changes_.size(); ++i)
            if (changes_[i].replaces == nullptr && (*changes_[i].fields)[Text::uri] == wanted.uri) return Fault::none;
        changes_.push_back({nullptr, &fields_.emplace_back(fields_of(aor, wanted, nullptr))});
        ++inserted_;
        return Fault::none;
    }
    const Order order = order_of(*before, request_, aor.now());
    if (order == Order::old) return Fault::cseq;
    if (order == Order::repeated) {
        kept_.push_back(before);
        return Fault::none;
    }
    if (wanted.lifetime == 0) {
        changes_.push_back({before, nullptr});
        ++deleted_;
        return Fault::none;
    }
    changes_.push_back({before, &fields_.emplace_back(fields_of(aor, wanted, before))});
    ++updated_;
    return Fault::none;
}

Fields Save::fields_of(const Aor& aor, const WantedContact& wanted, const Contact* before) {
    Fields f;
    f[Text::uri] = wanted.uri;
    f[Text::call_id] = request_.call_id;
    f[Text::user_agent] = request_.user_agent;
    f[Text::received] = request_.received;
    f[Text::path] = request_.path;
    f[Text::instance] = wanted.instance;
    if (before != nullptr) {
        f[Text::ruid] = run_.arena().copy(before->text(Text::ruid));
    } else {
        char ruid[usrloc::kRuidBytes];
        f[Text::ruid] = run_.arena().copy(usrloc::make_ruid(ruid));
    }
    f.expires = static_cast<uint32_t>(aor.now() + wanted.lifetime);
    f.last_modified = f.last_keepalive = static_cast<uint32_t>(aor.now());
    if (before != nullptr) f.roundtrip = before->roundtrip;
    f.cseq = request_.cseq;
    f.flags = request_.flags;
    f.cflags = run_.branches.main().flags;
    f.methods = wanted.methods;
    f.reg_id = wanted.reg_id;
    f.q = wanted.q;
    f.server_id = usrloc::server_id();
    f.socket = request_.socket;
    f.connection = static_cast<uint64_t>(request_.connection);
    return f;
}

// Headers of the 200 beside Contact.
void append_extensions(const RegisterRequest& request, std::string& lines) {
    const auto mode = static_cast<PathMode>(settings.path_mode.get());
    if (!request.path.empty() && mode != PathMode::silent && request.path_supported)
        lines.append("Path: ").append(request.path).append("\r\n");
    if (!request.outbound) return;
    lines.append("Require: outbound\r\nSupported: outbound\r\n");
    if (settings.flow_timer > 0)
        lines.append("Flow-Timer: ").append(std::to_string(settings.flow_timer)).append("\r\n");
}

// What save() with kNoReply left to reg_send_reply().
struct Deferred {
    uint64_t message = 0;  // Run::number()
    Fault fault = Fault::none;
    std::string path, lines;
};
Deferred g_deferred;

bool send_reply(script::Run& run, Fault fault, std::string_view path, std::string_view lines) {
    if (fault == Fault::none) return accept(run, lines);
    reject(run, fault, path, lines);
    return true;
}

}  // namespace

int save(script::Run& run, const script::Args& args) {
    static RegisterRequest request;
    static std::string lines;
    lines.clear();
    const int64_t flags = args.number(run, 1, 0);
    const bool replies = (flags & kNoReply) == 0 && run.is_request();
    Fault fault = request.read(run, args.text(run, 2), (flags & kExactExpires) != 0);
    int result = kError;
    if (fault == Fault::none) {
        Aor aor(table_of(args), request.aor);
        Save change(run, request, flags);
        fault = change.plan(aor);
        if (fault == Fault::none && !change.apply(aor)) fault = Fault::memory;
        if (fault == Fault::none) result = change.result();
        append_contacts(aor, request.wants_gruu ? &request.aor_uri : nullptr, lines);
    }
    if (fault == Fault::none) append_extensions(request, lines);
    if (replies && !send_reply(run, fault, request.path, lines)) return kError;
    if (!replies) {
        g_deferred = {run.id(), fault, std::string(request.path), lines};
        if ((flags & kKeepHeaders) != 0 && fault == Fault::none) run.reply_headers.append(lines);
    }
    if (fault != Fault::none) return fault == Fault::too_many ? kTooMany : kError;
    return result;
}

int reg_send_reply(script::Run& run, const script::Args&) {
    if (!run.is_request() || g_deferred.message != run.id()) return kError;
    g_deferred.message = 0;
    return send_reply(run, g_deferred.fault, g_deferred.path, g_deferred.lines) ? 1 : kError;
}

}  // namespace kahu::registrar
