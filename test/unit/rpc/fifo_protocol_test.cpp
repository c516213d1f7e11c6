// What clients write into the request FIFO.
#include "rpc/fifo_protocol.h"

#include <gtest/gtest.h>

#include "rpc/argument.h"

namespace kahu::rpc {
namespace {

using What = FifoRequest::What;
constexpr size_t kLongest = 1024;

TEST(FifoText, CommandReplyNameAndParameters) {
    const std::string input = ":core.shmmem:rep1\nk\n5\n-2.5\ns:5\n\"a \\\"b\\n\"\n\nrest";
    const FifoRequest request = read_fifo_request(input, kLongest);
    ASSERT_EQ(request.what, What::text) << request.why;
    EXPECT_EQ(request.method, "core.shmmem");
    EXPECT_EQ(request.reply_name, "rep1");
    EXPECT_EQ(input.substr(request.bytes), "rest");
    const std::vector<RpcCall::Param> wanted = {std::string("k"), int64_t{5}, -2.5, std::string("5"),
                                                std::string("a \"b\n")};
    EXPECT_EQ(request.params, wanted);
}

TEST(FifoBinary, NameLineThenPacket) {
    const std::string packet = binrpc::write_request(9, "core.version", {});
    const std::string input = "\nreply_1\n" + packet;
    for (size_t n = 0; n < input.size(); ++n)
        EXPECT_EQ(read_fifo_request(std::string_view(input).substr(0, n), kLongest).what, What::need_more) << n;
    const std::string twice = input + ":next";
    const FifoRequest request = read_fifo_request(twice, kLongest);
    ASSERT_EQ(request.what, What::binary) << request.why;
    EXPECT_EQ(request.reply_name, "reply_1");
    EXPECT_EQ(request.packet, packet);
    EXPECT_EQ(twice.substr(request.bytes), ":next");
}

TEST(FifoInput, NonsenseIsBroken) {
    const std::string packet = binrpc::write_request(9, "core.version", {});
    const std::string cases[] = {
        "../etc/x\n" + packet,
        ".hidden\n" + packet,
        "a/b\n" + packet,
        "with blank\n" + packet,
        "name\nGET / HTTP\n",
        "name\n" + binrpc::write_reply(1, {}),
        std::string(300, 'x'),
        "::\n\n",
        ":command\n\n",
        ":command:a/b\n\n",
        ":command:\n\n",
        "name\n" + binrpc::write_request(1, std::string(2000, 'x'), {}),
        ":" + std::string(2000, 'x'),
        std::string("na\0me\n", 6) + packet,
    };
    for (const std::string& input : cases)
        EXPECT_EQ(read_fifo_request(input, kLongest).what, What::broken) << input.substr(0, 40);
    std::string many = ":c:r\n";
    for (int i = 0; i < 300; ++i) many += "1\n";
    EXPECT_EQ(read_fifo_request(many + "\n", 1 << 20).what, What::broken);
}

TEST(FifoAnswer, IsLines) {
    RpcCall call("x", {});
    call.add("plain: text");
    call.add(5);
    call.add(RpcStruct{{"sock", "127.0.0.1:5060,x"}, {"n", 2.0}, {"in", RpcStruct{{"a", 1}}}});
    EXPECT_EQ(text_answer(call), "200 OK\nplain: text\n5\nsock:127.0.0.1\\o5060\\cx,n:2,in:{a:1}\n");
    call.fault(500, "bad param, (use b|k|m|g)");
    EXPECT_EQ(text_answer(call), "500 bad param, (use b|k|m|g)\n");
}

TEST(Arguments, LookLikeWhatTheyAre) {
    EXPECT_EQ(param_from_text("5"), RpcCall::Param(int64_t{5}));
    EXPECT_EQ(param_from_text("-5"), RpcCall::Param(int64_t{-5}));
    EXPECT_EQ(param_from_text("70000000000"), RpcCall::Param(int64_t{70000000000}));
    EXPECT_EQ(param_from_text("2.5"), RpcCall::Param(2.5));
    for (const char* text : {"s:5", "", "1.2.3", "0x10", "inf", "nan", "5a", "-", "1e5"})
        EXPECT_TRUE(std::holds_alternative<std::string>(param_from_text(text))) << text;
}

}  // namespace
}  // namespace kahu::rpc
