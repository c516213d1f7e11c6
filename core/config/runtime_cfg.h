// core/config/runtime_cfg.h -- parameters by group and name, as `cfg.*` commands and $sel(cfg_get.group.name) see them.
//
// WHY    Operators look at and change parameters while the server runs. The rows are the ones the configuration file is
//        applied to: this adds names, pending changes and the way back, no second list.
// LIVES  The registry is filled once, before the first fork; every process has a copy. Values are in the rows'
//        settings, which all processes share. Pending (delayed) changes and the instances of groups exist in the
//        process that executes the commands (rpc): they end with it.
// LOCKS  None: one process writes.
// FAILS  Errors say what is wrong with name or value. commit() applies all pending changes or none.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/ast.h"
#include "core/config/diagnostic.h"
#include "core/module/descriptor.h"

namespace kahu::config {

// The group of a module's parameters: its name, but for those that Kamailio calls otherwise there.
std::string_view group_of_module(std::string_view module);

// "pstn" or, with an instance, "pstn[5]".
struct GroupName {
    std::string group;
    std::optional<int64_t> instance;
};
// nullopt: neither "name" nor "name[number]".
std::optional<GroupName> parse_group(std::string_view text);

struct CfgVariable {
    std::string name;  // within its group: "connection_lifetime"
    const Param* row = nullptr;
    ParamValue configured{};  // what reset() returns to
    bool is_text() const { return row->kind == ParamKind::text; }
};

struct CfgGroup {
    std::string name;
    std::vector<CfgVariable> variables;
};

struct PendingChange {
    GroupName group;
    std::string name;
    std::optional<ParamValue> value;  // none: the instance's own value is deleted
};

class RuntimeCfg {
  public:
    // Kamailio's names leave a group's own prefix out: row tcp_connection_lifetime in group tcp is connection_lifetime;
    // the full name is understood too. Rows without effect (with a remark) are not shown.
    // REQUIRES: the rows outlive the registry.
    void add_rows(std::string_view group, std::span<const Param> rows);
    // `group.id = value desc "..."` of the configuration: sets a row that exists, else makes one.
    void add_custom(const Ast& ast, Diagnostics& diagnostics);
    // After the configuration was applied: reset() goes back to what is set now.
    void remember_configured();
    // The rows that add_custom() made: their settings must be shared between the processes, as all others.
    const std::deque<Param>& custom_rows() const { return custom_rows_; }

    std::span<const CfgGroup> groups() const { return groups_; }
    const CfgGroup* find_group(std::string_view name) const;
    const CfgVariable* find(std::string_view group, std::string_view name) const;

    // nullopt: no such variable or instance, or one that has no value of its own (repeatable parameters).
    std::optional<ParamValue> get(const GroupName& group, std::string_view name) const;
    Status set_now(const GroupName& group, std::string_view name, const ParamValue& value);
    Status reset(std::string_view group);                         // all variables of a group, at once
    Status erase(const GroupName& group, std::string_view name);  // an instance's own value

    Status set_delayed(const GroupName& group, std::string_view name, const ParamValue& value);
    Status erase_delayed(const GroupName& group, std::string_view name);
    const std::vector<PendingChange>& pending() const { return pending_; }
    Status commit();
    void rollback() { pending_.clear(); }

    Status add_instance(const GroupName& group);
    Status remove_instance(const GroupName& group);

    // For tests; the server has one for its life.
    void clear();

  private:
    static constexpr size_t kMaxPending = 1000;
    static constexpr size_t kMaxInstances = 1000;

    using Instance = std::map<std::string, ParamValue, std::less<>>;  // variable name to its own value
    CfgGroup& group_named(std::string_view name);
    const Instance* find_instance(const GroupName& group) const;
    Result<const CfgVariable*> writable(const GroupName& group, std::string_view name) const;
    Status check(const GroupName& group, std::string_view name, const ParamValue& value) const;
    Status apply_change(const PendingChange& change);
    std::optional<ParamValue> own_value(const GroupName& group, std::string_view name) const;
    void add_custom_row(const CustomSetting& setting);

    std::vector<CfgGroup> groups_;
    std::map<std::pair<std::string, int64_t>, Instance> instances_;
    std::vector<PendingChange> pending_;
    std::deque<Param> custom_rows_;
    std::deque<IntSetting> custom_numbers_;
    std::deque<TextSetting> custom_texts_;
    std::deque<std::string> custom_names_;
};

RuntimeCfg& runtime_cfg();

}  // namespace kahu::config
