// core/modules/auth_db/module.cpp -- read this file to know what auth_db offers.
#include "core/modules/auth_db/module.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/db/database.h"
#include "core/modules/auth/api.h"
#include "core/modules/auth_db/settings.h"
#include "core/modules/auth_db/users.h"
#include "core/script/function.h"
#include "core/sip/uri.h"

namespace kahu::auth_db {
namespace {

using auth::Outcome;
using auth::Side;
using script::Args;
using script::Run;

std::vector<std::string> g_tables;  // named by constant arguments: made at start if they do not exist

Status prepare_call(script::Args& args) {
    const script::Value* const table = args.constant(1);
    if (table == nullptr || !table->is_text()) return {};
    if (!db::is_name(table->text))
        return Error{Errc::invalid, fmt::format("\"{}\" is no name of a table", table->text),
                     "letters, digits and \"_\" only"};
    std::string name(table->text);
    if (std::find(g_tables.begin(), g_tables.end(), name) == g_tables.end()) g_tables.push_back(name);
    args.keep(std::move(name));
    return {};
}
std::string table_argument(Run& run, const Args& args) {
    if (const auto* const known = args.prepared<std::string>()) return *known;
    const std::string_view given = args.text(run, 1);
    return std::string(db::is_name(given) ? given : std::string_view());
}

void set_avps(Run& run, const User& user) {
    for (size_t i = 0; i < loaded_columns().size(); ++i)
        if (!user.loaded[i].empty())
            run.add_avp(loaded_columns()[i].avp, script::Value::of(std::string_view(user.loaded[i])));
}

// RFC 8760: each algorithm has its own HA1.
Outcome ha1_from(const User& user, const sip::AuthValue& c, auth::Algorithm algorithm, std::string& ha1) {
    if (settings.calculate_ha1 != 0) {
        ha1 = auth::ha1_of(algorithm, c.username, c.realm, user.password).view();
        return auth::kAuthorized;
    }
    const bool with_domain = c.username.find('@') != c.username.npos;
    const std::string& stored = algorithm == auth::Algorithm::sha256 && !user.ha1_sha256.empty() ? user.ha1_sha256
                                : with_domain                                                    ? user.ha1_2
                                                                                                 : user.password;
    if (stored.size() != auth::hex_bytes(algorithm)) return auth::kUnknownUser;
    ha1 = text::lowered(stored);
    return auth::kAuthorized;
}

Outcome check_user(Run& run, const Args& args, Side side, std::string_view method) {
    static log::RateLimit limit(1);
    const std::string table = table_argument(run, args);
    std::string_view realm = args.text(run, 0);
    sip::Uri from;
    sip::Bad bad;
    if (realm.empty() && run.message().from() != nullptr && sip::parse_uri(run.message().from()->uri, from, bad))
        realm = from.host;
    if (realm.empty() || table.empty()) return auth::kError;
    return auth::authenticate(
        run, side, realm, method, [&](const sip::AuthValue& c, auth::Algorithm algorithm, std::string& ha1) {
            const std::string_view domain = auth::domain_part(c.username);
            const bool sha256 = algorithm == auth::Algorithm::sha256 && settings.calculate_ha1 == 0;
            const auto found = find_user(table, auth::user_part(c.username), domain.empty() ? realm : domain, sha256);
            if (!found) {
                if (limit.allow()) LOG(error, "auth_db.query_failed", kv("reason", found.error().text()));
                return auth::kError;
            }
            if (!*found) {
                // As long as for a user that there is.
                if (settings.calculate_ha1 != 0) (void)auth::ha1_of(algorithm, c.username, c.realm, "0123456789");
                return auth::kUnknownUser;
            }
            set_avps(run, **found);
            return ha1_from(**found, c, algorithm, ha1);
        });
}

int www_authenticate(Run& run, const Args& args) { return check_user(run, args, Side::www, args.text(run, 2)); }
int proxy_authenticate(Run& run, const Args& args) { return check_user(run, args, Side::proxy, {}); }
int auth_check(Run& run, const Args& args) {
    const Outcome outcome = check_user(run, args, auth::side_of(run), {});
    if (outcome != auth::kAuthorized || (args.number(run, 2, 0) & 1) == 0) return outcome;
    const sip::Method method = run.message().method();
    if (method == sip::Method::ack || method == sip::Method::cancel) return outcome;
    return auth::user_matches(run) ? outcome : auth::kUserMismatch;
}
// flags 1: with the URI's domain.
int is_subscriber(Run& run, const Args& args) {
    sip::Uri uri;
    sip::Bad bad;
    const std::string table = table_argument(run, args);
    if (table.empty() || !sip::parse_uri(args.text(run, 0), uri, bad)) return -1;
    const auto found = find_user(table, uri.user, uri.host, false);
    if (!found || !*found) return -1;
    set_avps(run, **found);
    return 1;
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kEventRoute;
constexpr Function kFunctions[] = {
    {"www_authenticate", 2, 3, "(string realm, string table [, string method])",
     "Checks Authorization against the table.  -2 wrong password, -3 unknown user, -4 nonce expired, -5 no "
     "credentials, -6 nonce "
     "reused, -1 other.",
     kRequests, www_authenticate, prepare_call},
    {"www_authorize", 2, 3, "(string realm, string table [, string method])", "The same as www_authenticate().",
     kRequests, www_authenticate, prepare_call},
    {"proxy_authenticate", 2, 2, "(string realm, string table)",
     "As www_authenticate(), with Proxy-Authorization.  An empty realm stands for From's domain.", kRequests,
     proxy_authenticate, prepare_call},
    {"proxy_authorize", 2, 2, "(string realm, string table)", "The same as proxy_authenticate().", kRequests,
     proxy_authenticate, prepare_call},
    {"auth_check", 3, 3, "(string realm, string table, int flags)",
     "www_authenticate() for a REGISTER, proxy_authenticate() for other requests.  Flag 1: the user must be the one in "
     "To or From, "
     "else -8.",
     kRequests, auth_check, prepare_call},
    {"is_subscriber", 3, 3, "(string uri, string table, int flags)", "Whether the table has the user of that URI.",
     kAnyRoute, is_subscriber, prepare_call},
};

// --- user management over RPC ---------------------------------------------------------------------------------------
const std::string& first_table() {
    static const std::string standard = "subscriber";
    return g_tables.empty() ? standard : g_tables.front();
}
struct Account {
    std::string user, domain;
};
std::optional<Account> next_account(RpcCall& call) {
    const auto given = call.next_text();
    if (!given) return std::nullopt;
    const size_t at = given->rfind('@');
    const std::string_view odd = "\"\\<>: \t\r\n";
    if (at == given->npos || at == 0 || at + 1 == given->size() || given->size() > 128 ||
        given->find_first_of(odd) != given->npos) {
        call.fault(400, "a user is written user@domain");
        return std::nullopt;
    }
    return Account{given->substr(0, at), text::lowered(given->substr(at + 1))};
}

void user_add(RpcCall& call) {
    const auto account = next_account(call);
    const auto password = account ? call.next_text() : std::nullopt;
    if (!password) return;
    if (password->empty() || password->size() > 64) return call.fault(400, "a password has 1 to 64 characters");
    if (Status added = add_user(first_table(), account->user, account->domain, *password); !added)
        call.fault(500, added.error().text());
}
void user_remove(RpcCall& call) {
    const auto account = next_account(call);
    if (!account) return;
    const auto removed = remove_user(first_table(), account->user, account->domain);
    if (!removed) return call.fault(500, removed.error().text());
    if (!*removed) call.fault(404, fmt::format("there is no user {}@{}", account->user, account->domain));
}
void user_list(RpcCall& call) {
    const auto skip = call.next_int_or(0), most = skip ? call.next_int_or(1000) : std::nullopt;
    if (!most) return;
    const auto users = list_users(first_table(), *skip, *most);
    if (!users) return call.fault(500, users.error().text());
    for (const std::string& user : *users) call.add(user);
}

constexpr Command kCommands[] = {
    {"auth_db.user_add", "user@domain password", "Adds a user, or sets the password of one.", user_add},
    {"auth_db.user_list", "[skip [count]]", "Lists users; 1000 if no count is given.", user_list},
    {"auth_db.user_remove", "user@domain", "Removes a user.", user_remove},
};

std::vector<WantedFile> files() { return db::files_of(settings.db_url.get()); }
Status open() { return db::make_folder(settings.db_url.get()); }

Status start() {
    if (g_tables.empty()) g_tables.push_back("subscriber");
    Status done;
    for (const std::string& table : g_tables)
        if (done) done = prepare_table(table);
    close_users();
    return done;
}
void process_stop(ProcessKind) { close_users(); }

}  // namespace

const ModuleDescriptor kModule{
    .name = "auth_db",
    .summary = "Users and their passwords from a database.",
    .params = params(),
    .functions = kFunctions,
    .commands = kCommands,
    .hooks = {.check = check_settings, .files = files, .open = open, .start = start, .process_stop = process_stop},
    .description =
        "Looks users up in a table with Kamailio's columns and lets module auth check what they sent.  The table is "
        "created if it "
        "does not exist.\n\n"
        "auth_db.user_add stores HA1 values only, or the password if calculate_ha1 is on.",
};

}  // namespace kahu::auth_db
