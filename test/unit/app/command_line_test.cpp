#include "core/app/command_line.h"

#include <gtest/gtest.h>

#include <set>

namespace kahu::app {
namespace {

Result<Options> parse(std::vector<std::string> words) {
    words.insert(words.begin(), "kahu");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    Options options;
    auto outcome = parse_command_line(static_cast<int>(argv.size()), argv.data(), options);
    if (!outcome) return std::move(outcome).error();
    return options;
}

TEST(CommandLine, DebiansUnitStartsIt) {
    const auto got = parse(
        {"-P", "/run/kamailio/kamailio.pid", "-f", "/etc/kamailio/kamailio.cfg", "-m", "64", "-M", "8", "--atexit=no"});
    ASSERT_TRUE(got) << got.error().text();
    EXPECT_EQ(got->pid_file, "/run/kamailio/kamailio.pid");
    EXPECT_EQ(got->config_file, "/etc/kamailio/kamailio.cfg");
    EXPECT_EQ(got->shm_megabytes, 64);
}

TEST(CommandLine, LettersMayBeJoined) {
    const auto got =
        parse({"-DDEf", "x.cfg", "-m16", "-A", "A=1", "-AB", "-l", "udp:127.0.0.1", "-l", "tcp:127.0.0.1"});
    ASSERT_TRUE(got) << got.error().text();
    EXPECT_EQ(got->foreground, 2);
    EXPECT_TRUE(got->stderr_log);
    EXPECT_EQ(got->config_file, "x.cfg");
    EXPECT_EQ(got->shm_megabytes, 16);
    EXPECT_EQ(got->defines, (std::vector<std::string>{"A=1", "B"}));
    EXPECT_EQ(got->listen.size(), 2u);
}

struct Wrong {
    const char* name;
    std::vector<std::string> words;
    const char* error;
};
const Wrong kWrong[] = {
    {"unknown_letter", {"-Z"}, "unknown option -Z (kahu --help lists them)"},
    {"unknown_word", {"--modparm=x"}, "unknown option --modparm (did you mean --modparam?)"},
    {"no_argument", {"-f"}, "-f needs an argument (FILE)"},
    {"not_a_number", {"-m", "lots"}, "option -m: 'lots' is not valid (expected a number from 8 to 1048576)"},
    {"not_yes_or_no", {"--atexit=maybe"}, "option --atexit: 'maybe' is not valid (expected yes or no)"},
    {"stray", {"kahu.cfg"}, "unexpected argument kahu.cfg (kahu --help lists the options)"},
    {"no_server_id",
     {"--server-id=0"},
     "option --server-id: '0' is not valid (expected a number from 1 to 2147483647)"},
};
class WrongOptions : public testing::TestWithParam<Wrong> {};
TEST_P(WrongOptions, AreNamedWithARemedy) {
    const auto got = parse(GetParam().words);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().text(), GetParam().error);
}
INSTANTIATE_TEST_SUITE_P(CommandLine, WrongOptions, testing::ValuesIn(kWrong),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(CommandLine, AllOfKamailiosOptionsAreRowsAndInTheHelp) {
    std::set<std::string_view> rows;
    for (const OptionRow& row : option_rows()) EXPECT_TRUE(rows.insert(row.spelled).second) << row.spelled;
    for (const char* spelled :
         {"-a",           "--alias",     "--atexit", "-A",         "-b", "-c",          "--cfg-print",
          "-d",           "--debug",     "-D",       "-e",         "-E", "-f",          "-g",
          "-G",           "-h",          "--help",   "-I",         "-K", "-l",          "--loadmodule",
          "--log-engine", "-L",          "-m",       "--modparam", "-M", "-n",          "-N",
          "-O",           "-P",          "-Q",       "-r",         "-R", "--server-id", "--subst",
          "--substdef",   "--substdefs", "-S",       "-t",         "-T", "-u",          "-v",
          "-V",           "--version",   "-x",       "-X",         "-Y", "-w",          "-W"}) {
        EXPECT_TRUE(rows.contains(spelled)) << spelled;
        EXPECT_NE(help_text().find(std::string("  ") + spelled), std::string::npos) << spelled;
    }
}

}  // namespace
}  // namespace kahu::app
