// test/unit/script/transformations_test.cpp -- {s.*}: a table, then what holds for all of them.
#include <algorithm>
#include <cstring>

#include "core/script/scope.h"
#include "core/script/transformation.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* value;
    const char* transformations;
    const char* expected;
};
constexpr Case kCases[] = {
    {"len", "abc", "{s.len}", "3"},
    {"int", "12", "{s.int}", "12"},
    {"int_of_text", "x", "{s.int}", "<null>"},
    {"md5", "abc", "{s.md5}", "900150983cd24fb0d6963f7d28e17f72"},
    {"sha1", "abc", "{s.sha1}", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"sha256", "abc", "{s.sha256}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"substr", "abcdef", "{s.substr,1,3}", "bcd"},
    {"substr_rest", "abcdef", "{s.substr,4,0}", "ef"},
    {"substr_negative", "abcdef", "{s.substr,-2,0}", "ef"},
    {"substr_too_long", "abc", "{s.substr,1,99}", "bc"},
    {"substr_out", "abc", "{s.substr,3,1}", "<null>"},
    {"substr_before", "abc", "{s.substr,-4,1}", "<null>"},
    {"select", "a,b,c", "{s.select,1,,}", "<error>"},
    {"select_colon", "a:b:c", "{s.select,1,:}", "b"},
    {"select_last", "a:b:c", "{s.select,-1,:}", "c"},
    {"select_first_from_end", "a:b:c", "{s.select,-3,:}", "a"},
    {"select_none", "a:b", "{s.select,5,:}", ""},
    {"select_none_from_end", "a:b", "{s.select,-5,:}", ""},
    {"select_blank", "a b", "{s.select,1, }", "b"},
    {"select_any_blank", "a b", "{s.select,1,\\\\s}", "b"},
    {"select_empty", ":a", "{s.select,0,:}", ""},
    {"selectws", "a b c", "{s.selectws,2}", "c"},
    {"tolower", "AbC", "{s.tolower}", "abc"},
    {"toupper", "AbC", "{s.toupper}", "ABC"},
    {"chain", "AbC", "{s.substr,0,2}{s.toupper}{s.len}", "2"},
    {"strip", "abc", "{s.strip,1}", "bc"},
    {"strip_all", "abc", "{s.strip,9}", ""},
    {"striptail", "abc", "{s.striptail,1}", "ab"},
    {"stripto", "abc", "{s.stripto,b}", "bc"},
    {"stripto_none", "abc", "{s.stripto,z}", ""},
    {"prefixes", "123", "{s.prefixes}", "1,12,123"},
    {"prefixes_most", "123", "{s.prefixes,2}", "1,12"},
    {"prefixes_quot", "12", "{s.prefixes.quot}", "'1','12'"},
    {"replace", "aXbX", "{s.replace,X,--}", "a--b--"},
    {"rm", "aXbX", "{s.rm,X}", "ab"},
    {"ftime", "0", "{s.ftime,%Y}", "1970"},
    {"trim", " a ", "{s.trim}", "a"},
    {"ltrim", " a ", "{s.ltrim}{s.len}", "2"},
    {"rtrim", " a ", "{s.rtrim}{s.len}", "2"},
    {"rmws", "a b c", "{s.rmws}", "abc"},
    {"before", "a@b@c", "{s.before,@}", "a"},
    {"after", "a@b@c", "{s.after,@}", "b@c"},
    {"rbefore", "a@b@c", "{s.rbefore,@}", "a@b"},
    {"rafter", "a@b@c", "{s.rafter,@}", "c"},
    {"before_none", "abc", "{s.before,@}", "abc"},
    {"after_none", "abc", "{s.after,@}", ""},
    {"count", "a@b@c", "{s.count,@}", "2"},
    {"numeric", "04/12-3", "{s.numeric}", "04123"},
    {"unquote", "'a b'", "{s.unquote}", "a b"},
    {"unbracket", "<a>", "{s.unbracket}", "a"},
    {"hex", "ab", "{s.encode.hexa}", "6162"},
    {"unhex", "6162", "{s.decode.hexa}", "ab"},
    {"unhex_bad", "616", "{s.decode.hexa}", "<null>"},
    {"base64", "abcd", "{s.encode.base64}", "YWJjZA=="},
    {"unbase64", "YWJjZA==", "{s.decode.base64}", "abcd"},
    {"unbase64_bad", "YW*=", "{s.decode.base64}", "<null>"},
    {"base64t", "abcd", "{s.encode.base64t}", "YWJjZA"},
    {"base58", "abc", "{s.encode.base58}", "ZiCa"},
    {"unbase58", "ZiCa", "{s.decode.base58}", "abc"},
    {"sevenbit", "hello", "{s.encode.7bit}", "E8329BFD06"},
    {"unsevenbit", "E8329BFD06", "{s.decode.7bit}", "hello"},
    {"escape_user", "a b@c", "{s.escape.user}", "a%20b%40c"},
    {"unescape_user", "a%20b%40c", "{s.unescape.user}", "a b@c"},
    {"unescape_bad", "a%2", "{s.unescape.user}", "<null>"},
    {"escape_common", "a'b", "{s.escape.common}", "a\\'b"},
    {"unescape_common", "a\\\\'b", "{s.unescape.common}", "a'b"},
    {"escape_csv", "a,b", "{s.escape.csv}", "\"a,b\""},
    {"urlencode", "a b&c", "{s.urlencode.param}", "a+b%26c"},
    {"urldecode", "a+b%26c", "{s.urldecode.param}", "a b&c"},
    {"fmtlines", "abcdef", "{s.fmtlines,3,0}{s.len}", "8"},
    {"variable_argument", "abcdef", "{s.substr,$var(two),1}", "c"},
};
class Transformations : public testing::TestWithParam<Case> {};
TEST_P(Transformations, GiveWhatTheManualSays) {
    const Case& c = GetParam();
    Script script(std::string("request_route { $var(two) = 2; $var(v) = \"") + c.value + "\"; log(\"$(var(v)" +
                  c.transformations + ")\"); }");
    if (std::string_view(c.expected) == "<error>") {
        EXPECT_EQ(script.program, nullptr);
        return;
    }
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(request()).line(), c.expected);
}
INSTANTIATE_TEST_SUITE_P(Text, Transformations, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

// Every row: null stays null, and no text makes it read out of bounds (ASan) or fail.
TEST(TransformationTable, EveryRowTakesNullAndOddTexts) {
    const Scope scope({}, {});
    sip::Message message;
    net::Inbound inbound = from();
    script::Run run;
    run.begin(message, inbound, kRequestRoute);
    for (const auto table : transformation_tables())
        for (const Transformation& row : table) {
            std::string text(row.name);
            for (int i = 0; i < row.min_args; ++i) text += ",3";
            auto use = compile_transformation(text, scope, "test");
            ASSERT_TRUE(use) << text;
            EXPECT_TRUE(row.apply(run, *use, Value::none()).is_null()) << row.name;
            for (const char* odd : {"", "%", "%4", "\"", "\\", "=", "3", "\r\n ", "\xff\x80", "a\r\n\tb"}) {
                const std::vector<char> exact(odd, odd + strlen(odd));
                row.apply(run, *use, Value::of(std::string_view(exact.data(), exact.size())));
            }
            row.apply(run, *use, Value::of(int64_t{42}));
        }
}

TEST(TransformationTable, NamesAreUniqueAndExplained) {
    std::vector<std::string_view> names;
    for (const auto table : transformation_tables())
        for (const Transformation& row : table) {
            EXPECT_EQ(std::count(names.begin(), names.end(), row.name), 0) << row.name;
            EXPECT_FALSE(row.help.empty());
            EXPECT_LE(row.min_args, row.max_args);
            names.push_back(row.name);
        }
}

}  // namespace
}  // namespace kahu::script::test
