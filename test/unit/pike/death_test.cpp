// test/unit/pike/death_test.cpp -- a process is killed after any instruction of counting a request.
#include "core/modules/pike/counts.h"
#include "core/modules/pike/module.h"
#include "test/unit/mem/single_step.h"

namespace kahu::pike::test {
namespace {

constexpr Limits kLimits{2, 5};

TEST(PikeDeath, AnAddressIsFoundAllTheSame) {
    const SocketAddress flooder = *SocketAddress::parse_ip("10.0.0.1"), other = *SocketAddress::parse_ip("2001:db8::1");
    for (const bool known : {false, true}) {
        mem::test::die_everywhere(
            known ? "count, known" : "count, new",
            [&] {
                mem::destroy_segment();
                mem::test::create(2, kModule.hooks.parts());
                if (known) (void)count(flooder, kLimits, 100);
                (void)count(other, kLimits, 100);
            },
            [] {}, [&] { (void)count(flooder, kLimits, 100); },
            [&](long) {
                int let_through = 0;
                while (let_through < 10 && count(flooder, kLimits, 100) == Judgement::good) ++let_through;
                EXPECT_TRUE(let_through >= 2 && let_through <= 4) << let_through;
                size_t rows = 0;
                list(kLimits, 100, 0,
                     [&](const Listed& row) { rows += row.address == flooder || row.address == other; });
                EXPECT_EQ(rows, 2u);
                EXPECT_EQ(count(flooder, kLimits, 200), Judgement::good);  // later
            },
            40);
    }
    mem::destroy_segment();
    mem::attach_slot(-1);
}

}  // namespace
}  // namespace kahu::pike::test
