// rpc/list_methods.h -- methods whose answer is an array even if it has one element or none.
//
// WHY    binrpc has no such difference, JSON has: clients index the result of core.psx whatever is in it. The list is
//        what Kamailio 5.6.3 answers, and our own lists.
#pragma once
#include <algorithm>
#include <string_view>

namespace kahu::rpc {

// clang-format off
inline constexpr std::string_view kListMethods[] = {
    "auth_db.user_list", "cfg.list", "cnt.grps_list", "cnt.list_groups", "cnt.list_vars", "cnt.var_list", "core.arg", "core.deaths",
    "core.echo",
    "core.modules", "core.ppdefines", "core.ppdefines_full", "core.printi", "core.printl", "core.prints", "core.ps",
    "core.psa", "core.psx", "core.pwd", "core.sockets_list", "core.tcp_list", "corex.list_aliases",
    "corex.list_sockets", "ctl.listen", "ctl.who", "dbg.ls", "dns.view", "dst_blocklist.view", "htable.dump",
    "htable.listTables", "htable.stats", "jsonrpc.echo", "mod.mem_stats", "mod.mem_statsx", "mod.stats", "pkg.stats",
    "stats.clear_statistics", "stats.get_statistics", "system.listMethods", "tls.list", "tm.list", "ul.db_contacts",
    "ul.db_expired_contacts",
};
// clang-format on
static_assert(std::is_sorted(std::begin(kListMethods), std::end(kListMethods)), "looked up by halving");

inline bool always_lists(std::string_view method) {
    return std::binary_search(std::begin(kListMethods), std::end(kListMethods), method);
}

}  // namespace kahu::rpc
