#include "core/sip/contact.h"

#include <gtest/gtest.h>

#include "test/unit/sip/exact.h"

namespace kahu::sip {
namespace {

TEST(Contact, StarStandsAlone) {
    EXPECT_TRUE(is_star_contact(" * "));
    EXPECT_FALSE(is_star_contact("<sip:a@b>"));
    EXPECT_FALSE(is_star_contact(""));
}

TEST(Contact, ListWithParameters) {
    ContactList list(
        "\"Mr, W\" <sip:w@worcester.bell-telephone.com>;q=0.7; expires=3600, <sips:a@b;transport=tcp>;"
        "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\";reg-id=1;expires=soon,sip:bare@c;q=1");
    Contact c;
    ASSERT_TRUE(list.next(c));
    EXPECT_EQ(c.address.display, "\"Mr, W\"");
    EXPECT_EQ(c.q, 700);
    EXPECT_EQ(c.expires, 3600u);
    EXPECT_FALSE(c.reg_id);
    ASSERT_TRUE(list.next(c));
    EXPECT_EQ(c.address.uri, "sips:a@b;transport=tcp");
    EXPECT_EQ(c.instance, "\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"");
    EXPECT_EQ(c.reg_id, 1u);
    EXPECT_EQ(c.expires, 3600u) << "malformed: as RFC 3261 20.10 says";
    EXPECT_FALSE(c.q);
    ASSERT_TRUE(list.next(c));
    EXPECT_EQ(c.address.uri, "sip:bare@c");
    EXPECT_EQ(c.q, 1000);
    EXPECT_FALSE(list.next(c));
    EXPECT_EQ(list.bad(), nullptr);
}

TEST(Contact, UriAndHeaderParametersAreToldApart) {
    Contact c;
    ContactList outside("sip:user@host5.example.com;unknownparam");  // RFC 4475 3.3.12
    ASSERT_TRUE(outside.next(c));
    EXPECT_EQ(c.address.params, ";unknownparam");
    ContactList inside("<sip:user@host5.example.com;unknownparam>");  // 3.3.13
    ASSERT_TRUE(inside.next(c));
    EXPECT_EQ(c.address.params, "");
    EXPECT_EQ(c.address.uri, "sip:user@host5.example.com;unknownparam");
}

TEST(Contact, BadOnesNameTheirRule) {
    struct Case {
        std::string_view text;
        const char* rule;
    };
    constexpr Case cases[] = {
        {"<sip:a@b>;q=1.5", "Contact: q"},
        {"<sip:a@b>;q", "Contact: q"},
        {"<sip:a@b>;reg-id=0", "Contact: reg-id"},
        {"\"Joe\" <sip:joe@example.org>;;;;", "name-addr: parameter"},
        {"*", "addr-spec: scheme"},
    };
    for (const Case& c : cases) {
        ContactList list(c.text);
        Contact contact;
        EXPECT_FALSE(list.next(contact)) << c.text;
        ASSERT_NE(list.bad(), nullptr) << c.text;
        EXPECT_STREQ(list.bad()->rule, c.rule) << c.text;
        EXPECT_LE(list.bad()->at, c.text.size());
        EXPECT_FALSE(list.next(contact)) << "stays bad";
    }
}

TEST(Contact, NoPrefixIsReadPastItsEnd) {
    on_every_prefix("\"a\\\"b\" <sip:w@x;y=1?z=2>;q=0.5;expires=60;+sip.instance=\"<urn:x>\";reg-id=2, sip:c@d",
                    [](std::string_view text) {
                        ContactList list(text);
                        for (Contact c; list.next(c);) continue;
                    });
}

}  // namespace
}  // namespace kahu::sip
