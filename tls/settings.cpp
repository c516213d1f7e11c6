#include "tls/settings.h"

#include <utility>

#include "core/net/listener.h"

namespace kahu::tls {

TextSetting config;
TextSetting session_id{"kahu"};
IntSetting tls_allow_obsolete{0};
IntSetting tls_log{3}, tls_debug{3};
IntSetting tls_force_run{0};
IntSetting ssl_release_buffers{1}, ssl_freelist_max_len{0}, ssl_max_send_fragment{-1}, ssl_read_ahead{0};
IntSetting tls_disable_compression{1};
IntSetting low_mem_threshold1{-1}, low_mem_threshold2{-1};
IntSetting ct_wq_max{10 * 1024 * 1024}, con_ct_wq_max{64 * 1024}, ct_wq_blk_size{4096};

namespace {

std::string g_main_config_directory;
// As written: tls_method can only be judged once tls_allow_obsolete is known.
std::vector<std::pair<std::string, std::string>> g_profile_parameters;

Status read_parameters(Domain& domain, std::vector<std::string>& warnings) {
    const ParseOptions options{tls_allow_obsolete != 0};
    Status first;
    domain.where = "parameters of module tls";
    for (const auto& [attribute, value] : g_profile_parameters)
        if (Status set = set_attribute(domain, attribute, value, options, warnings); !set && first)
            first = std::move(set).error().context("modparam tls");
    return first;
}

}  // namespace

void set_main_config_directory(std::string directory) { g_main_config_directory = std::move(directory); }

void set_profile_parameter(std::string_view attribute, std::string_view value) {
    g_profile_parameters.emplace_back(attribute, value);
}

Domain parameter_domain() {
    Domain domain;
    std::vector<std::string> warnings;
    (void)static_cast<bool>(read_parameters(domain, warnings));
    return domain;
}

Result<LoadOptions> load_options(std::vector<std::string>& warnings) {
    LoadOptions options;
    options.config = config.get();
    options.base_directory = g_main_config_directory;
    options.allow_obsolete = tls_allow_obsolete != 0;
    if (Status read = read_parameters(options.parameters, warnings); !read) return std::move(read).error();
    if (!options.config.empty()) warnings.clear();  // the parameters are not used then
    for (const net::Listener& listener : net::listeners())
        if (listener.transport == Transport::tls) options.listeners.push_back(listener.address);
    return options;
}

}  // namespace kahu::tls
