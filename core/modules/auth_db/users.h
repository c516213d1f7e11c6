// core/modules/auth_db/users.h -- the subscriber table: finding, adding, listing, removing users.
//
// LIVES  One connection per process, opened when first needed, anew after an error.
// FAILS  Errors are returned.  A call waits for the database.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace kahu::auth_db {

struct User {
    std::string password, ha1_2, ha1_sha256;  // of password_column, password_column_2, password_column_sha256
    std::vector<std::string> loaded;          // as loaded_columns()
};
// nullopt: there is no such user.  `domain` counts only with use_domain.
Result<std::optional<User>> find_user(const std::string& table, std::string_view user, std::string_view domain,
                                      bool sha256);

// Makes the table if it does not exist.  At start.
Status prepare_table(const std::string& table);
// Sets the password if the user exists.
Status add_user(const std::string& table, std::string_view user, std::string_view domain, std::string_view password);
Result<bool> remove_user(const std::string& table, std::string_view user, std::string_view domain);
// "user@domain", sorted.
Result<std::vector<std::string>> list_users(const std::string& table, int64_t skip, int64_t most);
void close_users();

}  // namespace kahu::auth_db
