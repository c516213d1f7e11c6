// core/modules/db_sqlite/module.cpp -- so that loadmodule "db_sqlite.so" is accepted; the driver is core/db/sqlite.cpp.
#include "core/modules/db_sqlite/module.h"

namespace kahu::db_sqlite {
namespace {

constexpr std::string_view kWal = "has no effect: databases are opened for reading and writing, in WAL mode";

const Param kParams[] = {
    {.name = "db_set_readonly",
     .kind = ParamKind::custom,
     .accept = [](const ParamValue&) { return Status{}; },
     .help = "A database to open for reading only.",
     .default_text = "none",
     .remark = kWal},
    {.name = "db_set_journal_mode",
     .kind = ParamKind::custom,
     .accept = [](const ParamValue&) { return Status{}; },
     .help = "Journal mode of a database.",
     .default_text = "WAL",
     .remark = kWal},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "db_sqlite",
    .summary = "SQLite databases.",
    .params = kParams,
    .description =
        "The driver is part of the program: sqlite:///path/to/file may be given as db_url whether this module is "
        "loaded or not.",
};

}  // namespace kahu::db_sqlite
