// core/modules/registrar/module.cpp -- read this file to know what registrar offers.
#include "core/modules/registrar/module.h"

#include "core/modules/registrar/counters.h"
#include "core/modules/registrar/functions.h"
#include "core/modules/registrar/settings.h"
#include "core/modules/registrar/ulc.h"
#include "core/modules/usrloc/api.h"
#include "core/script/function.h"
#include "core/script/run.h"

namespace kahu::registrar {

Status prepare_table(script::Args& args) {
    const script::Value* const name = args.constant(0);
    if (name == nullptr || !name->is_text())
        return Error{Errc::invalid, "the table's name must be known at start", "write a text without variables"};
    const Result<uint8_t> table = usrloc::open_table(name->text);
    if (!table) return table.error();
    args.keep(*table);
    return {};
}
uint8_t table_of(const script::Args& args) { return *args.prepared<uint8_t>(); }

namespace {

constexpr uint16_t kSaving = kRequestRoute | kFailureRoute | kEventRoute;

Status prepare_profile(script::Args& args) {
    const script::Value* const name = args.constant(args.size() - 1);
    if (name == nullptr || !name->is_text() || name->text.empty())
        return Error{Errc::invalid, "the profile's name must be known at start", "write a text without variables"};
    return args.size() == 1 ? Status() : prepare_table(args);
}

constexpr Function kFunctions[] = {
    {"save", 1, 3, "(string table [, int flags [, string uri]])",
     "Does what a REGISTER asks for and answers it.  Flags: 1 not to the database, 2 no answer yet, 4 only one contact "
     "per AoR, 8 lifetimes as asked for, 16 the answer's headers for whoever sends it.  The uri takes the place of "
     "To's.",
     kSaving | kReplyRoute, save, prepare_table},
    {"reg_send_reply", 0, 0, "()", "Sends what save() with flag 2 did not.", kSaving, reg_send_reply},
    {"lookup", 1, 2, "(string table [, string uri])",
     "Sets $ru, $du and branches to the contacts of the Request-URI.  -1: none, -2: none takes the method, -3: error.",
     kSaving | kBranchRoute, lookup, prepare_table},
    {"lookup_to_dset", 1, 2, "(string table [, string uri])",
     "As lookup(), but $ru stays: all contacts become branches.", kSaving, lookup_to_dset, prepare_table},
    {"lookup_branches", 1, 1, "(string table)", "lookup() of $ru and of each branch that is only a URI.", kSaving,
     lookup_branches, prepare_table},
    {"registered", 1, 4, "(string table [, string uri [, int match [, int action]]])",
     "Whether the AoR of the URI has a contact.  match: 1 with the Call-ID, 2 received address, 4 URI that the XAVP of "
     "xavp_cfg names (1 without it: the message's Call-ID).  action 2: xavp_rcd stays as it is.",
     kAnyRoute, registered, prepare_table},
    {"unregister", 2, 3, "(string table, string uri [, string ruid])",
     "Removes the contacts of an AoR, or the one with that ruid.  -1: bad URI, -3: there is none with that ruid.",
     kAnyRoute, unregister, prepare_table},
    {"reg_fetch_contacts", 3, 3, "(string table, string uri, string profile)",
     "Copies the contacts of an AoR to $ulc(profile=>...).", kAnyRoute, reg_fetch_contacts, prepare_profile},
    {"reg_free_contacts", 1, 1, "(string profile)", "Forgets what reg_fetch_contacts() copied.", kAnyRoute,
     reg_free_contacts, prepare_profile},
    {"add_sock_hdr", 1, 1, "(string name)", "Adds a header that names the socket that the request came in on.", kSaving,
     add_sock_hdr},
};

Status start() {
    register_computed_counters();
    watch_expired_contacts();
    return {};
}

}  // namespace

const ModuleDescriptor kModule{
    .name = "registrar",
    .summary = "REGISTER and the search for contacts.",
    .params = params(),
    .functions = kFunctions,
    .variables = ulc_variables(),
    .counters = counters(),
    .hooks = {.check = check_settings, .start = start},
    .description =
        "save() carries out RFC 3261 10.3: all contacts of a request are taken or none, an older CSeq of the same "
        "Call-ID "
        "is refused, the answer lists every contact with what is left of its lifetime.  Path (RFC 3327) and outbound "
        "flows (RFC 5626) are kept if the parameters say so.\n\n"
        "event_route[usrloc:contact-expired] runs in the timer process for each contact that ends by itself; "
        "$ulc(exp=>...) is that contact.\n\n"
        "A contact that registered over TCP or TLS without a proxy in between is reached over that very connection "
        "while it lives.",
};

}  // namespace kahu::registrar
