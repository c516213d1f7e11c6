// core/db/driver.h -- what a database driver is: a scheme and how to open one of its databases.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/db/database.h"

namespace kahu::db {

struct Driver {
    std::string_view scheme;                           // "sqlite"
    Status (*check)(std::string_view rest) = nullptr;  // what stands behind "scheme://"
    Result<std::unique_ptr<Connection>> (*open)(std::string_view rest) = nullptr;
    std::string (*file)(std::string_view rest) = nullptr;  // its folder must exist before open(); empty: there is none
};
extern const Driver kSqlite;

}  // namespace kahu::db
