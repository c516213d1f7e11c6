// The 61 messages of RFC 4475 and RFC 5118, against test/torture/manifest.tsv: what parse() and validate() say about
// each, how a stream of each is framed, and that no prefix of any is read past its end.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "core/base/text.h"
#include "core/sip/auth.h"
#include "core/sip/builder.h"
#include "core/sip/contact.h"
#include "core/sip/frame.h"
#include "core/sip/validate.h"
#include "test/unit/sip/exact.h"

namespace kahu::sip {
namespace {

struct Expected {
    std::string_view file;
    Verdict verdict;
    int status;
};
constexpr Verdict kAccept = Verdict::accept, kReject = Verdict::reject, kDrop = Verdict::drop;

// What the parser and validate() say, read from the manifest's two "expected" columns.  Where a column names an answer
// that is a module's to give, the message is accepted here and the row says whose it is.
constexpr Expected kExpected[] = {
    {"rfc4475/wsinv.dat", kAccept, 0},
    {"rfc4475/intmeth.dat", kAccept, 0},
    {"rfc4475/esc01.dat", kAccept, 0},
    {"rfc4475/escnull.dat", kAccept, 0},
    {"rfc4475/esc02.dat", kAccept, 0},
    {"rfc4475/lwsdisp.dat", kAccept, 0},
    {"rfc4475/longreq.dat", kAccept, 0},
    {"rfc4475/dblreq.dat", kAccept, 0},  // as a datagram: what follows Content-Length is ignored
    {"rfc4475/semiuri.dat", kAccept, 0},
    {"rfc4475/transports.dat", kAccept, 0},
    {"rfc4475/mpart01.dat", kAccept, 0},
    {"rfc4475/unreason.dat", kAccept, 0},  // dropped by tm when no transaction matches
    {"rfc4475/noreason.dat", kAccept, 0},  // the same
    {"rfc4475/badinv01.dat", kReject, 400},
    {"rfc4475/clerr.dat", kReject, 400},
    {"rfc4475/ncl.dat", kReject, 400},
    {"rfc4475/scalar02.dat", kReject, 400},
    {"rfc4475/scalarlg.dat", kDrop, 400},
    {"rfc4475/quotbal.dat", kReject, 400},
    {"rfc4475/ltgtruri.dat", kReject, 400},
    {"rfc4475/lwsruri.dat", kReject, 400},
    {"rfc4475/lwsstart.dat", kReject, 400},
    {"rfc4475/trws.dat", kReject, 400},
    {"rfc4475/escruri.dat", kReject, 400},
    {"rfc4475/baddate.dat", kAccept, 0},   // nobody needs Date
    {"rfc4475/regbadct.dat", kAccept, 0},  // registrar: its Contact is bad, see below
    {"rfc4475/badaspec.dat", kReject, 400},
    {"rfc4475/baddn.dat", kReject, 400},
    {"rfc4475/badvers.dat", kReject, 505},
    {"rfc4475/mismatch01.dat", kReject, 400},
    {"rfc4475/mismatch02.dat", kReject, 400},
    {"rfc4475/bigcode.dat", kDrop, 400},
    {"rfc4475/badbranch.dat", kAccept, 0},  // no RFC 3261 branch, see below
    {"rfc4475/insuf.dat", kReject, 400},
    {"rfc4475/unkscm.dat", kReject, 416},
    {"rfc4475/novelsc.dat", kReject, 416},
    {"rfc4475/unksm2.dat", kAccept, 0},  // the schemes of From and To are the registrar's concern
    {"rfc4475/bext01.dat", kAccept, 0},  // 420 depends on which extensions the script's modules offer
    {"rfc4475/invut.dat", kAccept, 0},
    {"rfc4475/regaut01.dat", kAccept, 0},
    {"rfc4475/multi01.dat", kReject, 400},
    {"rfc4475/mcl01.dat", kReject, 400},
    {"rfc4475/bcast.dat", kDrop, 400},
    {"rfc4475/zeromf.dat", kAccept, 0},  // 483 is maxfwd's
    {"rfc4475/cparam01.dat", kAccept, 0},
    {"rfc4475/cparam02.dat", kAccept, 0},
    {"rfc4475/regescrt.dat", kAccept, 0},
    {"rfc4475/sdp01.dat", kAccept, 0},
    {"rfc4475/inv2543.dat", kAccept, 0},
    {"rfc5118/ipv6-good.dat", kAccept, 0},
    {"rfc5118/ipv6-bad.dat", kReject, 400},
    {"rfc5118/port-ambiguous.dat", kAccept, 0},
    {"rfc5118/port-unambiguous.dat", kAccept, 0},
    {"rfc5118/via-received-param-with-delim.dat", kAccept, 0},
    {"rfc5118/via-received-param-no-delim.dat", kAccept, 0},
    {"rfc5118/ipv6-in-sdp.dat", kAccept, 0},
    {"rfc5118/mult-ip-in-header.dat", kAccept, 0},
    {"rfc5118/mult-ip-in-sdp.dat", kAccept, 0},
    {"rfc5118/ipv4-mapped-ipv6.dat", kAccept, 0},
    {"rfc5118/ipv6-bug-abnf-3-colons.dat", kReject, 400},
    {"rfc5118/ipv6-correct-abnf-2-colons.dat", kAccept, 0},
};
static_assert(std::size(kExpected) == 61);

std::string folder() {
    const char* root = std::getenv("KAHU_SOURCE_DIR");
    return std::string(root == nullptr ? "." : root) + "/test/torture/";
}

std::string contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in) << path << " cannot be read: is KAHU_SOURCE_DIR the source folder?";
    return {std::istreambuf_iterator<char>(in), {}};
}

