#include "core/app/modules.h"

#include <algorithm>

#include "core/module/latency.h"
#include "core/modules/acc/module.h"
#include "core/modules/auth/module.h"
#include "core/modules/auth_db/module.h"
#include "core/modules/cfg_rpc/module.h"
#include "core/modules/corex/module.h"
#include "core/modules/counters/module.h"
#include "core/modules/db_sqlite/module.h"
#include "core/modules/debugger/module.h"
#include "core/modules/dlgs/module.h"
#include "core/modules/htable/module.h"
#include "core/modules/jsonrpcs/module.h"
#include "core/modules/kex/module.h"
#include "core/modules/maxfwd/module.h"
#include "core/modules/outbound/module.h"
#include "core/modules/path/module.h"
#include "core/modules/pike/module.h"
#include "core/modules/pv/module.h"
#include "core/modules/registrar/module.h"
#include "core/modules/rr/module.h"
#include "core/modules/sanity/module.h"
#include "core/modules/siputils/module.h"
#include "core/modules/sl/module.h"
#include "core/modules/stun/module.h"
#include "core/modules/tcpops/module.h"
#include "core/modules/textops/module.h"
#include "core/modules/textopsx/module.h"
#include "core/modules/tm/module.h"
#include "core/modules/usrloc/module.h"
#include "core/modules/xlog/module.h"
#include "core/net/blocklist.h"
#include "core/net/dns_settings.h"
#include "core/net/settings.h"
#include "core/proc/settings.h"
#include "core/script/program.h"
#include "rpc/api.h"
#include "tls/api.h"
#include "tls/shared_openssl.h"
#include "tls/static_audit.h"

namespace kahu::app {
namespace {
const ModuleDescriptor* const kModules[] = {
    &rpc::kModule,  // ctl
    &tls::kModule,       &pv::kModule,        &sl::kModule,     &maxfwd::kModule,   &siputils::kModule,
    &textops::kModule,   &xlog::kModule,      &usrloc::kModule, &jsonrpcs::kModule, &debugger::kModule,
    &acc::kModule,       &textopsx::kModule,  &sanity::kModule, &pike::kModule,     &htable::kModule,
    &kex::kModule,       &counters::kModule,  &corex::kModule,  &cfg_rpc::kModule,  &tm::kModule,
    &tm::kTmxModule,     &registrar::kModule, &rr::kModule,     &auth::kModule,     &auth_db::kModule,
    &db_sqlite::kModule, &outbound::kModule,  &path::kModule,   &stun::kModule,     &dlgs::kModule,
    &tcpops::kModule,
};
std::vector<const ModuleDescriptor*> g_loaded;

// The tls module's, under core names: whether TLS state is shared decides how all processes start.
const Param kTlsParams[] = {
    {.name = "tls_shared_memory",
     .kind = ParamKind::boolean,
     .number = &tls::tls_shared_memory,
     .help = "Keeps TLS connections in the shared segment, so that they survive the death of their worker."},
    {.name = "tls_audit",
     .kind = ParamKind::boolean,
     .number = &tls::tls_audit,
     .help = "Each process that ends logs how many words of OpenSSL's static data differ from the start; for tests."},
};
}  // namespace

std::span<const ModuleDescriptor* const> all_modules() { return kModules; }
std::span<const ModuleDescriptor* const> loaded_modules() { return g_loaded; }

const ModuleDescriptor* find_module(std::string_view name) {
    const auto* found =
        std::find_if(std::begin(kModules), std::end(kModules), [&](const auto* m) { return m->name == name; });
    return found == std::end(kModules) ? nullptr : *found;
}
bool is_loaded(std::string_view name) {
    return std::any_of(g_loaded.begin(), g_loaded.end(), [&](const auto* m) { return m->name == name; });
}
void add_loaded(const ModuleDescriptor& module) {
    if (!is_loaded(module.name)) g_loaded.push_back(&module);
}

std::span<const CoreTable> core_tables() {
    static const CoreTable tables[] = {
        {"core", proc::proc_params()},
        {"tcp", net::net_params()},
        {"core", net::dns_params()},
        {"core", net::blocklist_params()},
        {"core", script::script_params()},
        {"core", latency::latency_params()},
        {"tls", kTlsParams},
    };
    return tables;
}

}  // namespace kahu::app
