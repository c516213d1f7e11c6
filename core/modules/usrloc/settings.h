// core/modules/usrloc/settings.h -- usrloc's parameters, as its other files read them.
#pragma once
#include <array>
#include <cstdint>

#include "core/module/descriptor.h"

namespace kahu::usrloc {

enum class DbMode : uint8_t { none, write_through, write_back, db_only };

enum class Column : uint8_t {
    ruid,
    username,
    domain,
    contact,
    received,
    path,
    expires,
    q,
    callid,
    cseq,
    last_modified,
    flags,
    cflags,
    user_agent,
    socket,
    methods,
    instance,
    reg_id,
    server_id,
    connection_id,
    keepalive,
    partition,
    count_
};
inline constexpr size_t kColumns = static_cast<size_t>(Column::count_);

struct Settings {
    IntSetting hash_size{10};
    IntSetting timer_interval{60};
    IntSetting rm_expired_delay{0};  // seconds
    IntSetting db_mode{0};
    IntSetting db_load{1};
    IntSetting db_timer_clean{0};
    IntSetting use_domain{0};
    IntSetting desc_time_order{0};
    IntSetting matching_mode{0};
    IntSetting cseq_delay{20};
    IntSetting handle_lost_tcp{0};
    IntSetting close_expired_tcp{0};
    IntSetting expires_type{0};
    IntSetting skip_remote_socket{0};
    IntSetting server_id_filter{0};
    IntSetting db_clean_tcp{0};
    IntSetting nat_bflag{-1};
    IntSetting ka_mode{0}, ka_filter{0}, ka_timeout{0}, ka_loglevel{255};
    TextSetting ka_method{"OPTIONS"}, ka_from{"sip:server@kamailio.org"}, ka_domain{"kamailio.org"};
    TextSetting ka_logmsg{" to-uri: [$tu] remote-addr: [$sas]"};
    IntSetting ignored{0};
    TextSetting db_url{"mysql://kamailio:kamailiorw@localhost/kamailio"};
    TextSetting ignored_text{};
    std::array<TextSetting, kColumns> columns{
        TextSetting("ruid"),      TextSetting("username"),   TextSetting("domain"),        TextSetting("contact"),
        TextSetting("received"),  TextSetting("path"),       TextSetting("expires"),       TextSetting("q"),
        TextSetting("callid"),    TextSetting("cseq"),       TextSetting("last_modified"), TextSetting("flags"),
        TextSetting("cflags"),    TextSetting("user_agent"), TextSetting("socket"),        TextSetting("methods"),
        TextSetting("instance"),  TextSetting("reg_id"),     TextSetting("server_id"),     TextSetting("connection_id"),
        TextSetting("keepalive"), TextSetting("partition")};
    DbMode mode() const { return static_cast<DbMode>(db_mode.get()); }
    const std::string& column(Column which) const { return columns[static_cast<size_t>(which)].get(); }
};
extern Settings settings;
std::span<const Param> params();

}  // namespace kahu::usrloc
