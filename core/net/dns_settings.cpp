#include "core/net/dns_settings.h"

namespace kahu::net {

DnsSettings dns_settings;

namespace {
using enum ParamKind;
constexpr Applies kRuntime = Applies::at_runtime;

// clang-format off
const Param kParams[] = {
    {.name = "dns_try_naptr", .kind = boolean, .number = &dns_settings.try_naptr,
     .help = "Asks for NAPTR records where a URI names neither port nor transport (RFC 3263 4.1).", .applies = kRuntime},
    {.name = "dns_try_ipv6", .kind = boolean, .number = &dns_settings.try_ipv6,
     .help = "Asks for IPv6 addresses too, if there is a socket to send to them from.", .applies = kRuntime},
    {.name = "use_dns_failover", .kind = boolean, .number = &dns_settings.use_failover,
     .help = "Tries the next server that DNS names when one cannot be reached; no: only the first is tried.", .applies = kRuntime},
    {.name = "dns_failover", .kind = boolean, .number = &dns_settings.use_failover,
     .help = "The same as use_dns_failover.", .applies = kRuntime},
    {.name = "use_dns_cache", .kind = boolean, .number = &dns_settings.use_cache,
     .help = "Keeps answers for their time to live, for all processes.", .applies = kRuntime},
    {.name = "dns_use_search_list", .kind = boolean, .number = &dns_settings.use_search_list,
     .help = "Completes names without a dot by the search list of resolv.conf.", .applies = kRuntime},
    {.name = "dns_retr_time", .number = &dns_settings.retr_time, .min = 0, .max = 60, .unit = "seconds",
     .help = "Time until a name server that does not answer is asked again."},
    {.name = "dns_retr_no", .number = &dns_settings.retr_no, .min = 0, .max = 10,
     .help = "How often each name server is asked."},
    {.name = "dns_cache_min_ttl", .number = &dns_settings.cache_min_ttl, .min = 0, .max = 86400, .unit = "seconds",
     .help = "Answers are kept for at least this time.", .applies = kRuntime},
    {.name = "dns_cache_max_ttl", .number = &dns_settings.cache_max_ttl, .min = 1, .max = 31536000, .unit = "seconds",
     .help = "Answers are kept for no longer than this time.", .applies = kRuntime},
    {.name = "dns_cache_negative_ttl", .number = &dns_settings.cache_negative_ttl, .min = 0, .max = 86400, .unit = "seconds",
     .help = "For how long it is remembered that a name or record does not exist.", .applies = kRuntime},
    {.name = "dns_slow_query_ms", .number = &dns_settings.slow_query_ms, .min = 0, .max = 60000, .unit = "milliseconds",
     .help = "Questions to name servers that take longer are counted and logged; 0 means none is.", .applies = kRuntime},
    {.name = "dns_servers", .kind = text, .text = &dns_settings.servers,
     .help = "Name servers as address[:port], separated by commas; empty means those of resolv.conf."},
};
// clang-format on

}  // namespace

std::span<const Param> dns_params() { return kParams; }

}  // namespace kahu::net