using Row = std::map<std::string, std::string>;

std::vector<Row> manifest() {
    const std::string text = contents(folder() + "manifest.tsv");
    std::vector<Row> rows;
    std::vector<std::string_view> names;
    for (const std::string_view line : text::split(text, '\n')) {
        if (line.empty()) continue;
        const std::vector<std::string_view> fields = text::split(line, '\t');
        if (names.empty()) {
            names = fields;
            continue;
        }
        Row row;
        for (size_t i = 0; i < names.size() && i < fields.size(); ++i) row.emplace(names[i], fields[i]);
        rows.push_back(std::move(row));
    }
    return rows;
}

const Expected* expected_of(std::string_view file) {
    for (const Expected& e : kExpected)
        if (e.file == file) return &e;
    return nullptr;
}

class Torture : public testing::Test {
  protected:
    bool load(std::string_view file) {
        text_ = contents(folder() + std::string(file));
        return message_.parse(text_, bad_);
    }
    std::string text_;
    Message message_;
    Bad bad_;
};

TEST_F(Torture, EveryMessageIsJudgedAsTheManifestSays) {
    const std::vector<Row> rows = manifest();
    ASSERT_EQ(rows.size(), std::size(kExpected));
    for (Row row : rows) {
        const std::string& file = row["file"];
        SCOPED_TRACE(file);
        const Expected* expected = expected_of(file);
        ASSERT_NE(expected, nullptr);
        const bool parsed = load(file);
        EXPECT_EQ(std::to_string(text_.size()), row["bytes"]);
        const Validation got = validate(message_, parsed);
        EXPECT_EQ(got.verdict, expected->verdict) << got.reason << ", " << message_.last_bad().rule;
        EXPECT_EQ(got.status, expected->status) << got.reason;

        // The table above may not drift away from the manifest.
        const std::string both = row["expected_proxy"] + "|" + row["expected_registrar_or_uas"];
        if (row["class"] == "valid") {
            EXPECT_EQ(expected->verdict, kAccept);
        }
        if (expected->verdict == kReject) {
            EXPECT_NE(both.find(std::to_string(expected->status)), both.npos) << both;
        }
        if (expected->verdict == kDrop) {
            EXPECT_NE(both.find("drop"), both.npos) << both;
        }
    }
}

TEST_F(Torture, StreamsAreFramedAsTheManifestSays) {
    for (Row row : manifest()) {
        SCOPED_TRACE(row["file"]);
        (void)load(row["file"]);
        const std::string& framing = row["stream_framing"];
        FrameState state;
        const FrameResult once = next_frame(text_, state, {});
        if (framing == "ok") {
            EXPECT_EQ(once.kind, FrameKind::message);
            EXPECT_EQ(once.bytes, text_.size());
        } else if (framing.starts_with("CL<body")) {
            EXPECT_EQ(once.kind, FrameKind::message);
            EXPECT_EQ(once.bytes, message_.bytes().size());
            EXPECT_LT(once.bytes, text_.size());
        } else if (framing.starts_with("CL>body")) {
            EXPECT_EQ(once.kind, FrameKind::need_more);
        } else {
            EXPECT_EQ(once.kind, FrameKind::error);
            EXPECT_EQ(once.status, 400);
            EXPECT_EQ(once.bytes, message_.head().size()) << "the head is known, so that it can be answered";
        }
        FrameState slow;
        FrameResult last;
        for (size_t n = 1; n <= text_.size() && last.kind == FrameKind::need_more; ++n)
            last = next_frame(std::string_view(text_).substr(0, n), slow, {});
        EXPECT_EQ(last.kind, once.kind) << "byte by byte";
        EXPECT_EQ(last.bytes, once.bytes);
        EXPECT_EQ(last.status, once.status);
    }
}

