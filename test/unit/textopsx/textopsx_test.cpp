// Changes become visible by msg_apply_changes(): each case says what $mb, $hdr ... are afterwards.
#include "core/modules/textops/module.h"
#include "core/modules/textopsx/module.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

struct Case {
    const char* name;
    const char* statements;  // then msg_apply_changes(), then log(shown)
    const char* shown;
    const char* expected;
};
constexpr Case kCases[] = {
    {"nothing", "", "$hdr(X)", "a, b"},
    {"append_list", "append_hf_value(\"X[1]\", \"n\");", "$hdr(X)", "a, n, b"},
    {"append_header", "append_hf_value(\"X\", \"n\");", "$hdr(X) $(hdr(X)[1]) $(hdr(X)[2])", "a, b c n"},
    {"append_new", "append_hf_value(\"Fresh\", \"n$rU\");", "$hdr(Fresh)", "nbob"},
    {"insert_list", "insert_hf_value(\"X[2]\", \"n\");", "$hdr(X)", "a, n, b"},
    {"insert_header", "insert_hf_value(\"X\", \"n\");", "$hdr(X) $(hdr(X)[1])", "n a, b"},
    {"assign", "assign_hf_value(\"X[-1]\", \"n\");", "$(hdr(X)[1])", "n"},
    {"assign_in_list", "assign_hf_value(\"X[2]\", \"n\");", "$hdr(X)", "a, n"},
    {"zero_is_the_first", "remove_hf_value(\"X[0]\");", "$hdr(X)", "b"},
    {"assign_nothing", "assign_hf_value(\"X[0]\", \"\");", "$hdr(X)", "b"},
    {"remove_first", "remove_hf_value(\"X\");", "$hdr(X)", "b"},
    {"remove_second", "remove_hf_value(\"X[2]\");", "$hdr(X)", "a"},
    {"remove_alone", "remove_hf_value(\"X[3]\");", "$hdrc(X)", "1"},
    {"remove_all", "remove_hf_value(\"X[*]\");", "$hdr(X)", "<null>"},
    {"include", "include_hf_value(\"X\", \"n\"); ", "$(hdr(X)[1])", "c, n"},
    {"include_known", "include_hf_value(\"X\", \"B\");", "$hdr(X) $(hdr(X)[1])", "a, b c"},
    {"include_new", "include_hf_value(\"Supported\", \"path\");", "$hdr(Supported)", "path"},
    {"exclude", "exclude_hf_value(\"X\", \"a\");", "$hdr(X)", "b"},
    {"remove_body", "remove_body();", "$bs $cl $hdr(Content-Type) $hdr(X)", "0 0 <null> a, b"},
    {"keep", "keep_hf(\"^Subject$\");", "$hdr(X) $hdr(Subject) $ci $fU", "<null> lunch abc@10.1.2.3 alice"},
    {"keep_none", "keep_hf();", "$hdr(X) $hdr(Subject) $rb", "<null> <null> body"},
    {"walk_removes",
     "hf_iterator_start(\"i\"); while (hf_iterator_next(\"i\")) "
     "{ if ($hfitname(i) == \"X\" && $hfitbody(i) == \"c\") hf_iterator_rm(\"i\"); } hf_iterator_end(\"i\");",
     "$hdrc(X) $hdr(X)", "1 a, b"},
    {"walk_adds",
     "hf_iterator_start(\"i\"); while (hf_iterator_next(\"i\")) { if ($hfitname(i) == \"Subject\") "
     "{ hf_iterator_append(\"i\", \"X-Behind: 1\\r\\n\"); hf_iterator_insert(\"i\", \"X-Before: 2\"); } }",
     "$hdr(X-Before)$hdr(Subject)$hdr(X-Behind)", "2lunch1"},
    {"walk_back",
     "hf_iterator_start(\"i\"); hf_iterator_next(\"i\"); hf_iterator_next(\"i\"); hf_iterator_prev(\"i\"); "
     "$var(n) = $hfitname(i); hf_iterator_prev(\"i\"); $var(rc) = $rc;",
     "$var(n) $var(rc)", "Via -1"},
    {"walk_not_begun",
     "hf_iterator_start(\"i\"); $var(rc) = hf_iterator_rm(\"i\"); $var(no) = hf_iterator_next(\"j\");",
     "$var(rc) $var(no) $hfitname(i) $hfitbody(j)", "-1 -1 <null> <null>"},
    {"lines",
     "bl_iterator_start(\"b\"); $var(n) = 0; while (bl_iterator_next(\"b\")) { $var(n) = $var(n) + 1; "
     "$var(l) = $blitval(b); bl_iterator_insert(\"b\", \"new\\r\\n\"); }",
     "$var(n) $var(l) $(rb{line.count}) $(rb{line.at,0}) $cl", "1 body 2 new 9"},
    {"walk_ends_with_the_message",  // twice: the second changed message may stand where the one before the first stood
     "msg_apply_changes(); append_hf(\"Y: 1\\r\\n\"); msg_apply_changes(); bl_iterator_start(\"b\"); "
     "bl_iterator_next(\"b\"); hf_iterator_start(\"i\"); hf_iterator_next(\"i\"); remove_body(); msg_apply_changes(); "
     "append_hf(\"Y: 2\\r\\n\"); msg_apply_changes(); $var(rc) = bl_iterator_rm(\"b\");",
     "$var(rc) $blitval(b) $hfitname(i)", "-1 <null> <null>"},
    {"line_removed",
     "bl_iterator_start(\"b\"); bl_iterator_next(\"b\"); bl_iterator_rm(\"b\"); $var(e) = bl_iterator_next(\"b\");",
     "$var(e) $cl", "-1 0"},
    {"append_to_none", "append_hf_value(\"None[1]\", \"n\"); include_hf_value(\"Blank\", \"n\");",
     "$hdr(None) $hdr(Blank)", "n n"},
    {"insert_into_none", "insert_hf_value(\"None[1]\", \"n\"); assign_hf_value(\"Blank\", \"n\");",
     "$hdr(None) $hdr(Blank)", "n n"},
    {"param_of_none", "assign_hf_value(\"None.p\", \"1\");", "$hdr(None)", ";p=1"},
    {"param_assign", "assign_hf_value(\"Li[2].c\", \"3\");", "$hdr(Li)", "<sip:a;c=9>;q=1, \"x;c=8\" <sip:b>;c=3;d"},
    {"param_add", "assign_hf_value(\"Li.c\", \"$rU\");", "$hdr(Li)", "<sip:a;c=9>;q=1;c=bob, \"x;c=8\" <sip:b>;c=1;d"},
    {"param_without_value", "assign_hf_value(\"Li[2].d\", \"2\");", "$hdr(Li)",
     "<sip:a;c=9>;q=1, \"x;c=8\" <sip:b>;c=1;d=2"},
    {"param_emptied", "assign_hf_value(\"Li[-1].c\", \"\");", "$hdr(Li)", "<sip:a;c=9>;q=1, \"x;c=8\" <sip:b>;c;d"},
    {"param_remove", "remove_hf_value(\"Li[2].C\");", "$hdr(Li)", "<sip:a;c=9>;q=1, \"x;c=8\" <sip:b>;d"},
    {"param_not_there", "$var(rc) = remove_hf_value(\"Li[1].c\");", "$var(rc) $hdr(Li)",
     "-1 <sip:a;c=9>;q=1, \"x;c=8\" <sip:b>;c=1;d"},
    {"scheme_assign", "assign_hf_value2(\"Z.realm\", \"new\");", "$hdr(Z)", "Digest u=\"b, realm=x\", realm=new, n=1"},
    {"scheme_add", "assign_hf_value2(\"Z.z\", \"3\");", "$hdr(Z)", "Digest u=\"b, realm=x\", realm=\"r\", n=1, z=3"},
    {"scheme_remove_first", "remove_hf_value2(\"Z.u\");", "$hdr(Z)", "Digest realm=\"r\", n=1"},
    {"scheme_remove_middle", "remove_hf_value2(\"Z.realm\");", "$hdr(Z)", "Digest u=\"b, realm=x\", n=1"},
    {"scheme_remove_last", "remove_hf_value2(\"Z.n\");", "$hdr(Z)", "Digest u=\"b, realm=x\", realm=\"r\""},
    {"whole_header_assign", "assign_hf_value2(\"X[2]\", \"n\");", "$hdr(X) $(hdr(X)[1])", "a, b n"},
    {"whole_header_remove", "remove_hf_value2(\"X\");", "$hdrc(X) $hdr(X)", "1 c"},
    {"whole_headers_remove", "remove_hf_value2(\"X[*]\");", "$hdrc(X)", "0"},
    {"buffer_no_sip", "$var(rc) = msg_set_buffer(\"hello\");", "$var(rc) $hdr(X)", "-1 a, b"},
    {"buffer_other_kind", "$var(rc) = msg_set_buffer(\"SIP/2.0 200 OK\\r\\n\\r\\n\");", "$var(rc) $hdr(X)", "-1 a, b"},
    {"buffer", "remove_hf(\"X\"); $var(b) = $(mb{s.replace,lunch,tea}); $var(rc) = msg_set_buffer(\"$var(b)\");",
     "$var(rc) $hdr(Subject) $hdrc(X)", "1 tea 2"},
    {"twice",
     "append_hf_value(\"Y\", \"1\"); msg_apply_changes(); append_hf_value(\"Y\", \"2\"); msg_apply_changes(); "
     "append_hf_value(\"Y\", \"3\");",
     "$hdr(Y)$(hdr(Y)[1])$(hdr(Y)[2]) $rU", "123 bob"},
    {"uri_stays", "$rU = \"carol\"; append_hf_value(\"Y\", \"1\");", "$rU $oU", "carol bob"},
    {"line_ends_refused", "$var(x) = \"a\\r\\nEvil: 1\"; if (!append_hf_value(\"Y\", \"$var(x)\")) log(\"refused\");",
     "$hdr(Evil)", "refused"},
};
TEST(TextopsX, ChangesBecomeVisible) {
    const std::string message = request("OPTIONS", "sip:bob@example.com",
                                        "Subject: lunch\r\nX: a, b\r\nX: c\r\nContent-Type: text/plain\r\n"
                                        "Li: <sip:a;c=9>;q=1, \"x;c=8\" <sip:b>;c=1;d\r\n"
                                        "Z: Digest u=\"b, realm=x\", realm=\"r\", n=1\r\nNone:\r\nBlank:  \r\n",
                                        "body");
    for (const Case& c : kCases)
        EXPECT_EQ(logged(std::string(c.statements) + " msg_apply_changes(); log(\"" + c.shown + "\");", message,
                         {&textopsx::kModule, &textops::kModule}),
                  c.expected)
            << c.name;
}
// A body of another length: Content-Length follows, else the changed message would be cut, or refused.
TEST(TextopsX, ContentLengthFollowsTheBody) {
    const std::string message =
        request("OPTIONS", "sip:bob@example.com", "Content-Type: text/plain\r\n", "a body of some length");
    EXPECT_EQ(logged("replace_body(\"some\", \"another\"); msg_apply_changes(); log(\"$rb $cl\");", message,
                     {&textopsx::kModule, &textops::kModule}),
              "a body of another length 24");
    EXPECT_EQ(logged("set_body(\"x\", \"text/html\"); msg_apply_changes(); log(\"$rb $cl $cT\");", message,
                     {&textopsx::kModule, &textops::kModule}),
              "x 1 text/html");
}
TEST(TextopsX, QuestionsAreAnswered) {
    const std::string message = request("OPTIONS", "sip:bob@example.com", "X: a, b\r\n");
    EXPECT_EQ(
        logged("if (hf_value_exists(\"X\", \"B\") && !hf_value_exists(\"X\", \"c\") && fnmatch(\"$rd\", \"ex*.com\") "
               "&& !fnmatch(\"A\", \"a\") && fnmatch(\"A\", \"a\", \"i\")) log(\"yes\");",
               message, {&textopsx::kModule}),
        "yes");
}
TEST(TextopsX, RepliesGetAnotherStatus) {
    Script script(
        "request_route { }\nreply_route { if (change_reply_status(\"503\", \"Later\")) log(\"$rs $rr\"); "
        "if (!change_reply_status(\"180\", \"x\") && !change_reply_status(\"99\", \"x\")) log(\"refused\"); drop; }",
        {&textopsx::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    EXPECT_EQ(script.send(reply("SIP/2.0 404 Not Found")).lines, (std::vector<std::string>{"503 Later", "refused"}));
}
TEST(TextopsX, MistakesAreFoundAtStart) {
    for (const char* statement :
         {"append_hf_value(\"X[\", \"n\");", "remove_hf_value(\"\");", "assign_hf_value(\"X[y]\", \"n\");",
          "keep_hf(\"(\");", "change_reply_status(\"500\", \"x\");"})
        EXPECT_EQ(Script(std::string("request_route { ") + statement + " }", {&textopsx::kModule}).program, nullptr)
            << statement;
    EXPECT_TRUE(well_formed(textopsx::kModule));
}

}  // namespace
}  // namespace kahu::script::test
