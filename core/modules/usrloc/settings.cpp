#include "core/modules/usrloc/settings.h"

#include <algorithm>

#include "core/db/database.h"
#include "core/modules/usrloc/api.h"
#include "core/script/message_facts.h"
#include "core/sip/numbers.h"
#include "core/sip/scan.h"

namespace kahu::usrloc {

Settings settings;

namespace {

Status preload(const ParamValue& value) {
    const auto* const name = std::get_if<std::string>(&value);
    if (name == nullptr) return Error{Errc::invalid, "a table name is wanted", ""};
    const auto opened = open_table(*name);
    if (!opened) return opened.error();
    return {};
}

Status check_column(const ParamValue& value) {
    const auto* const name = std::get_if<std::string>(&value);
    if (name == nullptr || !db::is_name(*name))
        return Error{Errc::invalid, "that is no name of a column", "letters, digits and \"_\" only"};
    return {};
}

Param column(std::string_view name, Column which) {
    return {.name = name,
            .kind = ParamKind::text,
            .text = &settings.columns[static_cast<size_t>(which)],
            .accept = check_column,
            .help = "Name of that column in the location tables."};
}
Param number(std::string_view name, IntSetting& at, int64_t min, int64_t max, std::string_view help,
             std::string_view unit = "") {
    return {.name = name, .number = &at, .min = min, .max = max, .unit = unit, .help = help};
}
Param ignored(std::string_view name, std::string_view help, std::string_view why) {
    return {.name = name, .number = &settings.ignored, .help = help, .remark = why};
}
Param ignored_text(std::string_view name, std::string_view help, std::string_view why) {
    return {.name = name, .kind = ParamKind::text, .text = &settings.ignored_text, .help = help, .remark = why};
}

Param words(std::string_view name, TextSetting& at, Status (*accept)(const ParamValue&), std::string_view help) {
    return {.name = name, .kind = ParamKind::text, .text = &at, .accept = accept, .help = help};
}

const std::string* text_in(const ParamValue& value) { return std::get_if<std::string>(&value); }
Status check_method(const ParamValue& value) {
    const std::string* const name = text_in(value);
    if (name == nullptr || name->empty() || !std::all_of(name->begin(), name->end(), sip::is_token) ||
        *name == "INVITE" || *name == "ACK" || *name == "CANCEL")
        return Error{Errc::invalid, "that is no method that can be sent alone", "OPTIONS, NOTIFY ..."};
    return {};
}
Status check_uri(const ParamValue& value) {
    const std::string* const uri = text_in(value);
    sip::Uri parsed;
    if (uri == nullptr || script::parse_into(*uri, parsed) == nullptr || !parsed.is_sip())
        return Error{Errc::invalid, "that is no SIP URI", "\"sip:server@example.com\""};
    return {};
}
Status check_host(const ParamValue& value) {
    const std::string* const host = text_in(value);
    std::string_view name;
    bool v6 = false;
    uint16_t port = 0;
    sip::Bad bad;
    if (host == nullptr || host->empty() || sip::parse_host_port(*host, false, name, v6, port, bad) != host->size())
        return Error{Errc::invalid, "that is no domain", "\"example.com\""};
    return {};
}

constexpr std::string_view kByRuid = "has no effect: rows are inserted or updated by their ruid in one statement";

const Param kParams[] = {
    number("hash_size", settings.hash_size, 1, 20, "Logarithm of the number of buckets; fewer than 2^16 become 2^16."),
    number("timer_interval", settings.timer_interval, 1, 86400,
           "All contacts are looked at once in this time: for expiry, and for writing to the database in db_mode 2.",
           "seconds"),
    number("timer_procs", settings.ignored, 0, 64, "Processes for that work; the timer process does it."),
    {.name = "db_url",
     .kind = ParamKind::text,
     .text = &settings.db_url,
     .help = "Where the location tables are: sqlite:///path/to/file."},
    number("db_mode", settings.db_mode, 0, 3,
           "0: contacts in memory only; 1: written at once; 2: written by the timer; 3: as 1."),
    number("db_load", settings.db_load, 0, 1, "Whether contacts are loaded from the database at start."),
    number("db_timer_clean", settings.db_timer_clean, 0, 1,
           "Whether the timer deletes rows that have expired and that no contact belongs to."),
    number("use_domain", settings.use_domain, 0, 1, "Whether the domain is part of an address of record."),
    number("desc_time_order", settings.desc_time_order, 0, 1,
           "Whether lookups give the newest contact first, instead of by q."),
    number("matching_mode", settings.matching_mode, 0, 3,
           "What makes two contacts of an AoR the same: 0 URI, 1 URI and Call-ID, 2 URI and Path, 3 Call-ID."),
    number("cseq_delay", settings.cseq_delay, 0, 86400,
           "How long a REGISTER with known Call-ID and CSeq counts as a retransmission.", "seconds"),
    number("handle_lost_tcp", settings.handle_lost_tcp, 0, 1,
           "Whether contacts are removed when the connection that they registered on has ended."),
    number("close_expired_tcp", settings.close_expired_tcp, 0, 1,
           "Whether the connection is closed when its contact expires."),
    number("expires_type", settings.expires_type, 0, 1, "1: times are unix seconds in the database, 0: text."),
    number("server_id_filter", settings.server_id_filter, 0, 1, "Whether only rows with our server_id are loaded."),
    number("skip_remote_socket", settings.skip_remote_socket, 0, 1,
           "Whether rows with a socket that is not ours are left out at start."),
    number("db_clean_tcp", settings.db_clean_tcp, 0, 1,
           "Whether contacts over TCP and TLS are left out, and deleted, at start."),
    number("nat_bflag", settings.nat_bflag, -1, 31, "Branch flag that marks contacts behind a NAT."),
    {.name = "preload",
     .kind = ParamKind::custom,
     .accept = preload,
     .help = "A table to load although no function of the script names it; may be given again.",
     .default_text = "none"},
    column("user_column", Column::username),
    column("domain_column", Column::domain),
    column("contact_column", Column::contact),
    column("expires_column", Column::expires),
    column("q_column", Column::q),
    column("callid_column", Column::callid),
    column("cseq_column", Column::cseq),
    column("methods_column", Column::methods),
    column("flags_column", Column::flags),
    column("cflags_column", Column::cflags),
    column("user_agent_column", Column::user_agent),
    column("received_column", Column::received),
    column("socket_column", Column::socket),
    column("path_column", Column::path),
    column("ruid_column", Column::ruid),
    column("instance_column", Column::instance),
    column("reg_id_column", Column::reg_id),
    column("server_id_column", Column::server_id),
    column("connection_id_column", Column::connection_id),
    column("keepalive_column", Column::keepalive),
    column("partition_column", Column::partition),
    column("last_modified_column", Column::last_modified),
    ignored("db_insert_update", "Insert or update on duplicate keys.", kByRuid),
    ignored("db_update_as_insert", "Insert instead of update.", kByRuid),
    ignored("db_check_update", "Insert if an update changed nothing.", kByRuid),
    ignored("db_ops_ruid", "Rows are found by ruid.", kByRuid),
    ignored("db_insert_null", "Whether absent values are written as NULL.", "has no effect: they are"),
    ignored("db_raw_fetch_type", "Kind of raw query in DB-only mode.", "has no effect"),
    ignored("fetch_rows", "Rows fetched at once at start.", "has no effect: rows are read one by one"),
    number("rm_expired_delay", settings.rm_expired_delay, 0, 86400,
           "How long contacts that have expired are kept: they are found no more, but shown, and told of when they go.",
           "seconds"),
    ignored("version_table", "Whether the version of the table is checked.", "has no effect: it is not"),
    ignored("load_rank", "Which process loads the contacts.",
            "has no effect: they are loaded before any process starts"),
    number(
        "ka_mode", settings.ka_mode, 0, 7,
        "Whether requests are sent to contacts, once per timer_interval, to keep bindings of NATs open and to see who "
        "answers: 1 to all, 2 to those with nat_bflag, 4 to those over UDP; 6 to those with both."),
    words("ka_method", settings.ka_method, check_method, "Method of these requests."),
    words("ka_from", settings.ka_from, check_uri, "URI in their From."),
    words("ka_domain", settings.ka_domain, check_host,
          "Domain in their To; with use_domain that of the address of record."),
    number("ka_filter", settings.ka_filter, 0, 1, "1: only to contacts that have our server_id."),
    number(
        "ka_timeout", settings.ka_timeout, 0, INT32_MAX,
        "A contact that such requests go to is removed when it has neither answered nor registered for that long; 0: "
        "never.",
        "seconds"),
    number("ka_loglevel", settings.ka_loglevel, -5, 255,
           "Level of the line that is logged for each answer, -5 to 3; 255: none."),
    {.name = "ka_logmsg",
     .kind = ParamKind::text,
     .text = &settings.ka_logmsg,
     .help = "What that line has behind round-trip time and ruid; with variables, those of the answer."},
    ignored_text("xavp_contact", "XAVP whose values are kept with a contact.",
                 "has no effect: attributes of contacts are not kept"),
};

}  // namespace

std::span<const Param> params() { return kParams; }

}  // namespace kahu::usrloc
