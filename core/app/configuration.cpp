#include "core/app/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "core/app/modules.h"
#include "core/base/file_check.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/config/apply_settings.h"
#include "core/config/parse.h"
#include "core/config/runtime_cfg.h"
#include "core/net/listener.h"
#include "core/net/settings.h"
#include "core/proc/daemon.h"
#include "core/proc/settings.h"
#include "core/script/params.h"
#include "rpc/server_facts.h"
#include "tls/settings.h"

namespace kahu::app {
namespace {

constexpr std::string_view kDefaultName = "built-in kahu.cfg";

class Loader {
  public:
    explicit Loader(const Options& options) : options_(options), made_(std::make_unique<Configuration>()) {}

    Result<std::unique_ptr<Configuration>> load() {
        if (Status parsed = parse(); !parsed) return std::move(parsed).error();
        load_modules();
        apply();
        if (Status overridden = override_settings(); !overridden) return std::move(overridden).error();
        if (found_.failed()) {
            compile();  // for what is wrong there, too
            return everything_found();
        }
        set_paths();
        if (Status planned = plan(); !planned) return std::move(planned).error();
        check_modules();
        if (options_.check_only && !found_.failed()) check_files();
        compile();
        if (found_.failed()) return everything_found();
        config::runtime_cfg().remember_configured();
        log_warnings();
        return std::move(made_);
    }

  private:
    Status parse() {
        config::ParseOptions how;
        how.defines = options_.defines;
        how.subst = options_.subst;
        how.substdef = options_.substdef;
        how.substdefs = options_.substdefs;
        made_->file = options_.config_file.empty() ? std::string(kDefaultName) : options_.config_file;
        auto ast = options_.config_file.empty()
                       ? config::parse_text(embedded_configuration(), kDefaultName, how, found_)
                       : config::parse_file(options_.config_file, how, found_);
        if (!ast) return found_.failed() ? everything_found() : std::move(ast).error();
        made_->ast = std::move(*ast);
        made_->as_kamailio = made_->ast.script_type == config::ScriptType::kamailio;
        return {};
    }

    void load_modules() {
        for (const std::string& name : options_.load_modules) load_module(config::LoadModule{.path = name}.name(), {});
        for (const config::LoadModule& statement : made_->ast.modules) load_module(statement.name(), statement.at);
    }
    void load_module(const std::string& name, const config::Location& at) {
        if (const ModuleDescriptor* module = find_module(name)) {
            add_loaded(*module);
            return;
        }
        std::vector<std::string_view> known;
        for (const ModuleDescriptor* module : all_modules()) known.push_back(module->name);
        const std::string_view near = text::nearest(name, known);
        const std::string_view kind = name.starts_with("db_") ? "db_" : "";
        std::erase_if(known, [kind](std::string_view one) { return !one.starts_with(kind); });
        std::ranges::sort(known);
        found_.error(at, fmt::format("module '{}' is not part of this version of Kahu", name),
                     near.empty() ? fmt::format("{}: {}", kind.empty() ? "modules" : "databases", fmt::join(known, " "))
                                  : fmt::format("did you mean '{}'?", near));
    }

    void apply() {
        std::vector<std::span<const Param>> tables;
        for (const CoreTable& table : core_tables()) tables.push_back(table.rows);
        config::apply_settings(made_->ast, tables, found_);
        config::apply_modparams(made_->ast, loaded_modules(), found_);
        register_runtime_variables();
    }

    // What cfg.* shows and changes.
    void register_runtime_variables() {
        config::RuntimeCfg& cfg = config::runtime_cfg();
        for (const CoreTable& table : core_tables()) cfg.add_rows(table.group, table.rows);
        for (const ModuleDescriptor* module : loaded_modules())
            cfg.add_rows(config::group_of_module(module->name), module->params);
        cfg.add_custom(made_->ast, found_);
    }

    // What the command line says goes before the file.
    Status override_settings() {
        auto& net = net::settings;
        auto& proc = proc::settings;
        if (options_.udp_children != 0) net.children.set(options_.udp_children);
        if (options_.tcp_children != 0) net.tcp_children.set(options_.tcp_children);
        if (options_.server_id != 0) script::params::server_id.set(options_.server_id);
        if (options_.no_tcp) net.disable_tcp.set(1);
        if (!options_.auto_aliases.empty()) net.auto_aliases.set(text::iequals(options_.auto_aliases, "yes"));
        if (options_.shm_megabytes != 0) proc.shm_mem_size.set(options_.shm_megabytes);
        if (options_.stderr_log || options_.log_engine == "stderr") proc.log_stderror.set(1);
        if (options_.log_engine == "syslog") proc.log_stderror.set(0);
        const std::pair<const std::string*, TextSetting*> texts[] = {
            {&options_.user, &proc.user},       {&options_.group, &proc.group},   {&options_.pid_file, &proc.pid_file},
            {&options_.workdir, &proc.workdir}, {&options_.chroot, &proc.chroot}, {&options_.rundir, &proc.rundir},
        };
        for (const auto& [given, setting] : texts)
            if (!given->empty() && !setting->set(*given))
                return Error{Errc::invalid, "an argument is longer than 503 bytes: " + *given, ""};
        if (!options_.debug_level.empty()) {
            const auto level = text::to_int(options_.debug_level);
            if (!level || *level < -5 || *level > 3)
                return Error{Errc::invalid, "--debug=" + options_.debug_level + " is not valid", "expected -5 to 3"};
            proc.debug.set(*level);
        }
        if (options_.more_debug > 0) proc.debug.set(std::min<int64_t>(3, proc.debug + options_.more_debug));
        return apply_option_modparams();
    }

