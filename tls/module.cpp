// The tls module: read this file to know what it offers.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/net/connection_events.h"
#include "core/net/destination.h"
#include "core/net/settings.h"
#include "core/net/tcp_main.h"
#include "core/script/event_route.h"
#include "core/script/onsend.h"
#include "core/script/run.h"
#include "tls/api.h"
#include "tls/channel.h"
#include "tls/context.h"
#include "tls/generation.h"
#include "tls/handshake.h"
#include "tls/low_memory.h"
#include "tls/peer_info.h"
#include "tls/session_cache.h"
#include "tls/settings.h"
#include "tls/shared_openssl.h"
#include "tls/static_audit.h"
#include "tls/ticket_keys.h"
#include "tls/tls_rpc.h"
#include "tls/tls_variables.h"

namespace kahu::tls {
namespace {

constexpr Applies kRuntime = Applies::at_runtime;
using enum ParamKind;

// --- parameters that describe the default profiles -----------------------------------------------------------
struct AttributeName {
    char text[32] = {};
    constexpr AttributeName(const char* from) {
        for (size_t i = 0; i + 1 < sizeof text && from[i] != '\0'; ++i) text[i] = from[i];
    }
};
// Judged by load_options(), when all parameters are known.
template <AttributeName Name>
Status keep(const ParamValue& value) {
    const auto* number = std::get_if<int64_t>(&value);
    set_profile_parameter(Name.text, number != nullptr ? std::to_string(*number) : std::get<std::string>(value));
    return {};
}

Status positive_or_default(const ParamValue& value) {
    const auto* number = std::get_if<int64_t>(&value);
    if (number == nullptr || *number == -1 || *number >= 512) return {};
    return Error{Errc::invalid, fmt::format("ssl_max_send_fragment = {} is not valid", *number),
                 "expected -1, or 512 to 16384 bytes"};
}

constexpr std::string_view kNoEngines =
    "has no effect: keys are read from files, engines and hardware modules are not used";
constexpr std::string_view kOwnQueues =
    "has no effect: tcp_conn_wq_max and tcp_wq_max bound what waits for a handshake too";
constexpr std::string_view kOneLog = "has no effect: log levels are those of debug=";

// clang-format off
const Param kParams[] = {
    {.name = "config", .kind = text, .text = &config,
     .help = "File of TLS profiles (tls.cfg(5)), or a directory whose *.cfg files are read in order of their names. With it, the parameters that describe a profile are not used.", .applies = kRuntime},
    {.name = "tls_method", .kind = custom, .accept = keep<"method">,
     .help = "Protocol versions: TLSv1.2, TLSv1.2+, TLSv1.3 or TLSv1.3+.", .default_text = "TLSv1.2+"},
    {.name = "tls_allow_obsolete", .kind = boolean, .number = &tls_allow_obsolete,
     .help = "Lets method name TLS 1.0 and 1.1, which RFC 8996 deprecates; they also need cipher_list = DEFAULT@SECLEVEL=0."},
    {.name = "certificate", .kind = custom, .accept = keep<"certificate">,
     .help = "Certificate with its chain, in PEM format.", .default_text = "cert.pem"},
    {.name = "private_key", .kind = custom, .accept = keep<"private_key">,
     .help = "Private key of the certificate, in PEM format.", .default_text = "the certificate file"},
    {.name = "private_key_password", .kind = custom, .accept = keep<"private_key_password">, .help = "Opens an encrypted private key."},
    {.name = "certificate2", .kind = custom, .accept = keep<"certificate2">, .help = "A second certificate of another key type."},
    {.name = "private_key2", .kind = custom, .accept = keep<"private_key2">, .help = "Private key of certificate2."},
    {.name = "private_key_password2", .kind = custom, .accept = keep<"private_key_password2">, .help = "Opens an encrypted private_key2."},
    {.name = "ca_list", .kind = custom, .accept = keep<"ca_list">, .help = "Certificates that peers' certificates must lead to, in PEM format."},
    {.name = "ca_path", .kind = custom, .accept = keep<"ca_path">, .help = "Directory of such certificates, named by openssl rehash."},
    {.name = "crl", .kind = custom, .accept = keep<"crl">, .help = "Revocation lists in PEM format, one for every CA of the chain."},
    {.name = "verify_certificate", .kind = custom, .accept = keep<"verify_certificate">,
     .help = "Checks the peer's certificate; clients need not send one.", .default_text = "no"},
    {.name = "require_certificate", .kind = custom, .accept = keep<"require_certificate">,
     .help = "Refuses clients without a valid certificate.", .default_text = "no"},
    {.name = "verify_client", .kind = custom, .accept = keep<"verify_client">,
     .help = "What is asked of clients: off, on, optional or optional_no_ca.", .default_text = "off"},
    {.name = "verify_depth", .kind = custom, .accept = keep<"verify_depth">,
     .help = "Intermediate certificates allowed in a peer's chain.", .default_text = "9"},
    {.name = "cipher_list", .kind = custom, .accept = keep<"cipher_list">,
     .help = "TLS 1.2 ciphers and TLS 1.3 suites in one list, separated by colons.", .default_text = "OpenSSL's"},
    {.name = "server_name", .kind = custom, .accept = keep<"server_name">, .help = "Server name (SNI) of the default server profile."},

    {.name = "session_cache", .kind = boolean, .number = &session_cache,
     .help = "Resumes sessions by id, from a cache that all processes share. Kamailio's default is no."},
    {.name = "session_cache_size", .number = &session_cache_size, .min = 16, .max = 1 << 24, .unit = "sessions",
     .help = "Sessions kept in the cache; the longest unused give way."},
    {.name = "session_timeout", .number = &session_timeout, .min = 1, .max = 604800, .unit = "seconds",
     .help = "Sessions and tickets older than this are not resumed.", .applies = kRuntime},
    {.name = "session_id", .kind = text, .text = &session_id,
     .help = "Session id context: servers that share tickets must have the same one."},
    {.name = "session_tickets", .kind = boolean, .number = &session_tickets,
     .help = "Resumes sessions by ticket, with keys that all processes share and that outlive reloads."},
    {.name = "ticket_key_rotation", .number = &ticket_key_rotation, .min = 1, .max = 8760, .unit = "hours",
     .help = "A new ticket key is made this often; older ones still decrypt for session_timeout.", .applies = kRuntime},

    {.name = "handshake_timeout", .number = &net::settings.tls_handshake_timeout, .min = 1, .max = 3600, .unit = "seconds",
     .help = "Time for a TLS handshake to end; the same as the core parameter tls_handshake_timeout.", .applies = kRuntime},
    {.name = "connection_timeout", .number = &net::settings.tls_connection_timeout, .min = -1, .max = 1 << 24, .unit = "seconds",
     .help = "An idle TLS connection over which no SIP message came yet is closed after this time; then tcp_connection_lifetime counts if it is longer.", .applies = kRuntime},
    {.name = "send_close_notify", .kind = boolean, .number = &send_close_notify,
     .help = "Tells the peer with an alert before a connection is closed.", .applies = kRuntime},
    {.name = "ssl_max_send_fragment", .number = &ssl_max_send_fragment, .accept = positive_or_default, .min = -1, .max = 16384, .unit = "bytes",
     .help = "Largest TLS record sent; -1 leaves it to OpenSSL."},
    {.name = "tls_shared_memory", .kind = boolean, .number = &tls_shared_memory,
     .help = "Keeps TLS connections in shared memory, so that they survive the death of their worker."},
    {.name = "rand_engine", .kind = text, .text = &rand_engine,
     .help = "Source of random numbers: cryptorand, the server's own generator for each process, or kxlibssl, OpenSSL's; krand and fastrand mean cryptorand."},
    {.name = "tls_audit", .kind = boolean, .number = &tls_audit,
     .help = "Each process that ends logs how many words of OpenSSL's static data differ from the start; for tests."},

    {.name = "tls_force_run", .kind = boolean, .number = &tls_force_run,
     .help = "Accepted for compatibility.", .remark = "has no effect: an OpenSSL that cannot be shared is used in private memory"},
    {.name = "tls_disable_compression", .kind = boolean, .number = &tls_disable_compression,
     .help = "Accepted for compatibility.", .remark = "has no effect: TLS compression is always off"},
    {.name = "renegotiation", .kind = boolean, .help = "Accepted for compatibility.",
     .remark = "has no effect: renegotiation is always refused"},
    {.name = "ssl_release_buffers", .number = &ssl_release_buffers, .min = -1, .max = 1, .help = "Accepted for compatibility.",
     .remark = "has no effect: buffers of idle connections are always released"},
    {.name = "ssl_freelist_max_len", .number = &ssl_freelist_max_len, .min = -1, .help = "Accepted for compatibility.",
     .remark = "has no effect: this OpenSSL has no free lists"},
    {.name = "ssl_read_ahead", .number = &ssl_read_ahead, .min = -1, .max = 1, .help = "Accepted for compatibility.",
     .remark = "has no effect: records are read from memory"},
    {.name = "tls_log", .number = &tls_log, .help = "Accepted for compatibility.", .applies = kRuntime, .remark = kOneLog},
    {.name = "tls_debug", .number = &tls_debug, .help = "Accepted for compatibility.", .applies = kRuntime, .remark = kOneLog},
    {.name = "low_mem_threshold1", .number = &low_mem_threshold1, .min = -1, .unit = "KB", .help = "Free shared memory below which new TLS connections are refused; 0 is off, -1 takes an eighth of the segment, at most 16 MB.", .applies = kRuntime},
    {.name = "low_mem_threshold2", .number = &low_mem_threshold2, .min = -1, .unit = "KB", .help = "Free shared memory below which nothing is done on open TLS connections either: they end when they are used. 0 and -1 are off, for low_mem_threshold1 keeps memory for them.", .applies = kRuntime},
    {.name = "ct_wq_max", .number = &ct_wq_max, .min = 0, .unit = "bytes", .help = "Accepted for compatibility.", .applies = kRuntime, .remark = kOwnQueues},
    {.name = "con_ct_wq_max", .number = &con_ct_wq_max, .min = 0, .unit = "bytes", .help = "Accepted for compatibility.", .applies = kRuntime, .remark = kOwnQueues},
    {.name = "ct_wq_blk_size", .number = &ct_wq_blk_size, .min = 0, .unit = "bytes", .help = "Accepted for compatibility.", .applies = kRuntime, .remark = kOwnQueues},
    {.name = "engine", .kind = text, .help = "Accepted for compatibility.", .remark = kNoEngines},
    {.name = "engine_config", .kind = text, .help = "Accepted for compatibility.", .remark = kNoEngines},
    {.name = "engine_algorithms", .kind = text, .help = "Accepted for compatibility.", .remark = kNoEngines},
    {.name = "provider_quirks", .help = "Accepted for compatibility.", .remark = kNoEngines},
    {.name = "provider_quirks_config", .kind = text, .help = "Accepted for compatibility.", .remark = kNoEngines},
    {.name = "key_password_mode", .help = "Accepted for compatibility.", .remark = "has no effect: set private_key_password"},
    {.name = "init_mode", .help = "Accepted for compatibility.", .remark = "has no effect: OpenSSL is always prepared for the fork"},
    {.name = "xavp_cfg", .kind = text, .help = "Accepted for compatibility.",
     .remark = "has no effect: client profiles are chosen by address"},
    {.name = "event_callback", .kind = text, .help = "Accepted for compatibility.",
     .remark = "has no effect: there is no embedded script interpreter"},
    {.name = "keylog_mode", .help = "Accepted for compatibility.", .remark = "has no effect: session keys are never logged"},
    {.name = "keylog_file", .kind = text, .help = "Accepted for compatibility.", .remark = "has no effect: session keys are never logged"},
    {.name = "keylog_peer", .kind = text, .help = "Accepted for compatibility.", .remark = "has no effect: session keys are never logged"},
};
// clang-format on

// --- script functions ------------------------------------------------------------------------------------------
int peer_is_verified(script::Run& run, const script::Args&) {
    if (run.inbound().transport != Transport::tls) return -1;
    const net::Connection* connection = net::find_connection(run.inbound().connection);
    if (connection == nullptr) return -1;
    const auto peer = peer_info(*connection);
    return peer && peer->verified ? 1 : -1;
}

constexpr Function kFunctions[] = {
    {"is_peer_verified", 0, 0, "()",
     "True if the message came over TLS and the peer's certificate was checked and found valid.", kRequestRoute,
     peer_is_verified},
};

// --- life --------------------------------------------------------------------------------------------------------
bool is_enabled() { return net::settings.enable_tls != 0 && net::settings.disable_tcp == 0; }

Status check() {
    if (!is_enabled()) {
        LOG(warn, "tls.disabled", kv("reason", "module tls is loaded but enable_tls=yes is not set: TLS is off"));
        return {};
    }
    return in_throwaway_process([]() -> Status {
        auto checked = check_configuration();
        if (!checked) return std::move(checked).error();
        for (const std::string& warning : checked->warnings) LOG(warn, "tls.configuration", kv("warning", warning));
        return {};
    });
}

std::span<const mem::Part> parts() {
    static std::vector<mem::Part> wanted;
    wanted.clear();
    if (is_enabled())
        wanted = {shared_openssl_part(), generation_part(), context_part(), session_cache_part(), ticket_keys_part()};
    return wanted;
}

// check() has logged the warnings.
constexpr std::string_view kConnectionOut = "tls:connection-out";
bool ask_script(net::ConnectionId id, const net::Connection& connection) {
    net::Destination to;
    to.transport = connection.transport;
    to.listener = connection.listener;
    to.connection = id;
    to.address = connection.peer;
    const script::Sending sending{&to, {}};
    bool dropped = false;
    (void)script::run_event_route(kConnectionOut,
                                  {connection.transport, connection.peer, connection.local, connection.listener, id},
                                  &sending, &dropped);
    if (dropped)
        LOG_AT_MOST(5, info, "tls.connection_refused", kv("peer", connection.peer.text()),
                    kv("why", "event_route[tls:connection-out]"));
    return !dropped;
}

Status start() {
    if (!is_enabled()) return {};
    if (Status booted = boot_openssl(tls_shared_memory != 0); !booted) return booted;
    prepare_contexts();
    if (auto loaded = load_and_publish(); !loaded) return std::move(loaded).error();
    net::set_secure_channel(&secure_channel());
    net::set_admission(why_no_memory);
    if (script::has_event_route(kConnectionOut)) net::set_outgoing_filter(ask_script);
    return {};
}

Status process_start(ProcessKind kind) {
    if (!is_enabled()) return {};
    if (Status entered = enter_openssl_process(); !entered) return entered;
    adopt_contexts();
    if (kind == ProcessKind::rpc) recover_generations();
    return {};
}

void process_stop(ProcessKind) {
    if (!is_enabled()) return;
    drop_contexts();
    leave_openssl_process();
}

constexpr std::string_view kDescription =
    "Secures SIP with TLS 1.2 and 1.3. The module must be loaded and the core parameter enable_tls be set.\n\n"
    "Certificates and the rules for each address and server name are given either by this module's parameters, or in a "
    "file of "
    "profiles named by config; tls.cfg(5) describes it. File names that begin with / are absolute, those that begin "
    "with . are "
    "relative to the working directory, all others to the directory of the main configuration file.\n\n"
    "kahucmd tls.reload reads everything again. The new configuration is proven completely before it is put in force, "
    "with one "
    "step that no connection notices; if anything in it does not work, the answer says what, where and what to do, and "
    "the old one "
    "serves on. tls.check only proves. Connections that are open keep the certificates they were made with. Sessions "
    "and tickets "
    "outlive reloads.";

std::vector<Counter> all_counters() {
    std::vector<Counter> all(handshake_counters().begin(), handshake_counters().end());
    all.insert(all.end(), reload_counters().begin(), reload_counters().end());
    return all;
}
const std::vector<Counter> g_counters = all_counters();

}  // namespace

const ModuleDescriptor kModule{
    .name = "tls",
    .summary = "TLS transport for SIP.",
    .params = kParams,
    .functions = kFunctions,
    .variables = tls_variables(),
    .commands = tls_commands(),
    .counters = g_counters,
    .hooks = {.check = check,
              .parts = parts,
              .start = start,
              .process_start = process_start,
              .each_second = every_second,
              .process_stop = process_stop},
    .description = kDescription,
};

void every_second(ProcessKind kind) {
    if (!is_enabled()) return;
    if (kind == ProcessKind::timer) rotate_ticket_keys();
    if (kind == ProcessKind::rpc) recover_generations();
    tidy_contexts();
}

}  // namespace kahu::tls
