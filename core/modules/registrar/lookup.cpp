// core/modules/registrar/lookup.cpp -- lookup() and its kin: from an address of record to where its phones are.
#include <algorithm>
#include <vector>

#include "core/base/text.h"
#include "core/modules/registrar/aor_text.h"
#include "core/modules/registrar/functions.h"
#include "core/modules/registrar/settings.h"
#include "core/net/connection.h"
#include "core/net/listener.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/sip/params.h"

namespace kahu::registrar {
namespace {

using script::Branch;
using usrloc::Aor;
using usrloc::Contact;
using usrloc::Text;

constexpr int kFound = 1, kNone = -1, kNotSupported = -2, kError = -3;

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

Branch branch_of(script::Run& run, const Contact& c) {
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
    std::string_view path = settings.use_path != 0 ? arena.copy(c.text(Text::path)) : std::string_view();
    // NAT is the edge proxy's business: the path goes before the received address.
    if (!path.empty()) b.dst_uri = first_hop(path);
    b.path = path;
    if (b.path.empty() && !c.text(Text::received).empty()) b.dst_uri = arena.copy(c.text(Text::received));
    return b;
}

// --- which contacts ------------------------------------------------------------------------------------------
struct Found {
    std::vector<Branch> branches;
    int result = kNone;
};

bool takes_method(const Contact& c, const script::Run& run) {
    if (settings.method_filtering == 0 || !run.is_request()) return true;
    const sip::NameAddr* const to = run.message().to();
    if (to != nullptr && !to->tag.empty()) return true;
    const sip::Method method = run.message().method();
    return method == sip::Method::other || c.methods == UINT32_MAX || (c.methods & sip::mask_of(method)) != 0;
}
bool has_ended(const Contact& c) {
    return (settings.lookup_filter_mode & 2) != 0 && c.connection != 0 &&
           net::find_connection(c.connection_id()) == nullptr;
}
// A sips request must not leave TLS (RFC 5630 5.3): contacts that are plain sip are not for it.
bool is_secure_enough(const Contact& c, bool sips) {
    const std::string_view uri = c.text(Text::uri);
    return !sips || !(uri.size() > 4 && text::iequals(uri.substr(0, 4), "sip:"));
}

void find_branches(script::Run& run, uint8_t table, std::string_view uri, Found& out) {
    out.branches.clear();
    out.result = kNone;
    std::string_view name;
    sip::Uri parsed;
    if (aor_of(run, uri, name) != Fault::none) {
        out.result = kError;
        return;
    }
    const bool sips = script::parse_into(uri, parsed) && parsed.scheme == sip::Scheme::sips;
    struct Candidate {
        const Contact* contact;
        int64_t rank;
    };
    static std::vector<Candidate> candidates;
    candidates.clear();
    Aor aor(table, name);
    for (const Contact* c = aor.first(); c != nullptr; c = aor.next(c)) {
        if (has_ended(*c) || !is_secure_enough(*c, sips)) continue;
        if (!takes_method(*c, run)) {
            out.result = kNotSupported;
            continue;
        }
        candidates.push_back({c, usrloc::newest_first() ? int64_t{c->last_modified} : int64_t{c->q}});
    }
    if (candidates.empty()) return;
    if (candidates.size() > 1)
        std::stable_sort(candidates.begin(), candidates.end(),
                         [](const auto& a, const auto& b) { return a.rank > b.rank; });
    for (const Candidate& candidate : candidates) out.branches.push_back(branch_of(run, *candidate.contact));
    out.result = kFound;
}

Found g_found;

// The first becomes $ru and $du, the others branches.
int take(script::Run& run, Found& found) {
    if (found.result != kFound) return found.result;
    Branch& first = found.branches.front();
    run.set_request_uri(first.uri);
    run.set_destination_uri(first.dst_uri);
    run.branches.main() = first;
    run.branches.main().uri = run.branches.main().dst_uri = {};
    if (settings.append_branches != 0)
        for (size_t i = 1; i < found.branches.size() && run.branches.add(found.branches[i]); ++i) continue;
    return kFound;
}

std::string_view uri_argument(script::Run& run, const script::Args& args) {
    const std::string_view given = args.text(run, 1);
    if (!given.empty()) return given;
    if (run.is_request()) return run.request_uri();
    const sip::NameAddr* const to = run.message().to();
    return to == nullptr ? std::string_view() : to->uri;
}

}  // namespace

int lookup(script::Run& run, const script::Args& args) {
    find_branches(run, table_of(args), uri_argument(run, args), g_found);
    return take(run, g_found);
}

int lookup_to_dset(script::Run& run, const script::Args& args) {
    find_branches(run, table_of(args), uri_argument(run, args), g_found);
    for (const Branch& branch : g_found.branches)
        if (!run.branches.add(branch)) break;
    return g_found.result;
}

// $ru, and each further branch that is only a URI yet.
int lookup_branches(script::Run& run, const script::Args& args) {
    std::vector<std::string_view> plain;
    for (size_t i = run.branches.others().size(); i-- > 0;) {
        const Branch& branch = run.branches.others()[i];
        if (!branch.dst_uri.empty() || !branch.path.empty() || !branch.ruid.empty()) continue;
        plain.insert(plain.begin(), branch.uri);
    }
    find_branches(run, table_of(args), run.request_uri(), g_found);
    const int result = take(run, g_found);
    for (const std::string_view uri : plain) {
        find_branches(run, table_of(args), uri, g_found);
        if (g_found.result != kFound) continue;
        for (size_t i = 0; i < run.branches.others().size(); ++i)
            if (run.branches.others()[i].uri == uri && run.branches.others()[i].ruid.empty()) {
                run.branches.remove(i);
                break;
            }
        for (const Branch& branch : g_found.branches)
            if (!run.branches.add(branch)) break;
    }
    return result;
}

int registered(script::Run& run, const script::Args& args) {
    std::string_view name;
    if (aor_of(run, uri_argument(run, args), name) != Fault::none) return -1;
    Aor aor(table_of(args), name);
    const bool same_call = (args.number(run, 2, 0) & 1) != 0;
    for (const Contact* c = aor.first(); c != nullptr; c = aor.next(c))
        if (!same_call || c->text(Text::call_id) == run.message().call_id()) return 1;
    return -1;
}

int unregister(script::Run& run, const script::Args& args) {
    std::string_view name;
    if (aor_of(run, args.text(run, 1), name) != Fault::none) return -1;
    return usrloc::remove_all(table_of(args), name, args.text(run, 2)) != 0 ? 1 : -3;
}

int add_sock_hdr(script::Run& run, const script::Args& args) {
    const std::string_view name = args.text(run, 0);
    const uint16_t index = run.inbound().listener;
    if (name.empty() || name.find_first_of(":\r\n") != name.npos || index >= net::listeners().size()) return -1;
    run.edits.append_header(run.message(), std::string(name) + ": " + net::listeners()[index].text() + "\r\n");
    return 1;
}

}  // namespace kahu::registrar
