// core/net/dns_settings.h -- the parameters of name resolution; the table is in dns_settings.cpp.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::net {

struct DnsSettings {
    IntSetting try_naptr{0};
    IntSetting try_ipv6{1};
    IntSetting use_failover{1};
    IntSetting use_cache{1};
    IntSetting use_search_list{1};
    IntSetting retr_time{2};  // seconds
    IntSetting retr_no{2};
    IntSetting cache_min_ttl{0};          // seconds
    IntSetting cache_max_ttl{24 * 3600};  // seconds
    IntSetting cache_negative_ttl{60};    // seconds
    IntSetting slow_query_ms{0};          // milliseconds; 0: not looked at
    TextSetting servers;                  // "127.0.0.1:5353,10.0.0.53"; empty: resolv.conf
};
extern DnsSettings dns_settings;

std::span<const Param> dns_params();

}  // namespace kahu::net