    Status apply_option_modparams() {
        for (const std::string& given : options_.modparams) {
            const auto fields = text::split(given, ':');
            if (fields.size() < 4 || (fields[2] != "s" && fields[2] != "i"))
                return Error{Errc::invalid, "--modparam=" + given + " is not valid",
                             "expected MODULE:NAME:TYPE:VALUE with TYPE s or i"};
            const ModuleDescriptor* module = is_loaded(fields[0]) ? find_module(fields[0]) : nullptr;
            if (module == nullptr)
                return Error{Errc::not_found, fmt::format("--modparam={}: module {} is not loaded", given, fields[0]),
                             ""};
            const auto row = std::find_if(module->params.begin(), module->params.end(),
                                          [&](const Param& p) { return p.name == fields[1]; });
            if (row == module->params.end())
                return Error{Errc::not_found,
                             fmt::format("--modparam={}: module {} has no parameter {}", given, fields[0], fields[1]),
                             ""};
            const std::string value(
                std::string_view(given).substr(static_cast<size_t>(fields[3].data() - given.data())));
            const auto number = text::to_int(value, 0);
            if (fields[2] == "i" && !number)
                return Error{Errc::invalid, "--modparam=" + given + ": the value is not a number", ""};
            if (Status applied = kahu::apply(*row, fields[2] == "i" ? ParamValue(*number) : ParamValue(value));
                !applied)
                return std::move(applied).error().context("--modparam=" + given);
        }
        return {};
    }

    void set_paths() {
        namespace fs = std::filesystem;
        std::error_code ignored;
        made_->directory = options_.config_file.empty() || options_.config_file == "-"
                               ? "/etc/kahu"
                               : fs::absolute(options_.config_file, ignored).parent_path().string();
        const std::string& given = proc::settings.rundir.get();
        made_->run_directory = !given.empty() ? given : made_->as_kamailio ? "/run/kamailio" : "/run/kahu";
        tls::set_main_config_directory(made_->directory);
        rpc::ServerFacts& facts = rpc::server_facts();
        facts.run_directory = made_->run_directory;
        facts.as_kamailio = made_->as_kamailio;
    }

    // --- listeners ----------------------------------------------------------------------------------
    Result<net::ListenSpec> spec_of(const config::SocketStatement& s, const std::string& where) {
        net::ListenSpec spec;
        spec.where = where;
        if (s.transport.empty()) spec.any_transport = true;
        else if (const auto transport = transport_named(s.transport)) spec.transport = *transport;
        else
            return Error{Errc::unsupported, where + ": transport '" + s.transport + "' is not supported",
                         "use udp, tcp or tls"};
        spec.host = s.host;
        spec.port = static_cast<uint16_t>(s.port);
        spec.advertise_host = s.advertise_host;
        spec.advertise_port = static_cast<uint16_t>(s.advertise_port);
        spec.name = s.name;
        spec.is_virtual = s.is_virtual;
        spec.workers = static_cast<int>(s.workers);
        return spec;
    }

    Status plan() {
        std::vector<net::ListenSpec> specs;
        std::vector<std::pair<std::string, config::Location>> places;
        for (const config::SocketStatement& statement : given_sockets()) {
            const std::string where = statement.at.line != 0 ? made_->ast.files.text(statement.at) : "option -l";
            places.emplace_back(where + ": ", statement.at);
            auto spec = spec_of(statement, where);
            if (!spec) return std::move(spec).error();
            specs.push_back(std::move(*spec));
        }
        const bool tcp = net::settings.disable_tcp == 0;
        const bool tls = tcp && net::settings.enable_tls != 0;
        if (tls && !is_loaded("tls"))
            return Error{Errc::invalid, made_->file + ": enable_tls=yes needs the tls module",
                         "add loadmodule \"tls.so\""};
        if (Status planned = net::plan_listeners(specs, tcp, tls); !planned) return planned;
        if (Status present = net::check_addresses(); !present) {
            if (!options_.check_only) return present;  // the file may be for another machine
            Error why = std::move(present).error();
            config::Location at{};
            for (const auto& [where, place] : places)
                if (why.what.starts_with(where)) {
                    at = place;
                    why.what.erase(0, where.size());
                    break;
                }
            found_.warning(at, why.what, why.hint);
        }
        add_aliases();
        if (net::settings.auto_aliases != 0 && !options_.check_only) net::add_names_of_listeners();
        return proc::check_identity(identity());
    }

