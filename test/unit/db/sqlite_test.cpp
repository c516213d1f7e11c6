#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/db/database.h"

namespace kahu::db {
namespace {

class Sqlite : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("kahu-db-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
        url_ = "sqlite://" + (folder_ / "test.sqlite").string();
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::unique_ptr<Connection> connect() {
        auto opened = open(url_);
        EXPECT_TRUE(opened) << opened.error().text();
        return std::move(*opened);
    }
    int64_t count(Connection& connection) {
        auto rows = connection.prepare("SELECT count(*) FROM t");
        EXPECT_TRUE(rows && *(*rows)->step());
        return (*rows)->integer(0);
    }
    std::filesystem::path folder_;
    std::string url_;
};

TEST_F(Sqlite, MakesItsFolderForOwnerAndGroupOnly) {
    using std::filesystem::perms;
    const auto mode = [](const std::filesystem::path& path) { return std::filesystem::status(path).permissions(); };
    const std::filesystem::path made = folder_ / "a" / "b";
    const std::string url = "sqlite://" + (made / "users.db").string();
    EXPECT_FALSE(open(url));
    ASSERT_TRUE(make_folder(url));
    EXPECT_EQ(mode(made), perms::owner_all | perms::group_read | perms::group_exec);
    std::filesystem::permissions(made, perms::owner_all);
    ASSERT_TRUE(make_folder(url));  // what exists stays as it is
    EXPECT_EQ(mode(made), perms::owner_all);
    ASSERT_TRUE(open(url));
    EXPECT_EQ(mode(made / "users.db") & perms::others_all, perms::none);
    EXPECT_TRUE(make_folder("sqlite://:memory:"));
    EXPECT_FALSE(make_folder("sqlite:///dev/null/a/users.db"));
    EXPECT_FALSE(make_folder("oracle://a"));
}

TEST_F(Sqlite, WaitsForTheDiskWhereAskedTo) {
    const auto connection = connect();
    const auto synchronous = [&] {
        auto asked = connection->prepare("PRAGMA synchronous");
        EXPECT_TRUE(asked && *(*asked)->step());
        return (*asked)->integer(0);
    };
    EXPECT_EQ(synchronous(), 1) << "NORMAL: the log is written, the disk may be behind";
    ASSERT_TRUE(connection->be_durable());
    EXPECT_EQ(synchronous(), 2) << "FULL";
}

TEST_F(Sqlite, KeepsEveryTypeOfValue) {
    const auto connection = connect();
    ASSERT_TRUE(connection->execute("CREATE TABLE t (a INTEGER, b REAL, c TEXT, d TEXT)"));
    EXPECT_TRUE(connection->has_table("t"));
    EXPECT_FALSE(connection->has_table("u"));
    auto insert = connection->prepare("INSERT INTO t VALUES (?1, ?2, ?3, ?4)");
    ASSERT_TRUE(insert) << insert.error().text();
    const std::string odd("it's \0 \xff", 8);
    (*insert)->bind(1, int64_t{-5000000000});
    (*insert)->bind(2, 0.5);
    (*insert)->bind(3, std::string_view(odd));
    (*insert)->bind_null(4);
    ASSERT_TRUE((*insert)->run());
    EXPECT_EQ(connection->changes(), 1);
    auto select = connection->prepare("SELECT a, b, c, d FROM t");
    ASSERT_TRUE(select && *(*select)->step());
    EXPECT_EQ((*select)->integer(0), -5000000000);
    EXPECT_EQ((*select)->real(1), 0.5);
    EXPECT_EQ((*select)->text(2), odd);
    EXPECT_TRUE((*select)->is_null(3));
    EXPECT_EQ((*select)->text(3), "");
    EXPECT_FALSE(*(*select)->step());
}

TEST_F(Sqlite, TransactionsAppearWholeOrNotAtAll) {
    const auto connection = connect(), other = connect();
    ASSERT_TRUE(connection->execute("CREATE TABLE t (a INTEGER)"));
    {
        auto transaction = Transaction::begin(*connection);
        ASSERT_TRUE(transaction);
        ASSERT_TRUE(connection->execute("INSERT INTO t VALUES (1)"));
        EXPECT_EQ(count(*other), 0);
    }
    EXPECT_EQ(count(*connection), 0);
    auto transaction = Transaction::begin(*connection);
    ASSERT_TRUE(connection->execute("INSERT INTO t VALUES (1)"));
    ASSERT_TRUE(transaction->commit());
    EXPECT_EQ(count(*other), 1);
}

TEST_F(Sqlite, SaysWhatIsWrong) {
    const auto connection = connect();
    const auto broken = connection->prepare("SELECT a FROM nowhere");
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().text().find("no such table: nowhere"), std::string::npos) << broken.error().text();
}

struct Url {
    const char* text;
    bool good;
};
TEST_F(Sqlite, ReadsUrls) {
    for (const Url& url :
         {Url{"sqlite:///var/x", true}, Url{"sqlite:////var/x", true}, Url{"SQLITE://x", true}, Url{"sqlite://", false},
          Url{"sqlite:///", false}, Url{"/var/x", false}, Url{"", false}, Url{"mysql://a:b@c/d", false}})
        EXPECT_EQ(static_cast<bool>(check_url(url.text)), url.good) << url.text;
    EXPECT_FALSE(open("sqlite:///nowhere/at/all"));
    for (const char* name : {"location", "a_1"}) EXPECT_TRUE(is_name(name)) << name;
    for (const char* name : {"", "1a", "a b", "a;b", "a\"b", "a.b"}) EXPECT_FALSE(is_name(name)) << name;
}

}  // namespace
}  // namespace kahu::db
