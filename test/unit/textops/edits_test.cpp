// test/unit/textops/edits_test.cpp -- what leaves after the script changed headers, texts and bodies.
#include "core/modules/sl/module.h"
#include "core/modules/textops/module.h"
#include "core/script/outgoing.h"
#include "core/script/substitution.h"
#include "test/unit/script/harness.h"

namespace kahu::script::test {
namespace {

std::string g_left;
int leave(script::Run& run, const Args&) {  // what whoever forwards does with the edits
    g_left.clear();
    run.edits.apply(run.message().bytes(), g_left);
    fix_content_length(run.message(), run.edits, true, 0, g_left);
    return 1;
}
constexpr Function kProbes[] = {{"leave", 0, 0, "()", "For the test.", kAnyRoute, leave}};
const ModuleDescriptor kProbe{.name = "probe", .summary = "s", .functions = kProbes};

const std::string kBody = "v=0\r\no=alice 1\r\nm=audio 4000 RTP/AVP 0 8\r\na=sendonly\r\n";
const std::string kHeaders =
    "X-A: one\r\nX-B: two\r\nX-A: three\r\nSubject: lunch at noon\r\nContent-Type: application/sdp\r\n";

// The message after `statements`; "" if the script does not compile.
std::string left(const std::string& statements, const std::string& headers = kHeaders,
                 const std::string& body = kBody) {
    g_left.clear();
    Script script("request_route {\n" + statements + "\nleave();\n}\n", {&textops::kModule, &kProbe});
    if (script.program == nullptr) return script.found.text();
    script.send(request("INVITE", "sip:bob@example.com", headers, body));
    return g_left;
}
std::string body_of(const std::string& message) {
    const size_t at = message.find("\r\n\r\n");
    return at == std::string::npos ? message : message.substr(at + 4);
}
// Content-Length is right and there is one; the message parses.
void expect_sound(const std::string& message) {
    sip::Message parsed;
    sip::Bad bad;
    ASSERT_TRUE(parsed.parse(message, bad)) << bad.rule << "\n" << message;
    EXPECT_EQ(parsed.body().size(), body_of(message).size()) << message;
    EXPECT_EQ(parsed.duplicate(), sip::HeaderId::other) << message;
}

struct Case {
    const char* name;
    const char* statements;
    const char* with;     // is in it; "" for none
    const char* without;  // is not; "" for none
};
constexpr Case kCases[] = {
    {"remove_hf", "remove_hf(\"X-A\");", "X-B: two", "X-A"},
    {"remove_hf_compact", "remove_hf(\"s\");", "X-A", "Subject"},
    {"remove_hf_idx", "remove_hf_idx(\"X-A\", 0);", "X-A: three", "X-A: one"},
    {"remove_hf_idx_last", "remove_hf_idx(\"X-A\", -1);", "X-A: one", "X-A: three"},
    {"remove_hf_re", "remove_hf_re(\"^X-\");", "Subject", "X-"},
    {"remove_hf_exp", "remove_hf_exp(\"^X-\", \"^X-B\");", "X-B: two", "X-A"},
    {"append_hf", "append_hf(\"P-Hint: $rU\\r\\n\");", "\r\nP-Hint: bob\r\n\r\n", ""},
    {"append_hf_behind", "append_hf(\"P: 1\\r\\n\", \"X-B\");", "X-B: two\r\nP: 1\r\nX-A: three", ""},
    {"append_hf_behind_none", "append_hf(\"P: 1\\r\\n\", \"X-Z\");", "P: 1\r\n\r\nv=0", ""},
    {"append_hf_lf", "append_hf(\"P: 1\\n\");", "P: 1\r\n\r\nv=0", ""},
    {"append_hf_no_end", "append_hf(\"P: 1\");", "P: 1\r\n\r\nv=0", ""},
    {"append_hf_injection", "$var(x) = \"a\\r\\n\\r\\nb\"; append_hf(\"P: $var(x)\\r\\n\");", "", "P:"},
    {"insert_hf", "insert_hf(\"P: 1\\r\\n\");", "SIP/2.0\r\nP: 1\r\nVia", ""},
    {"insert_hf_before", "insert_hf(\"P: 1\\r\\n\", \"Subject\");", "X-A: three\r\nP: 1\r\nSubject", ""},
    {"append_urihf", "append_urihf(\"CC-Diversion: \", \"\\r\\n\");", "CC-Diversion: sip:bob@example.com\r\n", ""},
    {"append_time_to_request", "append_time_to_request();", " GMT\r\n", ""},
    {"is_present_hf_re", "if (is_present_hf_re(\"^x-b$\")) append_hf(\"P: 1\\r\\n\");", "P: 1", ""},
    {"subst", "subst(\"/lunch/dinner/\");", "Subject: dinner at noon", "lunch"},
    {"subst_groups", "subst(\"/(at) (noon)/\\2 \\1/\");", "Subject: lunch noon at", ""},
    {"subst_variable", "subst(\"/noon/$rU/\");", "Subject: lunch at bob", ""},
    {"subst_case", "subst(\"/LUNCH/dinner/\");", "lunch", "dinner"},
    {"subst_any_case", "subst(\"/LUNCH/dinner/i\");", "dinner", "lunch"},
    {"subst_once", "subst(\"/^X-A/X-C/\");", "X-C: one\r\nX-B: two\r\nX-A: three", ""},
    {"subst_all", "subst(\"/^X-A/X-C/g\");", "X-C: one\r\nX-B: two\r\nX-C: three", "X-A"},
    {"subst_anchor", "subst(\"/^Subject:.*$/Subject: tea\\r/\");", "Subject: tea\r\nContent-Type", "lunch"},
    {"subst_separator", "subst(\"#lunch at#dinner/tea#\");", "Subject: dinner/tea noon", ""},
    {"subst_body", "subst_body(\"/AVP (.*)$/AVP 8/\");", "RTP/AVP 8", "0 8"},
    {"subst_hf", "subst_hf(\"X-A\", \"/e$/E/\", \"l\");", "X-A: threE", "onE"},
    {"subst_hf_first", "subst_hf(\"X-A\", \"/e$/E/\", \"f\");", "X-A: onE", "threE"},
    {"subst_hf_all", "subst_hf(\"X-A\", \"/e$/E/\", \"a\");", "X-A: onE\r\nX-B: two\r\nX-A: threE", ""},
    {"replace", "replace(\"X-A\", \"Y\");", "Y: one\r\nX-B: two\r\nX-A: three", ""},
    {"replace_all", "replace_all(\"X-A\", \"Y\");", "Y: one\r\nX-B: two\r\nY: three", ""},
    {"replace_body", "replace_body(\"audio\", \"video\");", "m=video", ""},
    {"replace_body_all", "replace_body_all(\"^a=.*$\", \"a=x\");", "a=x\n", "sendonly"},
    {"replace_hdrs", "replace_hdrs(\"alice\", \"carol\");", "o=alice", "From: \"alice"},
    {"replace_str", "replace_str(\"X-A\", \"Y\", \"a\");", "Y: three", "X-A"},
    {"replace_body_str", "replace_body_str(\"audio\", \"text\", \"f\");", "m=text", ""},
    {"replace_takes_texts_as_they_are", "replace(\"lunch\", \"$rU\");", "Subject: $rU at", ""},
    {"replace_hdrs_str", "replace_hdrs_str(\"alice\", \"$rU\", \"a\");", "o=alice", "<sip:alice"},
    {"replace_str_of_none", "if (replace_str(\"zzz\", \"Y\", \"a\")) append_hf(\"P: 1\");", "P: 1\r\n", ""},
    {"search_append", "search_append(\"x-[a]: \", \"$rU-\");", "X-A: $rU-one\r\nX-B: two\r\nX-A: three", ""},
    {"search_append_none", "if (!search_append(\"zzz\", \"y\")) append_hf(\"P: 1\");", "P: 1\r\n", ""},
    {"search_append_body", "search_append_body(\"alice\", \"X\");", "o=aliceX 1", "aliceX\""},
    {"remove_hf_match_eq", "remove_hf_match(\"x-a\", \"eq\", \"three\");", "X-A: one", "X-A: three"},
    {"remove_hf_match_ne", "remove_hf_match(\"X-A\", \"ne\", \"three\");", "X-A: three", "X-A: one"},
    {"remove_hf_match_in", "remove_hf_match(\"X-A\", \"in\", \"ree\");", "X-A: one", "X-A: three"},
    {"remove_hf_match_re", "remove_hf_match(\"X-A\", \"re\", \"^T\");", "X-A: one", "X-A: three"},
    {"remove_hf_match_how", "if (!remove_hf_match(\"X-A\", \"sw\", \"t\")) append_hf(\"P: 1\");", "P: 1", ""},
    {"set_body", "set_body(\"hello\", \"text/plain\");", "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
     "v=0"},
    {"set_body_twice", "set_body(\"hello\", \"a/b\"); set_body(\"you\", \"text/plain\");",
     "Content-Type: text/plain\r\nContent-Length: 3\r\n\r\nyou", "a/b"},
    {"set_body_after_type_went", "remove_hf(\"Content-Type\"); set_body(\"you\", \"text/plain\");",
     "\r\nContent-Type: text/plain\r\n", "sdp"},
    {"set_body_leaves_neighbours",
     "insert_hf(\"P: 1\\r\\n\", \"Content-Type\"); append_hf(\"Q: 2\\r\\n\", \"Content-Type\"); "
     "set_body(\"you\", \"text/plain\");",
     "P: 1\r\nContent-Type: text/plain\r\nQ: 2\r\n", ""},
    {"all_at_once",
     "remove_hf_re(\"^X\"); append_hf(\"P: 1\\r\\n\"); subst_body(\"/audio/video/\"); insert_hf(\"Q: 2\\r\\n\");",
     "m=video", "X-A"},
};
class Edits : public testing::TestWithParam<Case> {};
TEST_P(Edits, ChangeWhatLeaves) {
    const std::string message = left(GetParam().statements);
    EXPECT_NE(message.find(GetParam().with), std::string::npos) << message;
    const bool gone = *GetParam().without == '\0' || message.find(GetParam().without) == std::string::npos;
    EXPECT_TRUE(gone) << message;
    expect_sound(message);
}
INSTANTIATE_TEST_SUITE_P(Textops, Edits, testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(BodyEdits, GiveABodyToAMessageWithoutOne) {
    const std::string message = left("set_body(\"hello\", \"text/plain\");", "", "");
    EXPECT_NE(message.find("Content-Type: text/plain\r\n"), std::string::npos) << message;
    EXPECT_EQ(body_of(message), "hello");
    expect_sound(message);
}

// Line ends that are not SIP's are taken; the length of what leaves must be right all the same.
TEST(BodyEdits, OfMessagesWithBareLineFeeds) {
    for (const char* end : {"Content-Length: 67\n\r\n", "Content-Length: 67\r\n\n", "Content-Length: 67\n\n"}) {
        std::string message = request("INVITE", "sip:bob@example.com", kHeaders, std::string(67, 'x'));
        const std::string usual = "Content-Length: 67\r\n\r\n";
        message.replace(message.find(usual), usual.size(), end);
        Script script("request_route { set_body(\"a\\r\\n\\r\\nb\", \"text/plain\"); leave(); }",
                      {&textops::kModule, &kProbe});
        ASSERT_NE(script.program, nullptr) << script.found.text();
        script.send(message);
        sip::Message parsed;
        sip::Bad bad;
        ASSERT_TRUE(parsed.parse(g_left, bad)) << bad.rule << "\n" << g_left;
        EXPECT_EQ(parsed.body(), "a\r\n\r\nb") << g_left;
    }
}

TEST(BodyEdits, OfTheSecondTimeMakeNoSecondHeaders) {
    const std::string message = left("set_body(\"hello\", \"text/html\"); set_body(\"you\", \"text/plain\");", "", "");
    EXPECT_NE(message.find("Content-Type: text/plain\r\n"), std::string::npos) << message;
    EXPECT_EQ(body_of(message), "you");
    EXPECT_EQ(message.find("Content-Type"), message.rfind("Content-Type")) << message;
    expect_sound(message);
}

TEST(BodyEdits, LeaveOnePartOfSeveral) {
    const std::string parts =
        "--xyz\r\nContent-Type: text/plain\r\n\r\nhello\r\n--xyz\r\nContent-Type: application/sdp;x=y\r\n\r\nv=0\r\n"
        "--xyz--\r\n";
    const std::string message =
        left("filter_body(\"application/sdp\");", "Content-Type: multipart/mixed;boundary=\"xyz\"\r\n", parts);
    EXPECT_EQ(body_of(message), "v=0");
    expect_sound(message);
    EXPECT_EQ(body_of(left("filter_body(\"image/png\");", "Content-Type: multipart/mixed;boundary=xyz\r\n", parts)),
              parts);
}

const std::string kMultipart = "Content-Type: multipart/mixed;boundary=xyz\r\n";
const std::string kTwoParts =
    "preamble\r\n--xyz\r\nContent-Type: application/sdp\r\n\r\nv=0 --xyz\r\n--xyz\r\nContent-Type: "
    "text/plain;x=y\r\nContent-Disposition: render\r\n\r\nhello\r\n--xyz--\r\n";

TEST(Multipart, PartsAreAddedAndRemoved) {
    std::string message = left("append_body_part(\"to $rU\", \"text/plain\", \"icon\");", kMultipart, kTwoParts);
    EXPECT_NE(message.find("hello\r\n--xyz\r\nContent-Type: text/plain\r\nContent-Disposition: icon\r\n\r\nto bob\r\n"
                           "--xyz--\r\n"),
              std::string::npos)
        << message;
    expect_sound(message);
    message = left("append_body_part_hex(\"6869\", \"a/b\");", kMultipart, kTwoParts);
    EXPECT_NE(message.find("Content-Type: a/b\r\n\r\nhi\r\n--xyz--"), std::string::npos) << message;
    message = left("remove_body_part(\"TEXT/plain\");", kMultipart, kTwoParts);
    EXPECT_NE(message.find("v=0 --xyz\r\n--xyz--"), std::string::npos) << message;
    expect_sound(message);
    for (const char* nothing : {"append_body_part(\"x\", \"\");", "append_body_part(\"\", \"a/b\");",
                                "append_body_part_hex(\"6z\", \"a/b\");", "append_body_part_hex(\"6\", \"a/b\");",
                                "remove_body_part(\"a/b\");", "remove_body_part(\"\");", "set_body_multipart();",
                                "$var(x) = \"a/b\\r\\nE: 1\"; append_body_part(\"x\", \"$var(x)\");"})
        EXPECT_EQ(body_of(left(nothing, kMultipart, kTwoParts)), kTwoParts) << nothing;
}

TEST(Multipart, BoundariesAreNotLongerThanTheyMayBe) {
    for (const size_t length : {70U, 71U}) {
        const std::string boundary(length, 'x');
        const std::string parts = "--" + boundary + "\r\nContent-Type: a/b\r\n\r\nhi\r\n--" + boundary + "--\r\n";
        EXPECT_EQ(body_of(left("filter_body(\"a/b\");", "Content-Type: multipart/mixed;boundary=" + boundary + "\r\n",
                               parts)),
                  length == 70 ? "hi" : parts);
    }
}

TEST(Multipart, BodiesBecomeMultipart) {
    const std::string made = left("set_body_multipart();");
    EXPECT_EQ(body_of(made),
              "--unique-boundary-1\r\nContent-Type: application/sdp\r\n\r\n" + kBody + "\r\n--unique-boundary-1--\r\n");
    EXPECT_NE(made.find("Content-Type: multipart/mixed;boundary=\"unique-boundary-1\"\r\n"), std::string::npos) << made;
    EXPECT_NE(made.find("Mime-Version: 1.0\r\n"), std::string::npos);
    expect_sound(made);
    EXPECT_EQ(body_of(left("set_body_multipart(\"hi $rU\", \"text/plain\", \"b1\");", "", "")),
              "--b1\r\nContent-Type: text/plain\r\n\r\nhi bob\r\n--b1--\r\n");
    EXPECT_EQ(body_of(left("set_body_multipart(\"a\\r\\nb\");")), kBody);
    EXPECT_EQ(body_of(left("set_body_multipart();", "", kBody)), kBody);
}

TEST(Multipart, PartsAreRead) {
    const auto part = [](const std::string& call, const std::string& headers = kMultipart,
                         const std::string& body = kTwoParts) {
        return logged("$var(r) = \"none\"; " + call + " log(\"$var(r)|\");",
                      request("INVITE", "sip:a@b", headers, body), {&textops::kModule});
    };
    EXPECT_EQ(part("get_body_part(\"application/sdp\", \"$var(r)\");"), "\r\nv=0 --xyz\r\n|");
    EXPECT_EQ(part("get_body_part(\"text/plain\", \"$var(r)\");"), "Content-Disposition: render\r\n\r\nhello\r\n|");
    EXPECT_EQ(part("get_body_part_raw(\"application/sdp\", \"$var(r)\");"),
              "Content-Type: application/sdp\r\n\r\nv=0 --xyz\r\n--xyz\r\n|");
    EXPECT_EQ(part("get_body_part(\"a/b\", \"$var(r)\");"), "none|");
    EXPECT_EQ(part("get_body_part(\"a/b\", \"$var(r)\");", "Content-Type: text/plain\r\n", "all"), "all|");
    EXPECT_EQ(part("get_body_part(\"a/b\", \"$var(r)\");", kMultipart, "--xyz"), "none|");
    EXPECT_EQ(part("get_body_part(\"a/b\", \"$var(r)\");", kMultipart, "--xyz\r\nContent-Type: a/b\r\n"), "none|");
}

TEST(BodyEdits, FindStreamsOnHold) {
    const auto held = [](const std::string& body) {
        Script script("request_route { if (is_audio_on_hold()) log(\"held\"); else log(\"no\"); }",
                      {&textops::kModule});
        return script.send(request("INVITE", "sip:a@b", "", body)).line();
    };
    EXPECT_EQ(held(kBody), "held");
    EXPECT_EQ(held("v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 1 RTP/AVP 0\r\n"), "no");
    EXPECT_EQ(held("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 1 RTP/AVP 0\r\n"), "held");
    EXPECT_EQ(held("v=0\r\na=inactive\r\nm=audio 1 RTP/AVP 0\r\na=sendrecv\r\n"), "no");
    EXPECT_EQ(held("v=0\r\nm=video 1 RTP/AVP 0\r\na=sendonly\r\n"), "no");
    EXPECT_EQ(held(""), "no");
}

TEST(BodyEdits, OfReplies) {
    Script script("request_route { set_reply_body(\"why: $rU\", \"text/plain\"); sl_send_reply(\"480\", \"Gone\"); }",
                  {&textops::kModule, &sl::kModule});
    ASSERT_NE(script.program, nullptr) << script.found.text();
    const std::string reply = script.send(request()).replies.at(0);
    EXPECT_NE(reply.find("Content-Type: text/plain\r\n"), std::string::npos) << reply;
    EXPECT_EQ(body_of(reply), "why: bob");
    expect_sound(reply);
}

struct UriCase {
    const char* name;
    const char* statements;
    const char* expected;
};
constexpr UriCase kUris[] = {
    {"uri", "subst_uri(\"/^sip:(.*)@(.*)$/sip:\\1@sub.\\2/\");", "sip:bob@sub.example.com"},
    {"uri_no_match", "if (!subst_uri(\"/nothing/x/\")) $rU = \"same\";", "sip:same@example.com"},
    {"uri_not_one", "if (!subst_uri(\"/^sip:/ /\")) $rU = \"same\";", "sip:same@example.com"},
    {"user", "subst_user(\"/^b(.*)$/4\\1/\");", "sip:4ob@example.com"},
    {"user_from_variable", "$var(s) = \"/ob/eck/\"; subst_user($var(s));", "sip:beck@example.com"},
    {"user_all", "subst_user(\"/b/x/g\");", "sip:xox@example.com"},
    {"user_empty_matches", "subst_user(\"/z*/-/g\");", "sip:-b-o-b-@example.com"},
};
class UriSubstitutions : public testing::TestWithParam<UriCase> {};
TEST_P(UriSubstitutions, ChangeTheRequestUri) {
    const std::string said = logged(std::string(GetParam().statements) + " log(\"$ru\");",
                                    request("OPTIONS", "sip:bob@example.com"), {&textops::kModule});
    EXPECT_EQ(said, GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(Textops, UriSubstitutions, testing::ValuesIn(kUris),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Substitutions, AreCheckedAtStart) {
    for (const char* bad : {"", "/", "/a/b", "/(/b/", "/a/b/x", "/a/$nosuchthing/"})
        EXPECT_EQ(Script(std::string("request_route { subst(\"") + bad + "\"); }", {&textops::kModule}).program,
                  nullptr)
            << bad;
    for (const char* good : {"/a/b/", "/a//", "#a/b#c#gis", "/a\\\\/b/c/"})
        EXPECT_NE(Script(std::string("request_route { subst(\"") + good + "\"); }", {&textops::kModule}).program,
                  nullptr)
            << good;
}

}  // namespace
}  // namespace kahu::script::test