    // socket_workers= is about the one listen= that comes next.
    void give_socket_workers(std::vector<config::SocketStatement>& sockets) {
        for (const config::Setting& setting : made_->ast.settings) {
            const auto* workers = std::get_if<int64_t>(&setting.value);
            if (setting.name != "socket_workers" || workers == nullptr) continue;
            const auto next = std::ranges::find_if(sockets, [&](const auto& s) { return s.order > setting.order; });
            if (next != sockets.end()) next->workers = *workers;
        }
    }

    std::vector<config::SocketStatement> given_sockets() {
        std::vector<config::SocketStatement> sockets = std::move(made_->ast.sockets);
        give_socket_workers(sockets);
        for (const std::string& given : options_.listen) {
            config::Diagnostics wrong;
            auto ast = config::parse_text("listen=" + given + "\n", "option -l", {}, wrong);
            if (!ast || ast->sockets.empty())
                found_.error({}, "option -l " + given + " is not an address",
                             "expected [udp:|tcp:|tls:]address[:port]");
            else
                for (auto& socket : ast->sockets) {
                    socket.at = {};
                    sockets.push_back(std::move(socket));
                }
        }
        return sockets;
    }

    void add_aliases() {
        const auto add = [](const config::AliasStatement& statement) {
            net::Alias alias;
            if (const auto transport = transport_named(statement.transport)) {
                alias.transport_given = true;
                alias.transport = *transport;
            }
            alias.host = text::lowered(statement.host);
            alias.port = static_cast<uint16_t>(statement.port);
            net::aliases().push_back(std::move(alias));
        };
        for (const config::AliasStatement& statement : made_->ast.aliases) add(statement);
        for (const std::string& given : options_.alias) {
            config::Diagnostics wrong;
            auto ast = config::parse_text("alias=" + given + "\n", "option --alias", {}, wrong);
            if (ast)
                for (const auto& statement : ast->aliases) add(statement);
        }
    }

    static proc::Identity identity() {
        const auto& s = proc::settings;
        return {s.user.get(), s.group.get(), s.chroot.get(), s.workdir.get()};
    }

    void check_modules() {
        for (const ModuleDescriptor* module : loaded_modules()) {
            if (!module->hooks.check) continue;
            if (Status checked = module->hooks.check(); !checked)
                found_.error(place_of(*module, checked.error().what),
                             fmt::format("module {}: {}", module->name, checked.error().what), checked.error().hint);
        }
    }
    // Warnings: another user may start the server, on another machine.
    void check_files() {
        for (const std::string& path : {proc::settings.pid_file.get(), options_.group_pid_file})
            if (!path.empty()) check_file({path}, {}, "");
        for (const ModuleDescriptor* module : loaded_modules())
            if (module->hooks.files)
                for (const WantedFile& file : module->hooks.files())
                    check_file(file, place_of(*module, file.path), fmt::format("module {}: ", module->name));
    }
    void check_file(const WantedFile& file, const config::Location& at, std::string_view who) {
        namespace fs = std::filesystem;
        const bool makes_folder = file.makes_folder || fs::path(file.path).parent_path() == made_->run_directory;
        if (Status may = may_make_file(file.path, makes_folder); !may)
            found_.warning(at, fmt::format("{}{}", who, may.error().what), may.error().hint);
    }
    // Of the modparam whose name or value the text speaks of, or that holds it; none: it speaks of a default.
    config::Location place_of(const ModuleDescriptor& module, std::string_view text) const {
        config::Location at{};
        for (const config::ModParam& given : made_->ast.modparams) {
            const auto* const value = std::get_if<std::string>(&given.value);
            const bool valued = value != nullptr && !value->empty() &&
                                (text.find(*value) != text.npos || value->find(text) != value->npos);
            if (given.modules == module.name && (valued || has_word(text, given.name))) at = given.at;
        }
        return at;
    }
    static bool has_word(std::string_view text, std::string_view word) {
        const auto part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
        for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
            const size_t end = at + word.size();
            if ((at == 0 || !part(text[at - 1])) && (end == text.size() || !part(text[end]))) return true;
        }
        return false;
    }

    // --- script -------------------------------------------------------------------------------------
    void compile() { made_->program = script::Program::compile(made_->ast, {loaded_modules(), all_modules()}, found_); }

    Error everything_found() {
        found_.files = made_->ast.files.names().empty() ? found_.files : made_->ast.files;
        std::string all = found_.text();
        while (!all.empty() && all.back() == '\n') all.pop_back();
        return {Errc::invalid, all, ""};
    }
    void log_warnings() {
        found_.files = made_->ast.files;
        for (const config::Diagnostic& d : found_.all()) {
            if (options_.check_only) fmt::print(stderr, "{}\n", found_.text(d));
            else log::emit_text(log::Level::warn, found_.text(d));
        }
    }

    const Options& options_;
    std::unique_ptr<Configuration> made_;
    config::Diagnostics found_;
};

}  // namespace

Result<std::unique_ptr<Configuration>> load_configuration(const Options& options) { return Loader(options).load(); }

}  // namespace kahu::app
