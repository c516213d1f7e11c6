#include "core/sip/header_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/base/text.h"

namespace kahu::sip {
namespace {

TEST(HeaderTable, EveryNameIsFoundInAnyCaseAndOnlyAsItself) {
    for (const HeaderRow& row : kHeaders) {
        std::string upper(row.name);
        for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        EXPECT_EQ(header_id(row.name), row.id) << row.name;
        EXPECT_EQ(header_id(text::lowered(row.name)), row.id) << row.name;
        EXPECT_EQ(header_id(upper), row.id) << row.name;
        EXPECT_EQ(header_id(std::string(row.name) + "x"), HeaderId::other) << row.name;
        EXPECT_EQ(header_name(row.id), row.name);
        if (row.compact.empty()) continue;
        EXPECT_EQ(header_id(row.compact), row.id);
        EXPECT_EQ(header_id(std::string(1, static_cast<char>(std::toupper(row.compact[0])))), row.id);
    }
}

TEST(HeaderTable, NamesAndCompactFormsAreUnique) {
    std::set<std::string> names;
    for (const HeaderRow& row : kHeaders) {
        EXPECT_TRUE(names.insert(text::lowered(row.name)).second) << row.name;
        if (!row.compact.empty()) {
            EXPECT_TRUE(names.insert(std::string(row.compact)).second) << row.compact;
        }
        EXPECT_FALSE(row.comma_list && row.once) << row.name << ": a list header may be repeated (RFC 3261 7.3.1)";
    }
}

TEST(HeaderTable, UnknownNames) {
    for (const std::string_view name : {"", "X-Custom", "Vi", "z", "Content_Length", "\x80", "1", "Max-Forward"})
        EXPECT_EQ(header_id(name), HeaderId::other) << name;
    EXPECT_EQ(header_name(HeaderId::other), "");
    EXPECT_FALSE(header_is_list(HeaderId::other));
    EXPECT_FALSE(header_is_once(HeaderId::other));
}

}  // namespace
}  // namespace kahu::sip
