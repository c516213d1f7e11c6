#include "core/module/setting.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/module/descriptor.h"
#include "core/module/manual.h"
#include "test/unit/mem/single_step.h"

namespace kahu {
namespace {

void* shared_page() { return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); }

TEST(IntSetting, AChildSeesWhatTheParentSetsAfterTheFork) {
    static IntSetting setting{8};
    setting.share(static_cast<int64_t*>(shared_page()));
    EXPECT_EQ(setting.get(), 8);
    const pid_t child = ::fork();
    if (child == 0) {
        for (int i = 0; i < 2000 && setting.get() != 9; ++i) ::usleep(1000);
        ::_exit(setting.get() == 9 ? 0 : 1);
    }
    setting.set(9);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

// The RPC process is killed while it writes one: old or new, and the next change is seen.
TEST(TextSetting, SurvivesTheDeathOfItsWriter) {
    const std::string before(300, 'a'), after(200, 'b');
    static TextSetting setting;
    const mem::Part part{"setting", sizeof(TextSetting::Cell),
                         [](void* at, size_t) { setting.share(static_cast<TextSetting::Cell*>(at)); }};
    mem::test::die_everywhere(
        "TextSetting::set",
        [&] {
            mem::destroy_segment();
            mem::test::create(2, {&part, 1});
            ASSERT_TRUE(setting.set(before));
            EXPECT_EQ(setting.get(), before);
        },
        [] {}, [&] { (void)setting.set(after); },
        [&](long) {
            const std::string now = setting.get();
            EXPECT_TRUE(now == before || now == after) << now;
            ASSERT_TRUE(setting.set("next"));
            EXPECT_EQ(setting.get(), "next");
        },
        40);
    mem::destroy_segment();
    mem::attach_slot(-1);
}

TEST(TextSetting, ChangesAreSeenAndTooLongOnesRefused) {
    static TextSetting setting{"first"};
    setting.share(static_cast<TextSetting::Cell*>(shared_page()));
    EXPECT_EQ(setting.get(), "first");
    EXPECT_TRUE(setting.set("second"));
    EXPECT_EQ(setting.get(), "second");
    EXPECT_FALSE(setting.set(std::string(TextSetting::kTextCapacity + 1, 'x')));
    EXPECT_EQ(setting.get(), "second");
    EXPECT_EQ(setting.initial(), "first");
}

TEST(TextSetting, AWriterKilledInTheMiddleLeavesTheOldTextReadable) {
    static TextSetting setting{"old"};
    auto* cell = static_cast<TextSetting::Cell*>(shared_page());
    setting.share(cell);
    EXPECT_EQ(setting.get(), "old");
    cell->sequence |= 1;  // where the writer died
    cell->text[0] = 'X';
    EXPECT_EQ(setting.get(), "old");
    EXPECT_TRUE(setting.set("new"));  // the next writer repairs
    EXPECT_EQ(setting.get(), "new");
}

IntSetting g_number{5};
TextSetting g_text{"x"};
const Param kNumber{.name = "n", .number = &g_number, .min = 0, .max = 10, .unit = "seconds", .help = "A number."};
const Param kTruth{.name = "b", .kind = ParamKind::boolean, .number = &g_number, .help = "A truth."};
const Param kText{.name = "t", .kind = ParamKind::text, .text = &g_text, .help = "A text."};

struct ApplyCase {
    const char* name;
    const Param* param;
    ParamValue value;
    const char* error;  // nullptr: accepted
};
const ApplyCase kApply[] = {
    {"in_range", &kNumber, int64_t{10}, nullptr},
    {"text_number", &kNumber, std::string("7"), nullptr},
    {"too_large", &kNumber, int64_t{11}, "n = 11 is not valid (expected an integer from 0 to 10 seconds)"},
    {"not_a_number", &kNumber, std::string("x"), "n = \"x\" is not valid (expected an integer from 0 to 10 seconds)"},
    {"truth", &kTruth, std::string("yes"), nullptr},
    {"no_truth", &kTruth, int64_t{2}, "b = 2 is not valid (expected yes or no)"},
    {"text", &kText, std::string("abc"), nullptr},
    {"number_as_text", &kText, int64_t{3}, nullptr},
    {"too_long", &kText, std::string(600, 'x'), nullptr},
};
class Apply : public testing::TestWithParam<ApplyCase> {};
TEST_P(Apply, AcceptsOrSaysWhatIsValid) {
    const Status applied = apply(*GetParam().param, GetParam().value);
    ASSERT_EQ(bool(applied), GetParam().error == nullptr);
    if (!applied) {
        EXPECT_EQ(applied.error().text(), GetParam().error);
    }
}
INSTANTIATE_TEST_SUITE_P(Param, Apply, testing::ValuesIn(kApply),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Manual, ShowsDefaultRangeAndUnit) {
    const std::string page = manual::parameters(std::span(&kNumber, 1), "PARAMETERS");
    EXPECT_NE(page.find(".B n\nA number. Takes an integer from 0 to 10 seconds. Default: 5 seconds."), page.npos)
        << page;
}
TEST(Manual, NothingInATextIsARequest) { EXPECT_EQ(manual::text(".SH x\\f\n'y-z"), "\\&.SH x\\ef\n\\&'y\\-z"); }

}  // namespace
}  // namespace kahu
