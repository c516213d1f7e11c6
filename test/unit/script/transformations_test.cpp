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
    {"re_subst", "alice", "{re.subst,/[ae]/<\\0>/g}", "<a>lic<e>"},
    {"re_subst_groups", "alice", "{re.subst,/^(.)(.)/\\2\\1/}", "laice"},
    {"re_subst_comma", "a,b", "{re.subst,/,/;/}", "a;b"},
    {"re_subst_nothing", "alice", "{re.subst,/z/X/}", "alice"},
    {"re_subst_bad", "alice", "{re.subst,/(/X/}", "<error>"},
    {"re_subst_unclosed", "alice", "{re.subst,/a}", "<error>"},
    {"urialias", "sip:10.0.0.1:5061;transport=tls", "{urialias.encode}", "10.0.0.1~5061~3"},
    {"urialias_back", "[2001:db8::1]~5061~3", "{urialias.decode}", "sip:[2001:db8::1]:5061;transport=tls"},
    {"urialias_bad", "10.0.0.1~99999~3", "{urialias.decode}", ""},
    {"urialias_no_transport", "10.0.0.1~5060~9", "{urialias.decode}", ""},
    {"len", "abc", "{s.len}", "3"},
    {"int", "12", "{s.int}", "12"},
    {"int_of_text", "x", "{s.int}", ""},
    {"md5", "abc", "{s.md5}", "900150983cd24fb0d6963f7d28e17f72"},
    {"sha1", "abc", "{s.sha1}", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"sha256", "abc", "{s.sha256}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"substr", "abcdef", "{s.substr,1,3}", "bcd"},
    {"substr_rest", "abcdef", "{s.substr,4,0}", "ef"},
    {"substr_negative", "abcdef", "{s.substr,-2,0}", "ef"},
    {"substr_too_long", "abc", "{s.substr,1,99}", "bc"},
    {"substr_out", "abc", "{s.substr,3,1}", ""},
    {"substr_before", "abc", "{s.substr,-4,1}", ""},
    {"select", "a,b,c", "{s.select,1,,}", "b"},
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
    {"corehash_of_one", "a", "{s.corehash}", "109"},
    {"corehash_of_three", "abc", "{s.corehash}", "7167810"},
    {"corehash_of_ten", "abcdefghij", "{s.corehash}", "3610958962"},
    {"corehash_of_high_bytes", "\xc3\xa4", "{s.corehash}", "3760405688"},
    {"corehash_below_16", "abc", "{s.corehash,16}", "2"},
    {"corehash_of_nothing", "", "{s.corehash}", "0"},
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
    {"unhex_bad", "616", "{s.decode.hexa}", ""},
    {"base64", "abcd", "{s.encode.base64}", "YWJjZA=="},
    {"unbase64", "YWJjZA==", "{s.decode.base64}", "abcd"},
    {"unbase64_bad", "YW*=", "{s.decode.base64}", ""},
    {"base64t", "abcd", "{s.encode.base64t}", "YWJjZA"},
    {"base58", "abc", "{s.encode.base58}", "ZiCa"},
    {"unbase58", "ZiCa", "{s.decode.base58}", "abc"},
    {"sevenbit", "hello", "{s.encode.7bit}", "E8329BFD06"},
    {"unsevenbit", "E8329BFD06", "{s.decode.7bit}", "hello"},
    {"escape_user", "a b@c", "{s.escape.user}", "a%20b%40c"},
    {"unescape_user", "a%20b%40c", "{s.unescape.user}", "a b@c"},
    {"unescape_bad", "a%2", "{s.unescape.user}", ""},
    {"escape_common", "a'b", "{s.escape.common}", "a\\'b"},
    {"unescape_common", "a\\\\'b", "{s.unescape.common}", "a'b"},
    {"escape_csv", "a,b", "{s.escape.csv}", "\"a,b\""},
    {"urlencode", "a b&c", "{s.urlencode.param}", "a+b%26c"},
    {"urldecode", "a+b%26c", "{s.urldecode.param}", "a b&c"},
    {"fmtlines", "abcdef", "{s.fmtlines,3,0}{s.len}", "8"},
    {"uri_user", "sip:a%41:pw@h.example:5070;transport=tls;lr;x=1?Sub=y", "{uri.user}", "a%41"},
    {"uri_passwd", "sip:a:pw@h", "{uri.passwd}", "pw"},
    {"uri_host", "sip:a@[2001:db8::1]:99", "{uri.host}", "[2001:db8::1]"},
    {"uri_port", "sip:a@h:5070", "{uri.port}", "5070"},
    {"uri_no_port", "sip:a@h", "{uri.port}", ""},
    {"uri_params", "sip:a@h;transport=tls;lr", "{uri.params}", "transport=tls;lr"},
    {"uri_param", "sip:a@h;x=1;y=2", "{uri.param,y}", "2"},
    {"uri_param_none", "sip:a@h;x=1", "{uri.param,z}", ""},
    {"uri_headers", "sip:a@h?Sub=y", "{uri.headers}", "Sub=y"},
    {"uri_transport", "sip:a@h;transport=tls", "{uri.transport}", "tls"},
    {"uri_maddr", "sip:a@h;maddr=1.2.3.4;ttl=3", "{uri.maddr}", "1.2.3.4"},
    {"uri_uparam", "sip:1@h;user=phone", "{uri.uparam}", "phone"},
    {"uri_lr", "sip:h;lr", "{uri.lr}", "lr"},
    {"uri_r2", "sip:h;r2=on", "{uri.r2}", "on"},
    {"uri_scheme", "sips:a@h", "{uri.scheme}", "sips"},
    {"uri_saor", "sip:a:p@h:99;lr", "{uri.saor}", "sip:a@h"},
    {"uri_suri", "sip:a:p@h:99;lr;transport=tcp", "{uri.suri}", "sip:a@h:99;transport=tcp"},
    {"uri_duri", "sip:a@h:99;transport=tcp", "{uri.duri}", "sip:h:99;transport=tcp"},
    {"uri_socket", "sips:a@h", "{uri.tosocket}", "tls:h:5061"},
    {"uri_tel", "tel:+1234", "{uri.user}", "+1234"},
    {"uri_bad", "no uri", "{uri.user}", ""},
    {"uri_then_text", "sip:Alice@h", "{uri.user}{s.tolower}", "alice"},
    {"nameaddr_plain", "Ann <sip:a@h>;x=1", "{nameaddr.name}", "Ann"},
    {"nameaddr_uri", "Ann <sip:a@h;p>;x=1", "{nameaddr.uri}", "sip:a@h;p"},
    {"nameaddr_len", "Ann <sip:a@h>;x=1", "{nameaddr.len}", "13"},
    {"tobody_uri", "Ann <sip:a@h>;tag=t", "{tobody.uri}", "sip:a@h"},
    {"tobody_tag", "sip:a@h;tag=t", "{tobody.tag}", "t"},
    {"tobody_user", "<sip:a@h>", "{tobody.uri.user}", "a"},
    {"tobody_host", "<sip:a@h>", "{tobody.uri.host}", "h"},
    {"tobody_user_short", "<sip:a@h>", "{tobody.user}", "a"},
    {"tobody_host_short", "sip:a@h;tag=t", "{tobody.host}", "h"},
    {"tobody_display", "Ann <sip:a@h>", "{tobody.display}", "Ann"},
    {"tobody_params", "<sip:a@h>;tag=t;x", "{tobody.params}", "tag=t;x"},
    {"sock_parts", "tls:10.0.0.1:5061", "{sock.touri}", "sip:10.0.0.1:5061;transport=tls"},
    {"sock_v6", "udp:[::1]:5060", "{sock.host}", "[::1]"},
    {"sock_port", "udp:[::1]:5060", "{sock.port}", "5060"},
    {"sock_no_port", "udp:[::1]", "{sock.port}", ""},
    {"sock_bad", "x:y", "{sock.host}", ""},
    {"param_value", "a=1;b=2; c = 3 ;d", "{param.value,c}", "3"},
    {"param_value_none", "a=1", "{param.value,z}", ""},
    {"param_value_amp", "a=1&b=2", "{param.value,b,&}", "2"},
    {"param_value_comma", "a=1,b=2", "{param.value,b,,}", "2"},
    {"param_in", "a=1;d", "{param.in,d}", "1"},
    {"param_not_in", "a=1;d", "{param.in,e}", "0"},
    {"param_name", "a=1;b=2", "{param.name,1}", "b"},
    {"param_name_end", "a=1;b=2", "{param.name,-2}", "a"},
    {"param_value_at", "a=1;b=2", "{param.valueat,1}", "2"},
    {"param_count", "a=1;b=2;;c", "{param.count}", "4"},
    {"param_count_comma_ends", "a=1;b=2,c=3;d", "{param.count}", "2"},
    {"param_count_quoted_comma", "a=\\\"1,2\\\";b", "{param.count}", "2"},
    {"param_value_before_comma", "a=1;b=2,c=3", "{param.value,b}", "2"},
    {"param_name_of_empty", ";a=1", "{param.name,1}", "a"},
    {"line_count", "a\nb\r\nc", "{line.count}", "3"},
    {"line_at", "a\nb\r\nc", "{line.at,1}", "b"},
    {"line_at_end", "a\nb\r\nc", "{line.at,-1}", "c"},
    {"line_at_none", "a", "{line.at,4}", ""},
    {"line_sw", "v=0\r\nm=audio 1\r\n", "{line.sw,m=}", "m=audio 1"},
    {"val_json", "a\tb", "{val.json}", "a\\tb"},
    {"first_digits", "12345", "{num.fdig,2}", "12"},
    {"last_digits", "12345", "{num.ldig,2}", "45"},
    {"url_encode", "a b", "{urlencode.param}", "a+b"},
    {"url_decode", "a+b", "{urldecode.param}", "a b"},
    {"nested", "abcdef", "{s.substr,$(var(two){s.int}),$(var(v){s.strip,5}{s.len})}", "c"},
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
            for (int i = 0; i < row.min_args; ++i) text += row.literal_argument ? ",/3/4/" : ",3";
            auto use = compile_transformation(text, scope, "test");
            ASSERT_TRUE(use) << text;
            const bool replaces_null = row.name.starts_with("val.n");
            EXPECT_NE(row.apply(run, *use, Value::none()).is_null(), replaces_null) << row.name;
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
