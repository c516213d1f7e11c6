// core/modules/registrar/lookup.cpp -- lookup() and its kin: from an address of record to where its phones are.
#include <vector>

#include "core/modules/registrar/aor_text.h"
#include "core/modules/registrar/functions.h"
#include "core/modules/registrar/settings.h"
#include "core/modules/registrar/targets.h"
#include "core/net/listener.h"
#include "core/script/branch_text.h"
#include "core/script/function.h"

namespace kahu::registrar {
namespace {

using script::Branch;
using usrloc::Aor;
using usrloc::Contact;
using usrloc::Text;

Found g_found;

// What sl_reply_error() says if the script leaves the answer to it.
void note_error(script::Run& run, const Found& found) {
    if (found.result == kFound) return;
    run.last_error = found.needs_sips ? 480 : found.result == kNotSupported ? 405 : found.failed_flows ? 480 : 404;
    if (found.needs_sips) warn_sips_not_allowed(run);
}

// The first becomes $ru and $du, the others branches.
int take(script::Run& run, Found& found) {
    note_error(run, found);
    if (found.result != kFound) return found.result;
    tell_record(run, found.first);
    Branch& first = found.branches.front();
    run.set_request_uri(first.uri);
    run.set_destination_uri(first.dst_uri);
    run.branches.main() = first;
    run.branches.main().uri = run.branches.main().dst_uri = {};
    run.remove_avps(script::kFlowsAvp);
    for (auto flow = found.other_flows.rbegin(); flow != found.other_flows.rend(); ++flow)
        run.add_avp(script::kFlowsAvp, script::Value::of(script::pack(*flow)));
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
    find_targets(run, table_of(args), uri_argument(run, args), g_found);
    return take(run, g_found);
}

int lookup_to_dset(script::Run& run, const script::Args& args) {
    find_targets(run, table_of(args), uri_argument(run, args), g_found);
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
    find_targets(run, table_of(args), run.request_uri(), g_found);
    const int result = take(run, g_found);
    for (const std::string_view uri : plain) {
        find_targets(run, table_of(args), uri, g_found);
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
    const int64_t match = args.number(run, 2, 0), action = args.number(run, 3, 0);
    const auto wished = [&](int64_t bit, std::string_view which) {
        return (match & bit) != 0 ? wished_text(run, which) : std::nullopt;
    };
    auto call_id = wished(1, "match_callid");
    if ((match & 1) != 0 && !call_id) call_id = run.message().call_id();
    const auto received = wished(2, "match_received"), contact = wished(4, "match_contact");
    for (const Contact* c = aor.first(); c != nullptr; c = aor.next(c)) {
        if ((call_id && c->text(Text::call_id) != *call_id) || (received && c->text(Text::received) != *received) ||
            (contact && c->text(Text::uri) != *contact))
            continue;
        if ((action & 2) == 0)
            tell_record(run, {c->text(Text::ruid), c->text(Text::uri), c->text(Text::received), c->text(Text::path),
                              c->expires - aor.now()});
        return 1;
    }
    return -1;
}

int unregister(script::Run& run, const script::Args& args) {
    std::string_view name;
    if (aor_of(run, args.text(run, 1), name) != Fault::none) return -1;
    const std::string_view ruid = args.text(run, 2);
    // Kamailio 5.6.3, unlike its manual: an AoR that has none is no error, a record that is not there is one.
    return usrloc::remove_all(table_of(args), name, ruid) != 0 || ruid.empty() ? 1 : -3;
}

int add_sock_hdr(script::Run& run, const script::Args& args) {
    const std::string_view name = args.text(run, 0);
    const uint16_t index = run.inbound().listener;
    if (name.empty() || name.find_first_of(":\r\n") != name.npos || index >= net::listeners().size()) return -1;
    run.edits.append_header(run.message(), std::string(name) + ": " + net::listeners()[index].text() + "\r\n");
    return 1;
}

}  // namespace kahu::registrar
