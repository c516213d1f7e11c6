// core/modules/htable/database.h -- tables that are read from a database, and written back.
//
// WHY    Settings and lists that an administrator keeps in a table, and what must survive a restart.
// LIVES  Read at start by the starting process, on htable.reload by the rpc process; written on htable.store, and by
//        the timer process when the server stops (dbmode=1).
// LOCKS  None but those of Table.
// FAILS  A table that cannot be read keeps what it has.  What cannot be stored (too long, segment full) is an error.
#pragma once
#include <span>

#include "core/module/descriptor.h"
#include "core/modules/htable/table.h"

namespace kahu::htable {

std::span<const Param> database_params();
Status check_database();  // db_url, names of tables and columns
bool wants_database();    // some table has dbtable=
std::string_view database_url();

Status read_table(Table& table);   // REQUIRES: table.config().database_table is not empty
Status write_table(Table& table);  // replaces what the database had.  REQUIRES: the same, and two columns

}  // namespace kahu::htable