TEST_F(Torture, EveryAnswerableRequestGetsAReplyThatParses) {
    for (const Expected& e : kExpected) {
        SCOPED_TRACE(e.file);
        (void)load(e.file);
        if (!message_.can_be_answered()) continue;
        std::string reply;
        build_reply(message_, 400, "", {.to_tag = "t", .received = "192.0.2.99", .received_port = 5999}, reply);
        Message response;
        ASSERT_TRUE(response.parse(reply, bad_)) << bad_.rule << "\n" << reply;
        if (e.verdict != kAccept) continue;
        EXPECT_EQ(validate(response, true).verdict, kAccept) << reply;
    }
}

TEST_F(Torture, NoPrefixIsReadPastItsEnd) {
    for (const Expected& e : kExpected) {
        on_every_prefix(contents(folder() + std::string(e.file)), [this](std::string_view text) {
            (void)validate(message_, message_.parse(text, bad_));
            for (const HeaderField& field : message_.headers()) {
                ContactList contacts(field.value);
                for (Contact c; contacts.next(c);) continue;
                AuthValue auth;
                (void)parse_auth(field.value, auth, bad_);
            }
        });
    }
}

TEST_F(Torture, DetailsTheRfcsPointOut) {
    ASSERT_TRUE(load("rfc4475/wsinv.dat"));
    EXPECT_EQ(message_.max_forwards(), 68u);
    EXPECT_EQ(message_.from()->display, "\"J Rosenberg \\\\\\\"\"");
    EXPECT_EQ(message_.to()->tag, "1918181833n");
    EXPECT_EQ(message_.second_via()->host, "spindle.example.com");
    EXPECT_EQ(message_.first("UnknownHeaderWithUnusualValue")->value, ";;,,;;,;");
    EXPECT_EQ(message_.first(HeaderId::subject)->value, "");

    ASSERT_TRUE(load("rfc4475/intmeth.dat"));
    EXPECT_EQ(message_.method(), Method::other);
    EXPECT_EQ(message_.parsed_request_uri()->host, "example.com");

    ASSERT_TRUE(load("rfc4475/esc01.dat"));
    EXPECT_EQ(message_.parsed_request_uri()->user, "sips%3Auser%40example.com");
    EXPECT_EQ(message_.parsed_request_uri()->host, "example.net");

    ASSERT_TRUE(load("rfc4475/esc02.dat"));
    EXPECT_EQ(message_.method(), Method::other);

    ASSERT_TRUE(load("rfc4475/badbranch.dat"));
    EXPECT_FALSE(message_.top_via()->has_rfc3261_branch());

    ASSERT_TRUE(load("rfc4475/regbadct.dat"));
    ContactList contacts(message_.first(HeaderId::contact)->value);
    Contact contact;
    EXPECT_FALSE(contacts.next(contact));
    EXPECT_NE(contacts.bad(), nullptr);

    ASSERT_TRUE(load("rfc5118/port-ambiguous.dat"));
    EXPECT_EQ(message_.parsed_request_uri()->host, "[2001:db8::10:5070]");
    EXPECT_EQ(message_.parsed_request_uri()->port, 0);
    ASSERT_TRUE(load("rfc5118/port-unambiguous.dat"));
    EXPECT_EQ(message_.parsed_request_uri()->port, 5070);
    ASSERT_TRUE(load("rfc5118/via-received-param-no-delim.dat"));
    EXPECT_EQ(message_.top_via()->received, "2001:db8::9:255");
    ASSERT_TRUE(load("rfc5118/via-received-param-with-delim.dat"));
    EXPECT_EQ(message_.top_via()->received, "[2001:db8::9:255]");
}

}  // namespace
}  // namespace kahu::sip
