#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tls/api.h"

namespace kahu::tls {
namespace {

TEST(Manual, ThePageInTheTreeIsTheProgramsOwn) {
    const char* root = getenv("KAHU_SOURCE_DIR");
    std::ifstream page(std::string(root != nullptr ? root : ".") + "/man/tls.cfg.5");
    std::stringstream text;
    text << page.rdbuf();
    EXPECT_EQ(text.str(), tls_cfg_manual()) << "write it again: scripts/check-man --fix";
}

TEST(Module, TheTableIsWellFormed) {
    EXPECT_TRUE(well_formed(kModule));
    for (const Param& param : kModule.params)
        EXPECT_EQ(param.help == "Accepted for compatibility.", !param.remark.empty()) << param.name;
}

}  // namespace
}  // namespace kahu::tls
