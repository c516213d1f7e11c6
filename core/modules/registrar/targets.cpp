#include "core/modules/registrar/targets.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/modules/registrar/aor_text.h"
#include "core/modules/registrar/gruu.h"
#include "core/modules/registrar/settings.h"
#include "core/modules/registrar/xavps.h"
#include "core/net/connection.h"
#include "core/net/listener.h"
#include "core/script/message_facts.h"

namespace kahu::registrar {
namespace {

using script::Branch;
using usrloc::Aor;
using usrloc::Contact;
using usrloc::Text;

// --- one contact as a branch -----------------------------------------------------------------------------------
// The first hop of a path that is not this server; `path` is shortened to it (path_check_local).
std::string_view first_hop(std::string_view& path) {
    for (;;) {
        sip::NameAddr hop;
        sip::Bad bad;
        size_t used = 0;
        if (!sip::parse_name_addr(path, hop, used, bad)) return {};
        sip::Uri uri;
        const bool ours = settings.path_check_local != 0 && script::parse_into(hop.uri, uri) && script::is_myself(uri);
        if (!ours) return hop.uri;
        path = path.substr(std::min(used, path.size()));
        path.remove_prefix(std::min(path.find_first_not_of(" \t"), path.size()));
        if (path.empty()) return {};
    }
}

bool is_sips(std::string_view uri) { return text::iequals(uri.substr(0, 5), "sips:"); }

Branch branch_of(script::Run& run, const Contact& c, bool sips) {
    script::Arena& arena = run.arena();
    Branch b;
    b.uri = arena.copy(c.text(Text::uri));
    b.q = c.q;
    b.socket = c.socket;
    b.flags = c.cflags;
    b.connection = c.connection_id();
    b.instance = arena.copy(c.text(Text::instance));
    b.ruid = arena.copy(c.text(Text::ruid));
    b.user_agent = arena.copy(c.text(Text::user_agent));
    b.reg_id = c.reg_id;
    b.flow_only = c.reg_id != 0 && c.connection != 0;
    std::string_view path = settings.use_path != 0 ? arena.copy(c.text(Text::path)) : std::string_view();
    // NAT is the edge proxy's business: the path goes before the received address.
    if (!path.empty()) b.dst_uri = first_hop(path);
    b.path = path;
    if (b.path.empty() && !c.text(Text::received).empty()) b.dst_uri = arena.copy(c.text(Text::received));
    if (!sips && is_sips(b.uri)) {
        // The phone is called as it was asked for; the way there stays what it registered.
        if (b.dst_uri.empty()) b.dst_uri = b.uri;
        b.uri = arena.copy(fmt::format("sip:{}", b.uri.substr(5)));
    }
    return b;
}

// --- which contacts ------------------------------------------------------------------------------------------
bool takes_method(const Contact& c, const script::Run& run) {
    if (settings.method_filtering == 0 || !run.is_request()) return true;
    const sip::NameAddr* const to = run.message().to();
    if (to != nullptr && !to->tag.empty()) return true;
    const sip::Method method = run.message().method();
    return method == sip::Method::other || c.methods == UINT32_MAX || (c.methods & sip::mask_of(method)) != 0;
}
bool has_ended(const Contact& c) { return c.connection != 0 && net::find_connection(c.connection_id()) == nullptr; }
bool has_wished_flags(const Contact& c, const std::optional<int64_t>& flags) {
    return !flags || (int64_t{c.cflags} & *flags) != 0;
}
bool is_secure(const Contact& c) { return !text::iequals(c.text(Text::uri).substr(0, 4), "sip:"); }

struct Candidate {
    const Contact* contact;
    int64_t rank;
    bool other_flow = false;
};

// Of contacts of one instance the newest stays, if they are flows or if a GRUU asks for the instance.
void choose_flows(std::vector<Candidate>& candidates, bool by_gruu) {
    for (size_t i = 0; i < candidates.size(); ++i) {
        const Contact& a = *candidates[i].contact;
        if (a.text(Text::instance).empty() || candidates[i].other_flow) continue;
        for (size_t j = i + 1; j < candidates.size(); ++j) {
            const Contact& b = *candidates[j].contact;
            const bool rivals = by_gruu || (a.reg_id != 0 && b.reg_id != 0);
            if (!rivals || candidates[j].other_flow || a.text(Text::instance) != b.text(Text::instance)) continue;
            const bool b_is_newer = b.last_modified > a.last_modified;
            candidates[b_is_newer ? i : j].other_flow = true;
            if (b_is_newer) break;
        }
    }
}

void collect(script::Run& run, const Aor& aor, const Gruu& gruu, bool sips, std::vector<Candidate>& candidates,
             Found& out) {
    candidates.clear();
    const auto flags = (settings.lookup_filter_mode & 1) != 0 ? wished_number(run, "rlf_bflags") : std::nullopt;
    for (const Contact* c = aor.first(); c != nullptr; c = aor.next(c)) {
        if (!gruu.names(*c) || !has_wished_flags(*c, flags)) continue;
        if (sips && !is_secure(*c)) {
            out.needs_sips = true;
        } else if (has_ended(*c) && ((settings.lookup_filter_mode & 2) != 0 || c->reg_id != 0)) {
            out.failed_flows = out.failed_flows || c->reg_id != 0;
        } else if (!takes_method(*c, run)) {
            out.result = kNotSupported;
        } else {
            candidates.push_back({c, usrloc::newest_first() ? int64_t{c->last_modified} : int64_t{c->q}});
        }
    }
}

}  // namespace

void find_targets(script::Run& run, uint8_t table, std::string_view uri, Found& out) {
    static std::vector<Candidate> candidates;
    out.branches.clear();
    out.other_flows.clear();
    out.result = kNone;
    out.needs_sips = out.failed_flows = false;
    sip::Uri parsed;
    Gruu gruu;
    std::string_view name;
    const bool good = script::parse_into(uri, parsed) != nullptr;
    const bool is_gruu = good && settings.gruu_enabled != 0 && gruu.read(parsed);
    if (is_gruu && gruu.is_temporary()) {
        name = run.arena().copy(gruu.aor(table));
        if (name.empty()) return;
    } else if (aor_of(run, uri, name) != Fault::none) {
        out.result = kError;
        return;
    }
    const bool sips = good && parsed.scheme == sip::Scheme::sips;
    const Aor aor(table, name);
    collect(run, aor, gruu, sips, candidates, out);
    if (candidates.empty()) return;
    if (candidates.size() > 1) {
        std::stable_sort(candidates.begin(), candidates.end(),
                         [](const auto& a, const auto& b) { return a.rank > b.rank; });
        choose_flows(candidates, is_gruu);
    }
    const Contact& first = *candidates.front().contact;
    out.first = {run.arena().copy(first.text(Text::ruid)), run.arena().copy(first.text(Text::uri)),
                 run.arena().copy(first.text(Text::received)), run.arena().copy(first.text(Text::path)),
                 first.expires - aor.now()};
    for (const Candidate& candidate : candidates) {
        Branch branch = branch_of(run, *candidate.contact, sips);
        if (!candidate.other_flow) out.branches.push_back(branch);
        else if (branch.reg_id != 0) out.other_flows.push_back(branch);
    }
    out.needs_sips = out.failed_flows = false;
    out.result = kFound;
}

void warn_sips_not_allowed(script::Run& run) {
    const uint16_t index = run.inbound().listener;
    const std::string host = index < net::listeners().size() ? net::listeners()[index].public_host() : "registrar";
    run.reply_headers.append(fmt::format("Warning: 380 {} \"SIPS Not Allowed\"\r\n", host));
}

}  // namespace kahu::registrar
